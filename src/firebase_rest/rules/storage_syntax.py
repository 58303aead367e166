"""The statements of Storage rules, and their parser.

https://firebase.google.com/docs/rules/rules-language
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from firebase_rest.rules.errors import ExpressionError
from firebase_rest.rules.parser import SPACE, ExpressionParser, token_pattern
from firebase_rest.rules.syntax import Expression, IndexAccess, Literal, MapLiteral, PathLiteral, Slice

METHODS = {
    "read": frozenset({"get", "list"}),
    "write": frozenset({"create", "update", "delete"}),
    **{name: frozenset({name}) for name in ("get", "list", "create", "update", "delete")},
}
MAX_BINDINGS = 10


@dataclass(frozen=True, slots=True)
class Allow:
    """`allow read, write: if condition;`. Without a condition, `condition` is the literal true."""

    methods: tuple[str, ...]
    condition: Expression
    start: int


@dataclass(frozen=True, slots=True)
class Function:
    """`function name(parameters) { let name = value; return result; }`."""

    name: str
    parameters: tuple[str, ...]
    bindings: tuple[tuple[str, Expression], ...]
    result: Expression
    start: int


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment of the path of a match: text, `{name}` (`is_wildcard`), or `{name=**}` (`is_recursive` too)."""

    text: str
    is_wildcard: bool = False
    is_recursive: bool = False


@dataclass(slots=True)
class Block:
    """The statements of a `service` or `match`."""

    segments: tuple[Segment, ...] = ()
    path: str = ""
    start: int = 0
    allows: list[Allow] = field(default_factory=list[Allow])
    functions: dict[str, Function] = field(default_factory=dict[str, Function])
    matches: list[Block] = field(default_factory=list["Block"])


_TOKEN = token_pattern(r"[A-Za-z_]\w*", r"==|!=|<=|>=|\|\||&&|[-+*/%<>!?:.,()\[\]{};=$]")
_MATCH_PATH = re.compile(r"(?:/(?:\{\w+(?:=\*\*)?\}|[^\s/{}]+))+")
_MATCH_SEGMENT = re.compile(r"/(?:\{(\w+)(=\*\*)?\}|([^\s/{}]+))")
_PATH_TEXT = re.compile(r"/([\w.\-~%@:+]+|\([\w.\-]+\))")


_PRECEDENCE: Mapping[str, int] = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys(("==", "!="), 3),
    **dict.fromkeys(("in", "is"), 4),
    **dict.fromkeys(("<", "<=", ">", ">="), 5),
    **dict.fromkeys(("+", "-"), 6),
    **dict.fromkeys(("*", "/", "%"), 7),
}
_SPACE = re.compile(SPACE, re.DOTALL)


