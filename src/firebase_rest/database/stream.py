"""`EventStream`: the changes at a place, one by one, for as long as it takes.

The law of this file: a stream ends only when it is closed or when trying again cannot help; half an event is never
delivered, and after every reconnect the whole current value comes first. `close` works at any moment, from any thread
and from a signal handler, so nothing on its way takes a lock or writes a log.
https://firebase.google.com/docs/reference/rest/database#section-streaming
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import replace
from queue import Empty, SimpleQueue
from types import TracebackType

from firebase_rest.database.filter import Filter
from firebase_rest.database.location import Location
from firebase_rest.database.protocol import check, error_class
from firebase_rest.database.sse import StreamEvent, event_in, messages
from firebase_rest.errors import (
    ApiError,
    FirebaseError,
    NetworkError,
    RateLimited,
    ServerError,
    StreamError,
    TokenExpired,
)
from firebase_rest.transport.call import Call, Channel
from firebase_rest.transport.retry import pause_before
from firebase_rest.transport.sockets import Watch
from firebase_rest.transport.wire import BodyReader, Flow, Repeat, Request, run

logger = logging.getLogger("firebase_rest")

CHUNK = 65_536

SILENCE = 45.0
"""Seconds without a byte after which a connection is dead: one and a half of the server's keep-alive periods."""

HEALTHY = 10.0
"""Seconds that a connection has to live for the failures before it to be forgotten."""

CONNECT_INTERVAL = 1.05
"""Seconds between the beginnings of two connections: fewer than 60 a minute, whatever happens."""

_HEADERS = {"Accept": "text/event-stream", "Accept-Encoding": "identity", "Cache-Control": "no-cache"}

OnState = Callable[[str], object]


def open_stream(location: Location, filter: Filter) -> Flow[BodyReader]:
    """Connect; the answer is the open body of events."""
    filter.check()
    params = location.params + filter.params()
    response = yield Request("GET", location.url, params, _HEADERS, repeatable=Repeat.ALWAYS, stream=True)
    check(response)
    if response.reader is None:
        raise NetworkError(f"HTTP {response.status} came without a stream of events.")
    return response.reader


class _Revoked(FirebaseError):
    """The server no longer takes the credential of this connection."""


