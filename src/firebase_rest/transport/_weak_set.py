"""`WeakSet`: remembers objects without keeping them alive.

Invariant: any thread may add an object while another iterates. (`weakref.WeakSet` raises RuntimeError then.)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar
from weakref import ref

T = TypeVar("T")


class WeakSet(Generic[T]):
    """The objects added that are still alive."""

    def __init__(self) -> None:
        self._references: set[ref[T]] = set()

    def add(self, item: T) -> None:
        """Remember `item` while it is alive."""
        self._references.add(ref(item, self._references.discard))

    def __iter__(self) -> Iterator[T]:
        for reference in self._references.copy():  # one step: no other thread runs in between
            item = reference()
            if item is not None:
                yield item
