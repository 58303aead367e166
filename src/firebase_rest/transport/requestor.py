"""One call of the public API: the tries it takes, the waits between them, and the deadline around it all.

The law of this file: every wait has a limit, and nothing that is raised or logged holds a credential.
"""

from __future__ import annotations

import logging
import re
import time
from dataclasses import dataclass, replace
from typing import TypeVar

from requests import RequestException
from urllib3.exceptions import HTTPError as Urllib3Error

from firebase_rest.errors import NetworkError, NetworkTimeout
from firebase_rest.transport.app_check import HEADER as APP_CHECK
from firebase_rest.transport.app_check import with_app_check
from firebase_rest.transport.credentials import NO_STAMP, STRANGER, Signer, Stamp, is_about_the_token
from firebase_rest.transport.failure import classify, deadline_error, network_error, raised_below
from firebase_rest.transport.options import Options
from firebase_rest.transport.redact import MASK, forms_of, redact, secrets_in, without
from firebase_rest.transport.redirects import MAX_HOPS, REDIRECTS, follow
from firebase_rest.transport.renewal import call_ends
from firebase_rest.transport.retry import Failure, pause_before, worth_another_try
from firebase_rest.transport.session import SessionTransport
from firebase_rest.transport.sockets import Watch
from firebase_rest.transport.wire import Flow, Request, Response, Slices, run

T = TypeVar("T")

_JSON_START = re.compile(rb'[{\["0-9-]|(?:null|true|false)\b')

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

    def fetch(self, request: Request) -> Response:
        """The answer to one request, whatever its status."""
        return Call(self.transport, self.signer, self.options).send(request)

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

    @property
    def outcome_unknown(self) -> bool:
        """Whether the server may have carried the request out without saying so."""
        if self.response is not None:
            return self.response.status in (408, 500, 502, 504)
        return isinstance(self.error, NetworkError) and self.error.outcome_unknown


