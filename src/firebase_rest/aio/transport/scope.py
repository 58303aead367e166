"""`Scope`: ends a block of a task at a deadline, or when the App is closed.

It resembles `asyncio.timeout`, which requires Python 3.11 and cannot be ended by `cancel()`.
"""

from __future__ import annotations

import asyncio
from typing import Any


class ScopeEnded(Exception):
    """The deadline of a scope has passed, or `cancel` was called."""


class Scope:
    """A context manager. Raises `ScopeEnded` from the block after `seconds`, or after `cancel()`.

    The set `scopes` contains it during the block.
    """

    __slots__ = ("__weakref__", "_before", "_is_ended", "_scopes", "_seconds", "_task", "_timer")

    def __init__(self, scopes: set[Scope], seconds: float | None = None) -> None:
        self._scopes = scopes
        self._seconds = seconds
        self._is_ended = False
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Scope:
        task = self._task = asyncio.current_task()
        self._before = _cancellations(task)
        if self._seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self.cancel)
        self._scopes.add(self)
        return self

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._scopes.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        # Invariant: a cancellation of the task by the program is never replaced by `ScopeEnded`.
        if self._is_ended and _uncancel(self._task) <= self._before and isinstance(error, asyncio.CancelledError):
            raise ScopeEnded from None

    def cancel(self) -> None:
        """End the block now."""
        if not self._is_ended and self._task is not None:
            self._is_ended = True
            self._task.cancel()


def _cancellations(task: Any) -> int:
    cancelling = getattr(task, "cancelling", None)  # Python 3.11
    return 0 if cancelling is None else int(cancelling())


def _uncancel(task: Any) -> int:
    uncancel = getattr(task, "uncancel", None)
    return 0 if uncancel is None else int(uncancel())
