"""Responses and errors of the database, and JSON in the formats of Firebase's servers: compact, or as Jackson indents.

https://firebase.google.com/docs/reference/rest/database
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firebase_rest.transport.wire import Json, Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


JSON_TYPE = "application/json; charset=utf-8"

HEADERS = {
    "content-type": JSON_TYPE,
    "cache-control": "no-cache",
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "ETag",
}
"""Headers of every response."""

_PREFLIGHT = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, PUT, POST, PATCH, DELETE, OPTIONS",
    "access-control-expose-headers": "ETag",
    "access-control-max-age": "3600",
}

INVALID_PATH = "Invalid path: Invalid token in path"
PERMISSION_DENIED = "Permission denied"


class DatabaseHTTPError(Exception):
    """Raised to respond with an HTTP error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def response(self) -> Response:
        """Return the error response."""
        return Response(self.status, HEADERS, error_body(self.message))


@dataclass(frozen=True, slots=True)
class LargeResponse(Response):
    """A response whose body is in pieces, because joining the pieces takes long."""

    pieces: Sequence[bytes] = ()

    def joined(self) -> Response:
        """Return the response with its body in one piece."""
        return Response(self.status, self.headers, b"".join(self.pieces))


def preflight(headers: Mapping[str, str]) -> Response:
    """Return the response to a CORS preflight request. As in production, it allows everything."""
    requested = headers.get("access-control-request-headers", "*")
    return Response(200, {**_PREFLIGHT, "access-control-allow-headers": requested}, b"")


def text_response(status: int, message: str) -> Response:
    """Return a plain text response."""
    return Response(status, {**HEADERS, "content-type": "text/plain; charset=utf-8"}, message.encode())


_compact = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False, separators=(",", ":")).encode


def compact(value: Json) -> bytes:
    """Return `value` as JSON without spaces."""
    return _compact(value).encode()


INDENT = b"  "
"""The indentation of one level."""


def pretty(value: Json) -> bytes:
    """Return `value` as indented JSON: two spaces per object level, spaces around colons, arrays on one line."""
    parts: list[str] = []
    _write(value, 0, parts)
    return "".join(parts).encode()


def pretty_members(members: dict[str, Json] | list[Json], depth: int) -> bytes:
    """Return members of a container in the format of `pretty`, without the brackets.

    `depth` is the number of objects around the members.
    """
    parts: list[str] = []
    if isinstance(members, list):
        _write(members, depth, parts)
        return "".join(parts[:-1]).encode()[len("[ ") :]
    _write(members, depth - 1, parts)
    return "".join(parts[:-1]).encode()[len("{\n") :]


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
