"""Push ids: 20-character keys that sort by the time they were made.

The law of this file: within a process every key is greater than the one before, whatever the clock and the threads do.
Eight characters of milliseconds, then twelve of 72 random bits that count up while the millisecond stays. Where the
official SDKs wrap to zero (overflow) or follow a clock that steps back, ours borrows from the next millisecond instead.
https://firebase.google.com/docs/database/rest/save-data#section-post
"""

from __future__ import annotations

import os
import secrets
import threading
import time

ALPHABET = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_RANDOM_BITS = 72


class PushIds:
    """A source of rising push ids. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._millisecond = -1
        self._random = 0

    def next(self, now_ms: int | None = None) -> str:
        """The next key. `now_ms` is milliseconds since the epoch, by default the wall clock."""
        now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
        with self._lock:
            if now > self._millisecond:
                self._millisecond, self._random = now, secrets.randbits(_RANDOM_BITS)
            else:
                self._random += 1
                if self._random >> _RANDOM_BITS:
                    self._millisecond, self._random = self._millisecond + 1, secrets.randbits(_RANDOM_BITS)
            number = (self._millisecond << _RANDOM_BITS) | self._random
        return "".join([_PAIRS[(number >> shift) & 4095] for shift in range(108, -1, -12)])

    def restart(self) -> None:
        """Draw new random digits in the next millisecond: for a forked child, which would repeat its parent's keys."""
        self._lock = threading.Lock()  # the parent's may have been held by a thread that does not exist here
        self._millisecond, self._random = self._millisecond + 1, secrets.randbits(_RANDOM_BITS)


_process_wide = PushIds()
if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_process_wide.restart)


def generate_key() -> str:
    """A new key, greater than every key made in this process before."""
    return _process_wide.next()
