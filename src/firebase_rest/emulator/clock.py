"""A settable clock for tests."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """A clock that returns seconds since the epoch and can be moved forward: `Emulator(clock=Clock())`.

    Args:
        rate: Emulated seconds per real second.
    """

    def __init__(self, rate: float = 1.0) -> None:
        self._rate = rate
        self._real = time.monotonic()
        self._start = time.time()
        self._ahead = 0.0
        self._lock = threading.Lock()
        self._watchers: list[Callable[[], object]] = []

    def __call__(self) -> float:
        return self._start + self._ahead + self._rate * (time.monotonic() - self._real)

    def advance(self, seconds: float) -> None:
        """Move the clock forward. Expired tokens take effect immediately, also in open streams.

        Args:
            seconds: How far to move the clock.
        """
        with self._lock:
            self._ahead += seconds
        self._notify()

    def reset(self) -> None:
        """Set the clock to the current time."""
        with self._lock:
            self._ahead, self._start, self._real = 0.0, time.time(), time.monotonic()
        self._notify()

    def _notify(self) -> None:
        for watcher in self._watchers:
            watcher()

    def when_set(self, watcher: Callable[[], object]) -> None:
        """Call `watcher` after each `advance`. Used by the emulator."""
        self._watchers.append(watcher)
