"""The values that travel between Firebase's protocols and the network, and the driver that carries them.

The law of this file: every operation is a *flow*, a generator that yields `Request` values, is sent `Response` values
and returns the answer. A flow opens no socket, reads no clock and takes no lock; `run` does that for it through a
`Sender`. So a protocol can be tested by hand, and the flow, not the transport, says what may be sent twice.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Protocol, TypeAlias, TypeVar, Union, cast

from firebase_rest.errors import InvalidResponse, NetworkError
from firebase_rest.transport.redact import MASK, redact, redact_params

Json: TypeAlias = Union[None, bool, int, float, str, "list[Json]", "dict[str, Json]"]

LARGE_BODY = 1_000_000
"""Bytes from which on the garbage collector rests while JSON is parsed: a JSON tree has no cycles, and looking for
them doubles the time."""


class RetryPolicy(Enum):
    """When a request may be sent again after it failed."""

    IDEMPOTENT = "twice is the same as once"
    IF_NOT_PROCESSED = "only when it was certainly not attempted: never connected, 503 or 429"
    IF_NOT_SENT = "only when it never left, or was answered 429"


class ChunkedBody:
    """A body in steps, which can be sent again. `len` is its bytes."""

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
    """One HTTP request, without the credential that will sign it.

    `url` is absolute, its path already percent-encoded, without a query; `params` are decoded pairs that the transport
    encodes once. A `body` that is an iterator of bytes is sent at most once. With `stream` the answer's body comes as
    an open reader, which with `fill` may wait for all the bytes that are asked for. `reauth_on_401`: treat every 401 as
    a rejected token; otherwise only if the message says so.
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
        # Identity Toolkit bodies hold passwords and tokens, so no body is ever shown.
        query = "&".join(f"{name}={value}" for name, value in redact_params(self.params))
        body = "" if self.body is None else f", body={MASK}"
        return f"<Request {self.method} {redact(self.url)}{'?' if query else ''}{query}{body}>"


class BodyReader(Protocol):
    """An answer's body while it is still arriving."""

    def read(self, size: int) -> bytes:
        """At most `size` bytes, as soon as any are there; b"" at the end. Raises `NetworkError` where it was cut.

        Where the request said `fill`, as soon as all are there; what came of them before a cut is lost.
        """
        ...

    def abort(self) -> None:
        """Wake a `read` that waits, from any thread."""
        ...

    def close(self) -> None:
        """Let the connection go; for the thread that reads."""
        ...


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer. Header names are lower-case. `request` is what it answers, still without its credential."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    reader: BodyReader | None = None
    has_length: bool = True
    """False where neither a length nor chunks said where the body ends."""
    request: Request | None = None
    is_authenticated: bool = True
    """False where the request was sent without credentials and was refused."""
    earlier_attempt_uncertain: bool = False
    """True where an earlier try brought no answer and may have been carried out all the same."""

    def __repr__(self) -> str:
        return f"<Response {self.status}, {'open body' if self.reader else f'{len(self.body)} bytes'}>"

    @property
    def text(self) -> str:
        """The body as text, whatever its bytes."""
        return self.body.decode("utf-8", "replace")

    def json(self, **options: Any) -> Json:
        """The body parsed as JSON. `options` go to `json.loads`.

        Raises `InvalidResponse` for anything but one whole JSON value: a proxy's HTML page, a body that was cut.
        """
        value: Json = None
        problem = None
        try:
            value = _loads(self.body, options)
        except RecursionError:
            problem = "is nested too deeply to be read"
        except ValueError:
            problem = _what_is_wrong(self.text)
        if problem is None and not self.has_length and self.body.lstrip()[:1] in _NUMBER_STARTS:
            # 12 may be all that is left of 1234: nothing said how long the body is.
            problem = "is a number on a connection that does not say where it ends, so it may have been cut"
        if problem is not None:
            raise InvalidResponse(f"The answer (HTTP {self.status}) {problem}.", outcome_unknown=True)
        return value

    def json_object(self) -> dict[str, Any]:
        """The body parsed as a JSON object. Raises `InvalidResponse` for anything else."""
        value = self.json()
        if isinstance(value, dict):
            return value
        raise InvalidResponse(f"The answer (HTTP {self.status}) is not a JSON object.", outcome_unknown=True)


_NUMBER_STARTS = frozenset((b"-", b"0", b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9"))


def _what_is_wrong(text: str) -> str:
    """Why a text is no JSON value. Of what was to be one nothing is shown: it may hold tokens, or people's data."""
    start = text.lstrip()[:1]
    if start == "":
        return "is empty where JSON was expected"
    if start in '{["':
        return f"is broken JSON of {len(text)} characters, perhaps cut"
    return f"is not JSON: it starts with {redact(text[:4000])[:60]!r}"


def _loads(body: bytes, options: Mapping[str, Any]) -> Json:
    if options or len(body) < LARGE_BODY or not gc.isenabled():
        return cast(Json, json.loads(body, **options))
    gc.disable()
    try:
        value = cast(Json, json.loads(body))
        if _CAN_AGE and gc.get_freeze_count() == 0:
            # Straight to the oldest generation: else the next allocation would have all of it walked through at once,
            # in search of cycles that JSON cannot have. Not where a program has frozen something of its own.
            gc.freeze()
            gc.unfreeze()
        return value
    finally:
        gc.enable()


_CAN_AGE = hasattr(gc, "freeze")  # CPython's


@dataclass(frozen=True, slots=True)
class Pause:
    """Yielded by a flow that has to wait: the driver owns the clock."""

    seconds: float


T = TypeVar("T")
Flow: TypeAlias = Generator[Request | Pause, Response, T]
BodyFlow: TypeAlias = Generator[Request | Pause | bytes, Response, T]
"""A flow that yields the bytes of a body too."""

_NOTHING = Response(0)


class Sender(Protocol):
    """What carries a flow's requests: a call over HTTP, or an emulator in the same process."""

    def send(self, request: Request) -> Response:
        """The answer, whatever its status. Raises `NetworkError` where none came."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait, within the call's deadline."""
        ...


def drive(flow: BodyFlow[T], sender: Sender) -> Generator[bytes, None, T]:
    """Run `flow`, yield the bytes that it yields, and return its result.

    A `NetworkError` of the sender is raised inside the flow, which may handle it.
    """
    try:
        step = next(flow)
        while True:
            if isinstance(step, bytes):
                yield step
                step = next(flow)
                continue
            failure = None
            response = _NOTHING
            try:
                if isinstance(step, Request):
                    response = sender.send(step)
                else:
                    sender.pause(step.seconds)
            except NetworkError as error:
                failure = error
            step = flow.send(response) if failure is None else flow.throw(failure)
    except StopIteration as done:
        return cast(T, done.value)
    finally:
        flow.close()


def run(flow: Flow[T], sender: Sender) -> T:
    """Run `flow` and return its result. It raises as `drive`."""
    try:
        next(drive(flow, sender))
    except StopIteration as done:
        return cast(T, done.value)
    raise TypeError("run() is for flows without a body; use drive().")
