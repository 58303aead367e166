"""`Chunks`: an immutable sorted sequence of pairs, which shares what a change does not touch.

Invariant: the pairs ascend by `rank(key, value)`, no two ranks are equal, and no chunk is empty. A change copies the
chunks that it touches and the tuple of chunks; the cost depends on the size of a chunk, not on the number of pairs.
Tuples instead of lists, because the garbage collector skips tuples of strings and numbers.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from firebase_rest.emulator.database.slices import SLICE, collector, parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from firebase_rest.emulator.database.slices import Work

Value = TypeVar("Value")

Rank: TypeAlias = "Callable[[str, Any], Any]"
"""Returns what a key and its value are sorted by."""

Position: TypeAlias = "tuple[int, int]"
"""The number of a chunk, and an index in it."""

SIZE = 512
"""Number of pairs in a new chunk. A changed chunk has up to twice as many, and at least a quarter unless it is the
only one."""

REMOVED: Any = object()
"""The value of a pair to remove."""

_FOUND_SLICE = 256
_FEW = 16
"""Up to this number of changes, inserting one by one is faster than sorting the chunk again."""


class Chunk(Generic[Value]):
    """Neighbouring pairs. `digest` caches what `etags` computes from them."""

    __slots__ = ("digest", "keys", "values")

    def __init__(self, keys: tuple[str, ...], values: tuple[Value, ...]) -> None:
        self.keys = keys
        self.values = values
        self.digest: int | None = None


class Chunks(Generic[Value]):
    """A sorted sequence of pairs of a key and a value."""

    __slots__ = ("_ends", "chunks", "rank")

    def __init__(self, chunks: tuple[Chunk[Value], ...], rank: Rank) -> None:
        self.chunks = chunks
        self.rank = rank
        self._ends: list[int] | None = None

    def __len__(self) -> int:
        ends = self.ends
        return ends[-1] if ends else 0

    @property
    def ends(self) -> list[int]:
        """The number of pairs up to the end of each chunk."""
        if self._ends is None:
            self._ends = list(accumulate(len(chunk.keys) for chunk in self.chunks))
        return self._ends

    def find(self, target: Any, rank: Rank | None = None, *, after: bool = False) -> Position:
        """Return the position of the first pair whose rank is not below `target`, or with `after` above it.

        Args:
            target: A rank.
            rank: Another rank function with the same order, of which `target` is a result.
            after: Whether to skip the pair of the rank `target`.
        """
        if not self.chunks:
            return 0, 0
        rank = rank or self.rank
        number = self._chunk_number(target, rank)
        chunk = self.chunks[number]
        offset = _find(chunk.keys, chunk.values, target, rank)
        if after and offset < len(chunk.keys) and rank(chunk.keys[offset], chunk.values[offset]) == target:
            offset += 1
        return number, offset

    def _chunk_number(self, target: Any, rank: Rank) -> int:
        """Return the chunk that contains a pair of this rank, or would contain it."""
        number = bisect_right(self.chunks, target, key=lambda chunk: rank(chunk.keys[0], chunk.values[0])) - 1
        return max(number, 0)

    def index(self, position: Position) -> int:
        """Return the number of pairs before a position."""
        number, offset = position
        return offset + (self.ends[number - 1] if number else 0)

    def keys_between(self, low: int, high: int) -> Iterator[str]:
        """Return the keys of the pairs with an index from `low` to below `high`."""
        ends = self.ends
        number = bisect_right(ends, low)
        while low < high and number < len(ends):
            start = ends[number] - len(self.chunks[number].keys)
            yield from self.chunks[number].keys[low - start : high - start]
            low = ends[number]
            number += 1

    def changed_work(self, changes: Sequence[tuple[Any, str, Any]], rank: Rank | None = None) -> Work[Chunks[Value]]:
        """Return this sequence with pairs inserted, replaced or removed.

        Args:
            changes: Triples of rank, key, and the new value or `REMOVED`; no rank twice.
            rank: Another rank function with the same order, which the result uses.
        """
        rank = rank or self.rank
        if not self.chunks:
            pairs = [(key, value) for _, key, value in sorted(changes, key=itemgetter(0)) if value is not REMOVED]
            return Chunks(tuple(split([key for key, _ in pairs], [value for _, value in pairs])), rank)
        groups: dict[int, list[tuple[Any, str, Any]]] = {}
        for part in parts(changes, _FOUND_SLICE):
            for change in part:
                groups.setdefault(self._chunk_number(change[0], rank), []).append(change)
            yield
        chunks: list[Any] = list(self.chunks)
        touched: list[int] = []
        shift = 0
        for number in sorted(groups):
            position, group = number + shift, groups[number]
            if len(group) <= SLICE:
                chunks[position] = _changed_chunk(chunks[position], group, rank)
                touched.append(position)
            else:
                part_of_chunks = Chunks((chunks[position],), rank)
                for part in parts(group, SLICE):
                    part_of_chunks = yield from part_of_chunks.changed_work(part, rank)
                chunks[position : position + 1] = part_of_chunks.chunks
                shift += len(part_of_chunks.chunks) - 1
            yield
        for position in reversed(touched):
            _rebalance(chunks, position)
            yield
        return Chunks(tuple(chunks), rank)


def chunks_work(segments: Iterable[tuple[Sequence[str], Sequence[Value]]]) -> Work[tuple[Chunk[Value], ...]]:
    """Return chunks of sorted pairs, which are given in segments of keys and of values."""
    chunks: list[Chunk[Value]] = []
    keys: list[str] = []
    values: list[Value] = []
    for some_keys, some_values in segments:
        keys += some_keys
        values += some_values
        if len(keys) >= SLICE:
            chunks += split(keys, values)
            keys, values = [], []
            collector.sweep(force=True)
            yield
    return (*chunks, *split(keys, values))


def split(keys: Sequence[str], values: Sequence[Value]) -> list[Chunk[Value]]:
    """Return sorted pairs as chunks of about equal size."""
    count = -(-len(keys) // SIZE)
    bounds = [len(keys) * number // count for number in range(count + 1)] if count else []
    return [Chunk(tuple(keys[low:high]), tuple(values[low:high])) for low, high in pairwise(bounds)]


def _find(keys: Sequence[str], values: Sequence[Any], target: Any, rank: Rank) -> int:
    return bisect_left(range(len(keys)), target, key=lambda index: rank(keys[index], values[index]))


def _changed_chunk(chunk: Chunk[Any], changes: Sequence[tuple[Any, str, Any]], rank: Rank) -> Chunk[Any]:
    keys, values = list(chunk.keys), list(chunk.values)
    if len(changes) > _FEW:
        pairs = {rank(key, value): (key, value) for key, value in zip(keys, values, strict=True)}
        pairs.update((target, (key, value)) for target, key, value in changes)
        kept = [pairs[target] for target in sorted(pairs) if pairs[target][1] is not REMOVED]
        return Chunk(tuple(key for key, _ in kept), tuple(value for _, value in kept))
    for target, key, value in changes:
        index = _find(keys, values, target, rank)
        if index < len(keys) and rank(keys[index], values[index]) == target:
            if value is REMOVED:
                del keys[index], values[index]
            else:
                keys[index], values[index] = key, value
        elif value is not REMOVED:
            keys.insert(index, key)
            values.insert(index, value)
    return Chunk(tuple(keys), tuple(values))


def _rebalance(chunks: list[Chunk[Any]], number: int) -> None:
    """Split a chunk that is too large, and join one that is too small with a neighbour."""
    if number >= len(chunks):
        return  # it was empty, and joined with an empty one
    keys, values = chunks[number].keys, chunks[number].values
    if len(keys) < SIZE // 4 and len(chunks) > 1:
        first = max(number - 1, 0)
        one, other = chunks[first], chunks[first + 1]
        keys, values = one.keys + other.keys, one.values + other.values
        chunks[first : first + 2] = split(keys, values) if len(keys) > 2 * SIZE else [Chunk(keys, values)][: len(keys)]
    elif len(keys) > 2 * SIZE:
        chunks[number : number + 1] = split(keys, values)
    elif not keys:
        del chunks[number]
