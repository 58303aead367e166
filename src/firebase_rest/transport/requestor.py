"""Run flows over a `requests.Session`: the blocking sender of the steps of `exchange`.

Invariant: every wait has a limit. Exceptions and log records contain no credentials.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from traceback import clear_frames
from typing import TypeVar, cast

from requests import RequestException
from urllib3.exceptions import HTTPError as Urllib3Error

from firebase_rest.errors import FirebaseError, NetworkError, UsageError
from firebase_rest.transport.credentials import NO_AUTH, Credentials, RequestAuth, with_app_check
from firebase_rest.transport.exchange import Attempt, Authenticate, Exchange, Outcome
from firebase_rest.transport.failure import find_problem, raised_by_http_stack
from firebase_rest.transport.options import Options
from firebase_rest.transport.session import CLOSED, SessionTransport
from firebase_rest.transport.single_flight import deadline_var
from firebase_rest.transport.sockets import CancelHandle
from firebase_rest.transport.watchdog import watchdog
from firebase_rest.transport.wire import Flow, Request, Response, run

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
            return run(flow, RetryingSender(self.transport, self.credentials, self.options))
        except FirebaseError as error:
            clear_frames(error.__traceback__)  # the flow's local variables can hold passwords and tokens
            raise

    def fetch(self, request: Request) -> Response:
        """Return the response to one request, with any status."""
        return RetryingSender(self.transport, self.credentials, self.options).send(request)

    def sender(self, handle: CancelHandle | None = None, *, bounds_bodies: bool = False) -> RetryingSender:
        """Return a sender of the requests of one flow, which `handle` cancels.

        With `bounds_bodies` the deadline also applies to the body that is being read, until `release`.
        """
        return RetryingSender(self.transport, self.credentials, self.options, handle, bounds_bodies=bounds_bodies)

    def with_credentials(self, credentials: Credentials) -> Requestor:
        """Return a copy with other credentials."""
        return replace(self, credentials=credentials)

    def with_options(self, options: Options) -> Requestor:
        """Return a copy with other options."""
        return replace(self, options=options)


class RetryingSender(Exchange):
    """Sends the requests of one flow within one deadline. `handle` cancels the current request from another thread."""

    def __init__(
        self,
        transport: SessionTransport,
        credentials: Credentials,
        options: Options,
        handle: CancelHandle | None = None,
        *,
        bounds_bodies: bool = False,
    ) -> None:
        super().__init__(options)
        self._bounds_bodies = bounds_bodies
        self._transport = transport
        self._credentials = credentials
        self._handle = handle

    def send(self, request: Request) -> Response:
        """Return the response to `request`, after retries. Raises `NetworkError` without a response."""
        if self._transport.is_closed:
            raise UsageError(CLOSED)
        steps = self.steps(request, self._authenticate(None))
        result: RequestAuth | Outcome | None = None
        while True:
            try:
                step = steps.send(result)
            except StopIteration as done:
                if self._bounds_bodies and done.value.reader is not None:
                    self._hold()
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

    def _hold(self) -> None:
        if self._ends is not None and self._handle is not None:
            watchdog.guard(self._handle, max(0.0, self._ends - time.monotonic()))

    def release(self) -> None:
        """Stop applying the deadline to the body."""
        if self._ends is not None and self._handle is not None:
            watchdog.release(self._handle)

    def _wait(self, seconds: float, *, outcome_unknown: bool) -> None:
        if seconds > 0 and self._transport.closing.wait(seconds):
            raise self.closed_while_waiting(outcome_unknown=outcome_unknown)

    def _authenticate(self, rejected: RequestAuth | None) -> RequestAuth:
        """Return the credentials and the App Check token, obtained within the deadline."""
        token = deadline_var.set(self._ends)
        try:
            auth = self._credentials.get(rejected) or NO_AUTH
            app_check = self._transport.app_check
            return auth if app_check is None else with_app_check(auth, app_check)
        finally:
            deadline_var.reset(token)

    def _attempt(self, attempt: Attempt) -> Outcome:
        request, auth, remaining = attempt
        handle = self._handle or CancelHandle()
        if remaining is not None:
            watchdog.guard(handle, remaining)
        problem: Exception | None = None
        response: Response | None = None
        started = time.monotonic()
        try:
            response = self._transport.send_once(request, auth, self._timeout(remaining), handle)
        except (RequestException, Urllib3Error, OSError) as error:
            problem = error
        except (ValueError, AttributeError) as error:
            # requests and urllib3 leak these for invalid headers and Locations, and for sockets that were shut down.
            if not handle.cancelled and not raised_by_http_stack(error):
                raise
            problem = error
        except (ImportError, NameError):
            if not sys.is_finalizing():
                raise
            # In a `__del__` the modules and builtins that urllib3 needs may be gone.
            message = "The request cannot be sent while the interpreter exits."
            raise NetworkError(message, outcome_unknown=handle.connected) from None
        finally:
            if remaining is not None:
                watchdog.release(handle)
        if response is not None and (response.has_length or not handle.cancelled):
            return self.received(response, request, auth, started)
        if self.is_overdue:
            return self.out_of_time(request, sent=handle.connected or not handle.dialed)
        if handle.cancelled or self._transport.is_closed:
            return self.cancelled(request, sent=handle.connected, forked=handle.abandoned)
        return self.failed(find_problem(problem or OSError("the response was truncated"), handle), request, auth)

    def _timeout(self, remaining: float | None) -> tuple[float, float]:
        options = self._options
        if remaining is None:
            return options.connect, options.read
        return min(options.connect, remaining), min(options.read, remaining)
