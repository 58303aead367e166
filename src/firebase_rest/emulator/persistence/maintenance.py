"""Runs work in a background thread, in slices, so that requests are handled meanwhile."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from firebase_rest.emulator.data_errors import DataFolderError, SaveError

if TYPE_CHECKING:
    from collections.abc import Callable

    from firebase_rest.emulator.database.slices import Work

_PAUSE_SECONDS = 0.0005
_RETRY_SECONDS = 10.0

_log = logging.getLogger("firebase_rest.emulator")


class Maintenance:
    """Runs the same work on request, in a background thread, only once at a time. Thread-safe.

    Args:
        work: Returns the work.
    """

    def __init__(self, work: Callable[[], Work[None]]) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._not_before = 0.0

    def request(self) -> None:
        """Start the work. Do nothing while it runs, and for 10 seconds after it has failed."""
        with self._lock:
            if self._closed or self._thread is not None or time.monotonic() < self._not_before:
                return
            self._thread = threading.Thread(target=self._run, name="firebase-emulator-data", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        try:
            for _ in self._work():
                if self._closed:
                    return
                time.sleep(_PAUSE_SECONDS)  # let other threads run
        except (SaveError, DataFolderError) as error:
            _log.warning("%s The emulator continues, and will retry to reduce the size of its data folder.", error)
            self._not_before = time.monotonic() + _RETRY_SECONDS
        finally:
            with self._lock:
                self._thread = None

    def close(self) -> None:
        """Stop after the current slice. Idempotent."""
        self._closed = True
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()
