"""Flows of the Realtime Database's REST API: each function is one operation.

https://firebase.google.com/docs/reference/rest/database
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from firebase_rest import errors
from firebase_rest.database.encoding import Encoded, encode, encode_update
from firebase_rest.database.filter import NO_FILTER, PRIORITY, Filter
from firebase_rest.database.location import Location
from firebase_rest.database.snapshot import Snapshot
from firebase_rest.transport.failure import api_error, class_of_status
from firebase_rest.transport.json_fields import parse_object
from firebase_rest.transport.wire import Flow, Json, Pause, Request, Response, RetryPolicy
from firebase_rest.types import PushResult

TRANSACTION_ATTEMPTS = 25

FIRST_PAUSE = 0.01
"""Maximum of the random pause before a transaction's first retry, in seconds. It doubles with each further retry."""

MAX_PAUSE = 0.5
"""Maximum of the random pause before any retry of a transaction, in seconds."""

_JSON = {"Content-Type": "application/json; charset=UTF-8"}
_ETAG = {"X-Firebase-ETag": "true"}
_EXPORT = (("format", "export"),)

JsonKwargs = Mapping[str, Any] | None
"""Keyword arguments for `json.dumps` or `json.loads`."""


@dataclass(frozen=True, slots=True)
class ConditionalResult:
    """The current value and its ETag. `committed` is True if the conditional write was carried out."""

    value: Json
    etag: str
    committed: bool = False


def get(location: Location, filter: Filter, json_kwargs: JsonKwargs = None) -> Flow[Snapshot]:
    """Read the location with a filter."""
    options: Mapping[str, Any] = {} if json_kwargs is None else _validate_json_kwargs(json_kwargs)
    by_priority = filter.order == PRIORITY  # only an export contains the priorities to sort by
    params = () if filter is NO_FILTER else filter.validated_params()
    response = check((yield _read(location, params + (_EXPORT if by_priority else ()))))
    key, value = location.segments[-1] if location.segments else "", response.json(**options)
    return Snapshot.from_export(key, value, filter) if by_priority else Snapshot(key, value, filter)


def set_(location: Location, data: object, json_kwargs: JsonKwargs = None) -> Flow[Json]:
    """Replace the data and return it."""
    response = check((yield _write("PUT", location, encode(data, location.segments, json_kwargs))))
    return response.json()


def update(location: Location, data: object, json_kwargs: JsonKwargs = None) -> Flow[Json]:
    """Replace several children in one atomic write, and return them."""
    response = check((yield _write("PATCH", location, encode_update(data, location.segments, json_kwargs))))
    return response.json()


def push(location: Location, data: object, json_kwargs: JsonKwargs = None) -> Flow[PushResult]:
    """Add a child under a new key and return {"name": key}."""
    encoded = encode(data, (*location.segments, "-" * 20), json_kwargs)
    response = check((yield _write("POST", location, encoded)))
    return cast(PushResult, {name: str(value) for name, value in response.json_object().items()})


def remove(location: Location) -> Flow[None]:
    """Delete the data."""
    response = check((yield _write("DELETE", location)))
    response.json()  # raises an error for the page of a proxy


def exists(location: Location) -> Flow[bool]:
    """Return whether there is data. The response contains only the keys."""
    response = check((yield _read(location, (("shallow", "true"),))))
    return response.json() is not None


def read_with_etag(location: Location, json_kwargs: JsonKwargs = None) -> Flow[ConditionalResult]:
    """Read the data and its ETag."""
    options: Mapping[str, Any] = {} if json_kwargs is None else _validate_json_kwargs(json_kwargs)
    response = check((yield _read(location, headers=_ETAG)))
    return ConditionalResult(response.json(**options), _etag_of(response))


def conditional_set(
    location: Location, data: object, etag: str, json_kwargs: JsonKwargs = None
) -> Flow[ConditionalResult]:
    """Replace the data if its ETag is `etag`. Otherwise the result has the current data and `committed` is False."""
    return _conditional_result((yield _write("PUT", location, encode(data, location.segments, json_kwargs), etag)))


def conditional_remove(location: Location, etag: str) -> Flow[ConditionalResult]:
    """Delete the data if its ETag is `etag`. Otherwise the result has the current data and `committed` is False."""
    return _conditional_result((yield _write("DELETE", location, None, etag)))


