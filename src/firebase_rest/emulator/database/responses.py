"""Answers of the database emulator, and the one exception that becomes one."""

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
"""What every answer of the database carries."""

_PREFLIGHT = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, PUT, POST, PATCH, DELETE, OPTIONS",
    "access-control-expose-headers": "ETag",
    "access-control-max-age": "3600",
}

INVALID_PATH = "Invalid path: Invalid token in path"
PERMISSION_DENIED = "Permission denied"


class RefusedError(Exception):
    """Raised inside a handler, turned into a Response in one place: a status, and a body in Firebase's error form."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message

    def response(self) -> Response:
        """The answer it stands for."""
        return Response(self.status, HEADERS, error_body(self.message))


def preflight(headers: Mapping[str, str]) -> Response:
    """The answer to a browser that asks whether it may send the real request: anything goes, as in production."""
    wanted = headers.get("access-control-request-headers", "*")
    return Response(200, {**_PREFLIGHT, "access-control-allow-headers": wanted}, b"")


def text(status: int, message: str) -> Response:
    """An answer in words, for what is no JSON route."""
    return Response(status, {**HEADERS, "content-type": "text/plain; charset=utf-8"}, message.encode())
