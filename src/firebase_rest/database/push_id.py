"""Generate push IDs: 20-character keys that sort by their creation time.

A key consists of eight characters for the milliseconds and twelve characters for 72 random bits. Further keys of the
same millisecond increment the random bits.

Invariant: within a process every key is greater than all earlier keys, with any clock, threads and signal handlers. If
the random bits overflow or the clock steps back, this generator uses the next millisecond, unlike the official SDKs.
https://firebase.google.com/docs/database/rest/save-data#section-post
"""

from __future__ import annotations

import secrets
import time

from firebase_rest.transport.lifecycle import register

ALPHABET = "-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"

_CHARACTER_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]
_RANDOM_BITS = 72


class _IssuedKey(dict[str, "_IssuedKey"]):
    """The number of an issued key. The item "next" is the key that was issued after it."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number


class PushIdGenerator:
    """Generates ascending push IDs without a lock, so that any thread and signal handler can use it.

    The issued numbers form a chain, which `dict.setdefault` extends atomically; a thread that loses the race retries.
    """

    def __init__(self) -> None:
        self._last = _IssuedKey(-1)  # the end of the chain, or an entry shortly before it

    def next(self, now_ms: int | None = None) -> str:
        """Return the next key. `now_ms` is milliseconds since the epoch, by default the wall clock."""
        now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
        while True:
            last = self._newest()
            number = last.number + 1
            if now > last.number >> _RANDOM_BITS:
                number = now << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
            issued = _IssuedKey(number)
            if last.setdefault("next", issued) is issued:
                self._last = issued
                break
        return "".join([_CHARACTER_PAIRS[(number >> shift) & 4095] for shift in range(108, -1, -12)])

    def _newest(self) -> _IssuedKey:
        newest = self._last
        while newest:
            newest = newest["next"]
        return newest

    def reset_after_fork(self) -> None:
        """Use new random bits in the next millisecond, because the parent process increments the current ones."""
        millisecond = (self._newest().number >> _RANDOM_BITS) + 1
        self._last = _IssuedKey(millisecond << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS))


_process_wide = PushIdGenerator()
register(_process_wide)


def generate_key() -> str:
    """Return a new key, greater than all earlier keys of this process."""
    return _process_wide.next()
