"""Ending a blocking wait on a socket from another thread: at a call's deadline, and when a stream or App is closed."""

from __future__ import annotations

import _socket
import socket
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any


def cancel_socket(sock: Any) -> None:
    """Shut down the connection below `sock`, whatever kind of socket object it is. Never raises."""
    with suppress(Exception):
        while not isinstance(sock, _socket.socket):
            # urllib3's TLS inside TLS and pyOpenSSL's have `socket`, eventlet's `fd`, gevent's `_sock`.
            inner = (getattr(sock, name, None) for name in ("socket", "fd", "_sock"))
            sock = next(each for each in inner if each is not None)
        # Not sock.shutdown(): a TLS socket would also drop the object that another thread is reading from.
        _socket.socket.shutdown(sock, socket.SHUT_RDWR)


Slot = list[Callable[[], object]]
"""One action that ends a wait, or none.

Invariant: only the thread that takes the action out, which is one atomic step, may act on the connection behind it.
"""


def take(slot: Slot) -> Callable[[], object] | None:
    """The action in `slot`, for the one caller that takes it."""
    try:
        return slot.pop()
    except IndexError:
        return None


class CancelHandle:
    """Ends the request that it is attached to. `cancel` takes no lock: any thread and signal handler may call it.

    `dialed` says that a new connection was begun, `connected` that the request had one; with neither, an adapter of the
    program sends it. An `exclusive` request, a stream, gets a new connection: the kept-alive ones are for other calls.
    """

    __slots__ = ("_slot", "cancelled", "connected", "dialed", "due", "exclusive")

    def __init__(self, *, exclusive: bool = False) -> None:
        self.exclusive = exclusive
        self.cancelled = False
        self.dialed = False
        self.connected = False
        self.due: float | None = None  # when the watchdog cancels it, on the monotonic clock
        self._slot: Slot = []

    def attach(self, action: Callable[[], object]) -> Slot:
        """Let `cancel` call `action`, in place of the one before; whoever empties the slot prevents it."""
        slot = self._slot = [action]
        if self.cancelled:  # perhaps before there was an action
            self.cancel()
        return slot

    def detach(self) -> None:
        """Let `cancel` do nothing."""
        take(self._slot)

    def abandon(self) -> None:
        """Forget the socket in a forked child process: shutting it down would end the parent's connection."""
        self.cancelled = True
        self.detach()

    def cancel(self) -> None:
        """Wake the thread that waits; its read fails or finds the end."""
        self.cancelled = True
        action = take(self._slot)
        if action is not None:
            with suppress(Exception):  # not every body of a program's adapter can be ended
                action()


current_handle: ContextVar[CancelHandle | None] = ContextVar("firebase_rest_handle", default=None)
"""The handle of the request that this thread is sending."""
