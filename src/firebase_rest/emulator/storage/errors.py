"""What Storage says no with: a status, and a body in the form of Google's APIs.

https://firebase.google.com/docs/storage/web/handle-errors
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from firebase_rest.transport.wire import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.transport.wire import Json

JSON_TYPE = "application/json; charset=utf-8"

_EXPOSED = (
    "Content-Range", "ETag", "X-GUploader-UploadID", "X-Goog-Generation", "X-Goog-Hash", "X-Goog-Metageneration",
    "X-Goog-Upload-Chunk-Granularity", "X-Goog-Upload-Control-URL", "X-Goog-Upload-Size-Received",
    "X-Goog-Upload-Status", "X-Goog-Upload-URL",
)  # fmt: skip

CORS = {"access-control-allow-origin": "*", "access-control-expose-headers": ", ".join(_EXPOSED)}
"""What every answer of Storage carries: any page may read it."""


class Refusal(Exception):
    """Raised inside a handler, turned into a Response in one place. `word` is Google's name of what failed."""

    def __init__(
        self, status: int, message: str, word: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.word = word
        self.headers = headers or {}

    def response(self) -> Response:
        """The answer it stands for."""
        if self.status == 304:
            return without_body(304, self.headers)
        error: dict[str, Json] = {"code": self.status, "message": self.message}
        if self.word is not None:
            error["status"] = self.word
        return in_json({"error": error}, self.status, self.headers)


def in_json(value: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer in JSON, indented as Google's servers do it."""
    body = json.dumps(value, indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return Response(status, {**CORS, "content-type": JSON_TYPE, **(headers or {})}, body)


def without_body(status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer that is all in its status and headers."""
    return Response(status, {**CORS, **(headers or {})})


def preflight(headers: Mapping[str, str]) -> Response:
    """The answer to a browser that asks whether it may send the real request: anything goes, as in production."""
    allowed = {
        "access-control-allow-methods": "DELETE,GET,HEAD,PATCH,POST,PUT",
        "access-control-allow-headers": headers.get("access-control-request-headers", "*"),
        "access-control-max-age": "3600",
    }
    return without_body(204, allowed)


def not_found(word: str) -> Refusal:
    """404 for an object; `word` is what was to be done with it, such as GET_OBJECT."""
    return Refusal(404, f"Not Found.  Could not {word.lower().replace('_', ' ')}", word)


def denied(permission: str) -> Refusal:
    """403; `permission` is READ, WRITE or LIST."""
    return Refusal(403, f"Permission denied. No {permission} permission.")
