"""The parser of database rules files: JSON with comments and line breaks in strings. The result has positions.

https://firebase.google.com/docs/database/security/core-syntax
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from typing import TypeAlias

from firebase_rest.rules.errors import Problem, RulesSyntaxError

MAX_DEPTH = 100
"""Maximum nesting of objects and lists. A database has at most 32 levels."""

_SPACE = re.compile(r"(?:[ \t\r\n\ufeff]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_PLAIN = re.compile(r'[^"\\]+')
_SCALAR = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null")
_ESCAPES = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Text:
    """A string of the file. `offsets[i]` is the position in the file of character `i` of the value."""

    value: str
    start: int
    offsets: tuple[int, ...] = ()

    def offset_of(self, index: int) -> int:
        """Return the position in the file of character `index`, or of the end of the string."""
        if not self.offsets:
            return self.start
        return self.offsets[index] if index < len(self.offsets) else self.offsets[-1] + 1


@dataclass(frozen=True, slots=True)
class Scalar:
    """A number, true, false or null."""

    value: int | float | bool | None
    start: int


@dataclass(frozen=True, slots=True)
class Array:
    """A list of values."""

    items: tuple[Value, ...]
    start: int


@dataclass(frozen=True, slots=True)
class Object:
    """The members of an object, in the order of the file. Keys are unique."""

    members: tuple[tuple[Text, Value], ...]
    start: int

    def get(self, key: str) -> Value | None:
        """Return the value of a member, or None."""
        return next((value for name, value in self.members if name.value == key), None)


Value: TypeAlias = "Text | Scalar | Array | Object"


class Source:
    """The text of a file. Converts offsets to lines and columns."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._line_starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def problem(self, offset: int, message: str) -> Problem:
        """Return a problem at an offset of the text."""
        line = bisect_right(self._line_starts, offset)
        return Problem(line, offset - self._line_starts[line - 1] + 1, message)

    def parse(self) -> Value:
        """Return the value of the complete text. Raises `RulesSyntaxError`."""
        return _Parser(self).parse()


class _Parser:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._text = source.text
        self._at = 0

    def parse(self) -> Value:
        value = self._value(0)
        self._skip()
        if self._at < len(self._text):
            raise self._error("Unexpected text after the rules.")
        return value

    def _error(self, message: str, offset: int | None = None) -> RulesSyntaxError:
        # Firebase's errors have the same prefix.
        text = f"Parse error: {message}"
        return RulesSyntaxError([self._source.problem(self._at if offset is None else offset, text)])

    def _skip(self) -> None:
        match = _SPACE.match(self._text, self._at)
        self._at = match.end() if match else self._at
        if self._text.startswith("/*", self._at):
            raise self._error("The comment has no end.")

    def _peek(self) -> str:
        self._skip()
        return self._text[self._at : self._at + 1]

    def _value(self, depth: int) -> Value:
        first = self._peek()
        if depth > MAX_DEPTH:
            raise self._error(f"The rules are nested more than {MAX_DEPTH} levels deep.")
        if first == "{":
            return self._object(depth)
        if first == "[":
            return self._array(depth)
        if first == '"':
            return self._string()
        match = _SCALAR.match(self._text, self._at)
        if match is None:
            raise self._error("Expected a value." if first else "Expected a value, got the end of the text.")
        start, self._at = self._at, match.end()
        word = match[0]
        if word in _WORDS:
            return Scalar(_WORDS[word], start)
        return Scalar(float(word), start)

    def _object(self, depth: int) -> Object:
        start = self._at
        self._at += 1
        members: list[tuple[Text, Value]] = []
        seen: set[str] = set()
        while self._peek() != "}":
            if self._peek() != '"':
                raise self._error('Expected a key in double quotes or "}".')
            key = self._string()
            if key.value in seen:
                raise self._error(f"Duplicate key '{key.value}'.", key.start)
            seen.add(key.value)
            if self._peek() != ":":
                raise self._error("Expected ':'.")
            self._at += 1
            members.append((key, self._value(depth + 1)))
            self._separator("}")
        self._at += 1
        return Object(tuple(members), start)

    def _array(self, depth: int) -> Array:
        start = self._at
        self._at += 1
        items: list[Value] = []
        while self._peek() != "]":
            items.append(self._value(depth + 1))
            self._separator("]")
        self._at += 1
        return Array(tuple(items), start)

    def _separator(self, end: str) -> None:
        # A comma after the last member is valid, because the default rules in the console of Firebase have one.
        character = self._peek()
        if character == ",":
            self._at += 1
        elif character != end:
            raise self._error(f"Expected ',' or '{end}'{'' if character else ', got the end of the text'}.")

    def _string(self) -> Text:
        start = self._at
        self._at += 1
        parts: list[str] = []
        offsets: list[int] = []
        while True:
            plain = _PLAIN.match(self._text, self._at)
            if plain:
                parts.append(plain[0])
                offsets.extend(range(plain.start(), plain.end()))
                self._at = plain.end()
            character = self._text[self._at : self._at + 1]
            if character == '"':
                self._at += 1
                return Text("".join(parts), start, tuple(offsets))
            if character == "":
                raise self._error("The string has no end.", start)
            offsets.append(self._at)
            parts.append(self._escape())

    def _escape(self) -> str:
        letter = self._text[self._at + 1 : self._at + 2]
        if letter == "u":
            digits = self._text[self._at + 2 : self._at + 6]
            if re.fullmatch(r"[0-9a-fA-F]{4}", digits):
                self._at += 6
                return chr(int(digits, 16))
        elif letter in _ESCAPES:
            self._at += 2
            return _ESCAPES[letter]
        raise self._error(f"Invalid escape '\\{letter}'.")


_WORDS = {"true": True, "false": False, "null": None}


def to_plain(value: Value) -> object:
    """Return a parsed value as dicts, lists and scalars, without positions."""
    if isinstance(value, Object):
        return {key.value: to_plain(member) for key, member in value.members}
    return [to_plain(item) for item in value.items] if isinstance(value, Array) else value.value
