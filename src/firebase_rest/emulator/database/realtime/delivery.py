"""Functions that run work on the event loop, and that wait for messages to send."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar, cast

from firebase_rest.emulator.database.namespace import WAIT_SECONDS
from firebase_rest.emulator.database.realtime.turns import running_turns

if TYPE_CHECKING:
    from collections.abc import Callable

    from firebase_rest.emulator.database.realtime.session import Session
    from firebase_rest.emulator.database.slices import Work

_SLICE_SECONDS = 0.002

Result = TypeVar("Result")


async def in_slices(work: Work[Result]) -> Result:
    """Run work and return its result. Let other tasks run every few milliseconds."""
    slice_end = time.perf_counter() + _SLICE_SECONDS
    try:
        while True:
            next(work)
            if time.perf_counter() >= slice_end:
                await running_turns().slices.wait()
                slice_end = time.perf_counter() + _SLICE_SECONDS
    except StopIteration as stop:
        return cast("Result", stop.value)


async def handle(session: Session, message: str) -> str | None:
    """Let a session handle a message. Return the kind of a control message, else None."""
    while session.namespace.must_wait:  # noqa: ASYNC110 - any thread can end the wait
        await asyncio.sleep(WAIT_SECONDS)
    return await in_slices(session.receive_work(message))


def watch(on_added: Callable[[Callable[[], None]], None]) -> asyncio.Event:
    """Return an event of this loop that is set after any thread calls the function that `on_added` gets."""
    loop, thread, added = asyncio.get_running_loop(), threading.get_ident(), asyncio.Event()
    take_turn = running_turns().wake_ups.take

    def wake() -> None:
        with suppress(RuntimeError):  # the loop is closed if the server has been closed
            if threading.get_ident() == thread:
                take_turn(added.set)
            else:
                loop.call_soon_threadsafe(take_turn, added.set)

    on_added(wake)
    return added
