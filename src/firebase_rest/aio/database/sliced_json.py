"""Parse large JSON text in slices. Other work can run between two slices.

json.loads of 20 MB takes a quarter of a second. During that time no other Python code runs, not even in other threads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Generator
from typing import Any, TypeVar

from firebase_rest.transport.wire import JSON_DECODER

WINDOW = 128 * 1024
"""Characters that are parsed at once, in a few milliseconds."""

T = TypeVar("T")
Slices = Generator[None, None, T]
"""A generator that yields between two slices, and returns the result."""

_decode: Callable[[str, int], tuple[Any, int]] = JSON_DECODER.raw_decode
_KEY = re.compile(r'\s*("(?:[^"\\\x00-\x1f]|\\.)*")\s*:\s*')
_SPACE = re.compile(r"\s*")
_EMPTY = re.compile(r"\s*([}\]])")
_COMMA_OR_END = re.compile(r"\s*([,}\]])\s*")


def parse_in_slices(text: str) -> Slices[Any]:
    """Parse JSON text. Raises ValueError, as `json.loads` does."""
    value, end = yield from _Parser(text).value(_skip_space(text, 0))
    if _skip_space(text, end) != len(text):
        raise json.JSONDecodeError("Extra data", text, end)
    return value


def _skip_space(text: str, position: int) -> int:
    if text[position : position + 1] > " ":
        return position
    match = _SPACE.match(text, position)
    return position if match is None else match.end()


class _Parser:
    """Parses the text window by window. Objects and arrays that exceed a window are parsed child by child."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._window = ""
        self._start = 0
        """The position of the window."""

    def value(self, position: int) -> Slices[tuple[Any, int]]:
        """Return the value at a position, and the position of its end."""
        value_and_end = self._in_window(position)
        if value_and_end is not None:
            return value_and_end
        self._window, self._start = self._text[position : position + WINDOW], position
        yield
        value_and_end = self._in_window(position)
        if value_and_end is not None:
            return value_and_end
        first_character = self._text[position : position + 1]
        if len(self._window) == WINDOW and first_character == "{":
            return (yield from self._object(position + 1))
        if len(self._window) == WINDOW and first_character == "[":
            return (yield from self._array(position + 1))
        return _decode(self._text, position)  # a long string, or an error

    def _in_window(self, position: int) -> tuple[Any, int] | None:
        """Return the value at a position and its end, if it ends in the window."""
        if not self._start <= position < self._start + len(self._window):
            return None
        try:
            value, end = _decode(self._window, position - self._start)
        except ValueError:  # the value is invalid, or continues after the window
            return None
        # A number at the end of the window may continue after it.
        is_complete = self._window[end : end + 1] not in ("", ".", "e", "E") or self._start + end == len(self._text)
        return (value, self._start + end) if is_complete else None

    def _object(self, position: int) -> Slices[tuple[Any, int]]:
        result: dict[str, Any] = {}
        empty = _EMPTY.match(self._text, position)
        if empty is not None and empty[1] == "}":
            return result, empty.end()
        while True:
            key = _KEY.match(self._text, position)
            if key is None:
                raise json.JSONDecodeError("Expecting property name enclosed in double quotes", self._text, position)
            name = key[1][1:-1] if "\\" not in key[1] else json.loads(key[1])
            value, position = self._in_window(key.end()) or (yield from self.value(key.end()))
            result[name] = value
            position, is_last = self._after_value(position, "}")
            if is_last:
                return result, position

    def _array(self, position: int) -> Slices[tuple[Any, int]]:
        result: list[Any] = []
        empty = _EMPTY.match(self._text, position)
        if empty is not None and empty[1] == "]":
            return result, empty.end()
        position = _skip_space(self._text, position)
        while True:
            item, position = self._in_window(position) or (yield from self.value(position))
            result.append(item)
            position, is_last = self._after_value(position, "]")
            if is_last:
                return result, position

    def _after_value(self, position: int, end: str) -> tuple[int, bool]:
        """Return the position after the comma or the character `end`, and whether it is the end."""
        if self._text[position : position + 1] == ",":
            return _skip_space(self._text, position + 1), False
        match = _COMMA_OR_END.match(self._text, position)
        if match is None or match[1] not in (",", end):
            raise json.JSONDecodeError("Expecting ',' delimiter", self._text, position)
        return (match.end(), False) if match[1] == "," else (match.end(1), True)
