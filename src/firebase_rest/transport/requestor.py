"""Run flows with a `requests.Session`: the blocking driver of flows, and the sender that takes the steps of `exchange`.

Invariant: every wait has a limit. Exceptions and log records contain no credentials.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from dataclasses import dataclass, replace
from traceback import clear_frames
from typing import Protocol, TypeVar, cast

from requests import RequestException
from urllib3.exceptions import HTTPError as Urllib3Error

from firebase_rest.errors import FirebaseError, NetworkError, UsageError
from firebase_rest.transport.cancellation import CancelHandle
from firebase_rest.transport.credentials import NO_AUTH, Credentials, RequestAuth, with_app_check
from firebase_rest.transport.exchange import Attempt, Authenticate, Exchange, Outcome
from firebase_rest.transport.failure import find_problem, raised_by_http_stack
from firebase_rest.transport.options import Options
from firebase_rest.transport.session import CLOSED, SessionTransport
from firebase_rest.transport.single_flight import deadline_var
from firebase_rest.transport.watchdog import watchdog
from firebase_rest.transport.wire import BodyFlow, Flow, Request, Response

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Requestor:
    """Runs flows with a transport, credentials and options."""

    transport: SessionTransport
    credentials: Credentials
    options: Options

    def run(self, flow: Flow[T]) -> T:
        """Run `flow` and return its result."""
        try:
            return run(flow, self.sender())
        except FirebaseError as error:
            clear_frames(error.__traceback__)  # the flow's local variables can hold passwords and tokens
            raise

    def fetch(self, request: Request) -> Response:
        """Return the response to one request, with any status."""
        return self.sender().send(request)

    def sender(self, handle: CancelHandle | None = None, *, bounds_bodies: bool = False) -> RetryingSender:
        """Return a sender of the requests of one flow. `handle` cancels the sender.

        With `bounds_bodies`, the deadline also applies to reading a body, until `release` is called.
        """
        deadline = self.options.deadline
        deadline_at = None if deadline is None else time.monotonic() + deadline
        return RetryingSender(self.options, deadline_at, self.transport, self.credentials, handle, bounds_bodies)

    def with_credentials(self, credentials: Credentials) -> Requestor:
        """Return a copy with other credentials."""
        return replace(self, credentials=credentials)

    def with_options(self, options: Options) -> Requestor:
        """Return a copy with other options."""
        return replace(self, options=options)


@dataclass(repr=False, eq=False)
class RetryingSender(Exchange):
    """Sends the requests of one flow within one deadline; see `Requestor.sender`."""

    transport: SessionTransport
    credentials: Credentials
    handle: CancelHandle | None
    bounds_bodies: bool

    def send(self, request: Request) -> Response:
        """Return the response to `request`, after retries. Raises `NetworkError` without a response."""
        if self.transport.is_closed:
            raise UsageError(CLOSED)
        steps = self.steps(request, self._authenticate(None))
        result: RequestAuth | Outcome | None = None
        while True:
            try:
                step = steps.send(result)
            except StopIteration as done:
                if self.bounds_bodies and done.value.reader is not None:
                    self._guard_body()
                return cast(Response, done.value)
            if isinstance(step, Attempt):
                result = self._attempt(step)
            elif isinstance(step, Authenticate):
                result = self._authenticate(step.rejected)
            else:
                result = None
                self._wait(step.seconds, outcome_unknown=step.outcome_unknown)

    def pause(self, seconds: float) -> None:
        """Wait. Raises `NetworkError` if the deadline would pass or the App is closed."""
        self.check_pause(seconds)
        self._wait(seconds, outcome_unknown=False)

    def _guard_body(self) -> None:
        if self.deadline_at is not None and self.handle is not None:
            watchdog.guard(self.handle, max(0.0, self.deadline_at - time.monotonic()))

    def release(self) -> None:
        """Stop applying the deadline to the body."""
        if self.deadline_at is not None and self.handle is not None:
            watchdog.release(self.handle)

    def _wait(self, seconds: float, *, outcome_unknown: bool) -> None:
        if seconds > 0 and self.transport.closing.wait(seconds):
            raise self.closed_error(outcome_unknown=outcome_unknown)

    def _authenticate(self, rejected: RequestAuth | None) -> RequestAuth:
        """Return the credentials and the App Check token. The deadline bounds their refresh."""
        token = deadline_var.set(self.deadline_at)
        try:
            auth = self.credentials.get(rejected) or NO_AUTH
            app_check = self.transport.app_check
            return auth if app_check is None else with_app_check(auth, app_check)
        finally:
            deadline_var.reset(token)

    def _attempt(self, attempt: Attempt) -> Outcome:
        request, auth, remaining = attempt
        handle = self.handle or CancelHandle()
        if remaining is not None:
            watchdog.guard(handle, remaining)
        problem: Exception | None = None
        response: Response | None = None
        started = time.monotonic()
        try:
            response = self.transport.send_once(request, auth, self._timeout(remaining), handle)
        except (RequestException, Urllib3Error, OSError) as error:
            problem = error
        except (ValueError, AttributeError) as error:
            # requests and urllib3 raise these for invalid headers and Locations, and for sockets that were shut down.
            if not handle.cancelled and not raised_by_http_stack(error):
                raise
            problem = error
        except (ImportError, NameError):
            if not sys.is_finalizing():
                raise
            # In a `__del__`, the modules and builtins that urllib3 needs may already be deleted.
            message = "The request cannot be sent while the interpreter exits."
            raise NetworkError(message, outcome_unknown=handle.connected) from None
        finally:
            if remaining is not None:
                watchdog.release(handle)
        if response is not None and (response.has_length or not handle.cancelled):
            return self.response_outcome(response, request, auth, started)
        if self.is_overdue:
            return self.overdue_outcome(request, sent=handle.connected or not handle.dialed)
        if handle.cancelled or self.transport.is_closed:
            return self.cancelled_outcome(request, sent=handle.connected, forked=handle.abandoned)
        return self.problem_outcome(
            find_problem(problem or OSError("the response was truncated"), handle), request, auth
        )

    def _timeout(self, remaining: float | None) -> tuple[float, float]:
        options = self.options
        if remaining is None:
            return options.connect, options.read
        return min(options.connect, remaining), min(options.read, remaining)


# --- flows -----------------------------------------------------------------------------------------------------------

_NOTHING = Response(0)


class Sender(Protocol):
    """Sends the requests of a flow: over HTTP, or to an emulator in the same process."""

    def send(self, request: Request) -> Response:
        """Return the response, with any status. Raises `NetworkError` without a response."""
        ...

    def pause(self, seconds: float) -> None:
        """Wait, within the deadline of the call."""
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
    """Run `flow` and return its result. See `drive` for its errors."""
    try:
        next(drive(flow, sender))
    except StopIteration as done:
        return cast(T, done.value)
    raise TypeError("run() is for flows without a body; use drive().")
