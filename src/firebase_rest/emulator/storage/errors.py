"""Error and success responses of Storage, in the format of Google's APIs.

https://firebase.google.com/docs/storage/web/handle-errors
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from firebase_rest.transport.wire import Json, Response

if TYPE_CHECKING:
    from collections.abc import Mapping


JSON_TYPE = "application/json; charset=utf-8"

_EXPOSED = (
    "Content-Range", "ETag", "X-GUploader-UploadID", "X-Goog-Generation", "X-Goog-Hash", "X-Goog-Metageneration",
    "X-Goog-Upload-Chunk-Granularity", "X-Goog-Upload-Control-URL", "X-Goog-Upload-Size-Received",
    "X-Goog-Upload-Status", "X-Goog-Upload-URL",
)  # fmt: skip

CORS = {"access-control-allow-origin": "*", "access-control-expose-headers": ", ".join(_EXPOSED)}
"""Headers of every response, so that any web page can read it."""


class StorageHTTPError(Exception):
    """Raised to respond with an HTTP error. `reason` is Google's code for the failed operation, such as GET_OBJECT."""

    def __init__(
        self, status: int, message: str, reason: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason
        self.headers = headers or {}

    def response(self) -> Response:
        """Return the error response in the format of Firebase's API."""
        if self.status == 304:
            return empty_response(304, self.headers)
        error: dict[str, Json] = {"code": self.status, "message": self.message}
        if self.reason is not None:
            error["status"] = self.reason
        return json_response({"error": error}, self.status, self.headers)


def json_response(value: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response with JSON, indented like that of Google's servers."""
    body = json.dumps(value, indent=2, ensure_ascii=False).encode("utf-8", "surrogatepass")
    return Response(status, {**CORS, "content-type": JSON_TYPE, **(headers or {})}, body)


def empty_response(status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response without a body."""
    return Response(status, {**CORS, **(headers or {})})


def preflight(headers: Mapping[str, str]) -> Response:
    """Return the response to a CORS preflight request. As in production, it allows everything."""
    allowed = {
        "access-control-allow-methods": "DELETE,GET,HEAD,PATCH,POST,PUT",
        "access-control-allow-headers": headers.get("access-control-request-headers", "*"),
        "access-control-max-age": "3600",
    }
    if "access-control-request-private-network" in headers:
        allowed["access-control-allow-private-network"] = "true"
    return empty_response(204, allowed)


def not_found(reason: str) -> StorageHTTPError:
    """Return a 404 error; `reason` is the failed operation, such as GET_OBJECT."""
    return StorageHTTPError(404, f"Not Found.  Could not {reason.lower().replace('_', ' ')}", reason)


def permission_denied(permission: str) -> StorageHTTPError:
    """Return a 403 error; `permission` is READ, WRITE or LIST."""
    return StorageHTTPError(403, f"Permission denied. No {permission} permission.")
