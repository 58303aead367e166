"""A local copy of a location or query, and the child events of each change.

The child events are those of the official SDKs: first the removed children, then the added, moved and changed ones,
each group in the order of the query.
https://firebase.google.com/docs/database/web/lists-of-data#listen_for_child_events
"""

from __future__ import annotations

import sys
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import NamedTuple, cast

from firebase_rest.database.filter import KEY, VALUE, Filter
from firebase_rest.database.normalized import Normalized, children_of, normalize, set_in, values_equal
from firebase_rest.database.ordering import SortKey, child_at, key_order, select, value_order
from firebase_rest.database.path import MAX_LEVELS, check_levels, split
from firebase_rest.database.sse import StreamEvent
from firebase_rest.transport._json import dict_or_empty

REMOVED, ADDED, MOVED, CHANGED = "child_removed", "child_added", "child_moved", "child_changed"
VALUE_EVENT = "value"

MAX_INSERTIONS = 100
"""Changes up to which children are inserted one by one, which takes time in proportion to all children each."""


class ChildEvent(NamedTuple):
    """What happened to a child. For a removed one `value` is what it was, and `previous_key` None.

    Of the kind "value": everything has changed to `value`; it comes after the children's.
    """

    kind: str
    key: str
    value: Normalized
    previous_key: str | None


class LocalView:
    """A place's current value, kept by applying stream events to it. `value` is never changed, only replaced.

    `known` is False until the first event: then `value` says nothing.
    """

    def __init__(self, filter: Filter) -> None:
        self.value: Normalized = None
        self.known = False
        self._filter = filter
        self._bounds = replace(filter, limit_to_first=None, limit_to_last=None)
        self._most = filter.limit_to_first or filter.limit_to_last or sys.maxsize
        self._order_path = split(filter.order) if filter.order else ()
        self._ranks: dict[str, SortKey] = {}
        self._order: list[tuple[SortKey, str]] = []

    def apply(self, event: StreamEvent) -> list[ChildEvent]:
        """Take an event in. What it did to the children, and last to the whole; nothing if it changed nothing."""
        new, touched = self._merged(event)
        before, first = self.value, not self.known
        self.value, dropped = self._windowed(new, touched)
        self.known = True
        if touched is None:
            touched = {**children_of(before), **children_of(self.value)}.keys()
        elif dropped:
            touched = {*touched, *dropped}
        changes = self._differences(before, touched)
        if first or changes or not (isinstance(self.value, dict) or values_equal(before, self.value)):
            changes.append(ChildEvent(VALUE_EVENT, "", self.value, None))
        return changes

    @property
    def keys(self) -> list[str]:
        """The keys of the children, in the query's order."""
        return [key for _, key in self._order]

    def initial(self) -> list[ChildEvent]:
        """The children that are there, as if they had just been added."""
        children, keys = children_of(self.value), self.keys
        return [
            ChildEvent(ADDED, key, children[key], previous) for key, previous in zip(keys, [None, *keys], strict=False)
        ]

    def _merged(self, event: StreamEvent) -> tuple[Normalized, AbstractSet[str] | None]:
        """What the event makes of the value, and the children that it wrote to; None for all."""
        path = _split(event.path)
        if event.event == "put":
            return set_in(self.value, path, normalize(cast(Normalized, event.data))), (set(path[:1]) or None)
        new, touched = self.value, set[str]()
        for name, item in dict_or_empty(event.data).items():
            target = (*path, *_split(name))
            if not target:
                continue  # a change of the whole is a put
            new = set_in(new, target, normalize(item))
            touched.update(target[:1])
        return new, touched

    def _windowed(self, value: Normalized, touched: AbstractSet[str] | None) -> tuple[Normalized, list[str]]:
        """`value` without the children that the query leaves out, and their keys.

        A server need not say that one was pushed out. Of what was not touched it is known that it lies in the bounds.
        """
        children = children_of(value)
        if not self._filter.narrows:
            return value, []
        if touched is None:
            dropped = self._left_out(self._filter, children)
        else:
            dropped = self._left_out(self._bounds, {key: children[key] for key in touched if key in children})
            if len(children) - len(dropped) > self._most:
                dropped = self._left_out(self._filter, children)
        if not dropped:
            return (value if children else None), dropped
        kept = dict(children)
        for key in dropped:
            del kept[key]
        return kept or None, dropped

    def _left_out(self, filter: Filter, children: Mapping[str, Normalized]) -> list[str]:
        kept = set(select(filter, ((key, self._index_value(child)) for key, child in children.items())))
        return [key for key in children if key not in kept]

    def _index_value(self, child: Normalized) -> Normalized:
        order = self._filter.order
        if order is None or order == KEY:
            return None
        return child if order == VALUE else child_at(child, self._order_path)

    def _rank(self, key: str, child: Normalized) -> SortKey:
        order = self._filter.order
        if order is None or order == KEY:
            return (key_order(key),)
        return (value_order(self._index_value(child)), key_order(key))

    def _differences(self, before: Normalized, touched: Iterable[str]) -> list[ChildEvent]:
        old_children, new_children = children_of(before), children_of(self.value)
        by_kind: dict[str, list[tuple[SortKey, str]]] = {REMOVED: [], ADDED: [], MOVED: [], CHANGED: []}
        reordered: list[tuple[str, SortKey | None, SortKey | None]] = []
        for key in touched:
            old, new = old_children.get(key), new_children.get(key)
            if values_equal(old, new):
                continue
            old_rank = self._ranks.get(key)
            new_rank = None if new is None else self._rank(key, new)
            reordered.append((key, old_rank, new_rank))
            if new_rank is None:
                assert old_rank is not None
                by_kind[REMOVED].append((old_rank, key))
            elif old_rank is None:
                by_kind[ADDED].append((new_rank, key))
            else:
                by_kind[CHANGED].append((new_rank, key))
                if self._has_moved(old, new, old_rank, new_rank):
                    by_kind[MOVED].append((new_rank, key))
        self._reorder(reordered)
        return [
            self._event(kind, key, old_children, new_children)
            for kind, ranked in by_kind.items()
            for _, key in sorted(ranked)
        ]

    def _has_moved(self, old: Normalized, new: Normalized, old_rank: SortKey, new_rank: SortKey) -> bool:
        # By value, any change is a move to the SDKs, even between two objects, which are equal in order.
        return not values_equal(old, new) if self._filter.order == VALUE else old_rank != new_rank

    def _reorder(self, changes: list[tuple[str, SortKey | None, SortKey | None]]) -> None:
        """Move children from their old to their new rank; None for a child that is added or removed."""
        few = len(changes) <= MAX_INSERTIONS
        for key, old, new in changes:
            if old is not None:
                if few:
                    del self._order[bisect_left(self._order, (old, key))]
                del self._ranks[key]
            if new is not None:
                if few:
                    insort(self._order, (new, key))
                self._ranks[key] = new
        if not few:
            self._order = sorted((rank, key) for key, rank in self._ranks.items())

    def _event(
        self, kind: str, key: str, old_children: Mapping[str, Normalized], new_children: Mapping[str, Normalized]
    ) -> ChildEvent:
        if kind == REMOVED:
            return ChildEvent(kind, key, old_children[key], None)
        position = bisect_left(self._order, (self._ranks[key], key))
        return ChildEvent(kind, key, new_children[key], self._order[position - 1][1] if position else None)


def _split(path: str) -> tuple[str, ...]:
    segments = split(path)
    check_levels(MAX_LEVELS - len(segments))
    return segments
