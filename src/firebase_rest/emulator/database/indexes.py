"""Indexes: the children of a large node sorted by a value, for ordered and limited reads.

An index is built when a query first needs it. A write to the node then creates the index of the new node from that of
the old one.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

from firebase_rest.database.ordering import key_order, value_order
from firebase_rest.emulator.database.children import Children, KeyKind, differing_keys
from firebase_rest.emulator.database.chunks import REMOVED, Chunks, chunks_work
from firebase_rest.emulator.database.slices import SLICE, batches, drain, is_ascending, partition
from firebase_rest.rules.garbage_collector import collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from firebase_rest.emulator.database.chunks import Rank
    from firebase_rest.emulator.database.slices import Bucket, Work
    from firebase_rest.transport.wire import Json

    ValueOf = Callable[[Any], Json]

_KEYS_PER_SLICE = 256
_CHUNKS_PER_SWEEP = 4
_NUMBERS = frozenset({int, float})


def full_rank(key: str, value: Json) -> tuple[Any, ...]:
    """Return the rank of a child, which is valid in any index and for the bounds of queries."""
    return (value_order(value), key_order(key))


class Index:
    """The keys of a node's children, sorted by `value_of(child)` and then by key.

    Attributes:
        chunks: The keys, each with its value.
    """

    __slots__ = ("_key_kind", "_value_kind", "chunks", "value_of")

    def __init__(self, chunks: Chunks[Json], value_of: ValueOf, value_kind: type | None, key_kind: KeyKind) -> None:
        self.chunks = chunks
        self.value_of = value_of
        self._value_kind = value_kind
        self._key_kind = key_kind

    def apply_changes_work(
        self, before: Children[Any], after: Children[Any], keys: Iterable[str] | None = None
    ) -> Work[Index]:
        """Return the index after a write of the children `keys`; None means all children that differ."""
        removed: list[tuple[str, Json]] = []
        added: list[tuple[str, Json]] = []
        for batch_of_keys in batches(differing_keys(before, after) if keys is None else keys, _KEYS_PER_SLICE):
            self._compare(batch_of_keys, before, after, removed, added)
            yield
        same_kind = all(kind_of_value(value) is self._value_kind for _, value in added)
        value_kind = self._value_kind if same_kind else None
        rank = _rank(value_kind, after.kind)
        # If the new value of a child has the same rank as the old one, the addition replaces the removal.
        changes: dict[Any, tuple[Any, str, Any]] = {}
        for batch in batches(removed, _KEYS_PER_SLICE):
            for key, value in batch:
                target = rank(key, value)
                changes[target] = target, key, REMOVED
            yield
        for batch in batches(added, _KEYS_PER_SLICE):
            for key, value in batch:
                target = rank(key, value)
                changes[target] = target, key, value
            yield
        if not changes and after.kind is self._key_kind:
            return self
        chunks = yield from self.chunks.apply_changes_work(list(changes.values()), rank)
        return Index(chunks, self.value_of, value_kind, after.kind)

    def _compare(
        self,
        keys: Iterable[str],
        before: Children[Any],
        after: Children[Any],
        removed: list[tuple[str, Json]],
        added: list[tuple[str, Json]],
    ) -> None:
        """Add to `removed` and `added` the children whose values differ between two versions."""
        value_of = self.value_of
        for key in keys:
            old, new = before.get(key), after.get(key)
            if old is new:
                continue
            old_value, new_value = value_of(old), value_of(new)
            if old is not None and new is not None and type(old_value) is type(new_value) and old_value == new_value:
                continue
            if old is not None:
                removed.append((key, old_value))
            if new is not None:
                added.append((key, new_value))


def build(children: Children[Any], value_of: ValueOf) -> Work[Index]:
    """Return the index of `children` by `value_of`."""
    keys: list[Sequence[str]] = []
    values: list[Sequence[Json]] = []
    kinds: set[type | None] = set()
    for chunk in children.chunks.chunks:
        keys.append(chunk.keys)
        values.append(list(map(value_of, chunk.values)))
        kinds.update(map(kind_of_value, values[-1]))
        if len(values) % _CHUNKS_PER_SWEEP == 0:
            collector.sweep(force=True)
        yield
    kind = kinds.pop() if len(kinds) == 1 else None
    order = _identity if kind else value_order
    # The children are in the order of their keys. Sorting is stable, so children with equal values stay in that order.
    segments: Iterable[tuple[Sequence[str], Sequence[Json]]]
    if (yield from is_ascending(values, order, strictly=False)):
        segments = zip(drain(keys), drain(values), strict=True)
    else:
        buckets = yield from partition(values, keys, order)
        segments = chain.from_iterable(_sorted_segments(bucket, order) for bucket in drain(buckets))
    chunks = yield from chunks_work(segments)
    return Index(Chunks(chunks, _rank(kind, children.kind)), value_of, kind, children.kind)


def _sorted_segments(
    bucket: Bucket[Json, str], order: Callable[[Json], Any]
) -> Iterator[tuple[Sequence[str], Sequence[Json]]]:
    values, keys = bucket.items, bucket.companions
    if bucket.is_sorted:
        starts = range(0, len(keys), SLICE)
        yield from ((keys[start : start + SLICE], values[start : start + SLICE]) for start in starts)
    else:
        numbers = sorted(range(len(values)), key=lambda number: order(values[number]))
        yield [keys[number] for number in numbers], [values[number] for number in numbers]


def kind_of_value(value: Json) -> type | None:
    """Return float for a number, str for an ASCII string, else None.

    Python and Firebase sort values of one kind equally, unless the kind is None.
    """
    kind = type(value)
    if kind in _NUMBERS:
        return float
    return str if isinstance(value, str) and value.isascii() else None


def _identity(value: Any) -> Any:
    return value


def _rank(value_kind: type | None, key_kind: KeyKind) -> Rank:
    key_rank = key_order if key_kind is KeyKind.MIXED else key_kind.order
    if value_kind is None:
        return lambda key, value: (value_order(value), key_rank(key))
    return lambda key, value: (value, key_rank(key))
