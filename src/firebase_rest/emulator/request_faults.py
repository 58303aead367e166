"""Fault injection for requests to the database and to Auth."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from firebase_rest.emulator.planned_faults import PlannedFaults
from firebase_rest.emulator.storage.faults import ConnectionDropped
from firebase_rest.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from firebase_rest.emulator.storage.faults import DropMethod
    from firebase_rest.transport.wire import Response

Matcher: TypeAlias = "Callable[[str, str], bool]"
"""`matches(path, on)` returns whether the argument `on` selects a raw URL path."""

ErrorResponse: TypeAlias = "Callable[[int, str], Response]"
"""`error_response(status, message)` returns an error response of a service."""

_MIN_STATUS, _MAX_STATUS = 400, 599
_POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class RequestFault:
    """A fault in one request.

    Attributes:
        action: Respond with `response` (`"reject"`), wait for `seconds` (`"delay"`), or close the connection before
            (`"drop_request"`) or after the request is processed (`"drop_response"`).
        seconds: The delay.
        how: How the connection is closed.
        response: The error response of `"reject"`.
        cleared: Set when the faults are cleared, which ends a delay.
        on: The path or operation of the requests that have the fault.
        method: The HTTP method of these requests; "" means any.
    """

    action: Literal["reject", "delay", "drop_request", "drop_response"]
    seconds: float = 0
    how: DropMethod = "fin"
    response: Response | None = None
    cleared: threading.Event = field(default_factory=threading.Event)
    on: str = ""
    method: str = ""

    def wait(self) -> None:
        """Wait for the delay. Raises `ConnectionDropped` if the faults are cleared meanwhile."""
        if self.seconds and self.cleared.wait(self.seconds):
            raise ConnectionDropped(self.how)

    async def wait_async(self) -> None:
        """Do the same as `wait` on an event loop."""
        end = time.monotonic() + self.seconds
        while (remaining := end - time.monotonic()) > 0:
            if self.cleared.is_set():
                raise ConnectionDropped(self.how)
            await asyncio.sleep(min(remaining, _POLL_SECONDS))

    def before_request(self) -> Response | None:
        """Return the response of `"reject"`, or None to process the request.

        Raises `ConnectionDropped` for `"drop_request"`.
        """
        if self.action == "drop_request":
            raise ConnectionDropped(self.how)
        return self.response

    def after_request(self) -> None:
        """Raise `ConnectionDropped` for `"drop_response"`."""
        if self.action == "drop_response":
            raise ConnectionDropped(self.how)


class RequestFaults:
    """Injects faults into the requests to one service. Thread-safe.

    Each method plans a fault for the next `times` matching requests, after `skip` matching requests without it. The
    arguments `on` and `method` select requests; the default is all. If several faults match, the one that was planned
    first is used.

    - `on`: for the database, a path, which selects the requests at this path and below (`"users/ada"`); for Auth, an
      operation (`"signUp"`, `"signInWithPassword"`, or `"token"` for the refresh of tokens).
    - `method`: the HTTP method.
    - `times`: the number of requests; None means all.
    - `how`: "fin" closes the connection, "rst" resets it.

    Without a server, a broken connection raises `NetworkError`.

    Args:
        matches: Returns whether `on` selects a path.
        error_response: Returns the error response of the service.
    """

    def __init__(self, matches: Matcher, error_response: ErrorResponse) -> None:
        self._matches = matches
        self._error_response = error_response
        self.planned: PlannedFaults[RequestFault] = PlannedFaults()
        self._cleared = threading.Event()
        self._lock = threading.Lock()

    def reject(
        self,
        on: str = "",
        *,
        method: str = "",
        times: int | None = 1,
        skip: int = 0,
        status: int = 503,
        error: str = "Service unavailable",
        retry_after: str = "",
    ) -> None:
        """Respond with an error and do nothing else.

        Args:
            on: The path or operation.
            method: The HTTP method, such as "PUT".
            times: How many requests to reject; None for all.
            skip: How many requests to handle normally first.
            status: The HTTP status, from 400 to 599.
            error: The error message.
            retry_after: The value of the Retry-After header; no header if empty.

        Raises:
            UsageError: If an argument is invalid.
        """
        if not _MIN_STATUS <= status <= _MAX_STATUS:
            raise UsageError(f"status must be from {_MIN_STATUS} to {_MAX_STATUS}, got {status}.")
        response = self._error_response(status, error)
        if retry_after:
            response = replace(response, headers={**response.headers, "retry-after": retry_after})
        self._plan(RequestFault("reject", response=response), on, method, times, skip)

    def delay(self, seconds: float, on: str = "", *, method: str = "", times: int | None = 1, skip: int = 0) -> None:
        """Wait before the request is processed.

        Args:
            seconds: How long to wait.
            on: The path or operation.
            method: The HTTP method, such as "PUT".
            times: How many requests to delay; None for all.
            skip: How many requests to handle normally first.

        Raises:
            UsageError: If an argument is invalid.
        """
        if not 0 <= seconds < threading.TIMEOUT_MAX:
            raise UsageError(f"seconds must be from 0 to {threading.TIMEOUT_MAX:.0f}, got {seconds}.")
        self._plan(RequestFault("delay", seconds), on, method, times, skip)

    def drop_request(
        self, on: str = "", *, how: DropMethod = "fin", method: str = "", times: int | None = 1, skip: int = 0
    ) -> None:
        """Close the connection instead of processing the request."""
        self._plan(RequestFault("drop_request", how=how), on, method, times, skip)

    def drop_response(
        self, on: str = "", *, how: DropMethod = "fin", method: str = "", times: int | None = 1, skip: int = 0
    ) -> None:
        """Process the request, then close the connection without a response."""
        self._plan(RequestFault("drop_response", how=how), on, method, times, skip)

    def clear(self) -> None:
        """Remove all planned faults. Close the connections of delayed requests without processing them."""
        with self._lock:
            self.planned.clear()
            self._cleared.set()
            self._cleared = threading.Event()

    @property
    def pending(self) -> int:
        """The number of planned faults that apply to further requests."""
        return len(self.planned)

    def next_for(self, method: str, path: str) -> RequestFault | None:
        """Return the fault for a request, or None. Used by the emulator."""
        if not self.planned:
            return None
        return self.planned.take(lambda fault: fault.method in {"", method} and self._matches(path, fault.on))

    def _plan(self, fault: RequestFault, on: str, method: str, times: int | None, skip: int) -> None:
        if times is not None and times < 1:
            raise UsageError(f"times must be at least 1, or None for all requests, got {times}.")
        if skip < 0:
            raise UsageError(f"skip must be at least 0, got {skip}.")
        if fault.how not in {"fin", "rst"}:
            raise UsageError(f'how must be "fin" or "rst", got {fault.how!r}.')
        with self._lock:
            fault = replace(fault, cleared=self._cleared, on=on, method=method.upper())
            self.planned.plan(fault, times, skip)
