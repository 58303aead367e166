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
    """Cancels handles whose time has passed. Its thread starts when it is needed and ends when it is idle."""

    IDLE = 5.0

    def __init__(self) -> None:
        self._count = itertools.count()  # so that entries for the same moment compare
        register(self)
        self.reset_after_fork()

    def reset_after_fork(self) -> None:
        """Begin without deadlines and without a thread."""
        self._inboxes: dict[int, _Inbox] = {}  # at 0: the queue of the running thread, if any

    def guard(self, handle: CancelHandle, seconds: float) -> None:
        """Cancel `handle` in `seconds`."""
        handle.due = time.monotonic() + seconds
        entry = (handle.due, next(self._count), handle)
        while not sys.is_finalizing():  # no other thread runs then; the timeouts of the socket still bound each wait
            inbox = self._inboxes.get(0)
            if inbox is None:
                # Looked up now: gevent may replace the class after this module was imported.
                mine: _Inbox = queue.SimpleQueue()
                inbox = self._inboxes.setdefault(0, mine)  # atomic: one caller starts the thread
                if inbox is mine and start_thread(self._run, "firebase_rest deadlines", inbox) is None:
                    self._inboxes.clear()
                    return
            inbox.put(entry)
            if self._inboxes.get(0) is inbox:  # else its thread is about to end, and may not see the entry
                return

    def release(self, handle: CancelHandle) -> None:
        """Do not cancel `handle` any more."""
        handle.due = None

    def rest(self) -> None:
        """End the thread now if it has no deadlines."""
        inbox = self._inboxes.get(0)
        if inbox is not None:
            inbox.put(None)

    def _run(self, inbox: _Inbox) -> None:
        entries: list[_Entry] = []  # a heap; released entries stay until their time, or until there are many
        limit = 64
        while True:
            wait = entries[0][0] - time.monotonic() if entries else self.IDLE
            if wait <= 0:
                due, _, handle = heapq.heappop(entries)
                if handle.due is not None and handle.due <= due:
                    handle.cancel()
                continue
            # A thread that is about to end may get an entry that its successor also gets: it waits only briefly.
            entry = _next(inbox, wait if self._inboxes.get(0) is inbox else min(wait, 0.05))
            if entry is not None:
                heapq.heappush(entries, entry)
                if len(entries) < limit:
                    continue
            entries = [each for each in entries if each[2].due is not None]
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
