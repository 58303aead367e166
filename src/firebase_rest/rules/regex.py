"""Regular expressions in linear time: a parser for the dialect of database rules, and a DFA that is built lazily.

Python's `re` uses backtracking and has no time limit, so a hostile expression could block the server.
https://firebase.google.com/docs/reference/security/database/regex
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeAlias

from firebase_rest.rules.errors import EvaluationError, ExpressionError

MAX_REPEAT = 1000
MAX_NFA_STATES = 10_000
MAX_DFA_STATES = 1_000
MAX_MOVES = 10_000
"""Maximum number of cached transitions of a DFA state. Texts in one language have fewer different characters."""
MAX_STEPS = 100_000
"""Maximum number of NFA states that one match visits to build DFA states. Cached transitions do not count."""

_PART_LENGTH = 4096

_DIGITS = frozenset("0123456789")
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_SPACE = frozenset(" \t\r\n\f\v")
_CLASSES = {
    letter: (characters, letter.isupper())
    for letters, characters in (("dD", _DIGITS), ("wW", _WORD), ("sS", _SPACE))
    for letter in letters
}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}


@dataclass(frozen=True, slots=True)
class CharSet:
    r"""Characters, ranges, and negated classes such as \D inside it."""

    characters: frozenset[str] = frozenset()
    ranges: tuple[tuple[str, str], ...] = ()
    excluded: tuple[frozenset[str], ...] = ()
    negated: bool = False

    def matches(self, forms: Iterable[str]) -> bool:
        """Return whether the set contains a character. `forms` are the character and, ignoring case, its variants."""
        is_member = any(
            form in self.characters
            or any(low <= form <= high for low, high in self.ranges)
            or any(form not in excluded for excluded in self.excluded)
            for form in forms
        )
        return is_member != self.negated


_DOT = CharSet(frozenset("\n\r\u2028\u2029"), negated=True)


@dataclass(frozen=True, slots=True)
class Concatenation:
    """A sequence of expressions."""

    parts: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Alternatives:
    """Alternative expressions (`a|b`)."""

    options: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """An expression that is repeated `minimum` to `maximum` times. `maximum` None means without a limit."""

    part: Pattern
    minimum: int
    maximum: int | None


@dataclass(frozen=True, slots=True)
class Anchor:
    """The start (`^`) or the end (`$`) of the text."""

    at_end: bool


Pattern: TypeAlias = "CharSet | Concatenation | Alternatives | Repeat | Anchor"


class PatternParser:
    """Parses the dialect of database rules: anchors only at the ends, no lazy quantifiers, no special groups."""

    _allows_empty = False
    """Whether an alternative may be empty."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._depth = 0

    def parse(self) -> Pattern:
        pattern = self._alternatives()
        if self._at < len(self._text):
            raise ExpressionError("Unbalanced ')' in the regular expression.", self._at)
        return pattern

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _fail(self, message: str) -> ExpressionError:
        return ExpressionError(f"{message} in the regular expression.", self._at)

    def _alternatives(self) -> Pattern:
        self._depth += 1
        if self._depth > 50:
            raise self._fail("Too many nested groups")
        options = [self._sequence()]
        while self._peek() == "|":
            self._at += 1
            options.append(self._sequence())
        if len(options) > 1 and not self._allows_empty and Concatenation(()) in options:
            raise self._fail("Empty alternative")
        self._depth -= 1
        return options[0] if len(options) == 1 else Alternatives(tuple(options))

    def _sequence(self) -> Pattern:
        parts: list[Pattern] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeat())
        return parts[0] if len(parts) == 1 else Concatenation(tuple(parts))

    def _repeat(self) -> Pattern:
        part = self._atom()
        quantifier = self._quantifier()
        if quantifier is None:
            return part
        if isinstance(part, Anchor):
            raise self._fail("Quantifier after an anchor")
        if self._peek() in ("*", "+", "?"):
            raise self._fail("Two quantifiers")
        return Repeat(part, *quantifier)

    def _quantifier(self) -> tuple[int, int | None] | None:
        symbol = self._peek()
        simple = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(symbol)
        if simple is not None:
            self._at += 1
            return simple
        if symbol != "{":
            return None
        end = self._text.find("}", self._at)
        low, comma, high = self._text[self._at + 1 : end if end > 0 else None].partition(",")
        if end < 0 or not low.isdecimal() or (high and not high.isdecimal()):
            raise self._fail("Invalid quantifier")
        minimum = int(low[:6])
        maximum = (int(high[:6]) if high else None) if comma else minimum
        if max(minimum, maximum or 0) > MAX_REPEAT or (maximum is not None and maximum < minimum):
            raise self._fail(f"Invalid quantifier (at most {MAX_REPEAT} repetitions)")
        self._at = end + 1
        return minimum, maximum

    def _atom(self) -> Pattern:
        symbol = self._peek()
        if symbol == "(":
            self._at += 1
            if self._peek() == "?":
                raise self._fail("Unsupported group '(?'")
            inner = self._alternatives()
            if self._peek() != ")":
                raise self._fail("Missing ')'")
            self._at += 1
            return inner
        if symbol in ("*", "+", "?", "{"):
            raise self._fail(f"Nothing to repeat before '{symbol}'")
        if symbol in ("^", "$"):
            if self._at != (0 if symbol == "^" else len(self._text) - 1):
                raise self._fail(f"'{symbol}' is allowed only at the {'start' if symbol == '^' else 'end'}")
            self._at += 1
            return Anchor(symbol == "$")
        if symbol == "[":
            return self._char_class()
        self._at += 1
        if symbol == ".":
            return _DOT
        if symbol == "\\":
            return self._escape()
        return CharSet(frozenset(symbol))

    def _escape(self) -> CharSet:
        symbol = self._peek()
        if symbol == "":
            raise self._fail("Missing character after '\\'")
        self._at += 1
        if symbol in _CLASSES:
            characters, negated = _CLASSES[symbol]
            return CharSet(characters, negated=negated)
        if symbol.isdigit() and symbol != "0":
            raise self._fail("Unsupported back reference")
        if symbol.isalpha() and symbol not in _CONTROLS:
            raise self._fail(f"Unsupported escape '\\{symbol}'")
        return CharSet(frozenset(_CONTROLS.get(symbol, symbol)))

    def _char_class(self) -> CharSet:
        self._at += 1
        negated = self._peek() == "^"
        self._at += negated
        characters: set[str] = set()
        ranges: list[tuple[str, str]] = []
        excluded: list[frozenset[str]] = []
        while self._peek() != "]":
            low = self._class_item()
            if low.negated:
                excluded.append(low.characters)
            elif len(low.characters) > 1:
                characters.update(low.characters)
            elif self._peek() == "-" and self._text[self._at + 1 : self._at + 2] not in ("]", ""):
                self._at += 1
                high = self._class_item()
                start, stop = *low.characters, *high.characters
                if high.negated or len(high.characters) != 1 or start > stop:
                    raise self._fail("Invalid range")
                ranges.append((start, stop))
            else:
                characters |= low.characters
        self._at += 1
        return CharSet(frozenset(characters), tuple(ranges), tuple(excluded), negated)

    def _class_item(self) -> CharSet:
        symbol = self._peek()
        if symbol == "":
            raise self._fail("Missing ']'")
        self._at += 1
        return self._escape() if symbol == "\\" else CharSet(frozenset(symbol))


