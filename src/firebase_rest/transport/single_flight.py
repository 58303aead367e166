"""Refresh a credential that many threads use.

Invariants: at most one refresh runs at a time. Other threads wait for the refresh at most until their own deadline, and
do not wait while the old credential is usable.
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
"""Minimum seconds between a network or server error and the next refresh, while the old credential is usable."""

_OUTAGES = frozenset({408, 429, *range(500, 600)})

deadline_var: ContextVar[float | None] = ContextVar("firebase_rest_deadline", default=None)
"""The time of the current call's deadline on the monotonic clock, or None."""


@dataclass(slots=True)
class _Flight:
    """A running refresh and its outcome."""

    done: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None
    is_interrupted: bool = False
    thread: int = 0


class SingleFlight:
    """Runs one refresh for all threads that need it."""

    def __init__(self) -> None:
        self._cooldown_until = 0.0
        register(self)
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        """Discard the state of a refresh that runs in a thread of the parent process."""
        self._lock = threading.RLock()  # reentrant: a signal handler may interrupt its holder
        self._flight: _Flight | None = None

    def __repr__(self) -> str:
        return "<SingleFlight>"

    def ensure(self, is_needed: Callable[[], bool], is_usable: Callable[[], bool], refresh: Callable[[], None]) -> None:
        """Refresh the credential if needed, or wait for the refresh of another thread.

        Args:
            is_needed: Whether the credential needs a refresh.
            is_usable: Whether requests can still use the old credential.
            refresh: Refreshes the credential. Its exception is raised in all waiting threads, unless the old credential
                is usable and the error may be temporary.
        """
        while is_needed():
            with self._lock:
                if is_usable() and (self._flight is not None or time.monotonic() < self._cooldown_until):
                    return
                flight, is_leader = self._flight, self._flight is None
                if flight is None:
                    flight = self._flight = _Flight(thread=threading.get_ident())
                elif flight.thread == threading.get_ident():
                    return  # a callback of the refresh needs the credential, and must not wait for itself
            if is_leader:
                # In a thread, because a call with a deadline can end before the refresh, whose result other calls need.
                arguments = (flight, is_usable, refresh)
                if deadline_var.get() is None or not start_thread(self._refresh, "firebase_rest refresh", *arguments):
                    self._refresh(*arguments)
            _wait(flight)
            if flight.error is not None:
                # Each thread raises a separate exception, because a shared one would collect all their tracebacks.
                raise flight.error if is_leader else copy_error(flight.error)
            if not flight.is_interrupted:
                return

    def _refresh(self, flight: _Flight, is_usable: Callable[[], bool], refresh: Callable[[], None]) -> None:
        flight.thread = threading.get_ident()
        # KeyboardInterrupt and SystemExit do not reset this value; then a waiting thread repeats the refresh.
        flight.is_interrupted = True
        try:
            refresh()
            flight.is_interrupted = False
        except Exception as error:  # noqa: BLE001 - raised again by the waiting threads
            flight.is_interrupted = False
            if is_temporary(error) and is_usable():
                self._cooldown_until = time.monotonic() + FAILURE_COOLDOWN
            else:
                clear_frames(error.__traceback__)  # the local variables contain tokens
                flight.error = error
        finally:
            with self._lock:
                self._flight = None
            flight.done.set()


def _wait(flight: _Flight) -> None:
    deadline_at = deadline_var.get()
    if not flight.done.wait(None if deadline_at is None else max(0.0, deadline_at - time.monotonic())):
        raise NetworkTimeout("The credential was not refreshed within the deadline of the call; nothing was sent.")


def is_temporary(error: Exception) -> bool:
    """Return whether a later refresh may succeed, after a network error, an outage or too many requests."""
    return isinstance(error, NetworkError) or (isinstance(error, ApiError) and (error.status or 0) in _OUTAGES)


def copy_error(error: Exception) -> Exception:
    """Return a copy of an error for another waiting thread."""
    return copy.copy(error) if isinstance(error, FirebaseError) else error
