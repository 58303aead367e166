"""`Options`: the timeouts, the deadline and the retries of calls."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import cast

from firebase_rest.errors import UsageError
from firebase_rest.transport.arguments import as_float, describe, validate_int

LONGEST = 21 * 86_400.0
"""Maximum number of seconds. Longer values are reduced to it, because poll() counts milliseconds in 31 bits."""


@dataclass(frozen=True, slots=True)
class Options:
    """Limits of a call.

    Attributes:
        connect: Seconds to connect.
        read: Seconds without data.
        deadline: Seconds of the whole call, or None.
        retries: Maximum number of retries.
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
        """Return a copy with new values for the arguments that are not None. Raises `UsageError` for invalid values."""
        changed = self
        if timeout is not None:
            connect, read = _pair(timeout)
            changed = replace(changed, connect=_seconds("timeout", connect), read=_seconds("timeout", read))
        if deadline is not None:
            is_unlimited = isinstance(cast(object, deadline), float) and deadline == math.inf
            changed = replace(changed, deadline=None if is_unlimited else _seconds("deadline", deadline))
        if retries is not None:
            changed = replace(changed, retries=validate_int("retries", retries, 0))
        return changed


def _pair(timeout: float | tuple[float, float]) -> tuple[float, float]:
    if not isinstance(timeout, tuple):
        return timeout, timeout
    if len(timeout) != 2:
        raise UsageError(
            f"timeout must be seconds or a pair (seconds to connect, seconds without data), got {len(timeout)} values."
        )
    return timeout


def _seconds(name: str, value: object) -> float:
    seconds = as_float(value)
    if seconds is None or seconds <= 0:
        raise UsageError(f"{name} must be a positive number of seconds, got {describe(value)}.")
    return min(seconds, LONGEST)
