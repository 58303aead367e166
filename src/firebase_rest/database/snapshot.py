"""`Snapshot`: the result of a read. Values are computed lazily and are in Firebase's order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias, cast

from firebase_rest.database.filter import KEY, NO_FILTER, PRIORITY, VALUE, Filter
from firebase_rest.database.ordering import child_at, keys_by_value, sorted_keys, value_order
from firebase_rest.database.path import MAX_LEVELS, array_length, check_levels, split
from firebase_rest.transport.arguments import path_text, validate_instance
from firebase_rest.transport.wire import Json

Key: TypeAlias = "str | int"


class Item:
    """One child of a snapshot. `item` is (key, value); the key is an int if the parent is an array."""

    __slots__ = ("item",)

    def __init__(self, key: Key, value: Any) -> None:
        self.item: tuple[Key, Any] = (key, value)

    def key(self) -> Any:
        """Return the key of the child: a string, or an int if Firebase rendered the parent as an array."""
        return self.item[0]

    def val(self) -> Any:
        """Return the value of the child as plain JSON."""
        return self.item[1]

    def __repr__(self) -> str:
        return f"<Item {self.item[0]!r}>"


class Snapshot:
    """The data of a location when it was read, returned by `get()`.

    `bool(snapshot)` is always True; use `exists()` to test whether there is data. Iterating yields the children as
    `Item`; `len(snapshot)` is their number, and `snapshot[0]` and `snapshot[-1]` are the first and the last:

        for user in db.child("users").get():
            print(user.key(), user.val())
    """

    __slots__ = ("_compute", "_computed", "_filter", "_key", "_pairs", "_priorities")

    def __init__(self, key: str, value: Json, filter: Filter | None = None) -> None:
        self._key = key
        self._compute: Callable[[], Json] | None = None
        self._computed = value
        self._filter = filter or NO_FILTER
        self._priorities: dict[str, Json] = {}
        self._pairs: list[tuple[Key, Any]] | None = None

    @classmethod
    def lazy(cls, key: str, compute: Callable[[], Json], filter: Filter | None = None) -> Snapshot:
        """Return a snapshot that calls `compute` when its value is first used. Many callbacks never use the value."""
        snapshot = cls(key, None, filter)
        snapshot._compute = compute
        return snapshot

    @property
    def _value(self) -> Json:
        compute = self._compute
        if compute is not None:
            self._computed = compute()
            self._compute = None
        return self._computed

    @classmethod
    def from_pairs(cls, key: str, pairs: list[tuple[Key, Any]]) -> Snapshot:
        """Return a snapshot of the children in `pairs`, in this order. With int keys its value is a list."""
        is_array = bool(pairs) and isinstance(pairs[0][0], int)
        snapshot = cls(key, [value for _, value in pairs] if is_array else {str(name): value for name, value in pairs})
        snapshot._pairs = pairs
        return snapshot

    @classmethod
    def from_export(cls, key: str, value: Json, filter: Filter) -> Snapshot:
        """Return a snapshot of a response with `format=export`, ordered by the priorities in the response.

        https://firebase.google.com/docs/reference/rest/database#section-param-format
        """
        snapshot = cls(key, _strip_priorities(value), filter)
        if isinstance(value, dict):
            snapshot._priorities = {name: _priority_of(item) for name, item in value.items()}
        return snapshot

    def __repr__(self) -> str:
        return f"<Snapshot {self._key or '/'!r}>"

    def key(self) -> str:
        """Return the last segment of the path; "" at the root."""
        return self._key

    def val(self) -> Any:
        """Return the value as plain JSON, in a new object.

        Returns:
            A dict in Firebase's order; a list, with None for missing items, if Firebase renders integer keys as an
            array; a string, number or bool; None if there is no data, but {} for a query without results. After
            `shallow()`, the list of keys.
        """
        if self._filter.shallow:
            return self._shallow_keys()
        if isinstance(self._value, list):
            return list(self._value)
        if isinstance(self._value, dict):
            return dict(self._order_children()) if self._pairs is None else dict(self._pairs)
        return {} if self._is_empty_query() else self._value

    def each(self) -> list[Item] | None:
        """Return the children in order, [] for a query without results, or None for a value without children."""
        if self._filter.shallow:
            return None
        if self._is_empty_query():
            return []
        pairs = self._children()
        return None if pairs is None else [Item(key, value) for key, value in pairs]

    @property
    def pyres(self) -> Any:
        """The children as a list of `Item`, or the plain value, as in pyrebase."""
        if self._filter.shallow:
            return self._shallow_keys()
        items = self.each()
        return self._value if items is None else items

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items())

    def __len__(self) -> int:
        return len(self._items())

    def _items(self) -> Sequence[Any]:
        items = self.pyres
        return cast("Sequence[Any]", items) if isinstance(items, list) else ()

    def __getitem__(self, index: int) -> Any:
        return self.pyres[index]

    def __bool__(self) -> bool:
        return True

    def exists(self) -> bool:
        """Return whether any data was found."""
        return self._value not in (None, {}, [])

    def has_child(self, key: object) -> bool:
        """Return whether there is data below this location.

        Args:
            key: The key of a child, or a path.
        """
        path = split(path_text(key, "has_child()"))
        return bool(path) and child_at(self._value, path) is not None

    def _is_empty_query(self) -> bool:
        return self._value is None and self._filter.order is not None

    def _shallow_keys(self) -> Any:
        if isinstance(self._value, dict):
            return sorted_keys(self._value)
        if isinstance(self._value, list):
            return [str(index) for index, value in enumerate(self._value) if value is not None]
        return self._value

    def _children(self) -> list[tuple[Key, Any]] | None:
        if self._pairs is None:
            if isinstance(self._value, list):
                self._pairs = self._array_pairs(self._value)
            elif isinstance(self._value, dict):
                self._pairs = list(self._order_children().items())
        return self._pairs

    def _array_pairs(self, values: list[Json]) -> list[tuple[Key, Any]]:
        if self._filter.order is None:
            return list(enumerate(values))
        present = {str(index): value for index, value in enumerate(values) if value is not None}
        return [(int(key), present[key]) for key in self._keys(present)]

    def _order_children(self) -> dict[Any, Any]:
        children = self._value
        assert isinstance(children, dict)
        keys = self._keys(children)
        return children if keys == list(children) else {key: children[key] for key in keys}

    def _keys(self, children: Mapping[str, Json]) -> list[str]:
        order = self._filter.order
        if order is None or order == KEY:
            return sorted_keys(children)
        if order == PRIORITY:
            return keys_by_value({key: self._priorities.get(key) for key in children})
        if order == VALUE:
            return keys_by_value(children)
        path = split(order)
        if len(path) == 1:
            name = path[0]
            index = {
                key: value.get(name) if isinstance(value, dict) else child_at(value, path)
                for key, value in children.items()
            }
        else:
            index = {key: child_at(value, path) for key, value in children.items()}
        return keys_by_value(children, index)


def sort(origin: Snapshot, by_key: str, *, reverse: bool = False) -> Snapshot:
    """Return the children of a snapshot, sorted by their value at `by_key`."""
    validate_instance("The first argument of sort()", origin, Snapshot, "pass the result of get()")
    path = split(path_text(by_key, "sort()"))
    pairs = [item.item for item in origin.each() or []]
    pairs.sort(key=lambda pair: value_order(child_at(pair[1], path)), reverse=reverse)
    return Snapshot.from_pairs(origin.key(), pairs)


def _priority_of(value: Json) -> Json:
    """Return the priority of an exported value: a number, a string or None."""
    return value.get(".priority") if isinstance(value, dict) else None


def _strip_priorities(value: Json, levels: int = MAX_LEVELS) -> Json:
    """Return an exported value in the form of other responses: without priorities, and with arrays."""
    if not isinstance(value, dict):
        return value
    check_levels(levels)
    if ".value" in value:
        return value[".value"]
    children = {key: _strip_priorities(item, levels - 1) for key, item in value.items() if key != ".priority"}
    length = array_length(children)
    return [children.get(str(index)) for index in range(length)] if length else children
