"""Requests, responses, and the flows that exchange them.

Every operation is a *flow*: a generator that yields `Request` values, receives `Response` values and returns the
result. Flows do no I/O and use no clock, threads or locks; `requestor.run` sends their requests. The `retry_policy` of
each request determines when it may be retried.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NoReturn, Protocol, TypeAlias, TypeVar, Union, cast

from firebase_rest.errors import InvalidResponse
from firebase_rest.transport.redaction import MASK, redact, redact_params

Json: TypeAlias = Union[None, bool, int, float, str, "list[Json]", "dict[str, Json]"]

LARGE_BODY = 1_000_000
"""Size in bytes above which a body is parsed without garbage collection, which would double the time."""


class RetryPolicy(Enum):
    """When a failed request may be retried."""

    IDEMPOTENT = "always"
    IF_NOT_PROCESSED = "if the server did not process it: no connection, 429 or 503"
    IF_NOT_SENT = "if it was not sent, or was rejected with 429"


class ChunkedBody:
    """A body in chunks that can be sent repeatedly. `len()` returns its number of bytes."""

    __slots__ = ("_parts", "_size")

    def __init__(self, parts: Iterable[bytes | memoryview]) -> None:
        self._parts = tuple(parts)
        self._size = sum(map(len, self._parts))

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[bytes]:
        return iter(cast("tuple[bytes, ...]", self._parts))

    def __repr__(self) -> str:
        return f"<{self._size} bytes>"


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request, without credentials.

    Attributes:
        url: The absolute URL, with a percent-encoded path and without a query.
        params: The query as decoded pairs, which the transport encodes.
        body: The bytes of the body. An iterator of bytes is sent at most once.
        stream: Whether the response has an open reader in place of the body.
        fill: Whether the reader waits until it has all requested bytes.
        reauth_on_401: Whether every 401 response rejects the token. By default, only some messages do.
    """

    method: str
    url: str
    params: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | Iterable[bytes] | None = None
    retry_policy: RetryPolicy = RetryPolicy.IF_NOT_SENT
    stream: bool = False
    fill: bool = False
    reauth_on_401: bool = False

    def __repr__(self) -> str:
        # The body is not shown, because it may contain passwords and tokens.
        query = "&".join(f"{name}={value}" for name, value in redact_params(self.params))
        body = "" if self.body is None else f", body={MASK}"
        return f"<Request {self.method} {redact(self.url)}{'?' if query else ''}{query}{body}>"


class BodyReader(Protocol):
    """A response body that is still arriving."""

    def read(self, size: int) -> bytes:
        """Wait for data and return at most `size` bytes, or b"" at the end. Raises `NetworkError` if truncated.

        With `Request.fill` it waits for all `size` bytes. If the body is truncated, the bytes of this call are lost.
        """
        ...

    def abort(self) -> None:
        """End a blocking `read`, from any thread."""
        ...

    def close(self) -> None:
        """Release the connection. Only the reading thread may call it."""
        ...


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP response. Header names are lower-case. `request` is its request, without credentials."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    reader: BodyReader | None = None
    has_length: bool = True
    """False if neither Content-Length nor chunks confirmed the end of the body."""
    request: Request | None = None
    is_authenticated: bool = True
    """False if the request was rejected with 401 or 403 and had no credentials."""
    earlier_attempt_uncertain: bool = False
    """True if an earlier attempt had no response, so the server may have processed it."""

    def __repr__(self) -> str:
        return f"<Response {self.status}, {'open body' if self.reader else f'{len(self.body)} bytes'}>"

    @property
    def text(self) -> str:
        """The body as text; invalid UTF-8 is replaced."""
        return self.body.decode("utf-8", "replace")

    def json(self, **options: Any) -> Json:
        """Return the value of a JSON body. `options` are keyword arguments for `json.loads`.

        Raises `InvalidResponse` unless the body is one complete JSON value. Without options, NaN is invalid.
        """
        value: Json = None
        problem = None
        try:
            value = _loads(self.body, options)
        except RecursionError:
            problem = "is nested too deeply"
        except ValueError:
            problem = _json_problem(self.text)
        if problem is None and not self.has_length and self.body.lstrip()[:1] in _NUMBER_STARTS:
            # Invariant: without a confirmed end, a number is not accepted, because 12 may be the beginning of 1234.
            problem = "is a number without Content-Length, which may have been truncated"
        if problem is not None:
            raise InvalidResponse(f"The response (HTTP {self.status}) {problem}.", outcome_unknown=True)
        return value

    def json_object(self) -> dict[str, Any]:
        """Return the object of a JSON body. Raises `InvalidResponse` for anything else."""
        value = self.json()
        if isinstance(value, dict):
            return value
        raise InvalidResponse(f"The response (HTTP {self.status}) is not a JSON object.", outcome_unknown=True)


_NUMBER_STARTS = frozenset((b"-", b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9"))


def _json_problem(text: str) -> str:
    """Return why `text` is not JSON. Invalid JSON is not quoted, because it may contain tokens and personal data."""
    start = text.lstrip()[:1]
    if start == "":
        return "is empty, but JSON was expected"
    if start in '{["':
        return f"is invalid JSON of {len(text)} characters, possibly truncated"
    return f"is not JSON: it starts with {redact(text[:4000])[:60]!r}"


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(name)


JSON_DECODER = json.JSONDecoder(parse_constant=_reject_constant)
"""A decoder that rejects NaN, Infinity and -Infinity, which are not JSON. As in `json.loads`, 1e999 is infinite."""


def _loads(body: bytes, options: Mapping[str, Any]) -> Json:
    if options:
        return cast(Json, json.loads(body, **options))
    text = body.decode(json.detect_encoding(body), "surrogatepass")
    if len(body) < LARGE_BODY:
        return cast(Json, JSON_DECODER.decode(text))
    with without_garbage_collection():
        return cast(Json, JSON_DECODER.decode(text))


@contextmanager
def without_garbage_collection() -> Generator[None, None, None]:
    """Disable garbage collection in a block that creates many objects."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
        if _CAN_FREEZE and gc.get_freeze_count() == 0:
            # These two calls move the new objects to the oldest generation; otherwise the next allocation would
            # traverse them. A program that has frozen objects itself would lose that state, hence the condition.
            gc.freeze()
            gc.unfreeze()
    finally:
        gc.enable()


_CAN_FREEZE = hasattr(gc, "freeze")  # only in CPython


@dataclass(frozen=True, slots=True)
class Pause:
    """A step of a flow that waits."""

    seconds: float


T = TypeVar("T")
Flow: TypeAlias = Generator[Request | Pause, Response, T]
BodyFlow: TypeAlias = Generator[Request | Pause | bytes, Response, T]
"""A flow that also yields the bytes of a body."""
