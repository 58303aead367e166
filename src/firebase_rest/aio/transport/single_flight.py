"""Refresh a credential that many tasks use.

Invariants: at most one refresh runs at a time. A cancelled task does not cancel the refresh, because other tasks may
wait for it. No task waits while the old credential is usable.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from traceback import clear_frames

from firebase_rest.transport.single_flight import FAILURE_COOLDOWN, copy_error, is_temporary


class AsyncSingleFlight:
    """Runs one refresh for all tasks that need it."""

    def __init__(self) -> None:
        self._cooldown_until = 0.0
        self._flight: asyncio.Task[Exception | None] | None = None

    def __repr__(self) -> str:
        return "<AsyncSingleFlight>"

    async def ensure(
        self, is_needed: Callable[[], bool], is_usable: Callable[[], bool], refresh: Callable[[], Awaitable[None]]
    ) -> None:
        """Refresh the credential if needed, or wait for the refresh of another task; see `SingleFlight.ensure`."""
        while is_needed():
            flight = self._flight
            if flight is not None and flight.done():  # also true if its event loop was closed
                flight = None
            if is_usable() and (flight is not None or time.monotonic() < self._cooldown_until):
                return
            if flight is not None and flight is asyncio.current_task():
                return  # a callback of the refresh needs the credential, and must not wait for itself
            is_leader = flight is None
            if flight is None:
                flight = self._flight = asyncio.create_task(self._refresh(is_usable, refresh))
            error = await asyncio.shield(flight)
            if error is not None:
                # Each task raises a separate exception, because a shared one would collect all their tracebacks.
                raise error if is_leader else copy_error(error)
            return

    async def _refresh(self, is_usable: Callable[[], bool], refresh: Callable[[], Awaitable[None]]) -> Exception | None:
        try:
            await refresh()
        except Exception as error:  # noqa: BLE001 - raised again by the waiting tasks
            if not (is_temporary(error) and is_usable()):
                clear_frames(error.__traceback__)  # the local variables contain tokens
                return error
            self._cooldown_until = time.monotonic() + FAILURE_COOLDOWN
        return None
