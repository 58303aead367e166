"""`Interrupt`: an event that any thread and any signal handler may set.

Invariant: `set` takes no lock, so a signal handler may interrupt another `set` or a `wait` at any point. A
`threading.Event` has a lock, which the interrupted code may hold.
"""

from __future__ import annotations

import queue
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from firebase_rest.errors import NetworkError
from firebase_rest.transport.lifecycle import start_thread

T = TypeVar("T")


class Interrupt:
    """An event that wakes all waiting threads. It cannot be reset."""

    def __init__(self) -> None:
        self._is_set = False
        self._waiters: set[queue.SimpleQueue[None]] = set()

    def is_set(self) -> bool:
        """Return whether `set` was called."""
        return self._is_set

    def set(self) -> None:
        """End the current waits and all later ones."""
        self._is_set = True
        for waiter in self._waiters.copy():
            waiter.put(None)

    def wait(self, seconds: float | None = None, waiter: queue.SimpleQueue[None] | None = None) -> bool:
        """Wait until `set` is called, `seconds` have passed, or `waiter` gets an item. Return whether it is set."""
        waiter = waiter or queue.SimpleQueue()  # not imported by name, because gevent may replace the class later
        self._waiters.add(waiter)
        try:
            if not self._is_set and (seconds is None or seconds > 0):
                with suppress(queue.Empty):
                    waiter.get(timeout=seconds)
        finally:
            self._waiters.discard(waiter)
        return self._is_set

    def result(self, work: Callable[[], T]) -> T:
        """Call `work` in another thread and return its result. Raises `NetworkError` if `set` is called first."""
        outcome: list[T] = []
        problems: list[Exception] = []
        done: queue.SimpleQueue[None] = queue.SimpleQueue()

        def run() -> None:
            try:
                outcome.append(work())
            except Exception as error:  # noqa: BLE001 - raised again in the thread that waits
                problems.append(error)
            finally:
                done.put(None)

        if start_thread(run, "firebase_rest credential") is None:
            return work()
        self.wait(waiter=done)
        if problems:
            raise problems[0]
        if not outcome:
            raise NetworkError("The stream was closed while it was waiting for a credential.")
        return outcome[0]
