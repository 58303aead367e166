"""`EventStream`: an iterator over the changes of a location, which reconnects.

Invariants: a stream ends only when it is closed or when a retry cannot help. Incomplete events are never delivered.
After every reconnect the complete current value comes first. `close` works at any moment, in any thread and in a signal
handler, so it takes no lock and writes no log.
https://firebase.google.com/docs/reference/rest/database#section-streaming
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace

from firebase_rest import errors
from firebase_rest.database.filter import Filter
from firebase_rest.database.location import Location
from firebase_rest.database.protocol import check, error_class
from firebase_rest.database.sse import ServerSentEvent, StreamEvent, iter_events, parse_event
from firebase_rest.transport.arguments import validate_handler, validate_int
from firebase_rest.transport.cancellation import CancelHandle
from firebase_rest.transport.credentials import Credentials, RequestAuth, ServiceAccount, UserCredentials
from firebase_rest.transport.interrupt import Interrupt
from firebase_rest.transport.lifecycle import Closable, register
from firebase_rest.transport.options import Options
from firebase_rest.transport.redaction import mask_secrets
from firebase_rest.transport.requestor import Requestor, RetryingSender, run
from firebase_rest.transport.retries import backoff_delay
from firebase_rest.transport.session import CLOSED
from firebase_rest.transport.wire import BodyReader, Flow, Request, RetryPolicy

logger = logging.getLogger("firebase_rest")

READ_SIZE = 65_536
"""Maximum number of bytes of one read."""

READ_TIMEOUT = 45.0
"""Seconds without data after which a stream reconnects: one and a half of the server's keep-alive periods."""

STABLE_AFTER = 10.0
"""Seconds after which an open connection resets the count of failures."""

MIN_RECONNECT_INTERVAL = 1.05
"""Minimum seconds between the starts of two connections."""

_EVENT_STREAM = "text/event-stream"
_KNOWN_TYPES = ("application/json", "application/xml", "text/html", "text/plain", "text/xml")
_HEADERS = {"Accept": _EVENT_STREAM, "Accept-Encoding": "identity", "Cache-Control": "no-cache"}

OnState = Callable[[str], object]


def open_stream(location: Location, filter: Filter) -> Flow[BodyReader]:
    """Connect, and return the open body that contains the events."""
    params = location.params + filter.validated_params()
    response = yield Request("GET", location.url, params, _HEADERS, retry_policy=RetryPolicy.IDEMPOTENT, stream=True)
    check(response)
    media_type = response.headers.get("content-type", _EVENT_STREAM).partition(";")[0].strip().lower()
    if response.reader is None or media_type != _EVENT_STREAM:
        if response.reader is not None:
            response.reader.close()
        # The message contains only known types, because a server may echo the token in a header.
        received = media_type if media_type in _KNOWN_TYPES else "another content type"
        raise errors.InvalidResponse(f"Expected a stream of events, got {received} (HTTP {response.status}).")
    return response.reader


class AuthRevoked(errors.FirebaseError):
    """The server no longer accepts the token of this connection."""


class InterruptibleCredentials:
    """Credentials that are refreshed in another thread, so that `close` does not wait for the request."""

    def __init__(self, credentials: Credentials, interrupt: Interrupt) -> None:
        self._credentials = credentials
        self._interrupt = interrupt
        self._is_remote = isinstance(credentials, ServiceAccount) or (
            isinstance(credentials, UserCredentials) and not isinstance(credentials.token, str)
        )

    def get(self, rejected: RequestAuth | None = None) -> RequestAuth | None:
        """Return the parameters and headers that authenticate a request; see `Credentials.get`."""
        if self._is_remote:
            return self._interrupt.result(lambda: self._credentials.get(rejected))
        return self._credentials.get(rejected)