# --- automata --------------------------------------------------------------------------------------------------------


class _Nfa:
    """A nondeterministic automaton. A state is a number, with a character set and a successor, or only successors."""

    def __init__(self, pattern: Pattern) -> None:
        self.sets: list[int | None] = []
        self.numbers: dict[CharSet, int] = {}
        self.targets: list[list[int]] = []
        self.anchors: list[str] = []
        self.accept = self.add([])
        self.first = self.build(pattern, self.accept)

    def add(self, targets: list[int], characters: CharSet | None = None, anchor: str = "") -> int:
        self.sets.append(None if characters is None else self.numbers.setdefault(characters, len(self.numbers)))
        self.targets.append(targets)
        self.anchors.append(anchor)
        return len(self.sets) - 1

    def build(self, pattern: Pattern, after: int) -> int:
        """Add the states of a pattern, whose last transitions lead to the state `after`. Return its first state."""
        if isinstance(pattern, CharSet):
            return self.add([after], pattern)
        if isinstance(pattern, Anchor):
            return self.add([after], anchor="$" if pattern.at_end else "^")
        if isinstance(pattern, Concatenation):
            for part in reversed(pattern.parts):
                after = self.build(part, after)
            return after
        if isinstance(pattern, Alternatives):
            return self.add([self.build(option, after) for option in pattern.options])
        if pattern.maximum is None:
            loop = self.add([after])
            self.targets[loop].append(self.build(pattern.part, loop))
            after = loop
        else:
            end = after
            for _ in range(pattern.maximum - pattern.minimum):
                after = self.add([end, self.build(pattern.part, after)])
        for _ in range(pattern.minimum):
            after = self.build(pattern.part, after)
        return after


