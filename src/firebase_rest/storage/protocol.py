"""Flows over Cloud Storage for Firebase: metadata, lists, deleting, download tokens; and what refusals mean.

The law of this file: no socket, no clock; a status decides what a refusal is, and its words only whether a token was
good once. Upload URLs and download tokens are secrets and go into no error.
https://firebase.google.com/docs/reference/rest/storage/rest
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import quote

from firebase_rest.errors import (
    ApiError,
    AppVerificationFailed,
    FirebaseError,
    InvalidResponse,
    NotFound,
    PayloadTooLarge,
    PermissionDenied,
    PreconditionFailed,
    QuotaExceeded,
    RateLimited,
    ServerError,
    TokenExpired,
    Unauthenticated,
    UsageError,
)
from firebase_rest.storage.location import ObjectLocation
from firebase_rest.transport._json import dict_or_empty, parse_object
from firebase_rest.transport.failure import api_error
from firebase_rest.transport.wire import Flow, Request, Response, RetryPolicy
from firebase_rest.types import ObjectMetadata

Metadata = ObjectMetadata

MAX_PAGE = 1000
JSON_TYPE = {"Content-Type": "application/json; charset=utf-8"}

_SETTABLE = ("contentType", "cacheControl", "contentDisposition", "contentEncoding", "contentLanguage", "metadata")


# --- refusals --------------------------------------------------------------------------------------------------------

_BY_STATUS: dict[int, type[ApiError]] = {
    401: Unauthenticated,
    402: QuotaExceeded,
    403: PermissionDenied,
    404: NotFound,
    412: PreconditionFailed,
    413: PayloadTooLarge,
    429: RateLimited,
}
_SECRET_HEADERS = frozenset({"x-goog-upload-url", "x-goog-upload-control-url", "location"})


def check(response: Response) -> Response:
    """The response itself if Firebase said yes; otherwise the typed error is raised."""
    if 200 <= response.status < 300:
        return response
    raise refusal(response)


def refusal(response: Response) -> ApiError:
    """The typed error for an answer that says no; its body may be JSON, plain text, a page, or nothing."""
    kind = ServerError if response.status >= 500 else _BY_STATUS.get(response.status, ApiError)
    error = parse_object(response.body).get("error")
    details = dict_or_empty(error)
    message = str(details.get("message") or (error if isinstance(error, str) else "") or response.text.strip()[:500])
    if kind is Unauthenticated and "App Check" in message:
        kind = AppVerificationFailed
    elif kind is Unauthenticated and error and "expired" in message:
        kind = TokenExpired
    code = details.get("status")
    headers = {name: value for name, value in response.headers.items() if name not in _SECRET_HEADERS}
    return api_error(
        kind,
        replace(response, headers=headers),
        message,
        code=code if isinstance(code, str) else None,
        details=details or None,
    )


def metadata_in(response: Response) -> Metadata:
    """The metadata that an answer carries. Raises `InvalidResponse` where something else came."""
    found = response.json_object()
    if "name" not in found:
        raise InvalidResponse("What answered in place of Firebase did not send an object's metadata.")
    return cast(Metadata, found)


# --- one object ------------------------------------------------------------------------------------------------------


def read(method: str, url: str, params: tuple[tuple[str, str], ...] = ()) -> Request:
    """A request that may be repeated as often as one likes."""
    return Request(method, url, params, retry_policy=RetryPolicy.IDEMPOTENT, reauth_on_401=True)


def get_metadata(location: ObjectLocation) -> Flow[Metadata]:
    """The object's metadata."""
    return metadata_in(check((yield read("GET", location.url))))


def update_metadata(location: ObjectLocation, changes: Mapping[str, Any]) -> Flow[Metadata]:
    """Change what `changes` name, and nothing else; None clears a field or a custom key. The new metadata."""
    body = json.dumps(validate_fields(changes), ensure_ascii=False).encode()
    request = Request("PATCH", location.url, (), JSON_TYPE, body, RetryPolicy.IDEMPOTENT, reauth_on_401=True)
    return metadata_in(check((yield request)))


def delete(location: ObjectLocation) -> Flow[None]:
    """Delete the object."""
    response = yield read("DELETE", location.url)
    if response.status == 404 and response.earlier_attempt_uncertain:
        return  # an earlier try got through, only its answer did not
    check(response)


