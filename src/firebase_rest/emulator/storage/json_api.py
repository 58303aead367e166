"""Cloud Storage's own API, which google-cloud-storage speaks: its paths, who may call them, and how they say no.

Buckets are open to whoever has the project's keys, and no rules are asked: here that is everybody but end users. A
local program has no keys, and google-cloud-storage then sends no credential at all.
https://cloud.google.com/storage/docs/json_api
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias
from urllib.parse import unquote_to_bytes

from firebase_rest.emulator.database.access import ADMIN, unverified
from firebase_rest.emulator.database.responses import RefusedError
from firebase_rest.emulator.storage import json_api_objects as acts
from firebase_rest.emulator.storage import json_api_uploads as uploads
from firebase_rest.emulator.storage import objects
from firebase_rest.emulator.storage.errors import Refusal, in_json, without_body
from firebase_rest.emulator.storage.handler import Sink, Whole
from firebase_rest.emulator.storage.json_api_resources import JSON_API
from firebase_rest.transport.wire import Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firebase_rest.emulator.database.access import Caller
    from firebase_rest.emulator.storage.faults import Kind
    from firebase_rest.emulator.storage.object_service import Call, Desk
    from firebase_rest.emulator.storage.sessions import Sessions
    from firebase_rest.transport.wire import Json

    Act: TypeAlias = Callable[..., Response]
    """Takes the desk, the call, the body, and what else the path names."""

PREFIXES = ("/storage/v1/", "/upload/storage/v1/", "/download/storage/v1/", "/batch/storage/v1")

_ISSUER_OF_USERS = "https://securetoken.google.com/"
_OBJECT = "/([^/]+)/o/([^/]+)"
_ROUTES: tuple[tuple[str, str, Kind, Act], ...] = (
    ("GET", "", "bucket", acts.list_buckets),
    ("POST", "", "bucket", acts.make_bucket),
    ("GET", "/([^/]+)", "bucket", acts.get_bucket),
    ("GET", "/([^/]+)/o", "list", acts.list_objects),
    ("GET", _OBJECT, "metadata", acts.get),
    ("PATCH", _OBJECT, "update", objects.update),
    ("PUT", _OBJECT, "update", acts.replace_metadata),
    ("DELETE", _OBJECT, "delete", acts.delete),
    ("POST", f"{_OBJECT}/rewriteTo/b{_OBJECT}", "copy", acts.rewrite),
    ("POST", f"{_OBJECT}/copyTo/b{_OBJECT}", "copy", acts.copy),
    ("POST", f"{_OBJECT}/moveTo/o/([^/]+)", "copy", acts.move),
    ("POST", f"{_OBJECT}/compose", "copy", acts.compose),
    ("GET", f"{_OBJECT}/acl", "metadata", acts.list_acl),
    ("POST", f"{_OBJECT}/acl", "update", acts.set_acl_entry),
    ("GET", f"{_OBJECT}/acl/([^/]+)", "metadata", acts.get_acl_entry),
    ("PUT", f"{_OBJECT}/acl/([^/]+)", "update", acts.set_acl_entry),
    ("PATCH", f"{_OBJECT}/acl/([^/]+)", "update", acts.set_acl_entry),
    ("DELETE", f"{_OBJECT}/acl/([^/]+)", "update", acts.delete_acl_entry),
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


@dataclass(frozen=True, slots=True)
class Route:
    """What a request is about, in the words of `faults`, and what takes its body."""

    kind: Kind
    bucket: str
    name: str
    open: Callable[[Desk, Sessions, Call], Sink]


def find(method: str, path: str, params: Mapping[str, str], headers: Mapping[str, str]) -> Route:
    """The route of a raw path that begins with one of `PREFIXES`. Raises `Refusal` 501 where there is none."""
    inside = path.partition("/storage/v1/")[2].removesuffix("/")
    if path.startswith("/upload/"):
        return _upload(method, inside, params, headers)
    if method in {"GET", "HEAD"} and params.get("alt") == "media" and re.fullmatch(f"b{_OBJECT}", inside):
        return _route("download", acts.get_bytes, tuple(inside.split("/")[1::2]))
    for known, shape, kind, act in _ROUTES:
        match = re.fullmatch(f"b{shape}", inside)
        if match and known == ("GET" if method == "HEAD" else method):
            return _route(kind, act, match.groups())
    raise _unknown(method, path)


def _upload(method: str, inside: str, params: Mapping[str, str], headers: Mapping[str, str]) -> Route:
    match = re.fullmatch("b/([^/]+)/o", inside)
    if match is None or method not in {"POST", "PUT", "DELETE"}:
        raise _unknown(method, f"/upload/storage/v1/{inside}")
    bucket, name = _decoded(match[1]), params.get("name", "")
    if "upload_id" in params:
        if method == "DELETE":
            return Route("cancel", bucket, name, lambda _, sessions, call: uploads.cancel(sessions, call))
        asks = headers.get("content-range", "").startswith("bytes */")
        return Route("query" if asks else "upload", bucket, name, uploads.go_on)
    if params.get("uploadType") == "resumable":
        return Route("start", bucket, name, uploads.start)
    return Route("upload", bucket, name, lambda desk, _, call: uploads.whole(desk, call))


def _route(kind: Kind, act: Act, segments: tuple[str, ...]) -> Route:
    bucket, name, *more = (*map(_decoded, segments), "", "")[: max(2, len(segments))]
    return Route(kind, bucket, name, lambda desk, _, call: Whole(lambda body: act(desk, call, body, *more)))


def _decoded(segment: str) -> str:
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise Refusal(400, "The path is not UTF-8.") from None


def _unknown(method: str, path: str) -> Refusal:
    return Refusal(501, f"{method} {path} of Cloud Storage's JSON API is not implemented by this emulator.")


def identify(headers: Mapping[str, str], require_auth: bool) -> Caller:
    """The administrator. Raises `Refusal` 401 for an end user.

    With `require_auth`, who has no credential at all is refused, too.
    """
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    if not scheme and require_auth:
        raise Refusal(401, "Anonymous caller does not have access: send an access token, or Bearer owner.")
    if scheme and (scheme.lower() != "bearer" or not token.strip() or _is_of_a_user(token)):
        raise Refusal(401, "Invalid Credentials: only service accounts can use Cloud Storage's own API.")
    return ADMIN


def _is_of_a_user(token: str) -> bool:
    """Whether a token is, or was, a Firebase ID token; tokens are read and never verified, as everywhere here."""
    try:
        return str(unverified(token, now=0).get("iss")).startswith(_ISSUER_OF_USERS)
    except RefusedError:
        return False


def refuse(refusal: Refusal, bucket: str, name: str, params: Mapping[str, str]) -> Response:
    """The answer that a refusal is in this API: with a reason, and for who wants bytes in plain words."""
    if refusal.status in {304, uploads.CLIENT_CLOSED}:
        return without_body(refusal.status, refusal.headers)
    message = refusal.message
    if refusal.status == 404 and (refusal.word or "").endswith("_OBJECT"):
        message = f"No such object: {bucket}/{name}"
    if params.get("alt") == "media":
        headers = {"content-type": "text/html; charset=UTF-8", **refusal.headers}
        return Response(refusal.status, headers, message.encode("utf-8", "replace"))
    reason = _REASONS.get(refusal.status, "invalid")
    error: dict[str, Json] = {"message": message, "domain": "global", "reason": reason}
    whole: Json = {"error": {"code": refusal.status, "message": message, "errors": [error]}}
    return in_json(whole, refusal.status, refusal.headers)


__all__ = ["JSON_API", "PREFIXES", "Route", "find", "identify", "refuse"]