class StorageParser(ExpressionParser):
    """Parses a Storage rules file. Offsets are positions in the file."""

    TOKEN = _TOKEN
    PRECEDENCE = _PRECEDENCE
    RESERVED = frozenset(("let", "return", "function", "match", "allow", "service", "in", "is"))
    MAX_INTEGER_DIGITS = 18  # integers have 64 bits

    def parse(self) -> tuple[str, Block]:
        """Return the version of the rules and the block of the service. Raises `ExpressionError`."""
        version = "1"
        if self._accept("rules_version"):
            self._expect("=")
            version = self._word[1:-1] if self._kind == "string" else ""
            if version not in ("1", "2"):
                self._fail("rules_version must be '1' or '2'.")
            self._advance()
            self._accept(";")
        functions: dict[str, Function] = {}
        while self._word == "function":
            self._function(functions)
        if not self._accept("service"):
            self._fail("Expected 'service firebase.storage'.")
        start = self._start
        name = ".".join([self._name(), *self._names_after_dot()])
        if name != "firebase.storage":
            self._fail(f"Expected 'service firebase.storage', got 'service {name}'.", start)
        service = Block(start=start, functions=functions)
        self._block(service, allows=False)
        self.expect_end()
        return version, service

    # --- statements ---

    def _fail(self, message: str, offset: int | None = None) -> NoReturn:
        raise ExpressionError(message, self._start if offset is None else offset)

    def _name(self) -> str:
        if self._kind != "name":
            raise self._unexpected()
        name = self._word
        self._advance()
        return name

    def _names_after_dot(self) -> list[str]:
        names: list[str] = []
        while self._accept("."):
            names.append(self._name())
        return names

    def _block(self, block: Block, *, allows: bool) -> None:
        self._nesting += 1
        if self._nesting > 50:
            self._fail("The match blocks are nested more than 50 levels deep.")
        self._expect("{")
        while not self._accept("}"):
            word = self._word
            if word == "function":
                self._function(block.functions)
            elif word == "match":
                block.matches.append(self._match())
            elif word == "allow" and allows:
                block.allows.append(self._allow())
            elif self._kind == "end":
                self._fail("Missing '}'.")
            else:
                raise self._unexpected()
        self._nesting -= 1

    def _match(self) -> Block:
        # Read the path from the text, because the token after `match` is only its first slash.
        start = self._start
        space = _SPACE.match(self._text, self._end)
        path_start = space.end() if space else start
        path = _MATCH_PATH.match(self._text, path_start)
        if path is None:
            self._fail("Expected a path such as /users/{uid} after 'match'.", path_start)
        segments = tuple(
            Segment(name or text, bool(name), bool(recursive))
            for name, recursive, text in _MATCH_SEGMENT.findall(path[0])
        )
        names = [segment.text for segment in segments if segment.is_wildcard]
        if len(set(names)) < len(names):
            self._fail(f"The path {path[0]} uses a wildcard twice.", path_start)
        self._continue_at(path.end())
        block = Block(segments, path[0], start)
        self._block(block, allows=True)
        return block

    def _allow(self) -> Allow:
        start = self._start
        self._advance()
        methods: list[str] = []
        while True:
            method_start, method = self._start, self._name()
            if method not in METHODS:
                self._fail(f"Unknown method '{method}'; expected one of {', '.join(METHODS)}.", method_start)
            methods.append(method)
            if not self._accept(","):
                break
        condition: Expression = Literal(value=True, start=start, end=self._previous_end)
        if self._accept(":"):
            if not self._accept("if"):
                self._fail("Expected 'if' after ':'.")
            condition = self.conditional()
        self._accept(";")
        return Allow(tuple(methods), condition, start)

    def _function(self, functions: dict[str, Function]) -> None:
        start = self._start
        self._advance()
        name = self._name()
        if name in functions:
            self._fail(f"The function '{name}' is defined twice.", start)
        self._expect("(")
        parameters: list[str] = []
        while not self._accept(")"):
            parameters.append(self._name())
            if self._word != ")":
                self._expect(",")
        self._expect("{")
        bindings: list[tuple[str, Expression]] = []
        while self._accept("let"):
            variable = self._name()
            self._expect("=")
            bindings.append((variable, self.conditional()))
            self._accept(";")
        if len(bindings) > MAX_BINDINGS:
            self._fail(f"A function can have at most {MAX_BINDINGS} let bindings.", start)
        if not self._accept("return"):
            self._fail("Expected 'return'.")
        result = self.conditional()
        self._accept(";")
        self._expect("}")
        functions[name] = Function(name, tuple(parameters), tuple(bindings), result, start)

    # --- expressions ---

    def _group(self, word: str, start: int) -> Expression:
        if word == "{":
            self._advance()
            entries: list[tuple[Expression, Expression]] = []
            while not self._accept("}"):
                key = self.conditional()
                self._expect(":")
                entries.append((key, self.conditional()))
                if self._word != "}":
                    self._expect(",")
            return MapLiteral(tuple(entries), start, self._previous_end)
        return super()._group(word, start)

    def _index(self, target: Expression) -> Expression:
        key = self.conditional()
        if self._accept(":"):
            last = self.conditional()
            self._expect("]")
            return Slice(target, key, last, target.start, self._previous_end)
        self._expect("]")
        return IndexAccess(target, key, target.start, self._previous_end)

    def _slash(self) -> Expression:
        """Parse a path such as `/users/$(request.auth.uid)`."""
        start = offset = self._start
        segments: list[Any] = []
        while self._text.startswith("/", offset):
            if self._text.startswith("$(", offset + 1):
                self._continue_at(offset + 3)
                segments.append(self.conditional())
                self._expect(")")
                offset = self._previous_end
                continue
            segment = _PATH_TEXT.match(self._text, offset)
            if segment is None:
                self._fail("Expected a path segment after '/'.", offset)
            segments.append(segment[1])
            offset = segment.end()
        self._continue_at(offset)
        return PathLiteral(tuple(segments), start, offset)
