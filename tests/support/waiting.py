"""Wait for a condition with a limit. Only the standard library is imported, because programs of other tests use it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LIMIT = 20.0
"""Maximum seconds that a test waits for a condition."""


def wait_for(condition: Callable[[], object], limit: float = LIMIT, *, description: str = "the condition") -> None:
    """Return when `condition()` is true. Raises `AssertionError` after `limit` seconds."""
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, f"timed out after {limit} s while waiting for {description}"
        threading.Event().wait(0.002)