class StreamState:
    """The state of a stream and the handling of its failures, without I/O."""

    def __init__(self, options: Options, location: Location, filter: Filter, max_retries: int | None) -> None:
        filter.validated_params()
        # The stream retries by itself and has no total timeout, so retries and deadline of calls do not apply.
        self._options = replace(options, read=READ_TIMEOUT, retries=0, deadline=None)
        self._location = location
        self._filter = filter
        self._max_retries = None if max_retries is None else validate_int("max_retries", max_retries, 0)
        self._closed = False
        self._connected_at = self._opened_at = -math.inf
        self._interval = 0.0
        self._was_open = self._was_refreshed = False
        self._failures = 0
        self._last_state = ""
        self.state = "connecting"
        self.last_error: Exception | None = None
        self.reconnects: int = 0

    def is_alive(self) -> bool:
        """Return whether the stream can still receive changes."""
        return not self._closed

    def _on_connecting(self) -> None:
        self._connected_at = time.monotonic()
        self._opened_at = math.inf

    def _seconds_to_next_connection(self) -> float:
        return self._connected_at + self._interval - time.monotonic()

    def _on_first_event(self) -> None:
        self._opened_at = time.monotonic()
        self._was_open, self._was_refreshed = True, False

    def _end_error(self) -> errors.FirebaseError:
        return errors.NetworkError(f"The server ended the stream of /{self._location.path}.")

    def _on_disconnected(self, requests: int) -> None:
        self._interval = MIN_RECONNECT_INTERVAL * max(1, requests)  # each redirect opens a connection too

    def _backoff(self, problem: errors.FirebaseError) -> float:
        """Return the seconds before the next connection. Raises `problem` if a retry cannot help."""
        self.last_error = problem
        if not _is_transient(problem):
            raise problem
        seconds_open = time.monotonic() - self._opened_at
        self._failures = 1 if seconds_open >= STABLE_AFTER else self._failures + 1
        if self._max_retries is not None and self._failures > self._max_retries:
            raise errors.StreamError(
                f"The stream of /{self._location.path} ended after {self._failures} failures in a row: {problem}"
            )
        wait = backoff_delay(self._failures, _retry_after(problem))
        logger.info("The stream of /%s reconnects in %.1f s: %s", self._location.path, wait, problem)
        return wait

    def _refresh_error(self, refreshed: RequestAuth | None, rejected: RequestAuth) -> errors.FirebaseError | None:
        """Return the error if the `refreshed` credentials cannot replace the rejected ones, and otherwise None."""
        stream = f"the stream of /{self._location.path}"
        if refreshed is None or refreshed.secret == rejected.secret:
            hint = f"The token of {stream} has expired; pass a UserSession, which refreshes it."
        elif self._was_refreshed:
            hint = f"The server rejected the refreshed token of {stream}."
        else:
            self._was_refreshed = True
            logger.info("The token of %s has expired; reconnecting with a refreshed one", stream)
            return None
        return errors.TokenExpired(hint, status=401, message="credential is no longer valid", hint=hint)


def check_event(message: ServerSentEvent, auth: RequestAuth) -> None:
    """Raise the error that a `cancel` or `auth_revoked` event reports."""
    if message.event == "cancel":
        raise _cancel_error(mask_secrets({auth.secret}, message.data))
    if message.event == "auth_revoked":
        raise AuthRevoked(message.data)