def validate_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`fields` if a client may set them. Raises `UsageError`."""
    if not isinstance(cast(object, fields), Mapping):
        raise UsageError(f"Metadata must be a dict like {{'contentType': 'text/plain'}}, got {type(fields).__name__}.")
    for name, value in fields.items():
        if name not in _SETTABLE:
            raise UsageError(
                f"{shown(name)} cannot be set; these fields can: {', '.join(_SETTABLE)}. "
                "Custom values go into 'metadata': {'metadata': {'owner': 'ada'}}."
            )
        if name == "metadata":
            validate_custom_metadata(value, clearing=True)
        elif value is not None:
            validate_str(name, value)
    return dict(fields)


def validate_custom_metadata(custom: object, *, clearing: bool = False) -> dict[str, Any]:
    """Custom metadata: strings by strings; with `clearing` also None. Raises `UsageError`."""
    if custom is None:
        return {}
    if not isinstance(custom, Mapping):
        raise UsageError(f"metadata must be a dict of strings like {{'owner': 'ada'}}, got {type(custom).__name__}.")
    checked: dict[str, Any] = {}
    for key, value in cast("Mapping[object, object]", custom).items():
        name = validate_str("A key of metadata", key)
        if name == "firebaseStorageDownloadTokens":
            raise UsageError("Download tokens cannot be set as metadata; use create_download_token().")
        checked[name] = None if clearing and value is None else validate_str(f"metadata[{shown(name)}]", value)
    return checked


def validate_str(name: str, value: object) -> str:
    """A string that UTF-8 can encode. Raises `UsageError`."""
    if not isinstance(value, str):
        raise UsageError(f"{name} must be a string, got {type(value).__name__}.")
    try:
        value.encode()
    except UnicodeEncodeError:
        pass
    else:
        return value
    raise UsageError(f"{name} must be text that UTF-8 can encode, got {shown(value)}.")


def shown(value: object) -> str:
    """A short representation for an error message."""
    try:
        text = ascii(value)
    except Exception:  # noqa: BLE001 - an int of more than 4,300 digits, or a faulty __repr__
        return type(value).__name__
    return text if len(text) <= 60 else f"{text[:57]}..."


# --- download tokens -------------------------------------------------------------------------------------------------


def create_download_token(location: ObjectLocation) -> Flow[Metadata]:
    """Add a download token; for administrators."""
    # Twice would make two tokens.
    request = Request(
        "POST", location.url, (("create_token", "true"),), retry_policy=RetryPolicy.IF_NOT_SENT, reauth_on_401=True
    )
    return metadata_in(check((yield request)))


def revoke_download_token(location: ObjectLocation, token: str) -> Flow[Metadata]:
    """Take a download token away; for administrators."""
    return metadata_in(check((yield read("POST", location.url, (("delete_token", token),)))))


def tokens_in(metadata: Metadata) -> list[str]:
    """The download tokens."""
    text = metadata.get("downloadTokens")
    return [token for token in text.split(",") if token] if isinstance(text, str) else []


def download_url(location: ObjectLocation, token: str | None) -> str:
    """The link to the object's bytes; with a download token anybody can follow it."""
    return f"{location.url}?alt=media" + (f"&token={quote(validate_str('token', token), safe='')}" if token else "")


def get_download_url(location: ObjectLocation) -> Flow[str]:
    """The link that can be shared."""
    tokens = tokens_in((yield from get_metadata(location)))
    if not tokens:
        raise FirebaseError(
            f"{location.name!r} has no download token, so no link can be shared; make one with create_download_token()."
        )
    return download_url(location, tokens[0])


# --- lists -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """One page of a list: names of objects, prefixes with a slash at their end, and where the next page begins."""

    items: tuple[str, ...]
    prefixes: tuple[str, ...]
    next_page_token: str | None


def list_page(
    location: ObjectLocation,
    prefix: str,
    *,
    recursive: bool,
    page_token: str | None = None,
    page_size: int | None = None,
) -> Flow[ObjectPage]:
    """A page of what is below `prefix` ("" or ending in a slash)."""
    params = [("prefix", prefix)] if prefix else []
    params += [] if recursive else [("delimiter", "/")]
    params += [("maxResults", str(page_size))] if page_size else []
    params += [("pageToken", page_token)] if page_token else []
    reply = check((yield read("GET", location.collection_url, tuple(params)))).json_object()
    token = reply.get("nextPageToken")
    items = [dict_or_empty(item).get("name") for item in _entries(reply, "items")]
    return ObjectPage(
        tuple(name for name in items if isinstance(name, str) and name),
        tuple(name for name in _entries(reply, "prefixes") if isinstance(name, str) and name),
        token if isinstance(token, str) and token else None,
    )


def _entries(reply: Mapping[str, Any], member: str) -> Sequence[object]:
    """A list, which is left out when it is empty."""
    found = reply.get(member)
    if found is None:
        return ()
    if not isinstance(found, list):
        raise InvalidResponse(f"What answered in place of Firebase sent {member!r} that are no list.")
    return cast("list[object]", found)


def deduplicate_pages(pages: Iterator[ObjectPage]) -> Iterator[ObjectPage]:
    """Pages without what earlier pages had. Raises `InvalidResponse` where a page token comes twice."""
    seen: set[str] = set()
    tokens: set[str] = set()
    for page in pages:
        yield ObjectPage(
            tuple(name for name in page.items if name not in seen),
            tuple(name for name in page.prefixes if name not in seen),
            page.next_page_token,
        )
        seen.update(page.prefixes)
        if page.next_page_token is not None:
            if page.next_page_token in tokens:
                raise InvalidResponse("The list goes round in circles: the same page was named as the next one twice.")
            tokens.add(page.next_page_token)
