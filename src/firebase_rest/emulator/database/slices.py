"""Long work in slices: generators that yield at least every few milliseconds, so that other requests can run between.

A thread would not help: parsing, sorting, rendering and freeing hold the interpreter's lock for the whole call.
"""

from __future__ import annotations

import gc
import random
import threading
from bisect import bisect_left
from contextlib import contextmanager
from itertools import chain, islice
from operator import le
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

Item = TypeVar("Item")
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

    def sweep(self) -> None:
        """During a pause, visit what was created since the last call, so that the next collection is short."""
        if self._pauses and gc.get_count()[0] > SLICE:
            gc.collect(0)


collector = _Collector()


def parts(items: Iterable[Item], size: int = SLICE) -> Iterator[list[Item]]:
    """Return the items in lists of at most `size`."""
    iterator = iter(items)
    while part := list(islice(iterator, size)):
        yield part
        collector.sweep()


def clear_work(items: list[Any]) -> Work[None]:
    """Empty a list."""
    while items:
        del items[-SLICE:]
        yield


def sort(items: Sequence[Item], rank: Callable[[Item], Any]) -> Work[list[list[Item]]]:
    """Return the items sorted by `rank`, in lists that follow each other. Equal items keep their order."""
    if len(items) <= _BUCKET:
        return [sorted(items, key=rank)]
    if (yield from _is_sorted(items, rank)):
        return list(parts(items, _BUCKET))
    # Sample sort: of the ranks of a sample, some divide the items into buckets of about equal size.
    count = len(items) // _BUCKET
    sample = sorted(rank(items[random.randrange(len(items))]) for _ in range(count * _OVERSAMPLING))  # noqa: S311
    yield
    splitters = list(dict.fromkeys(sample[_OVERSAMPLING // 2 :: _OVERSAMPLING]))
    # The buckets of items equal to a splitter need no sorting, however many they are.
    between: list[list[Item]] = [[] for _ in range(len(splitters) + 1)]
    equal: list[list[Item]] = [[] for _ in splitters]
    for part in parts(items):
        for item in part:
            position = rank(item)
            number = bisect_left(splitters, position)
            is_equal = number < len(splitters) and splitters[number] == position
            (equal if is_equal else between)[number].append(item)
        yield
    for bucket in between:
        bucket.sort(key=rank)
        yield
    pairs = zip(between, [*equal, []], strict=True)
    return [bucket for bucket in chain.from_iterable(pairs) if bucket]


def _is_sorted(items: Sequence[Item], rank: Callable[[Item], Any]) -> Work[bool]:
    for start in range(0, len(items), SLICE):
        ranks = list(map(rank, items[start : start + SLICE + 1]))
        if not all(map(le, ranks, ranks[1:])):
            return False
        yield
    return True
