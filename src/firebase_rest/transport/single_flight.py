"""Refresh a credential that many threads use.

Invariants: at most one refresh runs at a time. Other threads wait for it no longer than their own deadline, and do not
wait while the old credential is usable.
"""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from traceback import clear_frames

from firebase_rest.errors import ApiError, FirebaseError, NetworkError, NetworkTimeout
from firebase_rest.transport.lifecycle import register, start_thread

FAILURE_COOLDOWN = 30.0
"""Seconds without another attempt after a network or server error, while the old credential is usable."""

_OUTAGES = frozenset({408, 429, *range(500, 600)})

deadline_var: ContextVar[float | None] = ContextVar("firebase_rest_deadline", default=None)
"""The deadline of the current call on the monotonic clock; None if it has none."""


@dataclass(slots=True)
class _Flight:
    """A running refresh and its outcome."""

    done: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None
    dropped: bool = False
    thread: int = 0


class SingleFlight:
    """Runs one refresh for all threads that need it."""

    def __init__(self) -> None:
        self._cooldown_until = 0.0
        register(self)
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        """Forget a refresh that runs in a thread of the parent process."""
        self._lock = threading.RLock()  # reentrant: a signal handler may interrupt its holder
        self._flight: _Flight | None = None

    def __repr__(self) -> str:
        return "<SingleFlight>"

    def ensure(self, is_needed: Callable[[], bool], is_usable: Callable[[], bool], work: Callable[[], None]) -> None:
        """Refresh the credential if needed, or wait for the refresh of another thread.

        Args:
            is_needed: Whether the credential needs a refresh.
            is_usable: Whether requests can still use the old credential.
            work: Refreshes the credential. Its exception is raised in all waiting threads unless the old credential is
                usable and the error may be temporary.
        """
        while is_needed():
            with self._lock:
                if is_usable() and (self._flight is not None or time.monotonic() < self._cooldown_until):
                    return
                flight, leads = self._flight, self._flight is None
                if flight is None:
                    flight = self._flight = _Flight(thread=threading.get_ident())
                elif flight.thread == threading.get_ident():
                    return  # a callback of the refresh needs the credential, and must not wait for itself
            if leads:
                # A call with a deadline can end before the refresh, which other calls need. So it runs in a thread.
                arguments = (flight, is_usable, work)
                if deadline_var.get() is None or not start_thread(self._carry_out, "firebase_rest refresh", *arguments):
                    self._carry_out(*arguments)
            _wait(flight)
            if flight.error is not None:
                # Each thread raises a separate exception, because a shared one would collect all their tracebacks.
                raise flight.error if leads else copy_error(flight.error)
            if not flight.dropped:
                return

    def _carry_out(self, flight: _Flight, is_usable: Callable[[], bool], work: Callable[[], None]) -> None:
        flight.thread = threading.get_ident()
        flight.dropped = True  # until it ends, with or without an error
        try:
            work()
            flight.dropped = False
        except Exception as error:  # noqa: BLE001 - raised again by the waiting threads
            flight.dropped = False
            if is_temporary(error) and is_usable():
                self._cooldown_until = time.monotonic() + FAILURE_COOLDOWN
            else:
                clear_frames(error.__traceback__)  # their local variables contain tokens
                flight.error = error
        finally:
            with self._lock:
                self._flight = None
            flight.done.set()


def _wait(flight: _Flight) -> None:
    ends = deadline_var.get()
    if not flight.done.wait(None if ends is None else max(0.0, ends - time.monotonic())):
        raise NetworkTimeout("The credential was not refreshed within the deadline of the call; nothing was sent.")


def is_temporary(error: Exception) -> bool:
    """Return whether a later refresh may succeed: no connection, an outage, too many requests."""
    return isinstance(error, NetworkError) or (isinstance(error, ApiError) and (error.status or 0) in _OUTAGES)


def copy_error(error: Exception) -> Exception:
    """Return another exception for another waiting thread."""
    return copy.copy(error) if isinstance(error, FirebaseError) else error
