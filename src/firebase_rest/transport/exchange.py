"""The exchange of one request: credentials, retries and redirects, without I/O.

`Exchange.steps` is a generator that yields the steps that a sender must take, and receives their results. The blocking
sender (`requestor.RetryingSender`) and the sender of `firebase_rest.aio` run the same steps.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

from firebase_rest.errors import NetworkError, NetworkTimeout
from firebase_rest.transport.credentials import (
    APP_CHECK_HEADER,
    NO_AUTH,
    STRIP_AUTH,
    RequestAuth,
    is_token_rejected,
)
from firebase_rest.transport.failure import Problem, deadline_error, problem_error
from firebase_rest.transport.options import Options
from firebase_rest.transport.redaction import MASK, encoded_variants, mask_secrets, redact, secrets_in
from firebase_rest.transport.redirects import MAX_HOPS, REDIRECTS, follow
from firebase_rest.transport.retries import Failure, backoff_delay, should_retry
from firebase_rest.transport.wire import ChunkedBody, Request, Response

_JSON_START = re.compile(rb'[{\["0-9-]|(?:null|true|false)\b')

logger = logging.getLogger("firebase_rest")


class Authenticate(NamedTuple):
    """Get other credentials than `rejected`. The result is a `RequestAuth`."""

    rejected: RequestAuth


class Attempt(NamedTuple):
    """Send a request once, within `remaining` seconds if the call has a deadline. The result is an `Outcome`."""

    request: Request
    auth: RequestAuth
    remaining: float | None


class Wait(NamedTuple):
    """Wait before a retry. `outcome_unknown`: the server may have processed the request."""

    seconds: float
    outcome_unknown: bool


Step: TypeAlias = Authenticate | Attempt | Wait


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one attempt: a response, or the error to raise without a retry."""

    result: Failure | int
    response: Response | None = None
    error: Exception | None = None

    @property
    def retry_after(self) -> str | None:
        return self.response.headers.get("retry-after") if self.response else None

    @property
    def is_uncertain(self) -> bool:
        """Whether the server may have processed the request."""
        if self.response is not None:
            return self.response.status in (408, 500, 502, 504)
        return isinstance(self.error, NetworkError) and self.error.outcome_unknown


