"""Turns of tasks on the event loop, so that many tasks that are ready at once do not block other requests.

The event loop runs all ready tasks before it reads from connections again: after a write with thousands of listeners,
another client would wait for all of them.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Callable

_SLICES_PER_ITERATION = 4
_WAKE_UPS_PER_ITERATION = 8


class Turns:
    """Calls a limited number of functions per iteration of the event loop, in order. Used in the thread of the loop."""

    def __init__(self, per_iteration: int) -> None:
        self._per_iteration = self._left = per_iteration
        self._waiting: deque[Callable[[], object]] = deque()
        self._is_renewal_scheduled = False

    def take(self, callback: Callable[[], object]) -> None:
        """Call `callback` now or in a later iteration."""
        self._schedule_renewal()
        if self._left and not self._waiting:
            self._left -= 1
            callback()
        else:
            self._waiting.append(callback)

    async def wait(self) -> None:
        """Wait for a turn in a later iteration."""
        await asyncio.sleep(0)
        turn = asyncio.Event()
        self.take(turn.set)
        await turn.wait()

    def _schedule_renewal(self) -> None:
        if not self._is_renewal_scheduled:
            asyncio.get_running_loop().call_soon(self._renew)
            self._is_renewal_scheduled = True

    def _renew(self) -> None:
        self._is_renewal_scheduled = False
        self._left = self._per_iteration
        while self._waiting and self._left:
            self._left -= 1
            self._waiting.popleft()()
        if self._left < self._per_iteration:
            self._schedule_renewal()


class LoopTurns:
    """The turns of one event loop: of slices of long work, and of tasks that waited for something to send."""

    def __init__(self) -> None:
        self.slices = Turns(_SLICES_PER_ITERATION)
        self.wake_ups = Turns(_WAKE_UPS_PER_ITERATION)


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, LoopTurns] = WeakKeyDictionary()


def running_turns() -> LoopTurns:
    """Return the turns of the running event loop."""
    loop = asyncio.get_running_loop()
    turns = _turns.get(loop)
    if turns is None:
        turns = _turns[loop] = LoopTurns()
    return turns