def _size(pattern: Pattern) -> int:
    """Return the number of states that `_Nfa.build` adds for a pattern."""
    if isinstance(pattern, Concatenation):
        return sum(map(_size, pattern.parts))
    if isinstance(pattern, Alternatives):
        return 1 + sum(map(_size, pattern.options))
    if isinstance(pattern, Repeat):
        part = _size(pattern.part)
        optional = 1 if pattern.maximum is None else pattern.maximum - pattern.minimum
        return part * pattern.minimum + (part + 1) * optional
    return 1


class _DfaState:
    """A set of NFA states. The known transitions are cached by character, and by the character sets that contain it."""

    __slots__ = ("accepts", "accepts_at_end", "can_move", "moves", "moves_by_sets", "states")

    def __init__(self, states: tuple[int, ...], *, can_move: bool, accepts: bool, accepts_at_end: bool) -> None:
        self.states = states
        self.can_move = can_move
        self.accepts = accepts
        self.accepts_at_end = accepts_at_end
        self.moves: dict[str, _DfaState] = {}
        self.moves_by_sets: dict[frozenset[int], _DfaState] = {}


class Regex:
    """A compiled regular expression. The time of a match is linear in the length of the text.

    The automaton is built when it is first needed, because a rules file may have thousands of expressions.
    """

    def __init__(self, pattern: Pattern, *, ignore_case: bool = False, whole: bool = False) -> None:
        if _size(pattern) >= MAX_NFA_STATES:
            raise ExpressionError("The regular expression is too large.", 0)
        self._pattern = pattern
        self._ignore_case = ignore_case
        self._whole = whole
        self._cache: dict[tuple[int, ...], _DfaState] = {}
        self._matching: dict[str, frozenset[int]] = {}
        self._steps = 0

    @cached_property
    def _nfa(self) -> _Nfa:
        return _Nfa(self._pattern)

    @cached_property
    def _start(self) -> _DfaState:
        return self._state({self._nfa.first}, at_start=True)

    @cached_property
    def _later_start(self) -> _DfaState:
        return self._state({self._nfa.first}, at_start=False)

    def matches(self, text: str) -> bool:
        """Return whether the expression matches a part of the text, or with `whole`, the whole text.

        Raises `EvaluationError` if the expression needs too many steps.
        """
        self._steps = 0
        state = self._start
        for start in range(0, len(text), _PART_LENGTH):
            part = text[start : start + _PART_LENGTH]
            if start and all(state.moves.get(character) is state for character in set(part)):
                continue  # the state does not change; in long texts this is four times as fast as the loop below
            for character in part:
                if state.accepts and not self._whole:
                    return True
                next_state = state.moves.get(character)
                if next_state is None:
                    if not state.can_move:  # the rest cannot match, for example after a mismatch at the start of `^a`
                        return not self._whole and self._later_start.accepts_at_end
                    next_state = self._move(state, character)
                state = next_state
        return state.accepts_at_end

    def find(self, text: str, start: int) -> int:
        """Return the end of the longest match that begins at `start`, or -1. The expression must be compiled `whole`.

        Raises `EvaluationError` if the expression needs too many steps.
        """
        state = self._start if start == 0 else self._later_start
        end = start if state.accepts else -1
        for index in range(start, len(text)):
            character = text[index]
            next_state = state.moves.get(character)
            state = self._move(state, character) if next_state is None else next_state
            self._count(1)
            if not state.states:
                return end
            if state.accepts:
                end = index + 1
        return len(text) if state.accepts_at_end else end

    def begin(self) -> None:
        """Count steps from zero, before several calls of `find` in one text."""
        self._steps = 0

    def _move(self, state: _DfaState, character: str) -> _DfaState:
        matching = self._matching_sets(character)
        next_state = state.moves_by_sets.get(matching)
        if next_state is None:
            self._count(len(state.states))
            sets, targets = self._nfa.sets, self._nfa.targets
            reached: set[int] = set() if self._whole else {self._nfa.first}
            reached.update(targets[number][0] for number in state.states if sets[number] in matching)
            next_state = state.moves_by_sets[matching] = self._state(reached, at_start=False)
        if len(state.moves) < MAX_MOVES:
            state.moves[character] = next_state
        return next_state

    def _matching_sets(self, character: str) -> frozenset[int]:
        """Return the numbers of the character sets that contain a character."""
        matching = self._matching.get(character)
        if matching is None:
            self._count(4 + len(self._nfa.numbers))
            forms = {character, character.lower(), character.upper()} if self._ignore_case else {character}
            matching = frozenset(
                number for characters, number in self._nfa.numbers.items() if characters.matches(forms)
            )
            if len(self._matching) < MAX_MOVES:
                self._matching[character] = matching
        return matching

    def _state(self, reached: set[int], *, at_start: bool) -> _DfaState:
        closure = self._closure(reached, at_start=at_start, at_end=False)
        key = tuple(sorted(closure))
        cached = None if at_start else self._cache.get(key)
        if cached is not None:
            return cached
        if len(self._cache) >= MAX_DFA_STATES:
            self._cache.clear()  # states that are needed later are built again
        at_end = self._nfa.accept in self._closure(reached, at_start=at_start, at_end=True)
        can_move = any(self._nfa.sets[number] is not None for number in key)
        state = _DfaState(key, can_move=can_move, accepts=self._nfa.accept in closure, accepts_at_end=at_end)
        if not at_start:
            self._cache[key] = state
        return state

    def _closure(self, reached: set[int], *, at_start: bool, at_end: bool) -> set[int]:
        """Return the states `reached`, and those that follow them without input."""
        closure = set(reached)
        pending = list(reached)
        while pending:
            number = pending.pop()
            anchor = self._nfa.anchors[number]
            if self._nfa.sets[number] is not None or (anchor and not (at_start if anchor == "^" else at_end)):
                continue
            for target in self._nfa.targets[number]:
                if target not in closure:
                    closure.add(target)
                    pending.append(target)
        self._count(len(closure))
        return closure

    def _count(self, steps: int) -> None:
        self._steps += steps
        if self._steps > MAX_STEPS:
            raise EvaluationError("The regular expression needs too many steps.")


@lru_cache(maxsize=512)
def compile_regex(pattern: str, *, ignore_case: bool = False) -> Regex:
    """Compile a pattern in the dialect of database rules. Raises `ExpressionError`."""
    return Regex(PatternParser(pattern).parse(), ignore_case=ignore_case)
