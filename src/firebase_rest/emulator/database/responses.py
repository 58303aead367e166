"""Responses and errors of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firebase_rest.emulator.database.rendering import error_body
from firebase_rest.transport.wire import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    """An error response."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def response(self) -> Response:
        """Return the response."""
        return Response(self.status, HEADERS, error_body(self.message))


def preflight(headers: Mapping[str, str]) -> Response:
    """Return the response to a CORS preflight request: everything is allowed, as in production."""
    requested = headers.get("access-control-request-headers", "*")
    return Response(200, {**_PREFLIGHT, "access-control-allow-headers": requested}, b"")


def text_response(status: int, message: str) -> Response:
    """Return a plain text response."""
    return Response(status, {**HEADERS, "content-type": "text/plain; charset=utf-8"}, message.encode())
