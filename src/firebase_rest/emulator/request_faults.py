"""Fault injection for requests to the database and to Auth."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from firebase_rest.emulator.storage.faults import ConnectionDropped
from firebase_rest.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from firebase_rest.emulator.storage.faults import DropMethod
    from firebase_rest.transport.wire import Response

Matcher: TypeAlias = "Callable[[str, str], bool]"
"""Returns whether a raw path is selected by the argument `on`."""

ErrorResponse: TypeAlias = "Callable[[int, str], Response]"
"""Returns the error response of a service with a status and a message."""

_MIN_STATUS, _MAX_STATUS = 400, 599
_POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class RequestFault:
    """A fault in one request.

    Attributes:
        action: Respond with `response` (`"reject"`), wait for `seconds` (`"delay"`), or close the connection before the
            request is processed (`"drop"`) or after (`"lose"`).
        seconds: The delay.
        how: How the connection is closed.
        response: The response.
        cleared: Set when the faults are cleared, which ends a delay.
    """

    action: Literal["reject", "delay", "drop", "lose"]
    seconds: float = 0
    how: DropMethod = "fin"
    response: Response | None = None
    cleared: threading.Event = field(default_factory=threading.Event)

    def wait(self) -> None:
        """Wait for the delay. Raises `ConnectionDropped` if the faults are cleared meanwhile."""
        if self.seconds and self.cleared.wait(self.seconds):
            raise ConnectionDropped(self.how)

    async def wait_async(self) -> None:
        """Do `wait` on an event loop."""
        end = time.monotonic() + self.seconds
        while (left := end - time.monotonic()) > 0:
            if self.cleared.is_set():
                raise ConnectionDropped(self.how)
            await asyncio.sleep(min(left, _POLL_SECONDS))

    def before(self) -> Response | None:
        """Return the response that replaces the processing. Raises `ConnectionDropped` for `"drop"`."""
        if self.action == "drop":
            raise ConnectionDropped(self.how)
        return self.response

    def after(self) -> None:
        """Raise `ConnectionDropped` for `"lose"`."""
        if self.action == "lose":
            raise ConnectionDropped(self.how)


@dataclass(slots=True)
class _Planned:
    """A fault for the next `times` matching requests (None: all), after `skip` requests."""

    fault: RequestFault
    on: str
    method: str
    times: int | None
    skip: int


class RequestFaults:
    """Injects faults into the requests to one service. Thread-safe.

    Each method plans a fault for the next `times` matching requests (None: all), after `skip` requests. `on` selects
    requests: for the database, those at this path and below (`"users/ada"`); for Auth, those of this operation
    (`"signUp"`, `"signInWithPassword"`, or `"token"` for the refresh of tokens). `method` selects those with this HTTP
    method. The default is all requests. If several faults apply, the one planned first is used. `how` is "fin" (close
    the connection) or "rst" (reset it).

    Without a server, a broken connection raises `NetworkError`.

    Args:
        matches: Returns whether `on` selects a path.
        error_response: Returns the error response of the service.
    """

    def __init__(self, matches: Matcher, error_response: ErrorResponse) -> None:
        self._matches = matches
        self._error_response = error_response
        self.planned: list[_Planned] = []
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
            raise UsageError(f"seconds must be a number of seconds from 0, got {seconds}.")
        self._plan(RequestFault("delay", seconds), on, method, times, skip)

    def drop_request(
        self, on: str = "", *, how: DropMethod = "fin", method: str = "", times: int | None = 1, skip: int = 0
    ) -> None:
        """Close the connection instead of processing the request."""
        self._plan(RequestFault("drop", how=how), on, method, times, skip)

    def drop_response(
        self, on: str = "", *, how: DropMethod = "fin", method: str = "", times: int | None = 1, skip: int = 0
    ) -> None:
        """Process the request, then close the connection without a response."""
        self._plan(RequestFault("lose", how=how), on, method, times, skip)

    def clear(self) -> None:
        """Remove all planned faults. Requests that are delayed are not processed: their connections are closed."""
        with self._lock:
            self.planned.clear()
            self._cleared.set()
            self._cleared = threading.Event()

    @property
    def pending(self) -> int:
        """The number of planned faults that have not been used up."""
        return len(self.planned)

    def next_for(self, method: str, path: str) -> RequestFault | None:
        """Return the fault for a request, if any. Used by the emulator."""
        if not self.planned:
            return None
        with self._lock:
            for planned in self.planned:
                if planned.method not in {"", method} or not self._matches(path, planned.on):
                    continue
                if planned.skip:
                    planned.skip -= 1
                    continue
                if planned.times is not None:
                    planned.times -= 1
                    if planned.times <= 0:
                        self.planned.remove(planned)
                return planned.fault
        return None

    def _plan(self, fault: RequestFault, on: str, method: str, times: int | None, skip: int) -> None:
        if times is not None and times < 1:
            raise UsageError(f"times must be a positive number or None, got {times}.")
        if skip < 0:
            raise UsageError(f"skip must be a number from 0, got {skip}.")
        if fault.how not in {"fin", "rst"}:
            raise UsageError(f'how must be "fin" or "rst", got {fault.how!r}.')
        with self._lock:
            fault = replace(fault, cleared=self._cleared)
            self.planned.append(_Planned(fault, on, method.upper(), times, skip))