class EventStream(StreamState, Closable):
    """An iterator of `StreamEvent` and a context manager, returned by `stream()` without a handler.

    Iterate in one thread; `close()` in any thread.

    Attributes:
        state: "connecting", "open", "waiting" or "closed".
        last_error: The latest connection error, or None.
        reconnects: The number of connections after the first.
    """

    def __init__(
        self,
        requestor: Requestor,
        location: Location,
        filter: Filter,
        on_state: OnState | None = None,
        max_retries: int | None = None,
    ) -> None:
        super().__init__(requestor.options, location, filter, max_retries)
        self._transport = requestor.transport
        self._interrupt = Interrupt()
        self._handle = CancelHandle(exclusive=True)
        credentials = InterruptibleCredentials(requestor.credentials, self._interrupt)
        self._requestor = Requestor(requestor.transport, credentials, self._options)
        self._on_state = None if on_state is None else validate_handler("on_state", on_state)
        self._events = self._run()
        register(self)
        requestor.transport.closables.add(self)
        if self._transport.is_closed:  # tested after the registration, because the App may be closed at the same time
            raise errors.UsageError(CLOSED)

    def __repr__(self) -> str:
        return f"<EventStream of /{self._location.path}, {self.state}>"

    def __iter__(self) -> Iterator[StreamEvent]:
        return self

    def __next__(self) -> StreamEvent:
        try:
            return next(self._events)
        except ValueError as error:
            # While another thread closes the generator, next() itself raises this error.
            if not self._closed or _is_raised_by_callee(error):
                raise
        raise StopIteration

    def close(self) -> None:
        """Close the stream immediately. Idempotent; safe to call from any thread and from signal handlers."""
        self._closed = True
        self.state = "closed"
        self._interrupt.set()
        self._handle.cancel()
        try:
            self._events.close()
        except ValueError:
            return  # the generator runs in another thread, or a signal handler interrupted it; it ends by itself
        self._set_state("closed")

    def reset_after_fork(self) -> None:
        """End the stream in a forked child process. The stream of the parent process continues."""
        self._closed = True
        self.state = self._last_state = "closed"
        self._interrupt = Interrupt()
        self.last_error = error = errors.StreamError(
            f"The stream of /{self._location.path} belongs to the parent process; open a new stream after the fork."
        )
        self._events = _raise(error)

    # --- in the iterating thread ------------------------------------------------------------------------------------

    def _set_state(self, state: str) -> None:
        if state == self._last_state:
            return
        self._last_state = state
        self.state = "closed" if self._closed else state
        if self._on_state is not None:
            try:
                self._on_state(state)
            except Exception:
                logger.exception("on_state(%r) of the stream of /%s failed", state, self._location.path)

    def _run(self) -> Generator[StreamEvent, None, None]:
        try:
            while self.is_alive():
                self._wait(self._seconds_to_next_connection())
                if not self.is_alive():
                    return
                self._on_connecting()
                self._set_state("connecting")
                sender = self._requestor.sender(self._handle)
                try:
                    yield from self._events_of_connection(sender)
                    problem = self._end_error()
                except errors.FirebaseError as error:
                    problem = error
                self._on_disconnected(sender.sent)
                if self._transport.is_closed:
                    return  # the App's close() is about to close this stream
                if self.is_alive():
                    self._recover(problem, sender)
                    if self._was_open:
                        self.reconnects += 1
        finally:
            self._closed = True
            self._set_state("closed")

    def _events_of_connection(self, sender: RetryingSender) -> Iterator[StreamEvent]:
        """Connect, and yield the events until the connection ends."""
        reader = run(open_stream(self._location, self._filter), sender)
        try:
            self._set_state("open")
            resync = self._was_open
            for message in iter_events(self._chunks(reader), self._transport.max_response_size):
                if message.event in ("put", "patch"):
                    event = parse_event(message, resync=resync)
                    if self._opened_at == math.inf:
                        self._on_first_event()
                    resync = False
                    yield event
                else:
                    check_event(message, sender.auth)
        finally:
            reader.close()

    def _chunks(self, reader: BodyReader) -> Iterator[bytes]:
        while not self._closed:
            chunk = reader.read(READ_SIZE)
            if not chunk:
                return
            yield chunk

    def _recover(self, problem: errors.FirebaseError, sender: RetryingSender) -> None:
        """Wait before the next connection. Raises `problem` if a retry cannot help."""
        if isinstance(problem, AuthRevoked):
            refresh_error = self._refresh(sender)
            if refresh_error is None:
                return
            problem = refresh_error
        if not self.is_alive():
            return
        self._wait(self._backoff(problem))

    def _refresh(self, sender: RetryingSender) -> errors.FirebaseError | None:
        """Refresh the credentials. Returns the error if that fails."""
        try:
            refreshed = self._requestor.credentials.get(rejected=sender.auth)
        except errors.FirebaseError as error:
            return error
        return self._refresh_error(refreshed, sender.auth)

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            self._set_state("waiting")
            self._interrupt.wait(seconds)


class StreamStatus(Closable):
    """Base class of objects that use an `EventStream`. Its members report the status of that stream."""

    _events: EventStream

    @property
    def last_error(self) -> Exception | None:
        """The latest connection error, or None."""
        return self._events.last_error

    @property
    def reconnects(self) -> int:
        """The number of connections after the first."""
        return self._events.reconnects

    def is_alive(self) -> bool:
        """Return whether the stream can still receive changes."""
        return self._events.is_alive()


def _raise(error: Exception) -> Generator[StreamEvent, None, None]:
    yield from ()
    raise error


def _is_raised_by_callee(error: BaseException) -> bool:
    """Return whether a called function raised the error, not the function that caught it."""
    trace = error.__traceback__
    return trace is not None and trace.tb_next is not None


def _is_transient(problem: errors.FirebaseError) -> bool:
    """Return whether a retry may help."""
    is_timeout = isinstance(problem, errors.ApiError) and problem.status == 408
    return is_timeout or isinstance(problem, (errors.NetworkError, errors.ServerError, errors.RateLimited))


def _retry_after(problem: Exception) -> str | None:
    response = problem.response if isinstance(problem, errors.ApiError) else None
    return None if response is None else response.headers.get("retry-after")


def _cancel_error(data: str) -> errors.ApiError:
    """Return the error for a `cancel` event. Its data is null, or a reason with or without quotation marks."""
    reason = data.strip().strip('"')
    if reason in ("", "null"):
        reason = "Permission denied"
    status = 401 if reason.startswith("Permission denied") else 400
    error_type = errors.PayloadTooLarge if "too large" in reason else error_class(status, reason)
    return error_type(reason, status=status, message=reason)
