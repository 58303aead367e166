"""Long work in slices: generators that yield at least every few milliseconds, so that other requests can run between.

A thread would not help: parsing, sorting, rendering and freeing hold the interpreter's lock for the whole call.
"""

from __future__ import annotations

import gc
import threading
from bisect import bisect_left
from collections.abc import Sized
from contextlib import contextmanager
from itertools import chain, islice
from operator import le, lt
from random import randrange
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

Item = TypeVar("Item")
Companion = TypeVar("Companion")
Result = TypeVar("Result")

Work: TypeAlias = "Generator[None, None, Result]"
"""Yields between two slices, and returns the result."""

SLICE = 2048
"""Number of simple steps in one slice."""

_BUCKET = 1024
_OVERSAMPLING = 8


def finish(work: Work[Result]) -> Result:
    """Do all the work at once and return the result."""
    try:
        while True:
            next(work)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


def done(result: Result) -> Work[Result]:
    """Return work that is done already."""
    yield from ()
    return result


class _Collector:
    """Python's garbage collector, which visits every value of a large container each time it runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pauses = 0
        self._was_enabled = False

    @contextmanager
    def paused(self) -> Generator[None]:
        """Pause collections while large containers are built. They would stop all clients for up to a second."""
        with self._lock:
            if self._pauses == 0:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._pauses += 1
        try:
            yield
        finally:
            with self._lock:
                self._pauses -= 1
                if self._pauses == 0 and self._was_enabled:
                    gc.enable()

    def sweep(self, *, force: bool = False) -> None:
        """During a pause, visit what was created since the last call, so that the next collection is short.

        Args:
            force: Whether to do it also after few allocations, because the new containers are large.
        """
        if self._pauses and (force or gc.get_count()[0] > SLICE):
            gc.collect(1)


collector = _Collector()


def parts(items: Iterable[Item], size: int = SLICE) -> Iterator[list[Item]]:
    """Return the items in lists of at most `size`."""
    if isinstance(items, Sized) and len(items) <= size:
        return iter([list(items)] if items else [])
    return _parts(iter(items), size)


def _parts(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while part := list(islice(items, size)):
        yield part
        collector.sweep()


def drained(items: list[Item]) -> Iterator[Item]:
    """Return the items in order. The list loses them."""
    items.reverse()
    while items:
        yield items.pop()


def ascends(segments: Iterable[Sequence[Item]], rank: Callable[[Item], Any], *, strictly: bool) -> Work[bool]:
    """Return whether the items of all segments are in the order of their ranks, with `strictly` without equal ones."""
    compare = lt if strictly else le
    last: list[Any] = []
    for segment in segments:
        ranks = [*last, *map(rank, segment)]
        if not all(map(compare, ranks, ranks[1:])):
            return False
        last = ranks[-1:]
        yield
    return True


def partition(
    items: list[Sequence[Item]], companions: list[Sequence[Companion]], rank: Callable[[Item], Any]
) -> Work[list[Bucket[Item, Companion]]]:
    """Divide segments of items into buckets of ascending ranks, the first step of a sample sort.

    Args:
        items: The segments; the list is emptied.
        companions: Segments of equal lengths, whose items stay with those of `items`.
        rank: Returns what an item is to be sorted by.
    """
    sample = [rank(items[0][0])]
    for segment in items:
        sample += [rank(segment[randrange(len(segment))]) for _ in range(len(segment) * _OVERSAMPLING // _BUCKET)]  # noqa: S311
        yield
    dividers = list(dict.fromkeys((yield from _sorted(sample))[::_OVERSAMPLING]))
    buckets: list[Bucket[Item, Companion]] = [Bucket() for _ in range(2 * len(dividers) + 1)]
    collector.sweep(force=True)  # now, because the buckets grow
    for segment, others in zip(drained(items), drained(companions), strict=True):
        for item, other in zip(segment, others, strict=True):
            position = rank(item)
            number = bisect_left(dividers, position)
            # Items that are equal to a divider need no sorting, however many they are.
            is_equal = number < len(dividers) and dividers[number] == position
            bucket = buckets[2 * number + is_equal]
            bucket.items.append(item)
            bucket.companions.append(other)
        yield
    for bucket in buckets[1::2]:
        bucket.is_sorted = True
    return [bucket for bucket in buckets if bucket.items]


class Bucket(Generic[Item, Companion]):
    """Some of the items that `partition` divides, in their original order."""

    __slots__ = ("companions", "is_sorted", "items")

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.companions: list[Companion] = []
        self.is_sorted = False


def _sorted(items: list[Any]) -> Work[list[Any]]:
    """Return the items sorted."""
    runs = [sorted(part) for part in parts(items, _BUCKET)]
    while len(runs) > 1:
        # The sort of Python merges two sorted halves in linear time.
        runs = [sorted(chain.from_iterable(pair)) for pair in parts(runs, 2)]
        yield
    return runs[0]
