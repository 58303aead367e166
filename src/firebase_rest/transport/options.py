"""How long a call may take and how often it may be tried."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from firebase_rest.errors import UsageError

LONGEST = 21 * 86_400.0
"""Seconds: poll() counts milliseconds in 31 bits, beyond which a socket's timeout comes at once or never; locks on
Windows count them in 32."""


@dataclass(frozen=True, slots=True)
class Options:
    """`connect` and `read` are seconds of silence, `deadline` the seconds of the whole call (None: no bound)."""

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
        """A copy with other values; None keeps what is there. Raises `UsageError` for what is no limit."""
        changed = self
        if timeout is not None:
            connect, read = _pair(timeout)
            changed = replace(changed, connect=_seconds("timeout", connect), read=_seconds("timeout", read))
        if deadline is not None:
            changed = replace(changed, deadline=None if deadline == math.inf else _seconds("deadline", deadline))
        if retries is not None:
            if not _is_count(retries):
                raise UsageError(f"retries={retries!r}: pass how many more times a call is tried, 0 or more.")
            changed = replace(changed, retries=retries)
        return changed


def _pair(timeout: float | tuple[float, float]) -> tuple[float, float]:
    if not isinstance(timeout, tuple):
        return timeout, timeout
    if len(timeout) != 2:
        raise UsageError(f"timeout={timeout!r}: pass seconds, or a pair of them: (to connect, of silence).")
    return timeout


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _seconds(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < math.inf:
        raise UsageError(f"{name}={value!r}: pass a number of seconds above 0; every wait has a limit here.")
    return min(float(value), LONGEST)
