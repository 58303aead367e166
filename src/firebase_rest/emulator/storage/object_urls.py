"""URLs of the form `/{bucket}/{object}`: signed URLs, and URLs of objects that `allUsers` may read.

Expiry times are verified. Signatures are not, because the emulator has no keys.
https://cloud.google.com/storage/docs/access-control/signed-urls
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import unquote
from xml.sax.saxutils import escape

from firebase_rest.emulator.credentials import ADMIN
from firebase_rest.emulator.hosts import SANDBOX
from firebase_rest.emulator.storage import object_operations
from firebase_rest.emulator.storage.downloads import download
from firebase_rest.emulator.storage.errors import StorageHTTPError, empty_response
from firebase_rest.emulator.storage.handler import BodyHandler, BufferedBody, StorageApi
from firebase_rest.emulator.storage.json_api_objects import ALL_USERS, read_update, resource
from firebase_rest.emulator.storage.names import validate_name
from firebase_rest.emulator.storage.request import ApiFormat, StorageRequest
from firebase_rest.emulator.storage.uploads import MediaUpload
from firebase_rest.transport.wire import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.storage.faults import RequestKind
    from firebase_rest.emulator.storage.object_service import ObjectService
    from firebase_rest.emulator.storage.store import Store
    from firebase_rest.emulator.urls import RequestUrl

_SIGNATURES = frozenset({"X-Goog-Signature", "GoogleAccessId"})
"""Query parameters that contain the signature or its account in signed URLs of version 4 and 2."""

_KINDS: Mapping[str, RequestKind] = {"GET": "download", "HEAD": "download", "PUT": "upload", "DELETE": "delete"}
_OVERRIDES = {"response-content-type": "contentType", "response-content-disposition": "contentDisposition"}
"""Query parameters of a signed URL that override the metadata of the object."""

_CODES = {400: "InvalidArgument", 403: "AccessDenied", 404: "NoSuchKey", 412: "PreconditionFailed", 416: "InvalidRange"}


def matches(store: Store, method: str, url: RequestUrl) -> bool:
    """Return whether a URL is a signed URL, or the URL of an object that everyone may read."""
    if any(name in _SIGNATURES for name, _ in url.params):
        return method in _KINDS
    stored = store.find(*_split(url.path)) if method in {"GET", "HEAD"} else None
    return stored is not None and ALL_USERS in stored.metadata.acl


def parse(request: StorageRequest) -> StorageRequest:
    """Parse the path."""
    bucket, name = _split(request.path)
    return replace(request, kind=_KINDS[request.method], bucket=bucket, name=name, caller=ADMIN)


def handle(service: ObjectService, request: StorageRequest) -> BodyHandler:
    """Return the handler of the body. Raises `StorageHTTPError` 400 if the signed URL has expired."""
    expires = _parse_expiry(request.params)
    if expires is not None and expires <= service.clock():
        raise StorageHTTPError(400, "The provided token has expired.", "ExpiredToken")
    if request.method == "PUT":
        validate_name(request.name)
        return _Upload(service, request)
    return BufferedBody(service, request, object_operations.delete if request.method == "DELETE" else _get_bytes)


def _split(path: str) -> tuple[str, str]:
    """Return the bucket and the object name of a raw path. Slashes in the name may be unescaped."""
    bucket, _, name = path.removeprefix("/").partition("/")
    return unquote(bucket), unquote(name)


def _get_bytes(service: ObjectService, request: StorageRequest, _: bytes) -> Response:
    overrides = {setting: request.params[name] for name, setting in _OVERRIDES.items() if name in request.params}
    with service.store.lock:
        stored = service.require(request, "GET_OBJECT")
    metadata = replace(stored.metadata, settable={**stored.metadata.settable, **overrides})
    return download(replace(stored, metadata=metadata), request.headers)


def _error_response(_: StorageRequest, error: StorageHTTPError) -> Response:
    if error.status == 304:
        return empty_response(304, error.headers)
    code = error.reason if error.reason == "ExpiredToken" else _CODES.get(error.status, "InvalidRequest")
    body = f"<Error><Code>{code}</Code><Message>{escape(error.message)}</Message></Error>"
    headers = {**SANDBOX, "content-type": "application/xml; charset=UTF-8", **error.headers}
    return Response(error.status, headers, f"<?xml version='1.0' encoding='UTF-8'?>{body}".encode("utf-8", "replace"))


class _Upload(MediaUpload):
    """An upload whose response has no body."""

    def finish(self) -> Response:
        """See `BodyHandler`."""
        return replace(super().finish(), body=b"")


def _parse_expiry(params: Mapping[str, str]) -> int | None:
    """Return when a signed URL expires, in seconds since the epoch, or None for other URLs.

    Raises `StorageHTTPError` 400.
    """
    try:
        if "X-Goog-Signature" in params:
            signed_at = datetime.strptime(params["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
            return int(signed_at.timestamp()) + int(params["X-Goog-Expires"])
        return int(params["Expires"]) if "GoogleAccessId" in params else None
    except (KeyError, ValueError):
        raise StorageHTTPError(400, "The signed URL has no valid expiry time.") from None


API = StorageApi(ApiFormat(read_update, resource, _error_response), parse, handle)
