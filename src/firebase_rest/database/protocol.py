"""Flows over the Realtime Database's REST API.

The law of this file: no socket, no clock. Each function is one operation, from the request to the answer or the typed
error. https://firebase.google.com/docs/reference/rest/database
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from firebase_rest.database.filter import PRIORITY, Filter
from firebase_rest.database.location import Location
from firebase_rest.database.snapshot import Snapshot
from firebase_rest.database.values import Encoded, encode, encode_update
from firebase_rest.errors import (
    ApiError,
    AppVerificationFailed,
    IndexNotDefined,
    InvalidResponse,
    NotFound,
    PayloadTooLarge,
    PermissionDenied,
    PreconditionFailed,
    QuotaExceeded,
    RateLimited,
    ServerError,
    TokenExpired,
    TransactionConflict,
    Unauthenticated,
    UsageError,
)
from firebase_rest.transport._json import parse_object
from firebase_rest.transport.failure import api_error
from firebase_rest.transport.wire import Flow, Json, Pause, Request, Response, RetryPolicy
from firebase_rest.types import PushResult

TRANSACTION_ATTEMPTS = 25

FIRST_PAUSE, MAX_PAUSE = 0.005, 0.5
"""Seconds between the attempts of a transaction: at most the first, doubling up to the second, by chance."""

_JSON = {"Content-Type": "application/json; charset=UTF-8"}
_ETAG = {"X-Firebase-ETag": "true"}
_EXPORT = (("format", "export"),)

Options = Mapping[str, Any] | None
"""Keyword arguments for `json.dumps` or `json.loads`."""


@dataclass(frozen=True, slots=True)
class ETaggedValue:
    """A value and the ETag it had when it was read; `committed` tells whether a conditional write took place."""

    value: Json
    etag: str
    committed: bool = False


def get(location: Location, filter: Filter, options: Options = None) -> Flow[Snapshot]:
    """Read."""
    filter_params = filter.validated_params()
    options = _validate_json_kwargs(options)
    by_priority = filter.order == PRIORITY  # an ordinary answer does not carry the priorities that we have to sort by
    params = location.params + filter_params + (_EXPORT if by_priority else ())
    response = check((yield _read(location, params)))
    key, value = location.segments[-1] if location.segments else "", response.json(**options)
    return Snapshot.of_export(key, value, filter) if by_priority else Snapshot(key, value, filter)


def set_(location: Location, data: object, options: Options = None) -> Flow[Json]:
    """Replace everything here."""
    response = check((yield _write("PUT", location, encode(data, location.segments, options))))
    return response.json()


def update(location: Location, data: object, options: Options = None) -> Flow[Json]:
    """Replace the named children, all or none."""
    response = check((yield _write("PATCH", location, encode_update(data, location.segments, options))))
    return response.json()


def push(location: Location, data: object, options: Options = None) -> Flow[PushResult]:
    """Add a child under a key that the server makes: {"name": key}."""
    encoded = encode(data, (*location.segments, "-" * 20), options)
    response = check(
        (yield Request("POST", location.url, location.params, _JSON, encoded.body, RetryPolicy.IF_NOT_PROCESSED))
    )
    return cast(PushResult, {name: str(value) for name, value in response.json_object().items()})


def remove(location: Location) -> Flow[None]:
    """Delete everything here."""
    response = check((yield Request("DELETE", location.url, location.params, retry_policy=RetryPolicy.IDEMPOTENT)))
    response.json()  # null; a page of a proxy's in its place deleted nothing


def exists(location: Location) -> Flow[bool]:
    """Whether there is anything here; only the names of the children travel."""
    response = check((yield _read(location, (*location.params, ("shallow", "true")))))
    return response.json() is not None


def read_with_etag(location: Location, options: Options = None) -> Flow[ETaggedValue]:
    """The value with its ETag."""
    options = _validate_json_kwargs(options)
    response = check((yield _read(location, location.params, _ETAG)))
    return ETaggedValue(response.json(**options), _etag_of(response))


def conditional_set(location: Location, data: object, etag: str, options: Options = None) -> Flow[ETaggedValue]:
    """Replace everything here if the ETag still holds; otherwise the current value and ETag, not committed."""
    return _etagged((yield _put_if_match(location, data, etag, options)))


def conditional_remove(location: Location, etag: str) -> Flow[ETaggedValue]:
    """Delete everything here if the ETag still holds."""
    return _etagged((yield _delete_if_match(location, etag)))


def set_if_match(location: Location, data: object, etag: str, options: Options = None) -> Flow[str]:
    """Replace the data and return its new ETag. Raises `PreconditionFailed` if the current ETag is another."""
    return _etag_of(check((yield _put_if_match(location, data, etag, options))))


def remove_if_match(location: Location, etag: str) -> Flow[None]:
    """Delete the data. Raises `PreconditionFailed` if the current ETag is another."""
    check((yield _delete_if_match(location, etag))).json()


def transaction(location: Location, change: Callable[[Any], Any], attempts: int = TRANSACTION_ATTEMPTS) -> Flow[Json]:
    """Read with an ETag, write if it still holds, and go again if it does not, after a pause that spreads rivals."""
    current = yield from read_with_etag(location)
    for attempt in range(attempts):
        if attempt:
            yield Pause(random.uniform(0, min(MAX_PAUSE, FIRST_PAUSE * 2**attempt)))  # noqa: S311 - guards nothing
        new = change(current.value)
        if new is None:
            if current.value is None:
                return None  # nothing was there and nothing is to be
            raise UsageError(
                f"The function of transaction() at /{location.path} must return the new value, got None; return {{}} "
                "to delete the data."
            )
        outcome = yield from conditional_set(location, new, current.etag)
        if outcome.committed:
            return outcome.value
        current = outcome
    raise TransactionConflict(
        f"The transaction at /{location.path} was given up after {attempts} attempts: others kept changing the value.",
        value=current.value,
        etag=current.etag,
    )


def _validate_json_kwargs(options: Options) -> Mapping[str, Any]:
    if options is None:
        return {}
    try:
        json.loads("null", **options)
    except TypeError:
        pass
    else:
        return options
    raise UsageError("json_kwargs must be a dict of keyword arguments for json.loads.")


def _read(location: Location, params: tuple[tuple[str, str], ...], headers: Mapping[str, str] | None = None) -> Request:
    return Request("GET", location.url, params, headers or {}, retry_policy=RetryPolicy.IDEMPOTENT)


def _write(method: str, location: Location, encoded: Encoded) -> Request:
    repeat = RetryPolicy.IF_NOT_PROCESSED if encoded.increments else RetryPolicy.IDEMPOTENT
    return Request(method, location.url, location.params, _JSON, encoded.body, repeat)


def _etag_of(response: Response) -> str:
    """The ETag; without one there is nothing a conditional write could hold on to."""
    etag = response.headers.get("etag")
    if not etag:
        raise InvalidResponse(
            "The answer came without its ETag header; something between here and Firebase removes it."
        )
    return etag


def _put_if_match(location: Location, data: object, etag: str, options: Options) -> Request:
    encoded = encode(data, location.segments, options)
    headers = {**_JSON, **_ETAG, "if-match": etag}
    return Request("PUT", location.url, location.params, headers, encoded.body, RetryPolicy.IF_NOT_PROCESSED)


def _delete_if_match(location: Location, etag: str) -> Request:
    headers = {**_ETAG, "if-match": etag}
    return Request("DELETE", location.url, location.params, headers, None, RetryPolicy.IF_NOT_PROCESSED)


def _etagged(response: Response) -> ETaggedValue:
    if response.status == 412:
        return ETaggedValue(response.json(), _etag_of(response))
    return ETaggedValue(check(response).json(), response.headers.get("etag", ""), committed=True)


_BY_STATUS: dict[int, type[ApiError]] = {
    401: Unauthenticated,
    402: QuotaExceeded,
    403: PermissionDenied,
    404: NotFound,
    412: PreconditionFailed,
    413: PayloadTooLarge,
    423: QuotaExceeded,
    429: RateLimited,
}
_EXPIRED = re.compile("token is expired|credential is no longer valid", re.IGNORECASE)


def check(response: Response) -> Response:
    """The response itself if Firebase said yes; otherwise the typed error is raised."""
    if 200 <= response.status < 300:
        return response
    message = message_in(response)
    error = api_error(error_class(response.status, message), response, message)
    if isinstance(error, PreconditionFailed):
        error.value, error.etag = response.json(), response.headers.get("etag")
    raise error


def message_in(response: Response) -> str:
    """The server's words: the `error` member, or the plain text of what is not JSON."""
    error = parse_object(response.body).get("error")
    return error if isinstance(error, str) else response.text.strip()


def error_class(status: int, message: str) -> type[ApiError]:
    """The class for a refusal. The database has no codes: beside the status there are only words."""
    if status == 401:
        if message.startswith("Permission denied"):
            return PermissionDenied
        if "appcheck" in message.replace(" ", "").lower():
            return AppVerificationFailed
        return TokenExpired if _EXPIRED.search(message) else Unauthenticated
    if status == 400:
        if message.startswith("Index not defined"):
            return IndexNotDefined
        return PayloadTooLarge if "exceeds the maximum size" in message else ApiError
    if status == 403 and "database name" in message:
        return NotFound
    return ServerError if status >= 500 else _BY_STATUS.get(status, ApiError)
