"""Windows: the children that a query selects. Large nodes use indexes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firebase_rest.database.filter import KEY, PRIORITY, VALUE
from firebase_rest.database.ordering import key_order, lower_bound, select, upper_bound
from firebase_rest.database.path import split
from firebase_rest.emulator.database import indexes
from firebase_rest.emulator.database.children import Children
from firebase_rest.emulator.database.slices import finish
from firebase_rest.emulator.database.tree import Branch, at, child, children_of, has_children, leaf_value, priority_of
from firebase_rest.rules.garbage_collector import collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from firebase_rest.database.filter import Filter
    from firebase_rest.emulator.database.chunks import Chunks
    from firebase_rest.emulator.database.indexes import Index
    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.tree import Node
    from firebase_rest.transport.wire import Json

_OBJECT: dict[str, Json] = {}


class Window:
    """The children of a node that a filter selects.

    Args:
        node: The node.
        filter: The filter. If a large node has no index for it, the index is built; see `index_work`.
        previous: An earlier version of the node. If it has an index, the index of the node is derived from that.
    """

    def __init__(self, node: Node, filter: Filter, previous: Node = None) -> None:
        self._limit_is_last = filter.limit_to_last is not None
        self._index: Index | None = None
        self._children = children_of(node)
        if not isinstance(self._children, Children):
            self._keys = _select_from_small(self._children, filter)
            self._key_set = set(self._keys)
            return
        if _is_by_key(filter):
            self._chunks: Chunks[Node] | Chunks[Json] = self._children.chunks
        else:
            assert isinstance(node, Branch)
            self._index = finish(index_work(node, filter, previous))
            self._chunks = self._index.chunks
        self._low, self._high = _bounds(self._chunks, filter, by_key=_is_by_key(filter))

    def __contains__(self, key: str) -> bool:
        if not isinstance(self._children, Children):
            return key in self._key_set
        node = self._children.get(key)
        if node is None:
            return False
        value = None if self._index is None else self._index.value_of(node)
        return self._low <= self._chunks.index(self._chunks.find(self._chunks.rank(key, value))) < self._high

    def keys(self) -> Iterable[str]:
        """Return the keys in the order of the filter."""
        if not isinstance(self._children, Children):
            return self._keys
        return self._chunks.keys_between(self._low, self._high)

    def edge(self, count: int) -> Iterable[str]:
        """Return the `count` keys next to the limit, which other children may push out of the window."""
        if not isinstance(self._children, Children):
            return self._keys[:count] if self._limit_is_last else self._keys[-count:]
        if self._limit_is_last:
            return self._chunks.keys_between(self._low, min(self._high, self._low + count))
        return self._chunks.keys_between(max(self._low, self._high - count), self._high)


def index_work(branch: Branch, filter: Filter, previous: Node = None) -> Work[Index]:
    """Return the index for a filter of a branch with `Children`. Build the index if it does not exist."""
    order, children = filter.order or KEY, branch.children
    assert isinstance(children, Children)
    if order not in branch.indexes:
        if isinstance(previous, Branch) and isinstance(previous.children, Children) and order in previous.indexes:
            index = yield from previous.indexes[order].apply_changes_work(previous.children, children)
        else:
            with collector.paused():
                index = yield from indexes.build(children, _value_of(order))
        branch.indexes = {**branch.indexes, order: index}
    return branch.indexes[order]


def needs_index(node: Node, filter: Filter) -> bool:
    """Return whether a filter needs an index of the node, because the node is large and not ordered by key."""
    return isinstance(node, Branch) and isinstance(node.children, Children) and not _is_by_key(filter)


def _is_by_key(filter: Filter) -> bool:
    return filter.order is None or filter.order == KEY


def _select_from_small(children: Mapping[str, Node], filter: Filter) -> list[str]:
    if _is_by_key(filter):
        return select(filter, [(key, None) for key in children])
    value_of = _value_of(filter.order or KEY)
    return select(filter, [(key, value_of(node)) for key, node in children.items()])


def _bounds(chunks: Chunks[Node] | Chunks[Json], filter: Filter, *, by_key: bool) -> tuple[int, int]:
    """Return the index of the first selected child, and the index after the last selected child."""
    rank = _key_rank if by_key else indexes.full_rank
    start, start_excluded = lower_bound(filter, by_key)
    end, end_excluded = upper_bound(filter, by_key)
    low = 0 if start is None else chunks.index(chunks.find(start, rank, after=start_excluded))
    high = len(chunks) if end is None else chunks.index(chunks.find(end, rank, after=not end_excluded))
    if filter.limit_to_first is not None:
        return low, min(high, low + filter.limit_to_first)
    if filter.limit_to_last is not None:
        return max(low, high - filter.limit_to_last), high
    return low, high


def _key_rank(key: str, _: object) -> tuple[object, ...]:
    return (key_order(key),)


def _value_of(order: str) -> Callable[[Node], Json]:
    """Return the function that returns the value by which `order` sorts a child."""
    if order == PRIORITY:
        return priority_of
    if order == VALUE:
        return _comparable
    path = split(order)
    if len(path) > 1:
        return lambda node: _comparable(at(node, path))
    key = order.strip("/")
    return lambda node: _comparable(child(node, key))


def _comparable(node: Node) -> Json:
    """Return the value by which a node is ordered: its scalar, None, or an object if it has children."""
    return _OBJECT if has_children(node) else leaf_value(node)
