"""An object at its own address, `/{bucket}/{object}`: for who has a signed URL, and for all where `allUsers` may read.

Signatures are not checked, for there is no key to check them by; their time is.
https://cloud.google.com/storage/docs/access-control/signed-urls
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from urllib.parse import unquote
from xml.sax.saxutils import escape

from firebase_rest.emulator.storage import objects
from firebase_rest.emulator.storage.downloads import download
from firebase_rest.emulator.storage.errors import Refusal, without_body
from firebase_rest.emulator.storage.handler import Sink, Whole
from firebase_rest.emulator.storage.json_api_resources import EVERYBODY
from firebase_rest.emulator.storage.names import check_name
from firebase_rest.emulator.storage.uploads import MediaUpload
from firebase_rest.transport.wire import Response

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from firebase_rest.emulator.storage.faults import Kind
    from firebase_rest.emulator.storage.object_service import Call, Desk
    from firebase_rest.emulator.storage.store import Store

_SIGNATURES = frozenset({"X-Goog-Signature", "GoogleAccessId"})
"""What only the query of a signed URL has: of version 4, of version 2."""

KINDS: Mapping[str, Kind] = {"GET": "download", "HEAD": "download", "PUT": "upload", "DELETE": "delete"}
_SAID = {"response-content-type": "contentType", "response-content-disposition": "contentDisposition"}
"""What a signed URL may say in the place of the object's own metadata."""

_CODES = {400: "InvalidArgument", 403: "AccessDenied", 404: "NoSuchKey", 412: "PreconditionFailed", 416: "InvalidRange"}


def place(path: str) -> tuple[str, str]:
    """Bucket and name in a raw path; a slash in the name may be bare."""
    bucket, _, name = path.removeprefix("/").partition("/")
    return unquote(bucket), unquote(name)


def takes(store: Store, method: str, path: str, params: Collection[str]) -> bool:
    """Whether a request is for an object at its address: it is signed, or all may read what is there."""
    if not _SIGNATURES.isdisjoint(params):
        return method in KINDS
    stored = store.find(*place(path)) if method in {"GET", "HEAD"} else None
    return stored is not None and EVERYBODY in stored.metadata.acl


def open_link(desk: Desk, call: Call) -> Sink:
    """What takes the body of such a request. Raises `Refusal` 400 where the time of its signature is over."""
    expires = _expiry(call.params)
    if expires is not None and expires <= desk.clock():
        raise Refusal(400, "The provided token has expired.", "ExpiredToken")
    if call.method == "PUT":
        check_name(call.name)
        return _Silent(desk, call)
    act = objects.delete if call.method == "DELETE" else _get_bytes
    return Whole(lambda _: act(desk, call))


def _get_bytes(desk: Desk, call: Call) -> Response:
    said = {setting: call.params[name] for name, setting in _SAID.items() if name in call.params}
    with desk.store.lock:
        stored = desk.existing(call, "GET_OBJECT")
    metadata = replace(stored.metadata, settable={**stored.metadata.settable, **said})
    return download(replace(stored, metadata=metadata), call.headers)


def refuse(refusal: Refusal) -> Response:
    """The answer that a refusal is here: XML."""
    if refusal.status == 304:
        return without_body(304, refusal.headers)
    word = refusal.word if refusal.word == "ExpiredToken" else _CODES.get(refusal.status, "InvalidRequest")
    error = f"<Error><Code>{word}</Code><Message>{escape(refusal.message)}</Message></Error>"
    headers = {"content-type": "application/xml; charset=UTF-8", **refusal.headers}
    return Response(
        refusal.status, headers, f"<?xml version='1.0' encoding='UTF-8'?>{error}".encode("utf-8", "replace")
    )


class _Silent(MediaUpload):
    """An upload that is answered without a word about the object."""

    def finish(self) -> Response:
        """See `Sink`."""
        return replace(super().finish(), body=b"")


def _expiry(params: Mapping[str, str]) -> int | None:
    """Seconds since the epoch. Raises `Refusal` 400 for a time that is none."""
    try:
        if "X-Goog-Signature" in params:
            begun = datetime.strptime(params["X-Goog-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
            return int(begun.timestamp()) + int(params["X-Goog-Expires"])
        return int(params["Expires"]) if "GoogleAccessId" in params else None
    except (KeyError, ValueError):
        raise Refusal(400, "The signed URL does not say for how long it is good.") from None
