"""Routes, authentication and errors of Cloud Storage's JSON API, which google-cloud-storage uses.

The JSON API is for administrators: security rules do not apply to it, and end users' ID tokens are rejected. Requests
without credentials are accepted because google-cloud-storage sends none to an emulator.
https://cloud.google.com/storage/docs/json_api
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from firebase_rest.emulator.credentials import ADMIN, Caller, RejectedTokenError, read_unverified
from firebase_rest.emulator.hosts import SANDBOX
from firebase_rest.emulator.storage import json_api_objects as operations
from firebase_rest.emulator.storage import json_api_uploads as uploads
from firebase_rest.emulator.storage import object_operations
from firebase_rest.emulator.storage.errors import StorageHTTPError, empty_response, json_response
from firebase_rest.emulator.storage.handler import BodyHandler, BufferedBody, Operation, StorageApi
from firebase_rest.emulator.storage.json_api_objects import read_update, resource
from firebase_rest.emulator.storage.request import ApiFormat, StorageRequest
from firebase_rest.transport.wire import Json, Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.storage.faults import RequestKind
    from firebase_rest.emulator.storage.object_service import ObjectService
    from firebase_rest.emulator.urls import RequestUrl

PREFIXES = ("/storage/v1/", "/upload/storage/v1/", "/download/storage/v1/", "/batch/storage/v1")

_ID_TOKEN_ISSUER = "https://securetoken.google.com/"
_OBJECT = "/([^/]+)/o/([^/]+)"
_ROUTES: tuple[tuple[str, str, RequestKind, Operation], ...] = (
    ("GET", "", "bucket", operations.list_buckets),
    ("POST", "", "bucket", operations.create_bucket),
    ("GET", "/([^/]+)", "bucket", operations.get_bucket),
    ("GET", "/([^/]+)/o", "list", operations.list_objects),
    ("GET", _OBJECT, "metadata", operations.get),
    ("PATCH", _OBJECT, "update", object_operations.update),
    ("PUT", _OBJECT, "update", operations.replace_metadata),
    ("DELETE", _OBJECT, "delete", object_operations.delete),
    ("POST", f"{_OBJECT}/rewriteTo/b{_OBJECT}", "copy", operations.rewrite),
    ("POST", f"{_OBJECT}/copyTo/b{_OBJECT}", "copy", operations.copy),
    ("POST", f"{_OBJECT}/moveTo/o/([^/]+)", "copy", operations.move),
    ("POST", f"{_OBJECT}/compose", "copy", operations.compose),
    ("GET", f"{_OBJECT}/acl", "metadata", operations.list_acl),
    ("POST", f"{_OBJECT}/acl", "update", operations.set_acl_entry),
    ("GET", f"{_OBJECT}/acl/([^/]+)", "metadata", operations.get_acl_entry),
    ("PUT", f"{_OBJECT}/acl/([^/]+)", "update", operations.set_acl_entry),
    ("PATCH", f"{_OBJECT}/acl/([^/]+)", "update", operations.set_acl_entry),
    ("DELETE", f"{_OBJECT}/acl/([^/]+)", "update", operations.delete_acl_entry),
)
_REASONS = {
    400: "invalid",
    401: "authError",
    403: "forbidden",
    404: "notFound",
    412: "conditionNotMet",
    413: "uploadTooLarge",
    416: "requestedRangeNotSatisfiable",
    501: "notImplemented",
    503: "backendError",
}


def is_short_path(url: RequestUrl) -> bool:
    """Return whether a path is `/b/BUCKET/...`. Clients for Node omit `/storage/v1` if they use an emulator.

    A path that ends in `.json` belongs to the database, unless the path or its parameters are invalid there.
    """
    path = url.path
    if path != "/b" and not path.startswith("/b/"):
        return False
    bucket = path.removesuffix(".json").split("/", 3)[2:3]
    return not path.endswith(".json") or "." in "".join(bucket) or "alt" in dict(url.params)


def parse(request: StorageRequest) -> StorageRequest:
    """Parse the path. Raises `StorageHTTPError` 501 for an unknown route."""
    if request.path.startswith("/upload/"):
        match = re.fullmatch("b/([^/]+)/o", _inner_path(request))
        kind = _upload_kind(request)
        if match is None or kind is None:
            raise _not_implemented(request)
        return replace(request, kind=kind, bucket=_decode(match[1]), name=request.params.get("name", ""))
    kind, _, segments = _find(request)
    arguments = [_decode(segment) for segment in segments]
    bucket = arguments[0] if arguments else ""
    name = arguments[1] if len(arguments) > 1 else ""
    return replace(request, kind=kind, bucket=bucket, name=name, path_arguments=tuple(arguments[2:]))


def handle(service: ObjectService, request: StorageRequest) -> BodyHandler:
    """Authenticate a parsed request and return the handler of its body."""
    is_upload = request.path.startswith("/upload/")
    # The URL of a resumable upload grants access without credentials.
    has_upload_url = is_upload and "upload_id" in request.params
    caller = ADMIN if has_upload_url else authenticate(request.headers, service.require_auth)
    request = replace(request, caller=caller)
    if not is_upload:
        return BufferedBody(service, request, _find(request)[1])
    if request.kind == "cancel":
        return BufferedBody(service, request, uploads.cancel)
    if has_upload_url:
        return uploads.continue_upload(service, request)
    if request.kind == "start":
        return BufferedBody(service, request, uploads.start)
    return uploads.single_request_upload(service, request)


def _inner_path(request: StorageRequest) -> str:
    """Return the path after `/storage/v1/`, without a final slash."""
    _, prefix, rest = request.path.partition("/storage/v1/")
    return (rest if prefix else request.path[1:]).removesuffix("/")


def _find(request: StorageRequest) -> tuple[RequestKind, Operation, tuple[str, ...]]:
    """Return the kind, the operation, and the arguments in the path of a request."""
    path, method = _inner_path(request), "GET" if request.method == "HEAD" else request.method
    if method == "GET" and request.params.get("alt") == "media":
        match = re.fullmatch(f"b{_OBJECT}", path)
        if match:
            return "download", object_operations.get_bytes, match.groups()
    for route_method, pattern, kind, operation in _ROUTES:
        match = re.fullmatch(f"b{pattern}", path)
        if match and route_method == method:
            return kind, operation, match.groups()
    raise _not_implemented(request)


def _upload_kind(request: StorageRequest) -> RequestKind | None:
    if request.method not in {"POST", "PUT", "DELETE"}:
        return None
    if "upload_id" in request.params:
        if request.method == "DELETE":
            return "cancel"
        return "query" if request.headers.get("content-range", "").startswith("bytes */") else "upload"
    return "start" if request.params.get("uploadType") == "resumable" else "upload"


def _decode(segment: str) -> str:
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise StorageHTTPError(400, "The path must be percent-encoded UTF-8.") from None


def _not_implemented(request: StorageRequest) -> StorageHTTPError:
    return StorageHTTPError(501, f"The emulator does not implement {request.method} {request.path} of the JSON API.")


def authenticate(headers: Mapping[str, str], require_auth: bool) -> Caller:
    """Return the administrator.

    Raises `StorageHTTPError` 401 for ID tokens, and with `require_auth` for requests without credentials.
    """
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    if not scheme and require_auth:
        raise StorageHTTPError(401, "Anonymous caller does not have access: send an access token, or Bearer owner.")
    if scheme and (scheme.lower() != "bearer" or not token.strip() or _is_id_token(token)):
        raise StorageHTTPError(401, "Invalid Credentials: only service accounts can use the JSON API of Cloud Storage.")
    return ADMIN


def _is_id_token(token: str) -> bool:
    """Return whether `token` is a Firebase ID token, valid or not."""
    try:
        return str(read_unverified(token, now=0).get("iss")).startswith(_ID_TOKEN_ISSUER)
    except RejectedTokenError:
        return False


def error_response(request: StorageRequest, error: StorageHTTPError) -> Response:
    """Return the response for an error: plain text for `alt=media`, else the format of the JSON API."""
    if error.status in {304, uploads.CLIENT_CLOSED}:
        return empty_response(error.status, error.headers)
    message = error.message
    if error.status == 404 and (error.reason or "").endswith("_OBJECT"):
        message = f"No such object: {request.bucket}/{request.name}"
    if request.kind is not None and request.params.get("alt") == "media":
        headers = {**SANDBOX, "content-type": "text/html; charset=UTF-8", **error.headers}
        return Response(error.status, headers, message.encode("utf-8", "replace"))
    detail: dict[str, Json] = {"message": message, "domain": "global", "reason": _REASONS.get(error.status, "invalid")}
    body: Json = {"error": {"code": error.status, "message": message, "errors": [detail]}}
    return json_response(body, error.status, error.headers)


API = StorageApi(ApiFormat(read_update, resource, error_response), parse, handle)
