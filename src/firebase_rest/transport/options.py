"""Timeouts, deadlines and retries."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from firebase_rest.errors import UsageError

LONGEST = 21 * 86_400.0
"""Seconds. Longer values are reduced to this, because poll() counts milliseconds in 31 bits."""


@dataclass(frozen=True, slots=True)
class Options:
    """Limits of a call.

    `connect` is the seconds to connect, `read` the seconds without data, `deadline` the seconds of the whole call or
    None, `retries` the maximum number of retries.
    """

    connect: float = 10.0
    read: float = 60.0
    deadline: float | None = None
    retries: int = 3

    def replace(
        self,
        timeout: float | tuple[float, float] | None = None,
        deadline: float | None = None,
        retries: int | None = None,
    ) -> Options:
        """Return a copy with the given values replaced. Raises `UsageError` if a value is not a valid limit."""
        changed = self
        if timeout is not None:
            connect, read = _pair(timeout)
            changed = replace(changed, connect=_seconds("timeout", connect), read=_seconds("timeout", read))
        if deadline is not None:
            changed = replace(changed, deadline=None if deadline == math.inf else _seconds("deadline", deadline))
        if retries is not None:
            if not _is_count(retries):
                raise UsageError(f"retries must be a whole number of at least 0, got {_shown(retries)}.")
            changed = replace(changed, retries=retries)
        return changed


def _pair(timeout: float | tuple[float, float]) -> tuple[float, float]:
    if not isinstance(timeout, tuple):
        return timeout, timeout
    if len(timeout) != 2:
        raise UsageError(
            f"timeout must be seconds or a pair (seconds to connect, seconds without data), got {_shown(timeout)}."
        )
    return timeout


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _seconds(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise UsageError(f"{name} must be a positive number of seconds, got {_shown(value)}.")
    return float(min(value, LONGEST))


def _shown(value: object) -> str:
    return f"{value!r:.60}"
