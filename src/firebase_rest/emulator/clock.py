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
        self._start = time.time()
        self._monotonic_start = time.monotonic()
        self._advanced = 0.0
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], object]] = []

    def __call__(self) -> float:
        return self._start + self._advanced + self._rate * (time.monotonic() - self._monotonic_start)

    def advance(self, seconds: float) -> None:
        """Move the clock forward. Expired tokens take effect immediately, also in open streams.

        Args:
            seconds: How far to move the clock.
        """
        with self._lock:
            self._advanced += seconds
        self._notify()

    def reset(self) -> None:
        """Set the clock to the current time."""
        with self._lock:
            self._start = time.time()
            self._monotonic_start = time.monotonic()
            self._advanced = 0.0
        self._notify()

    def on_change(self, callback: Callable[[], object]) -> None:
        """Call `callback` after each `advance` and `reset`. Used by the emulator."""
        self._callbacks.append(callback)

    def _notify(self) -> None:
        for callback in self._callbacks:
            callback()
