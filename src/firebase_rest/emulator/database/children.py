"""The children of a large node: an immutable mapping in Firebase's order. A changed copy shares unchanged chunks."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from enum import Enum
from itertools import chain
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from firebase_rest.database.ordering import key_order
from firebase_rest.emulator.database.chunks import REMOVED, Chunks, chunks_work
from firebase_rest.emulator.database.slices import batches, clear_work, drain, is_ascending, partition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from firebase_rest.emulator.database.slices import Bucket, Work

Child = TypeVar("Child")


class KeyKind(Enum):
    """The comparison that sorts a set of keys in Firebase's order. Keys that fit several kinds sort equally in all."""

    TEXT = "ASCII strings that do not look like integers, in Python's order"
    INTEGER = "integers of 32 bits without leading zeros, by value"
    MIXED = "any keys, by `key_order`"

    @property
    def order(self) -> Callable[[str], Any]:
        """The function that returns what a key is sorted by."""
        return _ORDERS[self]


_ORDERS: dict[KeyKind, Callable[[str], Any]] = {KeyKind.TEXT: str, KeyKind.INTEGER: int, KeyKind.MIXED: key_order}

_RANKS: dict[KeyKind, Callable[[str, object], Any]] = {
    KeyKind.TEXT: lambda key, _: key,
    KeyKind.INTEGER: lambda key, _: int(key),
    KeyKind.MIXED: lambda key, _: key_order(key),
}


def kind_of_key(key: str) -> KeyKind:
    """Return the kind of one key."""
    if key[:1] > "9" or key_order(key)[0] != 0:
        return KeyKind.TEXT if key.isascii() else KeyKind.MIXED
    return KeyKind.INTEGER if str(int(key)) == key else KeyKind.MIXED


def kind_of_keys(keys: Sequence[str]) -> KeyKind:
    """Return the kind of all `keys` together."""
    starts = {key[:2] for key in keys}
    if not any(start.lstrip("-")[:1].isdigit() for start in starts):
        return KeyKind.TEXT if all(map(str.isascii, keys)) else KeyKind.MIXED
    kinds = set(map(kind_of_key, keys))
    return kinds.pop() if len(kinds) == 1 else KeyKind.MIXED


class Children(Mapping[str, Child], Generic[Child]):
    """An immutable mapping of child keys to nodes, in Firebase's order of the keys."""

    __slots__ = ("chunks", "kind")

    def __init__(self, chunks: Chunks[Child], kind: KeyKind) -> None:
        self.chunks = chunks
        self.kind = kind

    def __len__(self) -> int:
        return len(self.chunks)

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(chunk.keys for chunk in self.chunks.chunks)

    def items(self) -> Iterable[tuple[str, Child]]:  # type: ignore[override]
        """Return the pairs in order."""
        return chain.from_iterable(zip(chunk.keys, chunk.values, strict=True) for chunk in self.chunks.chunks)

    def values(self) -> Iterable[Child]:  # type: ignore[override]
        """Return the nodes in the order of their keys."""
        return chain.from_iterable(chunk.values for chunk in self.chunks.chunks)

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key) is not None

    def __getitem__(self, key: str) -> Child:
        node: Child | None = self.get(key)
        if node is None:
            raise KeyError(key)
        return node

    def get(self, key: str, default: Any = None) -> Any:
        """Return the child `key`, or `default`."""
        kind, chunks = self.kind, self.chunks.chunks
        if kind is not KeyKind.MIXED and kind_of_key(key) is not kind:
            return default
        order = kind.order
        target = order(key)
        number = bisect_right(chunks, target, key=lambda chunk: order(chunk.keys[0])) - 1
        if number < 0:
            return default
        keys = chunks[number].keys
        index = bisect_left(keys, target, key=None if kind is KeyKind.TEXT else order)
        return chunks[number].values[index] if index < len(keys) and keys[index] == key else default

    def first_key(self) -> str:
        """Return the first key."""
        return self.chunks.chunks[0].keys[0]

    def last_key(self) -> str:
        """Return the last key."""
        return self.chunks.chunks[-1].keys[-1]

    def apply_changes_work(self, changes: Mapping[str, Child | None]) -> Work[Children[Child]]:
        """Return the children after a write; None removes a child."""
        kind = self.kind
        pairs: list[tuple[str, Child | None]] = []
        for batch in batches(changes.items()):
            effective = [(key, node) for key, node in batch if node is not None or key in self]
            if kind is not KeyKind.MIXED and any(kind_of_key(key) is not kind for key, _ in effective):
                kind = KeyKind.MIXED
            pairs += effective
            yield
        order, rank = kind.order, _RANKS[kind]
        triples: list[tuple[Any, str, Any]] = []
        for batch in batches(pairs):
            triples += [(order(key), key, REMOVED if node is None else node) for key, node in batch]
            yield
        yield from clear_work(pairs)
        children = Children((yield from self.chunks.apply_changes_work(triples, rank)), kind)
        yield from clear_work(triples)
        return children


def children_work(keys: list[Sequence[str]], nodes: list[Sequence[Any]]) -> Work[Children[Any]]:
    """Return the mapping of keys to nodes, which are passed in segments in any order. Empty the lists of segments.

    The last node of a repeated key counts. Keys of None are omitted.
    """
    kinds: set[KeyKind] = set()
    has_none = False
    for key_segment, node_segment in zip(keys, nodes, strict=True):
        kinds.add(kind_of_keys(key_segment))
        has_none = has_none or None in node_segment
        yield
    kind = kinds.pop() if len(kinds) == 1 else KeyKind.MIXED
    segments: Iterable[tuple[Sequence[str], Sequence[Any]]]
    if (yield from is_ascending(keys, kind.order, strictly=True)):
        segments = zip(drain(keys), drain(nodes), strict=True)
    else:
        buckets = yield from partition(keys, nodes, kind.order)
        segments = (_sorted_segment(bucket, kind) for bucket in drain(buckets))
    if has_none:
        segments = map(_without_none, segments)
    return Children(Chunks((yield from chunks_work(segments)), _RANKS[kind]), kind)


def _sorted_segment(bucket: Bucket[str, Child], kind: KeyKind) -> tuple[list[str], list[Child]]:
    children = dict(zip(bucket.items, bucket.companions, strict=True))  # the last node of a repeated key counts
    keys = sorted(children, key=None if kind is KeyKind.TEXT else kind.order)
    return keys, [children[key] for key in keys]


def _without_none(segment: tuple[Sequence[str], Sequence[Child | None]]) -> tuple[list[str], list[Child]]:
    pairs = [(key, node) for key, node in zip(*segment, strict=True) if node is not None]
    return [key for key, _ in pairs], [node for _, node in pairs]


def differing_keys(before: Children[Any], after: Children[Any]) -> set[str]:
    """Return the keys in the chunks that two versions of a mapping do not share. Their nodes may be equal."""
    unshared = set(before.chunks.chunks) ^ set(after.chunks.chunks)
    return set(chain.from_iterable(chunk.keys for chunk in unshared))
