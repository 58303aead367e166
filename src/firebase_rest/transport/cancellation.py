"""Cancel a blocking request from another thread: at its deadline, or when its stream or App is closed."""

from __future__ import annotations

import _socket
import socket
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any


def cancel_socket(sock: Any) -> None:
    """Shut down the connection of a socket object of any library. Never raises."""
    with suppress(Exception):
        while not isinstance(sock, _socket.socket):
            # urllib3's TLS inside TLS and pyOpenSSL have the attribute `socket`, eventlet `fd`, gevent `_sock`.
            candidates = (getattr(sock, name, None) for name in ("socket", "fd", "_sock"))
            sock = next(candidate for candidate in candidates if candidate is not None)
        # Not sock.shutdown(), because a TLS socket would also drop the object from which another thread reads.
        _socket.socket.shutdown(sock, socket.SHUT_RDWR)


Slot = list[Callable[[], object]]
"""A list of one action that cancels a request, or an empty list.

Invariant: removing the action is one atomic step, and only the thread that removed it may call it or reuse the
connection.
"""


def take(slot: Slot) -> Callable[[], object] | None:
    """Remove and return the action, or return None if another thread has removed it."""
    try:
        return slot.pop()
    except IndexError:
        return None


@dataclass(slots=True, eq=False, repr=False)
class CancelHandle:
    """Cancels a request. `cancel` takes no lock, so any thread and signal handler may call it.

    Attributes:
        cancelled: Whether `cancel` or `abandon` was called.
        abandoned: Whether `abandon` was called.
        dialed: Whether the request began to open a new connection.
        connected: Whether the request had a connection. If `dialed` is False too, another adapter sends the request.
        exclusive: Whether the request needs a new connection. A stream would block a pooled connection for other calls.
        due: The time on the monotonic clock at which the watchdog cancels the request, or None.
        slot: The action that `cancel` takes and calls.
    """

    exclusive: bool = False
    cancelled: bool = False
    abandoned: bool = False
    dialed: bool = False
    connected: bool = False
    due: float | None = None
    slot: Slot = field(default_factory=list["Callable[[], object]"])

    def attach(self, action: Callable[[], object]) -> Slot:
        """Let `cancel` call `action` instead of the previous one, unless `take` removes it from the returned slot."""
        slot = self.slot = [action]
        if self.cancelled:  # `cancel` was called before the slot was set
            self.cancel()
        return slot

    def detach(self) -> None:
        """Remove the action."""
        take(self.slot)

    def abandon(self) -> None:
        """Remove the action in a forked child process. Shutting the socket down would end the parent's connection."""
        self.cancelled = self.abandoned = True
        self.detach()

    def cancel(self) -> None:
        """Make the blocking operation of the request fail."""
        self.cancelled = True
        action = take(self.slot)
        if action is not None:
            with suppress(Exception):  # bodies of other adapters may not support it
                action()


current_handle: ContextVar[CancelHandle | None] = ContextVar("firebase_rest_handle", default=None)
"""The handle of the request that this thread is sending."""
