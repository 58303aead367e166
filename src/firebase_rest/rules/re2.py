r"""Regular expressions in the syntax of RE2, for Storage rules.

Not supported: word boundaries (`\b`), Unicode classes (`\p`), and flags other than `(?i)` at the start.
https://github.com/google/re2/wiki/Syntax
"""

from __future__ import annotations

import re
from functools import lru_cache

from firebase_rest.rules.regex import Anchor, CharSet, Concatenation, Pattern, PatternParser, Regex

_POSIX = {
    "alnum": "a-zA-Z0-9",
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "punct": "!-/:-@[-`{-~",
    "space": "\t\n\v\f\r ",
    "word": "0-9A-Za-z_",
    "xdigit": "0-9A-Fa-f",
}
_GROUP = re.compile(r"\(\?(?::|P?<\w+>)")
_HEX = re.compile(r"x(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))")
_DOT = CharSet(frozenset("\n"), negated=True)


class _Re2Parser(PatternParser):
    """Adds non-capturing and named groups, lazy quantifiers, anchors everywhere, and POSIX classes."""

    _allows_empty = True

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.is_lazy = False

    def _quantifier(self) -> tuple[int, int | None] | None:
        quantifier = super()._quantifier()
        if quantifier is not None and self._peek() == "?":
            self._at += 1
            self.is_lazy = True
        return quantifier

    def _atom(self) -> Pattern:
        symbol = self._peek()
        if symbol in ("^", "$"):
            self._at += 1
            return Anchor(symbol == "$")
        if symbol == ".":
            self._at += 1
            return _DOT
        if symbol == "(":
            group = _GROUP.match(self._text, self._at)
            if group:
                self._at = group.end()
                inner = self._alternatives()
                if self._peek() != ")":
                    raise self._fail("Missing ')'")
                self._at += 1
                return inner
        if self._text.startswith(("\\A", "\\z"), self._at):
            self._at += 2
            return Anchor(self._text[self._at - 1] == "z")
        return super()._atom()

    def _escape(self) -> CharSet:
        code = _HEX.match(self._text, self._at)
        if code:
            self._at = code.end()
            number = int(code[1] or code[2], 16)
            if number > 0x10FFFF:
                raise self._fail("Invalid character code")
            return CharSet(frozenset(chr(number)))
        return super()._escape()

    def _class_item(self) -> CharSet:
        if self._text.startswith("[:", self._at):
            end = self._text.find(":]", self._at)
            name = self._text[self._at + 2 : max(end, 0)]
            if name not in _POSIX:
                raise self._fail(f"Unknown class '{name}'")
            self._at = end + 2
            return _posix_class(name)
        return super()._class_item()


def _posix_class(name: str) -> CharSet:
    members = re.compile("[" + _POSIX[name].replace("[", "\\[") + "]")
    return CharSet(frozenset(character for character in map(chr, range(128)) if members.match(character)))


@lru_cache(maxsize=512)
def compile_re2(pattern: str) -> tuple[Regex, bool]:
    """Return a pattern that matches whole texts, and whether it has lazy quantifiers. Raises `ExpressionError`."""
    ignore_case = pattern.startswith("(?i)")
    parser = _Re2Parser(pattern[4:] if ignore_case else pattern)
    parsed = parser.parse()
    return Regex(Concatenation((parsed,)), ignore_case=ignore_case, whole=True), parser.is_lazy
