"""`Watchdog`: cancels the requests whose deadline has passed, in one thread for the whole process.

Invariant: `guard` and `release` take no lock, so a signal handler may interrupt them at any point and call them too.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import sys
import time
from typing import TypeAlias

from firebase_rest.transport.cancellation import CancelHandle
from firebase_rest.transport.lifecycle import register, start_thread

_Entry = tuple[float, int, CancelHandle]
_Inbox: TypeAlias = "queue.SimpleQueue[_Entry | None]"


class Watchdog:
    """Cancels handles whose deadline has passed. Its thread starts when it is needed, and ends when it is idle."""

    IDLE_SECONDS = 5.0

    def __init__(self) -> None:
        self._count = itertools.count()  # makes entries for the same time comparable
        register(self)
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        """Drop all deadlines and the thread of the parent process."""
        self._inboxes: dict[int, _Inbox] = {}  # key 0 contains the queue of the running thread, if there is one

    def guard(self, handle: CancelHandle, seconds: float) -> None:
        """Cancel `handle` after a number of seconds."""
        handle.due = time.monotonic() + seconds
        entry = (handle.due, next(self._count), handle)
        # While the interpreter exits no thread can run, and the timeouts of the socket still bound each wait.
        while not sys.is_finalizing():
            inbox = self._inboxes.get(0)
            if inbox is None:
                # Not imported by name, because gevent may replace the class after this module was imported.
                new_inbox: _Inbox = queue.SimpleQueue()
                inbox = self._inboxes.setdefault(0, new_inbox)  # atomic: one caller starts the thread
                if inbox is new_inbox and start_thread(self._run, "firebase_rest deadlines", inbox) is None:
                    self._inboxes.clear()
                    return
            inbox.put(entry)
            if self._inboxes.get(0) is inbox:  # otherwise its thread is ending, and may not read the entry
                return

    def release(self, handle: CancelHandle) -> None:
        """Remove the deadline of `handle`."""
        handle.due = None

    def stop_if_idle(self) -> None:
        """End the thread if there are no deadlines."""
        inbox = self._inboxes.get(0)
        if inbox is not None:
            inbox.put(None)

    def _run(self, inbox: _Inbox) -> None:
        entries: list[_Entry] = []  # a heap; released entries are removed at their time, or when there are many
        limit = 64
        while True:
            wait = entries[0][0] - time.monotonic() if entries else self.IDLE_SECONDS
            if wait <= 0:
                due, _, handle = heapq.heappop(entries)
                if handle.due is not None and handle.due <= due:
                    handle.cancel()
                continue
            # An ending thread waits only briefly, because its successor also gets the entries that it may receive.
            entry = _next(inbox, wait if self._inboxes.get(0) is inbox else min(wait, 0.05))
            if entry is not None:
                heapq.heappush(entries, entry)
                if len(entries) < limit:
                    continue
            entries = [item for item in entries if item[2].due is not None]
            heapq.heapify(entries)
            limit = 64 + 2 * len(entries)
            if entry is None and not entries:
                if self._inboxes.get(0) is inbox:
                    self._inboxes.clear()
                if inbox.empty():
                    return


def _next(inbox: _Inbox, seconds: float) -> _Entry | None:
    try:
        return inbox.get(timeout=min(seconds, 3600.0))
    except queue.Empty:
        return None


watchdog = Watchdog()
"""The watchdog of the process."""
