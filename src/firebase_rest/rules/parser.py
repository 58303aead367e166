"""The parser of expressions: a Pratt parser for the subset of JavaScript that database rules allow.

https://firebase.google.com/docs/reference/security/database
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from firebase_rest.rules.errors import ExpressionError
from firebase_rest.rules.syntax import (
    Call,
    Chain,
    Conditional,
    Expression,
    IndexAccess,
    ListLiteral,
    Literal,
    Member,
    RegexLiteral,
    Unary,
    Variable,
)

MAX_NESTING = 100
"""Maximum nesting of parentheses, calls and members."""

PRECEDENCE = {
    **dict.fromkeys(("||",), 1),
    **dict.fromkeys(("&&",), 2),
    **dict.fromkeys(("==", "===", "!=", "!=="), 3),
    **dict.fromkeys(("<", "<=", ">", ">="), 4),
    **dict.fromkeys(("+", "-"), 5),
    **dict.fromkeys(("*", "/", "%"), 6),
}
_RESERVED = frozenset(("var", "typeof", "new", "function", "this", "in", "instanceof", "void", "delete", "return"))

SPACE = r"(?:[ \t\r\n]+|//[^\n]*|/\*.*?\*/)*"
_NUMBER = r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
_STRING = r"""(?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""


def token_pattern(name: str, operator: str) -> re.Pattern[str]:
    """Return the pattern of a token and the space before it, from the patterns of names and operators."""
    kinds = rf"{_NUMBER}|(?P<name>{name})|{_STRING}|(?P<operator>{operator})|(?P<end>\Z)|(?P<bad>.)"
    return re.compile(f"{SPACE}(?:{kinds})", re.DOTALL | re.ASCII)


_TOKEN = token_pattern(r"[A-Za-z_$][\w$]*", r"===|!==|==|!=|<=|>=|\|\||&&|[-+*/%<>!?:.,()\[\]]")
_REGEX = re.compile(r"/((?:[^/\\\n\[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)/([A-Za-z]*)")
_STRING_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
CONSTANTS = {"true": True, "false": False, "null": None}


def _operator_hint(word: str) -> str:
    """Return " Did you mean ...?" for a single `=`, `&` or `|`, else ""."""
    return f" Did you mean '{word * 2}'?" if word in ("=", "&", "|") else ""


def parse_expression(text: str) -> Expression:
    """Return the syntax tree of an expression of a database rule. Raises `ExpressionError`."""
    parser = ExpressionParser(text)
    if parser.is_at_end():
        raise ExpressionError("Expected an expression.", 0)
    expression = parser.conditional()
    parser.expect_end()
    return expression


class ExpressionParser:
    """Reads tokens and parses expressions. A subclass for another language overrides the attributes in capitals.

    The next token is in attributes: `_kind` is "number", "name", "string", "operator" or "end"; `_word` is the text,
    with the quotes of a string; `_start` and `_end` are the position; `_level` is the precedence of a binary operator,
    or 0.
    """

    TOKEN = _TOKEN
    PRECEDENCE: Mapping[str, int] = PRECEDENCE
    RESERVED = _RESERVED
    MAX_INTEGER_DIGITS = 15  # numbers are doubles

    def __init__(self, text: str) -> None:
        self._text = text
        self._nesting = 0
        self._previous_end = 0
        self._continue_at(0)

    # --- tokens ---

    def _continue_at(self, offset: int) -> None:
        """Make the token at an offset the next token."""
        self._end = offset
        self._tokens = self.TOKEN.finditer(self._text, offset)
        self._advance()
        self._previous_end = offset

    def _advance(self) -> None:
        """Read the next token."""
        self._previous_end = self._end
        match = next(self._tokens)
        kind = match.lastgroup or "end"
        self._kind = kind
        self._start, self._end = match.span(kind)
        self._word = word = match[kind]
        self._level = self.PRECEDENCE.get(word, 0)
        if kind == "bad":
            raise ExpressionError(f"Unexpected character '{word}'.{_operator_hint(word)}", self._start)

    def _accept(self, operator: str) -> bool:
        """Skip the next token if it is `operator`. Return whether it was."""
        if self._word == operator:
            self._advance()
            return True
        return False

    def is_at_end(self) -> bool:
        """Return whether all tokens are read."""
        return self._kind == "end"

    def expect_end(self) -> None:
        """Raise `ExpressionError` if there are further tokens."""
        if self._kind != "end":
            raise self._unexpected()

    def _expect(self, operator: str) -> None:
        if not self._accept(operator):
            actual = f"'{self._word}'" if self._word else "the end of the expression"
            raise ExpressionError(f"Expected '{operator}', got {actual}.", self._start)

    def _unexpected(self) -> ExpressionError:
        if self._kind == "end":
            return ExpressionError("Unexpected end of expression.", self._start)
        return ExpressionError(f"Unexpected '{self._word}'.{_operator_hint(self._word)}", self._start)

    # --- expressions ---

    def conditional(self) -> Expression:
        """Parse an expression, up to the first token that cannot continue it."""
        start = self._start
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            raise ExpressionError(f"The expression is nested more than {MAX_NESTING} levels deep.", start)
        branches: list[tuple[Expression, Expression]] = []
        expression = self._binary(1)
        while self._accept("?"):
            value = self.conditional()
            self._expect(":")
            branches.append((expression, value))
            expression = self._binary(1)
        self._nesting -= 1
        if not branches:
            return expression
        return Conditional(tuple(branches), expression, start, self._previous_end)

    def _binary(self, min_level: int) -> Expression:
        """Parse binary operators with a precedence of at least `min_level`."""
        left = self._unary()
        while (level := self._level) >= min_level:
            operands, operators = [left], list[str]()
            while self._level == level:
                operators.append(self._word)
                self._advance()
                operands.append(self._binary(level + 1))
            left = Chain(tuple(operands), tuple(operators), operands[0].start, self._previous_end)
        return left

    def _unary(self) -> Expression:
        if self._word not in ("!", "-"):
            return self._postfix()
        prefixes: list[tuple[str, int]] = []
        while self._word in ("!", "-"):
            prefixes.append((self._word, self._start))
            self._advance()
        if len(prefixes) > MAX_NESTING:
            raise ExpressionError(f"More than {MAX_NESTING} operators before an operand.", prefixes[0][1])
        operand = self._postfix()
        for operator, start in reversed(prefixes):
            operand = Unary(operator, operand, start, operand.end)
        return operand

    def _postfix(self) -> Expression:
        target = self._primary()
        start = target.start
        count = 0
        while (operator := self._word) in (".", "[", "("):
            count += 1
            if count > MAX_NESTING:
                raise ExpressionError(f"More than {MAX_NESTING} calls and members in a row.", self._start)
            self._advance()
            if operator == ".":
                if self._kind != "name":
                    raise self._unexpected()
                target = Member(target, self._word, start, self._end, self._start)
                self._advance()
            elif operator == "[":
                target = self._index(target)
            else:
                arguments = self._items(")")
                target = Call(target, arguments, start, self._previous_end)
        return target

    def _index(self, target: Expression) -> Expression:
        """Parse `key]`."""
        key = self.conditional()
        self._expect("]")
        return IndexAccess(target, key, target.start, self._previous_end)

    def _items(self, end: str) -> tuple[Expression, ...]:
        items: list[Expression] = []
        if not self._accept(end):
            items.append(self.conditional())
            while self._accept(","):
                items.append(self.conditional())
            self._expect(end)
        return tuple(items)

    def _primary(self) -> Expression:
        kind, word, start, end = self._kind, self._word, self._start, self._end
        if kind == "operator":
            return self._group(word, start)
        if kind == "end" or word in self.RESERVED:
            raise self._unexpected()
        self._advance()
        if kind == "number":
            return Literal(self._number(word), start, end)
        if kind == "string":
            return Literal(_unescape(word[1:-1]), start, end)
        if word in CONSTANTS:
            return Literal(CONSTANTS[word], start, end)
        return Variable(word, start, end)

    def _group(self, word: str, start: int) -> Expression:
        """Parse an expression that begins with an operator: a regular expression, parentheses or a list."""
        if word == "/":
            return self._slash()
        if word not in ("(", "["):
            raise self._unexpected()
        self._advance()
        if word == "[":
            return ListLiteral(self._items("]"), start, self._previous_end)
        inner = self.conditional()
        self._expect(")")
        return inner

    def _number(self, text: str) -> int | float:
        return int(text) if text.isdigit() and len(text) <= self.MAX_INTEGER_DIGITS else float(text)

    def _slash(self) -> Expression:
        """Parse a regular expression. A slash starts one where an operand is expected; elsewhere it divides."""
        start = self._start
        match = _REGEX.match(self._text, start)
        if match is None:
            raise ExpressionError("The regular expression has no end.", start)
        self._continue_at(match.end())
        return RegexLiteral(match[1], match[2], start, match.end())


def _unescape(text: str) -> str:
    def replace(match: re.Match[str]) -> str:
        digits = match[1] or match[2]
        return chr(int(digits, 16)) if digits else _ESCAPED.get(match[3], match[3])

    return _STRING_ESCAPE.sub(replace, text) if "\\" in text else text
