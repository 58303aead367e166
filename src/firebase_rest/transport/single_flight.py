"""Renewing a credential that many threads use.

The law of this file: however many ask, one renewal is under way, and nobody waits for it longer than his own call may
take, nor at all while the old credential will still do.
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
"""Seconds for which a renewal that brought no answer, or a server's failure, is not tried again, while the old
credential will do."""

_OUTAGES = frozenset({408, 429, *range(500, 600)})

deadline_var: ContextVar[float | None] = ContextVar("firebase_rest_call_ends", default=None)
"""When the call that asks for a credential has to end, on the monotonic clock; None if it may take its time."""


@dataclass(slots=True)
class _Flight:
    """A renewal under way, and how it ended."""

    done: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None
    dropped: bool = False
    thread: int = 0


class SingleFlight:
    """Renews one credential by `work`; `is_usable` tells whether the old one will do, `is_needed` whether to renew."""

    def __init__(self) -> None:
        self._quiet_until = 0.0
        register(self)
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        """Forget the refresh that a thread of the parent process makes."""
        self._lock = threading.RLock()  # reentrant: a signal handler may interrupt its holder
        self._flight: _Flight | None = None

    def __repr__(self) -> str:
        return "<Renewal>"

    def ensure(self, is_needed: Callable[[], bool], is_usable: Callable[[], bool], work: Callable[[], None]) -> None:
        """Renew, or wait for the renewal that is under way. Raises what `work` raises, unless the old one will do."""
        while is_needed():
            with self._lock:
                if is_usable() and (self._flight is not None or time.monotonic() < self._quiet_until):
                    return
                flight, leads = self._flight, self._flight is None
                if flight is None:
                    flight = self._flight = _Flight(thread=threading.get_ident())
                elif flight.thread == threading.get_ident():
                    return  # who is told of the renewal, within it, asks for more: it would wait for itself
            if leads:
                # A call with a deadline may give up, while the refresh goes on for the others: it gets a thread.
                arguments = (flight, is_usable, work)
                if deadline_var.get() is None or not start_thread(self._carry_out, "firebase_rest refresh", *arguments):
                    self._carry_out(*arguments)
            _wait(flight)
            if flight.error is not None:
                # Each thread raises one of its own: a shared one would collect all their tracebacks.
                raise flight.error if leads else _twin(flight.error)
            if not flight.dropped:
                return

    def _carry_out(self, flight: _Flight, is_usable: Callable[[], bool], work: Callable[[], None]) -> None:
        flight.thread = threading.get_ident()
        flight.dropped = True  # unless it comes to an end, of either kind
        try:
            work()
            flight.dropped = False
        except Exception as error:  # noqa: BLE001 - it is raised again by everybody who waits
            flight.dropped = False
            if _may_pass(error) and is_usable():
                self._quiet_until = time.monotonic() + FAILURE_COOLDOWN
            else:
                clear_frames(error.__traceback__)  # local variables of a refresh hold its tokens
                flight.error = error
        finally:
            with self._lock:
                self._flight = None
            flight.done.set()


def _wait(flight: _Flight) -> None:
    ends = deadline_var.get()
    if not flight.done.wait(None if ends is None else max(0.0, ends - time.monotonic())):
        raise NetworkTimeout("The credential was not renewed within the deadline of the call; nothing was sent.")


def _may_pass(error: Exception) -> bool:
    """Whether it says nothing about the credential: no connection, an outage, too many requests."""
    return isinstance(error, NetworkError) or (isinstance(error, ApiError) and (error.status or 0) in _OUTAGES)


def _twin(error: Exception) -> Exception:
    return copy.copy(error) if isinstance(error, FirebaseError) else error
