"""One call of the public API: the tries it takes, the waits between them, and the deadline around it all.

The law of this file: every wait has a limit, and nothing that is raised or logged holds a credential.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace
from typing import TypeVar

from requests import RequestException
from urllib3.exceptions import HTTPError as Urllib3Error

from firebase_rest.errors import NetworkError, UsageError
from firebase_rest.transport.credentials import NO_STAMP, Signer, Stamp, is_about_the_token
from firebase_rest.transport.failure import classify, deadline_error, network_error
from firebase_rest.transport.options import Options
from firebase_rest.transport.redact import MASK, redact, secrets_in
from firebase_rest.transport.redirects import MAX_HOPS, REDIRECTS, follow
from firebase_rest.transport.retry import Failure, pause_before, worth_another_try
from firebase_rest.transport.session import SessionTransport
from firebase_rest.transport.sockets import Watch
from firebase_rest.transport.wire import Flow, Request, Response, run

T = TypeVar("T")

logger = logging.getLogger("firebase_rest")


@dataclass(frozen=True, slots=True)
class Channel:
    """A transport with the signer and the limits that a service or a reference uses: what flows are run through."""

    transport: SessionTransport
    signer: Signer
    options: Options

    def run(self, flow: Flow[T]) -> T:
        """Carry out a flow and return its answer."""
        return run(flow, Call(self.transport, self.signer, self.options))

    def signed_by(self, signer: Signer) -> Channel:
        """The same channel for another signer."""
        return replace(self, signer=signer)

    def with_options(self, options: Options) -> Channel:
        """The same channel with other limits."""
        return replace(self, options=options)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """How one try ended: with an answer, or with the error to raise if there is no other try."""

    outcome: Failure | int
    response: Response | None = None
    error: Exception | None = None

    @property
    def retry_after(self) -> str | None:
        return self.response.headers.get("retry-after") if self.response else None


class Call:
    """Carries the requests of one flow, all within one deadline. `stamp` is the last credential that was sent.

    `watch` lets another thread end the exchange that is under way.
    """

    def __init__(
        self, transport: SessionTransport, signer: Signer, options: Options, watch: Watch | None = None
    ) -> None:
        self.stamp = NO_STAMP
        self._transport = transport
        self._signer = signer
        self._options = options
        self._watch = watch
        self._ends = None if options.deadline is None else time.monotonic() + options.deadline

    def send(self, request: Request) -> Response:
        """The answer to `request`, after as many tries as are harmless. Raises `NetworkError` where none came."""
        if self._transport.closing.is_set():
            raise UsageError("The App is closed; make a new one with initialize_app().")
        self._transport.warn_of_double_retries(request.url)
        self.stamp = self._signer.stamp() or NO_STAMP
        response = self._follow(request, self.stamp)
        if response.status == 401 and is_about_the_token(response.text):
            # Nothing was carried out, so any request may be repeated, once, with a better token.
            better = self._signer.stamp(refused=self.stamp)
            if better is not None and better.secret != self.stamp.secret:
                self.stamp = better
                response = self._follow(request, better)
        return response

    def pause(self, seconds: float) -> None:
        """Wait; `NetworkError` when the App is closed meanwhile."""
        if seconds > 0 and self._transport.closing.wait(seconds):
            raise NetworkError("The App was closed while a call was waiting to try again.")

    def _follow(self, request: Request, stamp: Stamp) -> Response:
        """The answer at the end of the redirects."""
        current, signed = request, stamp
        for _ in range(MAX_HOPS + 1):
            response = self._repeat(current, signed)
            if response.status not in REDIRECTS or "location" not in response.headers:
                return response
            hop = follow(request, current, response.status, response.headers["location"])
            current, signed = hop.request, (stamp if hop.signed else NO_STAMP)
        raise NetworkError(f"The server redirected {request.method} {redact(request.url)} more than {MAX_HOPS} times.")

    def _repeat(self, request: Request, stamp: Stamp) -> Response:
        """The answer of the last try."""
        once = request.body is not None and not isinstance(request.body, bytes)  # an iterator cannot be sent again
        tries = 1 if once else 1 + self._options.retries
        number = 0
        while True:
            number += 1
            attempt = self._try(request, stamp)
            if number == tries or not worth_another_try(request.repeatable, attempt.outcome):
                break
            wait = pause_before(number, attempt.retry_after)
            if self._ends is not None and time.monotonic() + wait >= self._ends:
                break
            logger.debug("%r: %s; trying again in %.2f s", request, attempt.outcome, wait)
            self.pause(wait)
        if attempt.response is None:
            assert attempt.error is not None
            raise attempt.error
        return attempt.response

    def _try(self, request: Request, stamp: Stamp) -> _Attempt:
        remaining = None if self._ends is None else self._ends - time.monotonic()
        if remaining is not None and remaining <= 0:
            return self._out_of_time(request, sent=False)
        watch = self._watch or (Watch() if remaining is not None or request.stream else None)
        watchdog = self._transport.watchdog
        if watch is not None and remaining is not None:
            watchdog.guard(watch, remaining)
        problem: Exception | None = None
        response: Response | None = None
        started = time.monotonic()
        try:
            response = self._transport.attempt(request, stamp, self._timeout(remaining), watch)
        except (RequestException, Urllib3Error, OSError) as error:
            problem = error
        finally:
            if watch is not None and remaining is not None:
                watchdog.release(watch)
        if problem is not None:
            if remaining is not None and time.monotonic() - started >= remaining:
                return self._out_of_time(request, sent=True)
            outcome = classify(problem)
            return _Attempt(outcome, error=network_error(problem, outcome, request))
        assert response is not None
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%r: HTTP %d in %.0f ms", request, response.status, 1000 * (time.monotonic() - started))
        return _Attempt(response.status, response if response.status < 400 else _scrubbed(response, stamp))

    def _out_of_time(self, request: Request, *, sent: bool) -> _Attempt:
        return _Attempt(Failure.PERMANENT, error=deadline_error(self._options.deadline or 0.0, request, sent=sent))

    def _timeout(self, remaining: float | None) -> tuple[float, float]:
        options = self._options
        if remaining is None:
            return options.connect, options.read
        return min(options.connect, remaining), min(options.read, remaining)


def _scrubbed(response: Response, stamp: Stamp) -> Response:
    """The refusal without the secrets that were sent: a server may quote them."""
    body = response.body
    for secret in {stamp.secret, *(secrets_in(response.request) if response.request else ())}:
        if len(secret) >= 6:  # shorter ones turn up in ordinary words
            body = body.replace(secret.encode(), MASK.encode())
    return response if body == response.body else replace(response, body=body)
