"""Pauses of Python's garbage collector, which would visit large containers many times while they are built."""

from __future__ import annotations

import gc
import threading
from collections.abc import Generator
from contextlib import contextmanager

_FEW_OBJECTS = 2048
"""Number of new objects that are not worth a collection."""


class GarbageCollector:
    """Controls Python's garbage collector, which visits every value of a large container each time it runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pauses = 0
        self._was_enabled = False

    @contextmanager
    def paused(self) -> Generator[None]:
        """Pause collections while large containers are built, because each may take a second."""
        with self._lock:
            if self._pauses == 0:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._pauses += 1
        try:
            yield
        finally:
            with self._lock:
                self._pauses -= 1
                if self._pauses == 0 and self._was_enabled:
                    gc.enable()

    def sweep(self, *, force: bool = False) -> None:
        """During a pause, collect the objects created since the last call, so that the next collection is short.

        Args:
            force: Whether to collect even after few allocations, because the new containers are large.
        """
        if self._pauses and (force or gc.get_count()[0] > _FEW_OBJECTS):
            gc.collect(1)


collector = GarbageCollector()
"""The garbage collector of the process."""
