"""JSON as Firebase's servers format it: compact, or in the style of Jackson.

https://firebase.google.com/docs/reference/rest/database
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firebase_rest.transport.wire import Json

_compact = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")).encode


def compact(value: Json) -> bytes:
    """Return `value` as JSON without spaces."""
    return _compact(value).encode()


def pretty(value: Json) -> bytes:
    """Return `value` as indented JSON: two spaces per object level, spaces around colons, arrays on one line."""
    parts: list[str] = []
    _write(value, 0, parts)
    return "".join(parts).encode()


def error_body(message: str) -> bytes:
    """Return the body of an error response: indented, with a final line feed."""
    return pretty({"error": message}) + b"\n"


def _write(value: Json, depth: int, parts: list[str]) -> None:
    if isinstance(value, dict) and value:
        indent = "  " * (depth + 1)
        separator = "{\n"
        for key, item in value.items():
            parts.append(f"{separator}{indent}{_compact(key)} : ")
            _write(item, depth + 1, parts)
            separator = ",\n"
        parts.append("\n" + "  " * depth + "}")
    elif isinstance(value, list) and value:
        separator = "[ "
        for item in value:
            parts.append(separator)
            _write(item, depth, parts)  # an array adds no indentation, because its brackets stay on the line
            separator = ", "
        parts.append(" ]")
    elif isinstance(value, dict):
        parts.append("{ }")
    elif isinstance(value, list):
        parts.append("[ ]")
    else:
        parts.append(_compact(value))
