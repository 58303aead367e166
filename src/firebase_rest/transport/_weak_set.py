"""What ends with the App, or with the program, if it still lives then.

The law of this file: things may be added by any thread while they are being closed by another. (A WeakSet cannot be
walked then: it raises RuntimeError.)
"""

from __future__ import annotations

from typing import Protocol
from weakref import ref


class Closable(Protocol):
    """What can be closed."""

    def close(self) -> object: ...


class WeakCloseSet:
    """Remembers things without keeping them alive."""

    def __init__(self) -> None:
        self._references: set[ref[Closable]] = set()

    def add(self, closable: Closable) -> None:
        """Close it too, if it still lives."""
        self._references.add(ref(closable, self._references.discard))

    def close(self) -> None:
        """Close all that live."""
        for reference in self._references.copy():  # in one step: no other thread comes between
            closable = reference()
            if closable is not None:
                closable.close()