@dataclass(repr=False, eq=False)
class Exchange:
    """The requests of one flow, within one deadline.

    Attributes:
        options: The limits of the call.
        deadline_at: The time of the deadline on the monotonic clock, or None.
        auth: The credentials of the last request.
        sent: The number of requests, with retries and redirects.
    """

    options: Options
    deadline_at: float | None
    auth: RequestAuth = field(default=NO_AUTH, init=False)
    sent: int = field(default=0, init=False)

    @property
    def is_overdue(self) -> bool:
        """Whether the deadline of the call has passed."""
        return self.deadline_at is not None and time.monotonic() >= self.deadline_at

    def steps(self, request: Request, auth: RequestAuth) -> Generator[Step, Any, Response]:
        """Yield the steps of sending `request`, and return the response. Raises `NetworkError` without a response."""
        self.auth = auth
        response = yield from self._follow(request, auth)
        if response.status == 401 and is_token_rejected(response.text, request) and not _is_sent_once(request):
            # The server has not processed the request, so any request may be sent again with another token.
            new_auth = yield Authenticate(auth)
            if new_auth.secret not in ("", auth.secret):
                self.auth = new_auth
                response = yield from self._follow(request, new_auth)
        return response

    def _follow(self, request: Request, auth: RequestAuth) -> Generator[Step, Any, Response]:
        """Send `request`, follow redirects and return the last response."""
        current, current_auth = request, auth
        for _ in range(MAX_HOPS + 1):
            response = yield from self._retry(current, current_auth)
            if response.status not in REDIRECTS or "location" not in response.headers:
                return response
            hop = follow(request, current, response.status, response.headers["location"])
            # Once a redirect leaves Firebase's hosts, no credentials are sent, even if it leads back to them.
            current, current_auth = hop.request, (current_auth if hop.is_authenticated else STRIP_AUTH)
        raise NetworkError(f"The server redirected {request.method} {redact(request.url)} more than {MAX_HOPS} times.")

    def _retry(self, request: Request, auth: RequestAuth) -> Generator[Step, Any, Response]:
        """Send `request` until no retry is allowed, and return the last response."""
        attempts = 1 if _is_sent_once(request) else 1 + self.options.retries
        number = 0
        uncertain = False  # whether the server may have processed an earlier attempt
        outcome: Outcome
        while True:
            number += 1
            remaining = self.remaining()
            if remaining is not None and remaining <= 0:
                outcome = self.overdue_outcome(request, sent=False)
            else:
                self.sent += 1
                outcome = yield Attempt(request, auth, remaining)
            response = outcome.response
            if response is not None and response.status < 400:
                break
            if number == attempts or not should_retry(request.retry_policy, outcome.result):
                break
            wait = backoff_delay(number, outcome.retry_after)
            if self.deadline_at is not None and time.monotonic() + wait >= self.deadline_at:
                break
            uncertain |= outcome.is_uncertain
            logger.debug("%r: %s; retrying in %.2f s", request, outcome.result, wait)
            yield Wait(wait, uncertain)
        if response is not None:
            return replace(response, earlier_attempt_uncertain=True) if uncertain else response
        error = outcome.error
        assert error is not None
        if uncertain and isinstance(error, NetworkError):
            error.outcome_unknown = True
        raise error

    # --- for senders ------------------------------------------------------------------------------------------------

    def remaining(self) -> float | None:
        """Return the seconds until the deadline, or None without a deadline."""
        return None if self.deadline_at is None else self.deadline_at - time.monotonic()

    def check_pause(self, seconds: float) -> None:
        """Raise `NetworkTimeout` if the deadline passes during a pause of a flow."""
        if self.deadline_at is not None and time.monotonic() + seconds >= self.deadline_at:
            raise NetworkTimeout(f"The call did not finish within its deadline of {self.options.deadline:g} s.")

    def response_outcome(self, response: Response, request: Request, auth: RequestAuth, started: float) -> Outcome:
        """Return the outcome of an attempt with a response. Secrets of the request are masked in the response."""
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%r: HTTP %d in %.0f ms", request, response.status, 1000 * (time.monotonic() - started))
        if response.status in (401, 403) and not auth.params and "Authorization" not in auth.headers:
            response = replace(response, is_authenticated=False)
        # Exceptions quote error responses, and text in place of JSON.
        is_json = not request.stream and (not response.body or _JSON_START.match(response.body) is not None)
        return Outcome(
            response.status, response if response.status < 300 and is_json else _mask_response(response, auth)
        )

    def problem_outcome(self, problem: Problem, request: Request, auth: RequestAuth) -> Outcome:
        """Return the outcome of an attempt without a response."""
        return Outcome(problem.failure, error=problem_error(problem, request, _secrets(request, auth)))

    def overdue_outcome(self, request: Request, *, sent: bool) -> Outcome:
        """Return the outcome of an attempt that the deadline ended."""
        error = deadline_error(self.options.deadline or 0.0, request, sent=sent)
        return Outcome(Failure.PERMANENT, error=error)

    def cancelled_outcome(self, request: Request, *, sent: bool, forked: bool = False) -> Outcome:
        """Return the outcome of an attempt that `close()` ended, or that belongs to the parent of a forked process."""
        reason = "belongs to the parent process; repeat the call in the child" if forked else "was cancelled by close()"
        message = f"{request.method} {redact(request.url)} {reason}."
        return Outcome(Failure.PERMANENT, error=NetworkError(message, outcome_unknown=sent))

    def closed_error(self, *, outcome_unknown: bool) -> NetworkError:
        """Return the error of a wait that `close()` ended."""
        message = "The App was closed while a call was waiting for a retry."
        return NetworkError(message, outcome_unknown=outcome_unknown)


def _is_sent_once(request: Request) -> bool:
    """Return whether the body is an iterator, which cannot be sent again."""
    return request.body is not None and not isinstance(request.body, (bytes, ChunkedBody))


def _secrets(request: Request, auth: RequestAuth) -> set[str]:
    return {auth.secret, auth.headers.get(APP_CHECK_HEADER, ""), *secrets_in(request.params, request.body)}


def _mask_response(response: Response, auth: RequestAuth) -> Response:
    """Mask the secrets that were sent with the request, because the server may quote them."""
    secrets = _secrets(response.request, auth) if response.request else {auth.secret}
    body = response.body
    for variant in encoded_variants(secrets):
        body = body.replace(variant.encode(), MASK.encode())
    headers = {name.lower(): mask_secrets(secrets, value) for name, value in response.headers.items()}
    return replace(response, body=body, headers=headers)
