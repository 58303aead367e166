"""An MD5 that a second thread computes, because hashing takes longer than receiving and writing the same bytes."""

from __future__ import annotations

import hashlib
import queue
from collections.abc import Iterable
from threading import Semaphore, Thread

from firebase_rest.errors import UsageError
from firebase_rest.transport.lifecycle import Closable, start_thread

BATCH_SIZE = 512 * 1024
"""Number of bytes that are passed to the thread at once. Shorter data is hashed without a thread."""

_MAX_QUEUED = 2
"""Maximum number of batches that wait for the thread."""


class ThreadedMD5(Closable):
    """A hasher like hashlib's whose `update` returns before the bytes are hashed."""

    def __init__(self) -> None:
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._batch: list[bytes] = []
        self._size = 0
        self._free_slots = Semaphore(_MAX_QUEUED)
        self._queue: queue.SimpleQueue[list[bytes]] = queue.SimpleQueue()
        self._thread: Thread | None = None

    def close(self) -> None:
        """End the thread, without waiting for it."""
        # No join: this may run at interpreter shutdown, when daemon threads no longer run.
        self._queue.put([])

    def update(self, data: bytes) -> None:
        """Add bytes. Raises `UsageError` in a forked child process."""
        self._batch.append(data)
        self._size += len(data)
        if self._size >= BATCH_SIZE:
            batch, self._batch, self._size = self._batch, [], 0
            if self._has_thread():
                self._free_slots.acquire()
                self._queue.put(batch)
            else:
                self._hash(batch)

    def digest(self) -> bytes:
        """Return the MD5 of all bytes so far. Raises the errors of `update`."""
        if self._thread is not None:
            self._check_thread(self._thread)
            self._queue.put([])
            self._thread.join()
            self._thread = None
        self._hash(self._batch)
        self._batch = []
        return self._md5.digest()

    def _has_thread(self) -> bool:
        if self._thread is None:
            self._thread = start_thread(self._run, "firebase_rest MD5")
        else:
            self._check_thread(self._thread)
        return self._thread is not None

    def _check_thread(self, thread: Thread) -> None:
        if not thread.is_alive():
            raise UsageError("Downloads cannot be shared across fork(); start the download in the child process.")

    def _run(self) -> None:
        while batch := self._queue.get():
            self._hash(batch)
            self._free_slots.release()

    def _hash(self, batch: Iterable[bytes]) -> None:
        for data in batch:
            self._md5.update(data)
