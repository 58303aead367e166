"""Run calls: retries, redirects, refreshed credentials, and one deadline for all of them.

Invariant: every wait has a limit. Exceptions and log records contain no credentials.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass, replace
from traceback import clear_frames
from typing import TypeVar

from requests import RequestException
from urllib3.exceptions import HTTPError as Urllib3Error

from firebase_rest.errors import FirebaseError, NetworkError, NetworkTimeout, UsageError
from firebase_rest.transport.credentials import (
    APP_CHECK_HEADER,
    NO_AUTH,
    STRIP_AUTH,
    Credentials,
    RequestAuth,
    is_token_rejected,
    with_app_check,
)
from firebase_rest.transport.failure import classify, deadline_error, network_error, raised_by_http_stack
from firebase_rest.transport.options import Options
from firebase_rest.transport.redact import MASK, encoded_variants, mask_secrets, redact, secrets_in
from firebase_rest.transport.redirects import MAX_HOPS, REDIRECTS, follow
from firebase_rest.transport.retry import Failure, backoff_delay, should_retry
from firebase_rest.transport.session import CLOSED, SessionTransport
from firebase_rest.transport.single_flight import deadline_var
from firebase_rest.transport.sockets import CancelHandle
from firebase_rest.transport.watchdog import watchdog
from firebase_rest.transport.wire import ChunkedBody, Flow, Request, Response, run

T = TypeVar("T")

_JSON_START = re.compile(rb'[{\["0-9-]|(?:null|true|false)\b')

logger = logging.getLogger("firebase_rest")


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

    def with_credentials(self, credentials: Credentials) -> Requestor:
        """Return a copy with other credentials."""
        return replace(self, credentials=credentials)

    def with_options(self, options: Options) -> Requestor:
        """Return a copy with other options."""
        return replace(self, options=options)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """The result of one attempt: a response, or the error to raise without a retry."""

    outcome: Failure | int
    response: Response | None = None
    error: Exception | None = None

    @property
    def retry_after(self) -> str | None:
        return self.response.headers.get("retry-after") if self.response else None

    @property
    def outcome_unknown(self) -> bool:
        """Whether the server may have processed the request."""
        if self.response is not None:
            return self.response.status in (408, 500, 502, 504)
        return isinstance(self.error, NetworkError) and self.error.outcome_unknown


class RetryingSender:
    """Sends the requests of one flow within one deadline.

    `auth` are the last credentials sent, `sent` counts the requests with retries and redirects. `handle` cancels the
    current request from another thread.
    """

    def __init__(
        self,
        transport: SessionTransport,
        credentials: Credentials,
        options: Options,
        handle: CancelHandle | None = None,
    ) -> None:
        self.auth = NO_AUTH
        self.sent = 0
        self._transport = transport
        self._credentials = credentials
        self._options = options
        self._handle = handle
        self._ends = None if options.deadline is None else time.monotonic() + options.deadline

    def send(self, request: Request) -> Response:
        """Return the response to `request`, after retries. Raises `NetworkError` without a response."""
        if self._transport.is_closed:
            raise UsageError(CLOSED)
        self.auth = self._authenticate(None)
        response = self._follow(request, self.auth)
        if response.status == 401 and is_token_rejected(response.text, request) and not _is_sent_once(request):
            # The server did not process it, so any request may be sent once more, with another token.
            better = self._authenticate(self.auth)
            if better.secret not in ("", self.auth.secret):
                self.auth = better
                response = self._follow(request, better)
        return response

    def pause(self, seconds: float) -> None:
        """Wait. Raises `NetworkError` if the deadline would pass or the App is closed."""
        if self._ends is not None and time.monotonic() + seconds >= self._ends:
            raise NetworkTimeout(f"The call did not finish within its deadline of {self._options.deadline:g} s.")
        self._wait(seconds, outcome_unknown=False)

    @property
    def is_overdue(self) -> bool:
        """Whether the deadline of the call has passed."""
        return self._ends is not None and time.monotonic() >= self._ends

    def hold(self) -> None:
        """Apply the deadline to the body that is being read, until `release`."""
        if self._ends is not None and self._handle is not None:
            watchdog.guard(self._handle, max(0.0, self._ends - time.monotonic()))

    def release(self) -> None:
        """Stop applying the deadline to the body."""
        if self._ends is not None and self._handle is not None:
            watchdog.release(self._handle)

    def _wait(self, seconds: float, *, outcome_unknown: bool) -> None:
        if seconds > 0 and self._transport.closing.wait(seconds):
            raise NetworkError(
                "The App was closed while a call was waiting for a retry.", outcome_unknown=outcome_unknown
            )

    def _authenticate(self, rejected: RequestAuth | None) -> RequestAuth:
        """Return the credentials and the App Check token, obtained within the deadline."""
        token = deadline_var.set(self._ends)
        try:
            auth = self._credentials.get(rejected) or NO_AUTH
            app_check = self._transport.app_check
            return auth if app_check is None else with_app_check(auth, app_check)
        finally:
            deadline_var.reset(token)

    def _follow(self, request: Request, auth: RequestAuth) -> Response:
        """Send `request`, follow redirects and return the last response."""
        current, current_auth = request, auth
        for _ in range(MAX_HOPS + 1):
            response = self._retry(current, current_auth)
            if response.status not in REDIRECTS or "location" not in response.headers:
                return response
            hop = follow(request, current, response.status, response.headers["location"])
            # Once a redirect leaves Firebase's hosts, no credentials are sent, even if it leads back to them.
            current, current_auth = hop.request, (current_auth if hop.is_authenticated else STRIP_AUTH)
        raise NetworkError(f"The server redirected {request.method} {redact(request.url)} more than {MAX_HOPS} times.")

    def _retry(self, request: Request, auth: RequestAuth) -> Response:
        """Send `request` until no retry is allowed, and return the last response."""
        attempts = 1 if _is_sent_once(request) else 1 + self._options.retries
        number = 0
        uncertain = False  # whether the server may have processed an earlier attempt
        while True:
            number += 1
            attempt = self._attempt(request, auth)
            response = attempt.response
            if response is not None and response.status < 400:
                break
            if number == attempts or not should_retry(request.retry_policy, attempt.outcome):
                break
            wait = backoff_delay(number, attempt.retry_after)
            if self._ends is not None and time.monotonic() + wait >= self._ends:
                break
            uncertain |= attempt.outcome_unknown
            logger.debug("%r: %s; retrying in %.2f s", request, attempt.outcome, wait)
            self._wait(wait, outcome_unknown=uncertain)
        if response is not None:
            return replace(response, earlier_attempt_uncertain=True) if uncertain else response
        error = attempt.error
        assert error is not None
        if uncertain and isinstance(error, NetworkError):
            error.outcome_unknown = True
        raise error

    def _attempt(self, request: Request, auth: RequestAuth) -> _Attempt:
        remaining = None if self._ends is None else self._ends - time.monotonic()
        if remaining is not None and remaining <= 0:
            return self._out_of_time(request, sent=False)
        handle = self._handle or CancelHandle()
        transport = self._transport
        self.sent += 1
        if remaining is not None:
            watchdog.guard(handle, remaining)
        problem: Exception | None = None
        response: Response | None = None
        started = time.monotonic()
        try:
            response = transport.send_once(request, auth, self._timeout(remaining), handle)
        except (RequestException, Urllib3Error, OSError) as error:
            problem = error
        except (ValueError, AttributeError) as error:
            # requests and urllib3 leak these for invalid headers and Locations, and for sockets that were shut down.
            if not handle.cancelled and not raised_by_http_stack(error):
                raise
            problem = error
        finally:
            if remaining is not None:
                watchdog.release(handle)
        if response is None or (handle.cancelled and not response.has_length):
            return self._failed(request, auth, handle, problem or OSError("the response was truncated"))
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%r: HTTP %d in %.0f ms", request, response.status, 1000 * (time.monotonic() - started))
        if response.status in (401, 403) and not auth.params and "Authorization" not in auth.headers:
            response = replace(response, is_authenticated=False)
        # Error responses, and text where JSON was expected, are quoted in exceptions.
        is_json = not request.stream and (not response.body or _JSON_START.match(response.body) is not None)
        return _Attempt(response.status, response if response.status < 300 and is_json else _masked(response, auth))

    def _failed(self, request: Request, auth: RequestAuth, handle: CancelHandle, problem: Exception) -> _Attempt:
        if self._ends is not None and time.monotonic() >= self._ends:
            return self._out_of_time(request, sent=handle.connected or not handle.dialed)
        outcome = classify(problem, handle)
        error = network_error(problem, request, handle, outcome, _secrets(request, auth))
        if handle.cancelled or self._transport.is_closed:
            what = f"{request.method} {redact(request.url)} was cancelled by close()."
            return _Attempt(Failure.PERMANENT, error=NetworkError(what, outcome_unknown=handle.connected))
        return _Attempt(outcome, error=error)

    def _out_of_time(self, request: Request, *, sent: bool) -> _Attempt:
        return _Attempt(Failure.PERMANENT, error=deadline_error(self._options.deadline or 0.0, request, sent=sent))

    def _timeout(self, remaining: float | None) -> tuple[float, float]:
        options = self._options
        if remaining is None:
            return options.connect, options.read
        return min(options.connect, remaining), min(options.read, remaining)


def _is_sent_once(request: Request) -> bool:
    """Return whether the body is an iterator, which cannot be sent again."""
    return request.body is not None and not isinstance(request.body, (bytes, ChunkedBody))


def _secrets(request: Request, auth: RequestAuth) -> set[str]:
    return {auth.secret, auth.headers.get(APP_CHECK_HEADER, ""), *secrets_in(request.params, request.body)}


def _masked(response: Response, auth: RequestAuth) -> Response:
    """Mask the secrets that were sent with the request, because the server may quote them."""
    secrets = _secrets(response.request, auth) if response.request else {auth.secret}
    body = response.body
    for form in encoded_variants(secrets):
        body = body.replace(form.encode(), MASK.encode())
    headers = {name: mask_secrets(secrets, value) for name, value in response.headers.items()}
    return replace(response, body=body, headers=headers)