class EventStream:
    """An iterator over the changes at a place, and a context manager that closes itself.

    `last_error` is the latest thing that went wrong, `reconnects` counts connections after the first, `state` is
    "connecting", "open", "waiting" or "closed". Iterate in one thread; `close()` in any.
    """

    def __init__(
        self,
        channel: Channel,
        location: Location,
        filter: Filter,
        on_state: OnState | None = None,
        max_retries: int | None = None,
    ) -> None:
        filter.check()
        # The stream does its own trying again; the call's own would multiply it. Its time is not a call's time either.
        self._channel = channel.with_options(replace(channel.options, read=SILENCE, retries=0, deadline=None))
        self._location = location
        self._filter = filter
        self._on_state = on_state
        self._max_retries = max_retries
        self._wake: SimpleQueue[None] = SimpleQueue()  # unlike a Condition or an Event, safe in a signal handler
        self._watch = Watch()
        self._closed = False
        self._connected_at = -CONNECT_INTERVAL
        self._events = self._run()
        self.state = "connecting"
        self.last_error: Exception | None = None
        self.reconnects = 0
        channel.transport.closables.add(self)

    def __repr__(self) -> str:
        return f"<EventStream of /{self._location.path}, {self.state}>"

    def __iter__(self) -> Iterator[StreamEvent]:
        return self

    def __next__(self) -> StreamEvent:
        try:
            return next(self._events)
        except ValueError:
            # Another thread is closing the generator at this moment.
            if not self._closed:
                raise
        raise StopIteration

    def __enter__(self) -> EventStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def is_alive(self) -> bool:
        """Whether changes are still to be expected: neither closed nor ended for good."""
        return not self._closed

    def close(self) -> None:
        """End the stream at once: from any thread, from a signal handler, before it is open, twice."""
        self._closed = True
        self._wake.put(None)
        self._watch.end()
        with suppress(ValueError):  # it is running, in another thread or below this signal handler, and ends by itself
            self._events.close()

    def _enter(self, state: str) -> None:
        self.state = state
        if self._on_state is not None:
            try:
                self._on_state(state)
            except Exception:
                logger.exception("on_state(%r) of the stream of /%s failed", state, self._location.path)

    def _run(self) -> Generator[StreamEvent, None, None]:
        failures = 0
        opened = refused = False
        try:
            while self.is_alive():
                self._wait(CONNECT_INTERVAL - (time.monotonic() - self._connected_at))
                if not self.is_alive():
                    return
                problem: Exception | None = None
                self._connected_at = time.monotonic()
                call = Call(self._channel.transport, self._channel.signer, self._channel.options, self._watch)
                self._enter("connecting")
                try:
                    for event in self._connection(call, resync=opened):
                        opened, refused = True, False
                        yield event
                    problem = NetworkError(f"The server ended the stream of /{self._location.path}.")
                except FirebaseError as error:
                    problem = error
                if not self.is_alive():
                    return
                if isinstance(problem, _Revoked):
                    problem = self._renew(call, again=refused)
                    refused = True
                if problem is not None:
                    lived = time.monotonic() - self._connected_at
                    failures = self._count(problem, 1 if lived >= HEALTHY else failures + 1)
                    self._back_off(failures, problem)
                self.reconnects += opened
        finally:
            self._closed = True
            self._enter("closed")

    def _connection(self, call: Call, *, resync: bool) -> Iterator[StreamEvent]:
        """The events of one connection."""
        reader = run(open_stream(self._location, self._filter), call)
        try:
            self._enter("open")
            for message in messages(self._chunks(reader)):
                if message.event in ("put", "patch"):
                    yield event_in(message, resync=resync)
                    resync = False
                elif message.event == "cancel":
                    raise _cancelled(message.data)
                elif message.event == "auth_revoked":
                    raise _Revoked(message.data)
        finally:
            reader.close()

    def _chunks(self, reader: BodyReader) -> Iterator[bytes]:
        while not self._closed:
            chunk = reader.read(CHUNK)
            if not chunk:
                return
            yield chunk

    def _renew(self, call: Call, *, again: bool) -> Exception | None:
        """Get another credential. What stands in the way is returned; that there is none is raised."""
        problem: FirebaseError | None = None
        try:
            better = self._channel.signer.stamp(refused=call.stamp)
        except FirebaseError as error:
            better, problem = None, error
        if problem is not None:
            return problem
        if better is None or better.secret == call.stamp.secret:
            return TokenExpired(
                f"The token of the stream of /{self._location.path} has expired; a UserSession would have renewed it.",
                status=401,
                message="credential is no longer valid",
            )
        if again:
            return TokenExpired(
                f"The server took back a new token of the stream of /{self._location.path} at once.",
                status=401,
                message="credential is no longer valid",
            )
        return None

    def _count(self, problem: Exception, failures: int) -> int:
        """`failures`, unless `problem` is one that trying again cannot mend: then it is raised."""
        self.last_error = problem
        passing = isinstance(problem, (NetworkError, ServerError, RateLimited))
        if not passing:
            raise problem
        if self._max_retries is not None and failures > self._max_retries:
            raise StreamError(f"The stream of /{self._location.path} was given up after {failures} failures: {problem}")
        return failures

    def _back_off(self, failures: int, problem: Exception) -> None:
        wait = pause_before(failures, _retry_after(problem))
        logger.info("The stream of /%s connects again in %.1f s: %s", self._location.path, wait, problem)
        self._enter("waiting")
        self._wait(wait)

    def _wait(self, seconds: float) -> None:
        if seconds > 0 and not self._closed:
            with suppress(Empty):
                self._wake.get(timeout=seconds)


def _retry_after(problem: Exception) -> str | None:
    response = problem.response if isinstance(problem, ApiError) else None
    return None if response is None else response.headers.get("retry-after")


def _cancelled(data: str) -> ApiError:
    """The error for a `cancel` event, whose data is null or a reason, quoted or not."""
    reason = data.strip().strip('"')
    if reason in ("", "null"):
        reason = "Permission denied"
    status = 401 if reason.startswith("Permission denied") else 400
    kind = error_class(status, reason)
    return kind(reason, status=status, message=reason)
