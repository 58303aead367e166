"""`Chunks`: an immutable sorted sequence of pairs. A changed copy shares the unchanged chunks.

Invariant: the pairs ascend by `rank(key, value)`, no two ranks are equal, and no chunk is empty. A change copies the
chunks that it affects and the tuple of chunks; the cost depends on the size of a chunk, not on the number of pairs.
Chunks are tuples instead of lists, because the garbage collector skips tuples of strings and numbers.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate, pairwise
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from firebase_rest.emulator.database.slices import SLICE, batches
from firebase_rest.rules.garbage_collector import collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from firebase_rest.emulator.database.slices import Work

Value = TypeVar("Value")

Rank: TypeAlias = "Callable[[str, Any], Any]"
"""`rank(key, value)` returns what the pair is sorted by."""

Position: TypeAlias = "tuple[int, int]"
"""The number of a chunk, and an index in it."""

SIZE = 512
"""Number of pairs in a new chunk. A changed chunk has at most twice as many pairs, and at least a quarter unless it is
the only chunk."""

REMOVED: Any = object()
"""The value of a pair to remove."""

_LOOKUPS_PER_SLICE = 256
_MAX_INSERTIONS = 16
"""Up to this number of changes, inserting the pairs one by one is faster than sorting the chunk again."""


class Chunk(Generic[Value]):
    """Consecutive pairs. `digest` caches the hash of the pairs for the ETag of a node (see `tree`)."""

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
        """Return the position of the first pair whose rank is at least `target`.

        Args:
            target: A rank.
            rank: The rank function that returned `target`; by default that of this sequence. Both must sort equally.
            after: Whether to skip a pair whose rank is equal to `target`.
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
        """Return the number of the chunk that contains a pair of this rank, or that the pair would be inserted in."""
        number = bisect_right(self.chunks, target, key=lambda chunk: rank(chunk.keys[0], chunk.values[0])) - 1
        return max(number, 0)

    def index(self, position: Position) -> int:
        """Return the number of pairs before a position."""
        number, offset = position
        return offset + (self.ends[number - 1] if number else 0)

    def keys_between(self, low: int, high: int) -> Iterator[str]:
        """Yield the keys of the pairs from the index `low` up to, but not including, `high`."""
        ends = self.ends
        number = bisect_right(ends, low)
        while low < high and number < len(ends):
            start = ends[number] - len(self.chunks[number].keys)
            yield from self.chunks[number].keys[low - start : high - start]
            low = ends[number]
            number += 1

    def apply_changes_work(
        self, changes: Sequence[tuple[Any, str, Any]], rank: Rank | None = None
    ) -> Work[Chunks[Value]]:
        """Return this sequence with pairs inserted, replaced or removed.

        Args:
            changes: Triples of rank, key, and the new value or `REMOVED`. The ranks must be distinct.
            rank: The rank function of the result; by default that of this sequence. Both must sort equally.
        """
        rank = rank or self.rank
        if not self.chunks:
            pairs = [(key, value) for _, key, value in sorted(changes, key=itemgetter(0)) if value is not REMOVED]
            return Chunks(tuple(split([key for key, _ in pairs], [value for _, value in pairs])), rank)
        groups: dict[int, list[tuple[Any, str, Any]]] = {}
        for batch in batches(changes, _LOOKUPS_PER_SLICE):
            for change in batch:
                groups.setdefault(self._chunk_number(change[0], rank), []).append(change)
            yield
        chunks: list[Any] = list(self.chunks)
        changed: list[int] = []
        shift = 0
        for number in sorted(groups):
            position, group = number + shift, groups.pop(number)
            if len(group) <= SLICE:
                chunks[position] = _changed_chunk(chunks[position], group, rank)
                changed.append(position)
            else:
                divided = Chunks((chunks[position],), rank)
                for batch in batches(group, SLICE):
                    divided = yield from divided.apply_changes_work(batch, rank)
                chunks[position : position + 1] = divided.chunks
                shift += len(divided.chunks) - 1
            yield
        for position in reversed(changed):
            _rebalance(chunks, position)
            yield
        return Chunks(tuple(chunks), rank)


def chunks_work(segments: Iterable[tuple[Sequence[str], Sequence[Value]]]) -> Work[tuple[Chunk[Value], ...]]:
    """Return sorted pairs as chunks. Each segment is a sequence of keys and a sequence of their values."""
    chunks: list[Chunk[Value]] = []
    keys: list[str] = []
    values: list[Value] = []
    for key_segment, value_segment in segments:
        keys += key_segment
        values += value_segment
        if len(keys) >= SLICE:
            chunks += split(keys, values)
            keys, values = [], []
            collector.sweep(force=True)
            yield
    return (*chunks, *split(keys, values))


def split(keys: Sequence[str], values: Sequence[Value]) -> list[Chunk[Value]]:
    """Return sorted pairs as chunks of about equal size."""
    count = (len(keys) + SIZE - 1) // SIZE
    bounds = [len(keys) * number // count for number in range(count + 1)] if count else []
    return [Chunk(tuple(keys[low:high]), tuple(values[low:high])) for low, high in pairwise(bounds)]


def _find(keys: Sequence[str], values: Sequence[Any], target: Any, rank: Rank) -> int:
    return bisect_left(range(len(keys)), target, key=lambda index: rank(keys[index], values[index]))


def _changed_chunk(chunk: Chunk[Any], changes: Sequence[tuple[Any, str, Any]], rank: Rank) -> Chunk[Any]:
    keys, values = list(chunk.keys), list(chunk.values)
    if len(changes) > _MAX_INSERTIONS:
        pairs = {rank(key, value): (key, value) for key, value in zip(keys, values, strict=True)}
        pairs.update((target, (key, value)) for target, key, value in changes)
        remaining = [pairs[target] for target in sorted(pairs) if pairs[target][1] is not REMOVED]
        return Chunk(tuple(key for key, _ in remaining), tuple(value for _, value in remaining))
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
    """Split a chunk that is too large, join one that is too small with a neighbour, and remove an empty one."""
    if number >= len(chunks):
        return  # the call for the next chunk has removed this one and the next one, because both were empty
    keys, values = chunks[number].keys, chunks[number].values
    if len(keys) < SIZE // 4 and len(chunks) > 1:
        first = max(number - 1, 0)
        left, right = chunks[first], chunks[first + 1]
        keys, values = left.keys + right.keys, left.values + right.values
        if len(keys) > 2 * SIZE:
            chunks[first : first + 2] = split(keys, values)
        else:
            chunks[first : first + 2] = [Chunk(keys, values)] if keys else []
    elif len(keys) > 2 * SIZE:
        chunks[number : number + 1] = split(keys, values)
    elif not keys:
        del chunks[number]