class Call:
    """Carries the requests of one flow, all within one deadline. `stamp` is the last credential that was sent, `sent`
    how many requests were, repeats and redirects included.

    `watch` lets another thread end the exchange that is under way.
    """

    def __init__(
        self, transport: SessionTransport, signer: Signer, options: Options, watch: Watch | None = None
    ) -> None:
        self.stamp = NO_STAMP
        self.sent = 0
        self._transport = transport
        self._signer = signer
        self._options = options
        self._watch = watch
        self._ends = None if options.deadline is None else time.monotonic() + options.deadline

    def send(self, request: Request) -> Response:
        """The answer to `request`, after as many tries as are harmless. Raises `NetworkError` where none came."""
        self._transport.check_open()
        self.stamp = self._signed(None)
        response = self._follow(request, self.stamp)
        if response.status == 401 and is_about_the_token(response.text, request) and not _once(request):
            # Nothing was carried out, so any request may be repeated, once, with a better token.
            better = self._signed(self.stamp)
            if better.secret not in ("", self.stamp.secret):
                self.stamp = better
                response = self._follow(request, better)
        return response

    def pause(self, seconds: float) -> None:
        """Wait, within the call's deadline; `NetworkError` when the App is closed meanwhile."""
        if self._ends is not None and time.monotonic() + seconds >= self._ends:
            raise NetworkTimeout(f"The call did not end within its deadline of {self._options.deadline:g} s.")
        self._wait(seconds, outcome_unknown=False)

    @property
    def is_overdue(self) -> bool:
        """Whether the deadline of the call has passed."""
        return self._ends is not None and time.monotonic() >= self._ends

    def hold(self) -> None:
        """The deadline goes on for the body that is being read; until `release`."""
        if self._ends is not None and self._watch is not None:
            self._transport.watchdog.guard(self._watch, max(0.0, self._ends - time.monotonic()))

    def release(self) -> None:
        """The body is read, or given up."""
        if self._ends is not None and self._watch is not None:
            self._transport.watchdog.release(self._watch)

    def _wait(self, seconds: float, *, outcome_unknown: bool) -> None:
        if seconds > 0 and self._transport.closing.wait(seconds):
            raise NetworkError(
                "The App was closed while a call was waiting to try again.", outcome_unknown=outcome_unknown
            )

    def _signed(self, refused: Stamp | None) -> Stamp:
        """The signer's stamp, and the App Check token, got within the call's deadline."""
        token = call_ends.set(self._ends)
        try:
            stamp = self._signer.stamp(refused) or NO_STAMP
            app_check = self._transport.app_check
            return stamp if app_check is None else with_app_check(stamp, app_check)
        finally:
            call_ends.reset(token)

    def _follow(self, request: Request, stamp: Stamp) -> Response:
        """The answer at the end of the redirects."""
        current, signed = request, stamp
        for _ in range(MAX_HOPS + 1):
            response = self._repeat(current, signed)
            if response.status not in REDIRECTS or "location" not in response.headers:
                return response
            hop = follow(request, current, response.status, response.headers["location"])
            # A host outside the family decides no more what is signed, even if it leads back.
            current, signed = hop.request, (signed if hop.signed else STRANGER)
        raise NetworkError(f"The server redirected {request.method} {redact(request.url)} more than {MAX_HOPS} times.")

    def _repeat(self, request: Request, stamp: Stamp) -> Response:
        """The answer of the last try."""
        tries = 1 if _once(request) else 1 + self._options.retries
        number = 0
        maybe = False  # an earlier try may have been carried out, even if the last one never connected
        while True:
            number += 1
            attempt = self._try(request, stamp)
            if number == tries or not worth_another_try(request.repeatable, attempt.outcome):
                break
            wait = pause_before(number, attempt.retry_after)
            if self._ends is not None and time.monotonic() + wait >= self._ends:
                break
            maybe |= attempt.outcome_unknown
            logger.debug("%r: %s; trying again in %.2f s", request, attempt.outcome, wait)
            self._wait(wait, outcome_unknown=maybe)
        if attempt.response is not None:
            return replace(attempt.response, after_doubt=True) if maybe else attempt.response
        error = attempt.error
        assert error is not None
        if maybe and isinstance(error, NetworkError):
            error.outcome_unknown = True
        raise error

    def _try(self, request: Request, stamp: Stamp) -> _Attempt:
        remaining = None if self._ends is None else self._ends - time.monotonic()
        if remaining is not None and remaining <= 0:
            return self._out_of_time(request, sent=False)
        watch = self._watch or Watch()
        transport = self._transport
        self.sent += 1
        if remaining is not None:
            transport.watchdog.guard(watch, remaining)
        problem: Exception | None = None
        response: Response | None = None
        started = time.monotonic()
        try:
            transport.warn_of_double_retries(request.url)
            response = transport.attempt(request, stamp, self._timeout(remaining), watch)
        except (RequestException, Urllib3Error, OSError) as error:
            problem = error
        except (ValueError, AttributeError) as error:
            # What the libraries let through: a header that cannot be sent, a Location that is none, a socket that was
            # shut down between two of their steps.
            if not watch.ended and not raised_below(error):
                raise
            problem = error
        finally:
            if remaining is not None:
                transport.watchdog.release(watch)
        if response is None or (watch.ended and not response.framed):
            return self._failed(request, stamp, watch, problem or OSError("the answer was cut"))
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%r: HTTP %d in %.0f ms", request, response.status, 1000 * (time.monotonic() - started))
        # Refusals go into errors, and so does the beginning of what comes where JSON was expected.
        harmless = response.status < 300 and (not response.body or _JSON_START.match(response.body) is not None)
        return _Attempt(response.status, response if harmless else _scrubbed(response, stamp))

    def _failed(self, request: Request, stamp: Stamp, watch: Watch, problem: Exception) -> _Attempt:
        if self._ends is not None and time.monotonic() >= self._ends:
            return self._out_of_time(request, sent=watch.connected or not watch.dialed)
        outcome = classify(problem, watch)
        error = network_error(problem, request, watch, outcome, _secrets(request, stamp))
        if watch.ended or self._transport.closing.is_set():
            what = f"{request.method} {redact(request.url)} was ended by close()."
            return _Attempt(Failure.PERMANENT, error=NetworkError(what, outcome_unknown=watch.connected))
        return _Attempt(outcome, error=error)

    def _out_of_time(self, request: Request, *, sent: bool) -> _Attempt:
        return _Attempt(Failure.PERMANENT, error=deadline_error(self._options.deadline or 0.0, request, sent=sent))

    def _timeout(self, remaining: float | None) -> tuple[float, float]:
        options = self._options
        if remaining is None:
            return options.connect, options.read
        return min(options.connect, remaining), min(options.read, remaining)


def _once(request: Request) -> bool:
    """Whether the body is an iterator, which cannot be sent again."""
    return request.body is not None and not isinstance(request.body, (bytes, Slices))


def _secrets(request: Request, stamp: Stamp) -> set[str]:
    return {stamp.secret, stamp.headers.get(APP_CHECK, ""), *secrets_in(request)}


def _scrubbed(response: Response, stamp: Stamp) -> Response:
    """The answer without the secrets that were sent: a server may quote them."""
    secrets = _secrets(response.request, stamp) if response.request else {stamp.secret}
    body = response.body
    for form in forms_of(secrets):
        body = body.replace(form.encode(), MASK.encode())
    headers = {name: without(secrets, value) for name, value in response.headers.items()}
    return replace(response, body=body, headers=headers)
