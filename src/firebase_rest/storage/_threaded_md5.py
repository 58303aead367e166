"""An MD5 that is added up beside what goes on: it takes longer than receiving and writing the same bytes.

The law of this file: at most `_AHEAD` batches wait, and whoever lets go waits for nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from queue import SimpleQueue
from threading import Semaphore, Thread
from types import TracebackType

from firebase_rest.errors import UsageError
from firebase_rest.transport.lifecycle import start_thread

BATCH = 512 * 1024
"""Bytes that are handed to the thread at once. What has fewer needs none."""

_AHEAD = 2


class ThreadedMD5:
    """An MD5 like hashlib's, of bytes that a thread of its own adds up. A context manager, which lets the thread go."""

    def __init__(self) -> None:
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._batch: list[bytes] = []
        self._size = 0
        self._room = Semaphore(_AHEAD)
        self._work: SimpleQueue[list[bytes]] = SimpleQueue()
        self._thread: Thread | None = None

    def __enter__(self) -> ThreadedMD5:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        # Not waited for: this may run while the interpreter ends, when such a thread goes on no more.
        self._work.put([])

    def update(self, data: bytes) -> None:
        """Some more bytes. Raises `UsageError` in a process that was forked meanwhile."""
        self._batch.append(data)
        self._size += len(data)
        if self._size >= BATCH:
            batch, self._batch, self._size = self._batch, [], 0
            if self._is_helped():
                self._room.acquire()
                self._work.put(batch)
            else:
                self._add(batch)

    def digest(self) -> bytes:
        """The MD5 of all bytes until now. Raises as `update`."""
        if self._thread is not None:
            self._check_thread(self._thread)
            self._work.put([])
            self._thread.join()
            self._thread = None
        self._add(self._batch)
        self._batch = []
        return self._md5.digest()

    def _is_helped(self) -> bool:
        if self._thread is None:
            self._thread = start_thread(self._run, "firebase_rest MD5")
        else:
            self._check_thread(self._thread)
        return self._thread is not None

    def _check_thread(self, thread: Thread) -> None:
        if not thread.is_alive():  # threads stay behind in a fork, and what they had begun with them
            raise UsageError("A download goes on in the process that began it alone: begin it after the fork.")

    def _run(self) -> None:
        while batch := self._work.get():
            self._add(batch)
            self._room.release()

    def _add(self, batch: Iterable[bytes]) -> None:
        for data in batch:
            self._md5.update(data)
