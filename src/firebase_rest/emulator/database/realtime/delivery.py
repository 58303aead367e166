"""What both transports need: handling messages, and waiting for those to send."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from firebase_rest.emulator.database.realtime.outbox import Outbox
    from firebase_rest.emulator.database.realtime.session import Session

SMALL_MESSAGE = 64 * 1024
"""Longer messages are handled in a thread, so that they do not delay other clients."""


async def handle(session: Session, message: str) -> str | None:
    """Let a session handle a message; return the kind of a control message."""
    if len(message) <= SMALL_MESSAGE:
        return session.receive(message)
    return await asyncio.to_thread(session.receive, message)


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
