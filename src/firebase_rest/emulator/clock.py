"""A clock for tests: what the emulator takes for the present, to be moved at will."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Seconds since the epoch, `rate` of them in each real second; `advance` jumps ahead.

    As `Emulator(clock=Clock())`: what `advance` makes expire is noticed at once, open streams included.
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
        """Let so many seconds pass at once."""
        with self._lock:
            self._ahead += seconds
        for watcher in self._watchers:
            watcher()

    def when_set(self, watcher: Callable[[], object]) -> None:
        """Call `watcher` after each jump."""
        self._watchers.append(watcher)
