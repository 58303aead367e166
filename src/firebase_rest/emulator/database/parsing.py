"""Parsing of large JSON texts in slices.

An object or array of more than 64 KB is divided into pieces of many members, and the C parser of `json` parses each
piece. The result contains a `LargeObject` or `LargeArray`, so that later steps can process it in slices too.
"""

from __future__ import annotations

import codecs
import json
import re
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, cast

from firebase_rest.rules.garbage_collector import collector

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.transport.wire import Json

PIECE = 64 * 1024
"""Number of characters that are parsed in one slice."""

_LOOK_AHEAD = 2 * 1024
_LOOK_BACK = 8
_DECODE_BYTES = 256 * 1024
_MAX_CUTS = 4
_SINGLE_MEMBERS = 64
"""How many members are parsed one by one after a piece could not be parsed."""

_match_space = re.compile(r"[ \t\n\r]*").match
_CLOSING_BRACKETS = re.compile(r"[\]}]*\Z")


class LargeObject:
    """An object whose text was longer than a piece.

    The members are in several dicts, because resizing one large dict would block all clients.

    Attributes:
        parts: The members in the order of the text. If a key is repeated, its last value counts.
        may_repeat_keys: Whether a key may be in several parts. `Builder` sets it.
    """

    __slots__ = ("may_repeat_keys", "parts")

    def __init__(self) -> None:
        self.parts: list[dict[str, Any]] = []
        self.may_repeat_keys = False

    def __contains__(self, key: str) -> bool:
        return any(key in part for part in self.parts)

    def __getitem__(self, key: str) -> Any:
        return next(part[key] for part in reversed(self.parts) if key in part)

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(self.parts)

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return the members in order, also those with repeated keys."""
        return chain.from_iterable(part.items() for part in self.parts)

    def add(self, key: str, value: Any) -> None:
        """Append a member."""
        if not self.parts or len(self.parts[-1]) >= _SINGLE_MEMBERS:
            self.parts.append({})
        self.parts[-1][key] = value

    def merged_work(self) -> Work[dict[str, Any]]:
        """Return all members in one dict."""
        members: dict[str, Any] = {}
        for part in self.parts:
            members.update(part)
            yield
        self.may_repeat_keys = len(members) < sum(map(len, self.parts))
        return members


class LargeArray(list[Any]):
    """An array whose text was longer than a piece."""


def _reject_constant(name: str) -> None:
    raise ValueError(name)  # the json module accepts NaN and Infinity, which are not valid JSON


_decoder = json.JSONDecoder(parse_constant=_reject_constant)


def parse_work(body: bytes) -> Work[Json]:
    """Parse a JSON text. Raises `ValueError` or `RecursionError` if it is invalid.

    A string with an unpaired surrogate is invalid, because a response in UTF-8 cannot contain it.
    """
    if len(body) > PIECE:
        parser = _Parser(_decoded(body))
        value = yield from parser.document()
        is_encodable = parser.is_encodable
    else:
        value = _decoder.decode(body.decode())
        is_encodable = b"\\u" not in body or _is_encodable(value)
    if not is_encodable:
        raise ValueError("A string has an unpaired surrogate.")
    return cast("Json", value)


def parse_text_work(text: str) -> Work[tuple[Any, bool]]:
    """Parse a JSON text. Return the value, and whether all its strings can be encoded as UTF-8.

    Raises `ValueError` or `RecursionError` if the text is invalid.
    """
    if len(text) <= PIECE:
        value = _decoder.decode(text)
        return value, "\\u" not in text or _is_encodable(value)
    parser = _Parser(text[start : start + _DECODE_BYTES] for start in range(0, len(text), _DECODE_BYTES))
    value = yield from parser.document()
    return value, parser.is_encodable


def to_builtins_work(value: Any) -> Work[Any]:
    """Convert a result of parsing to dicts and lists."""
    if isinstance(value, LargeArray):
        items = list(value)
        for index, item in enumerate(items):
            items[index] = yield from to_builtins_work(item)
        return items
    if not isinstance(value, LargeObject):
        return value
    members = yield from value.merged_work()
    for key, member in members.items():
        members[key] = yield from to_builtins_work(member)
        yield
    return members


def _decoded(body: bytes) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    for start in range(0, len(body), _DECODE_BYTES):
        yield decoder.decode(body[start : start + _DECODE_BYTES], start + _DECODE_BYTES >= len(body))


def _is_encodable(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


class _Parser:
    """Parses a JSON text. `_text` is a section of the text, and `_position` an index in this section.

    The members of a large container are parsed in pieces that end at a comma of the container. The position of that
    comma is a guess: the last place that looks like the end of the previous member. If the piece is not valid JSON,
    the next members are parsed one by one.
    """

    def __init__(self, texts: Iterator[str]) -> None:
        self._texts = texts
        self._text = ""
        self._position = 0
        self._has_escapes = False
        self.is_encodable = True
        self._is_at_end = False
        self._read()

    def _read(self, count: int = 1) -> None:
        """Append the next texts to the section, and remove the text that has been parsed."""
        start = max(0, self._position - _LOOK_BACK)
        texts = list(islice(self._texts, count))
        self._is_at_end = len(texts) < count
        old_length = len(self._text) - start
        self._text = "".join((self._text[start:], *texts))
        self._position -= start
        # A backslash may be the last character of the old text.
        self._has_escapes = self._has_escapes or "\\u" in self._text[max(0, old_length - 1) :]

    def _look_ahead(self) -> None:
        """Read until the section contains more than a piece after the position."""
        while not self._is_at_end and len(self._text) - self._position <= PIECE:
            self._read()

    def document(self) -> Work[Any]:
        """Return the value of the whole text."""
        self._skip_space()
        value = yield from self._value()
        self._skip_space()
        if self._position != len(self._text):
            raise ValueError("The text continues after the value.")
        return value

    def _value(self) -> Work[Any]:
        self._look_ahead()
        start = self._text[self._position : self._position + 1]
        if start not in {"{", "["}:
            return (yield from self._scalar())
        for size in (_LOOK_AHEAD, PIECE):
            try:
                value, end = _decoder.raw_decode(self._text[self._position : self._position + size])
            except ValueError:
                continue  # the value is longer than `size`, or invalid
            self._position += end
            return self._checked(value)
        return (yield from self._container(LargeObject() if start == "{" else LargeArray()))

    def _scalar(self) -> Work[Any]:
        while True:
            try:
                value, end = _decoder.raw_decode(self._text, self._position)
            except ValueError:
                if self._is_at_end:
                    raise
            else:
                if self._is_at_end or end < len(self._text):
                    self._position = end
                    return self._checked(value)
            # Doubling the section for each attempt keeps the total time linear.
            self._read(max(1, (len(self._text) - self._position) // _DECODE_BYTES))
            yield

    def _container(self, result: LargeObject | LargeArray) -> Work[Any]:
        """Parse the members of a container into `result`. The position must be that of the opening bracket."""
        closing = "}" if isinstance(result, LargeObject) else "]"
        self._position += 1
        self._skip_space()
        if self._skip_if_next(closing):
            return result
        single_members = 1
        end_of_member = ""
        while True:
            if single_members == 0:
                if self._parse_piece(result, end_of_member + ","):
                    collector.sweep()
                    yield
                    continue
                single_members = _SINGLE_MEMBERS
            single_members -= 1
            yield from self._parse_member(result)
            yield
            match = _CLOSING_BRACKETS.search(self._text, max(0, self._position - _LOOK_BACK), self._position)
            end_of_member = match.group() if match else ""
            self._skip_space()
            if self._skip_if_next(closing):
                return result
            self._expect(",")

    def _parse_piece(self, result: LargeObject | LargeArray, separator: str) -> bool:
        """Parse the members up to the last `separator` in the next piece. Return whether they are valid JSON."""
        self._look_ahead()
        text, start = self._text, self._position
        end = start + PIECE
        if end >= len(text):
            return False
        for _ in range(_MAX_CUTS):
            end = text.rfind(separator, start, end)
            if end < 0:
                return False
            comma = end + len(separator) - 1
            members = text[start:comma]
            try:
                piece = _decoder.decode("{" + members + "}" if isinstance(result, LargeObject) else "[" + members + "]")
            except ValueError:
                continue
            if not piece:
                return False  # there is no member before the comma
            self._checked(piece)
            if isinstance(result, LargeObject):
                result.parts.append(piece)
            else:
                result.extend(piece)
            self._position = comma + 1
            self._skip_space()
            return True
        return False

    def _parse_member(self, result: LargeObject | LargeArray) -> Work[None]:
        if isinstance(result, LargeObject):
            self._look_ahead()
            if not self._text.startswith('"', self._position):
                raise ValueError(f"Expected a key at {self._position}.")
            key = yield from self._scalar()
            self._expect(":")
            result.add(key, (yield from self._value()))
        else:
            result.append((yield from self._value()))

    def _checked(self, value: Any) -> Any:
        """Return `value`, and update `is_encodable`."""
        if self._has_escapes and self.is_encodable:
            self.is_encodable = _is_encodable(value)
        return value

    def _skip_space(self) -> None:
        while True:
            match = _match_space(self._text, self._position)
            self._position = match.end()  # type: ignore[union-attr]  # the expression always matches
            if self._is_at_end or self._position < len(self._text):
                return
            self._read()

    def _skip_if_next(self, character: str) -> bool:
        """Skip `character` if it is the next one. Return whether it was."""
        if self._text.startswith(character, self._position):
            self._position += 1
            return True
        return False

    def _expect(self, character: str) -> None:
        """Skip `character` and the space around it."""
        self._skip_space()
        if not self._skip_if_next(character):
            raise ValueError(f"Expected {character} at {self._position}.")
        self._skip_space()
