"""The Storage API of the Firebase SDKs, below `/v0/b/`.

https://firebase.google.com/docs/storage/web/start
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from firebase_rest.emulator.credentials import ADMIN
from firebase_rest.emulator.storage import object_operations, uploads
from firebase_rest.emulator.storage.access import authenticate
from firebase_rest.emulator.storage.errors import StorageHTTPError
from firebase_rest.emulator.storage.handler import BodyHandler, BufferedBody, Operation, StorageApi
from firebase_rest.emulator.storage.metadata import read_update
from firebase_rest.emulator.storage.names import INVALID_ROUTE, PREFIX, parse_object_path
from firebase_rest.emulator.storage.request import ApiFormat, StorageRequest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from firebase_rest.emulator.credentials import Caller
    from firebase_rest.emulator.storage.faults import RequestKind
    from firebase_rest.emulator.storage.object_service import ObjectService

_OPERATIONS: Mapping[RequestKind | None, Operation] = {
    "download": object_operations.get_bytes,
    "metadata": object_operations.get_metadata,
    "update": object_operations.update,
    "delete": object_operations.delete,
    "list": object_operations.list_names,
    "token": object_operations.update_tokens,
    "start": uploads.start,
}


def parse(request: StorageRequest) -> StorageRequest:
    """Parse the path and the upload headers. Raises `StorageHTTPError` 400."""
    # A client that cannot send PATCH sends POST with this header.
    override = request.headers.get("x-http-method-override", "").upper()
    method = override if override and request.method in {"POST", "PUT"} else request.method
    path = request.path
    if path.endswith("/o/") and method == "POST" and request.params.get("name"):
        path = path[:-1]  # Firebase accepts this for uploads only
    bucket, name = parse_object_path(path)
    kind = _kind(method, name, request.params, request.headers)
    return replace(request, method=method, kind=kind, bucket=bucket, name=name or request.params.get("name", ""))


def handle(service: ObjectService, request: StorageRequest) -> BodyHandler:
    """Authenticate a parsed request and return the handler of its body."""
    has_token = request.kind in {"download", "metadata"} and service.has_download_token(request)
    # A download token, or the URL of a resumable upload, grants access without credentials.
    caller = ADMIN if has_token or "upload_id" in request.params else _authenticate(service, request)
    request = replace(request, caller=caller)
    if request.kind in {"upload", "finalize", "query", "cancel"}:
        if "upload_id" in request.params:
            return uploads.continue_upload(service, request, _commands(request.headers))
        return uploads.single_request_upload(service, request)
    return BufferedBody(service, request, _OPERATIONS[request.kind])


def _authenticate(service: ObjectService, request: StorageRequest) -> Caller:
    """Return the caller. An invalid token is status 401, or 403 for a change of download tokens, as in Firebase."""
    try:
        return authenticate(request.headers, service.check_id_token, service.clock())
    except StorageHTTPError as error:
        raise StorageHTTPError(403 if request.kind == "token" else error.status, error.message) from None


def _commands(headers: Mapping[str, str]) -> AbstractSet[str]:
    """Return the commands in X-Goog-Upload-Command. The value `upload, finalize` has two commands."""
    header = headers.get("x-goog-upload-command", "").lower()
    return {command.strip() for command in header.split(",") if command.strip()}


def _kind(method: str, name: str | None, params: Mapping[str, str], headers: Mapping[str, str]) -> RequestKind:
    """Return what a request does. Raises `StorageHTTPError` 400 if Storage has no such request."""
    if name is None and method == "GET":
        return "list"
    if method in {"GET", "HEAD"} and name is not None:
        return "download" if params.get("alt") == "media" else "metadata"
    if method == "DELETE" and (name is not None or params.get("name")):
        return "delete"
    if method == "PATCH" and name is not None:
        return "update"
    if method not in {"POST", "PUT"}:
        raise StorageHTTPError(400, INVALID_ROUTE)
    if name is not None and params.keys() & {"create_token", "delete_token"}:
        return "token"
    return _upload_kind(_commands(headers), params, headers)


def _upload_kind(commands: AbstractSet[str], params: Mapping[str, str], headers: Mapping[str, str]) -> RequestKind:
    resumable = headers.get("x-goog-upload-protocol", "").lower() == "resumable"
    if not commands and not resumable:
        return "upload"
    if commands == {"start"}:
        return "start"
    if not commands or "upload_id" not in params:
        raise StorageHTTPError(
            400,
            "Start a resumable upload with X-Goog-Upload-Command: start, then send its content to the returned URL.",
        )
    if "query" in commands:
        return "query"
    if "cancel" in commands:
        return "cancel"
    return "upload" if "upload" in commands else "finalize"


API = StorageApi(
    ApiFormat(
        read_update=lambda _, body: read_update(body),
        resource=lambda _, metadata: metadata.to_json(),
        error_response=lambda _, error: error.response(),
    ),
    parse,
    handle,
)

__all__ = ["API", "PREFIX", "handle", "parse"]
