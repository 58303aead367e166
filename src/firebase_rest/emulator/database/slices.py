"""Long work in slices: generators that yield every few milliseconds, so that other requests can run meanwhile.

A thread would not help: parsing, sorting, rendering and freeing memory hold Python's global interpreter lock.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sized
from itertools import chain, islice
from operator import le, lt
from random import choice
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from firebase_rest.rules.garbage_collector import collector

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Sequence

Item = TypeVar("Item")
Companion = TypeVar("Companion")
Result = TypeVar("Result")

Work: TypeAlias = "Generator[None, None, Result]"
"""A generator that yields after each slice and returns the result. Functions that return one end in `_work`."""

SLICE = 2048
"""Number of simple operations in one slice."""

_BUCKET_SIZE = 1024
_OVERSAMPLING = 8


def finish(work: Work[Result]) -> Result:
    """Run a generator to its end and return the result."""
    try:
        while True:
            next(work)
    except StopIteration as stop:
        return stop.value  # type: ignore[no-any-return]


def done(result: Result) -> Work[Result]:
    """Return work without slices that returns `result`."""
    yield from ()
    return result


def batches(items: Iterable[Item], size: int = SLICE) -> Iterator[list[Item]]:
    """Return the items in lists of at most `size`."""
    if isinstance(items, Sized) and len(items) <= size:
        return iter([list(items)] if items else [])
    return _batches(iter(items), size)


def _batches(items: Iterator[Item], size: int) -> Iterator[list[Item]]:
    while batch := list(islice(items, size)):
        yield batch
        collector.sweep()


def drain(items: list[Item]) -> Iterator[Item]:
    """Yield the items in order, and remove each from the list."""
    items.reverse()
    while items:
        yield items.pop()


def clear_work(items: list[Any] | dict[Any, Any]) -> Work[None]:
    """Remove all items of a list or dict, in slices. Releasing many items at once would block all clients."""
    while len(items) > SLICE:
        if isinstance(items, list):
            del items[-SLICE:]
        else:
            for _ in range(SLICE):
                items.popitem()
        yield
    items.clear()


def is_ascending(segments: Iterable[Sequence[Item]], rank: Callable[[Item], Any], *, strictly: bool) -> Work[bool]:
    """Return whether the ranks of all items ascend. With `strictly`, equal ranks do not ascend."""
    compare = lt if strictly else le
    last_rank: list[Any] = []
    for segment in segments:
        ranks = [*last_rank, *map(rank, segment)]
        if not all(map(compare, ranks, ranks[1:])):
            return False
        last_rank = ranks[-1:]
        yield
    return True


def partition(
    items: list[Sequence[Item]], companions: list[Sequence[Companion]], rank: Callable[[Item], Any]
) -> Work[list[Bucket[Item, Companion]]]:
    """Divide segments of items into buckets of ascending ranks, the first step of a sample sort.

    Args:
        items: The segments. The list is emptied.
        companions: For each item a companion, in segments of the same lengths. The list is emptied.
        rank: Returns what an item is sorted by.
    """
    sample = [rank(items[0][0])]
    for segment in items:
        count = len(segment) * _OVERSAMPLING // _BUCKET_SIZE
        sample += [rank(choice(segment)) for _ in range(count)]  # noqa: S311 - a sample needs no secure randomness
        yield
    dividers = list(dict.fromkeys((yield from _sorted(sample))[::_OVERSAMPLING]))
    buckets: list[Bucket[Item, Companion]] = [Bucket() for _ in range(2 * len(dividers) + 1)]
    collector.sweep(force=True)  # before the buckets grow
    for segment, segment_companions in zip(drain(items), drain(companions), strict=True):
        for item, companion in zip(segment, segment_companions, strict=True):
            item_rank = rank(item)
            number = bisect_left(dividers, item_rank)
            # Items with the rank of a divider are equal, so they have a separate bucket, which needs no sorting.
            is_equal = number < len(dividers) and dividers[number] == item_rank
            bucket = buckets[2 * number + is_equal]
            bucket.items.append(item)
            bucket.companions.append(companion)
        yield
    for bucket in buckets[1::2]:
        bucket.is_sorted = True
    return [bucket for bucket in buckets if bucket.items]


class Bucket(Generic[Item, Companion]):
    """Items with ranks in one range, and their companions, in their original order."""

    __slots__ = ("companions", "is_sorted", "items")

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.companions: list[Companion] = []
        self.is_sorted = False


def _sorted(items: list[Any]) -> Work[list[Any]]:
    """Return the items sorted."""
    runs = [sorted(batch) for batch in batches(items, _BUCKET_SIZE)]
    while len(runs) > 1:
        # Python's sort merges two sorted runs in linear time.
        runs = [sorted(chain.from_iterable(pair)) for pair in batches(runs, 2)]
        yield
    return runs[0]