def set_if_match(location: Location, data: object, etag: str, json_kwargs: JsonKwargs = None) -> Flow[str]:
    """Replace the data and return its new ETag. Raises `PreconditionFailed` if its ETag is not `etag`."""
    return _etag_of(check((yield _write("PUT", location, encode(data, location.segments, json_kwargs), etag))))


def remove_if_match(location: Location, etag: str) -> Flow[None]:
    """Delete the data. Raises `PreconditionFailed` if its ETag is not `etag`."""
    check((yield _write("DELETE", location, None, etag))).json()


def transaction(location: Location, change: Callable[[Any], Any], attempts: int = TRANSACTION_ATTEMPTS) -> Flow[Json]:
    """Read the data, call `change`, and write the result. If the data has changed, retry after a random pause."""
    current = yield from read_with_etag(location)
    for attempt in range(attempts):
        if attempt:
            longest = min(MAX_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1))
            yield Pause(random.uniform(0, longest))  # noqa: S311 - not for security
        new = change(current.value)
        if new is None:
            if current.value is None:
                return None  # there is no data, and nothing to write
            raise errors.UsageError(
                f"The function of transaction() at /{location.path} must return the new value, got None; return {{}} "
                "to delete the data."
            )
        result = yield from conditional_set(location, new, current.etag)
        if result.committed:
            return result.value
        current = result
    raise errors.TransactionConflict(
        f"The transaction at /{location.path} failed after {attempts} attempts: other clients changed the data.",
        value=current.value,
        etag=current.etag,
    )


def _validate_json_kwargs(json_kwargs: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        json.loads("null", **json_kwargs)
    except TypeError:
        pass
    else:
        return json_kwargs
    raise errors.UsageError("json_kwargs must be a dict of keyword arguments for json.loads.")


def _read(
    location: Location, params: tuple[tuple[str, str], ...] = (), headers: Mapping[str, str] | None = None
) -> Request:
    return Request("GET", location.url, location.params + params, headers or {}, retry_policy=RetryPolicy.IDEMPOTENT)


def _write(method: str, location: Location, encoded: Encoded | None = None, etag: str | None = None) -> Request:
    headers: dict[str, str] = {} if encoded is None else {**_JSON}
    if etag is not None:
        headers |= {**_ETAG, "if-match": etag}
    is_idempotent = method != "POST" and etag is None and not (encoded and encoded.increments)
    policy = RetryPolicy.IDEMPOTENT if is_idempotent else RetryPolicy.IF_NOT_PROCESSED
    return Request(method, location.url, location.params, headers, encoded.body if encoded else None, policy)


def _etag_of(response: Response) -> str:
    """Return the ETag. Raises `InvalidResponse` if it is missing."""
    etag = response.headers.get("etag")
    if not etag:
        raise errors.InvalidResponse("The response has no ETag header; a proxy may have removed it.")
    return etag


def _conditional_result(response: Response) -> ConditionalResult:
    if response.status == 412:
        return ConditionalResult(response.json(), _etag_of(response))
    return ConditionalResult(check(response).json(), response.headers.get("etag", ""), committed=True)


_EXPIRED = re.compile("token is expired|credential is no longer valid", re.IGNORECASE)


def check(response: Response) -> Response:
    """Return a successful response, and raise the error of any other response."""
    if 200 <= response.status < 300:
        return response
    message = _error_message(response)
    error = api_error(error_class(response.status, message), response, message)
    if isinstance(error, errors.PreconditionFailed):
        error.value, error.etag = response.json(), response.headers.get("etag")
    raise error


def _error_message(response: Response) -> str:
    """Return the server's error message: the field `error`, or the whole text if the body is not JSON."""
    error = parse_object(response.body).get("error")
    return error if isinstance(error, str) else response.text.strip()


def error_class(status: int, message: str) -> type[errors.ApiError]:
    """Return the class of an error. It depends on status and message, because the database sends no error codes."""
    if status == 401:
        if message.startswith("Permission denied"):
            return errors.PermissionDenied
        if "appcheck" in message.replace(" ", "").lower():
            return errors.AppVerificationFailed
        return errors.TokenExpired if _EXPIRED.search(message) else errors.Unauthenticated
    if status == 400:
        if message.startswith("Index not defined"):
            return errors.IndexNotDefined
        return errors.PayloadTooLarge if "exceeds the maximum size" in message else errors.ApiError
    if status == 403 and "database name" in message:
        return errors.NotFound
    return class_of_status(status)
