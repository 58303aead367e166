"""The lifecycle of objects: close them, reset them in forked child processes, and start threads safely at exit.

Invariant: after `os.fork()` the child uses no lock, socket or thread of its parent. An object that has one registers
itself here, and its `reset_after_fork` runs in the child before any other code. Sockets are dropped without `shutdown`
and without a TLS close message, because both would end the parent's connections.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar
from weakref import ref

if TYPE_CHECKING:
    from typing_extensions import Self

T = TypeVar("T")

logger = logging.getLogger("firebase_rest")


class Closable:
    """A context manager that calls `close()` at its end."""

    def close(self) -> object:
        """Release the resources. Idempotent."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


class WeakSet(Generic[T]):
    """A set of objects that are still alive.

    Invariant: any thread may add an object while another iterates. (`weakref.WeakSet` raises RuntimeError then.)
    """

    def __init__(self) -> None:
        self._references: set[ref[T]] = set()

    def add(self, item: T) -> None:
        """Add `item`. The set does not keep it alive."""
        self._references.add(ref(item, self._references.discard))

    def __iter__(self) -> Iterator[T]:
        for reference in self._references.copy():  # copy() is atomic
            item = reference()
            if item is not None:
                yield item


class Resettable(Protocol):
    """An object that a forked child process has to reset."""

    def reset_after_fork(self) -> None:
        """Replace locks and drop sockets. Called in the child, where no other thread runs."""
        ...


_registry: WeakSet[Resettable] = WeakSet()


def register(item: Resettable) -> None:
    """Reset `item` in every forked child process, for as long as it lives."""
    _registry.add(item)


def _reset_all() -> None:
    for item in _registry:
        try:
            item.reset_after_fork()
        except Exception:  # noqa: PERF203 - after a failure the other objects must be reset too
            logger.exception("%r was not reset after a fork", item)


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_reset_all)


def start_thread(
    target: Callable[..., object], name: str, *args: object, daemon: bool = True
) -> threading.Thread | None:
    """Start a thread. Return None if none can be started, for example while the interpreter exits."""
    if sys.is_finalizing():  # before Python 3.12, start() would block forever
        return None
    thread = threading.Thread(target=target, args=args, name=name, daemon=daemon)
    try:
        thread.start()
    except RuntimeError:
        return None
    return thread
