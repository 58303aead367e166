"""Work on the event loop, and waiting for messages to send."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar, cast

from firebase_rest.emulator.database.namespace import WAIT_SECONDS

if TYPE_CHECKING:
    from firebase_rest.emulator.database.realtime.outbox import Outbox
    from firebase_rest.emulator.database.realtime.session import Session
    from firebase_rest.emulator.database.slices import Work

_SLICE_SECONDS = 0.002

Result = TypeVar("Result")


async def in_slices(work: Work[Result]) -> Result:
    """Do work, and let other requests run every few milliseconds."""
    end = time.perf_counter() + _SLICE_SECONDS
    try:
        while True:
            next(work)
            if time.perf_counter() >= end:
                await asyncio.sleep(0)
                end = time.perf_counter() + _SLICE_SECONDS
    except StopIteration as stop:
        return cast("Result", stop.value)


async def handle(session: Session, message: str) -> str | None:
    """Let a session handle a message; return the kind of a control message."""
    while session.namespace.must_wait:  # noqa: ASYNC110 - any thread can end it
        await asyncio.sleep(WAIT_SECONDS)
    return await in_slices(session.receive_work(message))


def watch(outbox: Outbox) -> asyncio.Event:
    """Return an event of this loop that is set when something is added to `outbox`, by any thread."""
    loop, thread, added = asyncio.get_running_loop(), threading.get_ident(), asyncio.Event()

    def wake() -> None:
        if threading.get_ident() == thread:
            added.set()
            return
        with suppress(RuntimeError):  # the server may have been closed, and its loop with it
            loop.call_soon_threadsafe(added.set)

    outbox.on_added(wake)
    return added
