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
from firebase_rest.database.normalization import Normalized, apply_changes, children_of, normalize, values_equal
from firebase_rest.database.ordering import SortKey, child_at, key_order, select, value_order
from firebase_rest.database.path import MAX_LEVELS, check_levels, split
from firebase_rest.database.sse import StreamEvent
from firebase_rest.transport.json_fields import dict_or_empty

REMOVED, ADDED, MOVED, CHANGED = "child_removed", "child_added", "child_moved", "child_changed"
VALUE_EVENT = "value"

MAX_INSERTIONS = 100
"""Maximum number of changes for which children are inserted one by one. For more changes, all children are sorted."""


class ChildEvent(NamedTuple):
    """A change of a child. A removed child has its last `value`, and None as `previous_key`.

    The kind "value" reports a change of the whole value; it follows the events of the children.
    """

    kind: str
    key: str
    value: Normalized
    previous_key: str | None


class LocalView:
    """The current value of a location or query, updated by stream events.

    `is_known` is False until the first event. Invariant: `value` is replaced by each change, and never modified.
    """

    def __init__(self, filter: Filter) -> None:
        self.value: Normalized = None
        self.is_known = False
        self._filter = filter
        self._bounds = replace(filter, limit_to_first=None, limit_to_last=None)
        self._limit = filter.limit_to_first or filter.limit_to_last or sys.maxsize
        self._order_path = split(filter.order) if filter.order else ()
        self._ranks: dict[str, SortKey] = {}
        self._order: list[tuple[SortKey, str]] = []

    def apply(self, event: StreamEvent) -> list[ChildEvent]:
        """Apply a stream event and return the child events, followed by the "value" event; [] if nothing changed."""
        new_value, written_keys = self._merge(event)
        old_value, is_first = self.value, not self.is_known
        self.value, excluded_keys = self._apply_filter(new_value, written_keys)
        self.is_known = True
        changed_keys: AbstractSet[str]
        if written_keys is None:
            changed_keys = {**children_of(old_value), **children_of(self.value)}.keys()
        elif excluded_keys:
            changed_keys = {*written_keys, *excluded_keys}
        else:
            changed_keys = written_keys
        changes = self._differences(old_value, changed_keys)
        if is_first or changes or not (isinstance(self.value, dict) or values_equal(old_value, self.value)):
            changes.append(ChildEvent(VALUE_EVENT, "", self.value, None))
        return changes

    @property
    def keys(self) -> list[str]:
        """The keys of the children, in the order of the query."""
        return [key for _, key in self._order]

    def initial(self) -> list[ChildEvent]:
        """Return "child_added" events for all current children."""
        children, keys = children_of(self.value), self.keys
        return [
            ChildEvent(ADDED, key, children[key], previous) for key, previous in zip(keys, [None, *keys], strict=False)
        ]

    def _merge(self, event: StreamEvent) -> tuple[Normalized, AbstractSet[str] | None]:
        """Return the new value, and the keys of the written children. The keys are None if everything is written."""
        path = _split_path(event.path)
        if event.event == "put":
            changes = [(path, normalize(cast(Normalized, event.data)))]
        else:
            items = dict_or_empty(event.data).items()
            changes = [((*path, *_split_path(name)), normalize(item)) for name, item in items]
            # An empty path would replace everything, but the server sends that as a put.
            changes = [change for change in changes if change[0]]
        written_keys = None if any(not target for target, _ in changes) else {target[0] for target, _ in changes}
        return apply_changes(self.value, changes), written_keys

    def _apply_filter(self, value: Normalized, written_keys: AbstractSet[str] | None) -> tuple[Normalized, list[str]]:
        """Return `value` without the children outside the query, and the keys of these children.

        The server does not always report a child that leaves the query. The bounds are checked only for the written
        children, because the others are still within them.
        """
        children = children_of(value)
        if not self._filter.can_exclude_children:
            return value, []
        if written_keys is None:
            excluded = self._excluded_keys(self._filter, children)
        else:
            written = {key: children[key] for key in written_keys if key in children}
            excluded = self._excluded_keys(self._bounds, written)
            if len(children) - len(excluded) > self._limit:
                excluded = self._excluded_keys(self._filter, children)
        if not excluded:
            return (value if children else None), excluded
        remaining = dict(children)
        for key in excluded:
            del remaining[key]
        return remaining or None, excluded

    def _excluded_keys(self, filter: Filter, children: Mapping[str, Normalized]) -> list[str]:
        selected = set(select(filter, ((key, self._index_value(child)) for key, child in children.items())))
        return [key for key in children if key not in selected]

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

    def _differences(self, old_value: Normalized, changed_keys: Iterable[str]) -> list[ChildEvent]:
        """Return the events of the children that differ from `old_value`, and update the order."""
        old_children, new_children = children_of(old_value), children_of(self.value)
        by_kind: dict[str, list[tuple[SortKey, str]]] = {REMOVED: [], ADDED: [], MOVED: [], CHANGED: []}
        reordered: list[tuple[str, SortKey | None, SortKey | None]] = []
        for key in changed_keys:
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
                # The SDKs report every change of a query by value as a move, even between two objects.
                if self._filter.order == VALUE or old_rank != new_rank:
                    by_kind[MOVED].append((new_rank, key))
        self._reorder(reordered)
        return [
            self._event(kind, key, old_children, new_children)
            for kind, ranked in by_kind.items()
            for _, key in sorted(ranked)
        ]

    def _reorder(self, changes: list[tuple[str, SortKey | None, SortKey | None]]) -> None:
        """Move children from their old rank to their new rank. A rank of None means that the child does not exist."""
        is_incremental = len(changes) <= MAX_INSERTIONS
        for key, old, new in changes:
            if old is not None:
                if is_incremental:
                    del self._order[bisect_left(self._order, (old, key))]
                del self._ranks[key]
            if new is not None:
                if is_incremental:
                    insort(self._order, (new, key))
                self._ranks[key] = new
        if not is_incremental:
            self._order = sorted((rank, key) for key, rank in self._ranks.items())

    def _event(
        self, kind: str, key: str, old_children: Mapping[str, Normalized], new_children: Mapping[str, Normalized]
    ) -> ChildEvent:
        if kind == REMOVED:
            return ChildEvent(kind, key, old_children[key], None)
        position = bisect_left(self._order, (self._ranks[key], key))
        previous_key = self._order[position - 1][1] if position else None
        return ChildEvent(kind, key, new_children[key], previous_key)


def _split_path(path: str) -> tuple[str, ...]:
    segments = split(path)
    check_levels(MAX_LEVELS - len(segments))
    return segments
