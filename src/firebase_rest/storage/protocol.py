"""Requests for the metadata, download links and deletion of objects, and the errors of their responses.

https://firebase.google.com/docs/reference/rest/storage/rest
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast
from urllib.parse import quote

from firebase_rest import errors
from firebase_rest.storage.location import ObjectLocation
from firebase_rest.transport.arguments import is_encodable
from firebase_rest.transport.failure import api_error, class_of_status
from firebase_rest.transport.json_fields import dict_or_empty, parse_object
from firebase_rest.transport.wire import Flow, Request, Response, RetryPolicy
from firebase_rest.types import ObjectMetadata

JSON_TYPE = {"Content-Type": "application/json; charset=utf-8"}


# --- errors ----------------------------------------------------------------------------------------------------------

# Invariant: upload URLs and download tokens are secrets, and no error contains them.
_SECRET_HEADERS = frozenset({"x-goog-upload-url", "x-goog-upload-control-url", "location"})


def check(response: Response, name: str = "") -> Response:
    """Return a successful response, and raise the error of any other response. `name` is the name of the object."""
    if 200 <= response.status < 300:
        return response
    raise error_of(response, name)


def error_of(response: Response, name: str = "") -> errors.ApiError:
    """Return the typed error of a response. Its body may be JSON, plain text, an HTML page or empty."""
    error_type = class_of_status(response.status)
    error = parse_object(response.body).get("error")
    details = dict_or_empty(error)
    message = str(details.get("message") or (error if isinstance(error, str) else "") or response.text.strip()[:500])
    if error_type is errors.Unauthenticated and "App Check" in message:
        error_type = errors.AppVerificationFailed
    elif error_type is errors.Unauthenticated and error and "expired" in message:
        error_type = errors.TokenExpired
    if error_type is errors.NotFound and name:
        message = f"{message} ({name!r} is not a file; for a folder use list().)"
    code = details.get("status")
    headers = {name: value for name, value in response.headers.items() if name not in _SECRET_HEADERS}
    return api_error(
        error_type,
        replace(response, headers=headers),
        message,
        code=code if isinstance(code, str) else None,
        details=details or None,
    )


def parse_metadata(response: Response) -> ObjectMetadata:
    """Return the metadata in a response. Raises `InvalidResponse`."""
    metadata = response.json_object()
    if "name" not in metadata:
        raise errors.InvalidResponse(
            "Invalid response: the object's metadata is missing; check whether a proxy changed it."
        )
    return cast(ObjectMetadata, metadata)


# --- one object ------------------------------------------------------------------------------------------------------


def idempotent(method: str, url: str, params: tuple[tuple[str, str], ...] = ()) -> Request:
    """Return a request that may be retried."""
    return Request(method, url, params, retry_policy=RetryPolicy.IDEMPOTENT, reauth_on_401=True)


def get_metadata(location: ObjectLocation) -> Flow[ObjectMetadata]:
    """Return the object's metadata."""
    return parse_metadata(check((yield idempotent("GET", location.url)), location.name))


def update_metadata(location: ObjectLocation, changes: Mapping[str, Any]) -> Flow[ObjectMetadata]:
    """Change some fields, where None removes a field, and return the new metadata."""
    body = json.dumps(changes, ensure_ascii=False).encode()
    request = Request("PATCH", location.url, (), JSON_TYPE, body, RetryPolicy.IDEMPOTENT, reauth_on_401=True)
    return parse_metadata(check((yield request)))


def delete(location: ObjectLocation) -> Flow[None]:
    """Delete the object."""
    response = yield idempotent("DELETE", location.url)
    if response.status == 404 and response.earlier_attempt_uncertain:
        return  # an earlier attempt deleted it, and only its response was lost
    check(response, location.name)


# --- download links --------------------------------------------------------------------------------------------------


def create_download_token(location: ObjectLocation) -> Flow[ObjectMetadata]:
    """Add a download token, as an administrator, and return the metadata."""
    # Not idempotent: each request creates another token.
    params = (("create_token", "true"),)
    request = Request("POST", location.url, params, retry_policy=RetryPolicy.IF_NOT_SENT, reauth_on_401=True)
    return parse_metadata(check((yield request)))


def revoke_download_token(location: ObjectLocation, token: str) -> Flow[ObjectMetadata]:
    """Remove a download token, as an administrator, and return the metadata."""
    return parse_metadata(check((yield idempotent("POST", location.url, (("delete_token", token),)))))


def download_tokens(metadata: ObjectMetadata) -> list[str]:
    """Return the download tokens in an object's metadata."""
    text = metadata.get("downloadTokens")
    tokens = text.split(",") if isinstance(text, str) else []
    return [token for token in tokens if token and is_encodable(token)]


def download_url(location: ObjectLocation, token: str | None) -> str:
    """Return the URL of the object's bytes. With a download token it needs no authentication."""
    return f"{location.url}?alt=media" + (f"&token={quote(token, safe='')}" if token else "")


def get_download_url(location: ObjectLocation) -> Flow[str]:
    """Return the URL with the first download token."""
    tokens = download_tokens((yield from get_metadata(location)))
    if not tokens:
        raise errors.FirebaseError(f"{location.name!r} has no download token; create one with create_download_token().")
    return download_url(location, tokens[0])
