"""Builds nodes from JSON: validates and normalizes values, and resolves server values.

Invariant: for valid data the result is the node that `nodeFromJSON` of the official SDKs builds; invalid data raises
an error.
https://firebase.google.com/docs/database/rest/save-data
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from firebase_rest.database.ordering import sorted_keys
from firebase_rest.database.path import MAX_DEPTH, MAX_KEY_BYTES, is_valid_key
from firebase_rest.emulator.database.parsing import LargeArray, LargeObject
from firebase_rest.emulator.database.slices import SLICE, batches
from firebase_rest.emulator.database.tree import (
    MAX_RECORD,
    branch_of,
    branch_work,
    child,
    children_of,
    leaf_value,
    priority_of,
    small_branch,
    with_priority,
)
from firebase_rest.rules.garbage_collector import collector

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.tree import Node, Priority, Record, Scalar
    from firebase_rest.transport.wire import Json

MAX_STRING_BYTES = 10 * 1024 * 1024
_INT64 = 2**63
_MAX_EXACT = 2**53
"""Below this absolute value, a double represents every integer exactly."""
_MAX_CACHED = 10_000
_CHILDREN_PER_SLICE = 16
METADATA = frozenset({".value", ".priority", ".sv"})
"""Keys that are not children."""


class InvalidDataError(ValueError):
    """The data cannot be stored."""


class InvalidKeyError(InvalidDataError):
    """A key contains characters that are not allowed."""


def normalize_number(value: int | float) -> int | float:
    """Return a number as the database stores it: a 64-bit integer if possible, else a double."""
    if isinstance(value, int):
        if -_INT64 <= value < _INT64:
            return value
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
    if not math.isfinite(value):
        raise InvalidDataError("Invalid data; a number is too large for a double.")
    return int(value) if abs(value) < _MAX_EXACT and value.is_integer() else value


def validate_key(key: str) -> None:
    """Raise `InvalidKeyError` if a key is invalid, `InvalidDataError` if it is too long."""
    if not is_valid_key(key):
        raise InvalidKeyError(key)
    if len(key) > MAX_KEY_BYTES // 4 and len(key.encode()) > MAX_KEY_BYTES:
        raise InvalidDataError(f"Invalid data; a key is longer than {MAX_KEY_BYTES} bytes.")


class Builder:
    """Builds the nodes of one request. All server timestamps of a request are `now_ms`."""

    def __init__(self, now_ms: int) -> None:
        self._now = now_ms
        # Many records have the same keys. Remembering the keys saves time, and sharing the strings saves memory.
        self._keys: dict[str, str] = {}
        self._orders: dict[tuple[str, ...], tuple[str, ...]] = {}

    def build(self, value: Json, existing: Node, level: int) -> Node:
        """Return the node for `value`.

        Args:
            value: Parsed JSON.
            existing: The node to replace, to which increments are added.
            level: The number of keys between the root and the node.
        """
        if isinstance(value, dict):
            if level < MAX_DEPTH and self._is_record(value):
                return value
            return self._object(value, existing, level)
        if isinstance(value, list):
            return self._children(((str(index), item) for index, item in enumerate(value)), existing, level)
        return _scalar(value)

    def priority(self, value: Json, existing: Node) -> Priority:
        """Return a priority: null, a number or a string, or the result of a server value."""
        if isinstance(value, dict) and ".sv" in value:
            value = self._server_value(value[".sv"], priority_of(existing))
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return normalize_number(value)
        raise InvalidDataError("Invalid data; a priority must be null, a number or a string.")

    def _object(self, value: dict[str, Json], existing: Node, level: int) -> Node:
        priority = self.priority(value[".priority"], existing) if ".priority" in value else None
        if ".value" in value:
            inner: Json = self._inner_value(value)
            if inner is not None and not isinstance(inner, dict):
                return with_priority(self.build(inner, existing, level), priority)
            value = value if inner is None else inner
        if ".sv" in value:
            return with_priority(self._server_value(value[".sv"], leaf_value(existing)), priority)
        node = self._children(value.items(), existing, level)
        return node if priority is None else with_priority(node, priority)

    @staticmethod
    def _inner_value(value: dict[str, Json] | LargeObject) -> Any:
        if any(key not in METADATA for key in value):
            raise InvalidDataError("Invalid data; an object cannot have both '.value' and children.")
        return value[".value"]

    def build_work(self, value: Json | LargeObject, existing: Node, level: int) -> Work[Node]:
        """Do the same as `build`, in slices, for a value that `parse_work` returned."""
        if isinstance(value, LargeArray):
            items: Iterable[tuple[str, Json]] = ((str(index), item) for index, item in enumerate(value))
            return (yield from self._children_work(items, existing, level))
        if not isinstance(value, LargeObject):
            return self.build(value, existing, level)
        priority = self.priority(value[".priority"], existing) if ".priority" in value else None
        inner: Any = value
        if ".value" in value and self._inner_value(value) is not None:
            inner = value[".value"]
            if not isinstance(inner, (dict, LargeObject)):
                return with_priority((yield from self.build_work(inner, existing, level)), priority)
            inner = cast("dict[str, Json] | LargeObject", inner)
        if ".sv" in inner:
            return with_priority(self._server_value(inner[".sv"], leaf_value(existing)), priority)
        node = yield from self._children_work(inner.items(), existing, level)
        members = sum(map(len, value.parts)) - sum(name in value for name in METADATA)
        value.may_repeat_keys = inner is value and members > len(children_of(node))
        return with_priority(node, priority)

    def _children_work(self, items: Iterable[tuple[str, Json]], existing: Node, level: int) -> Work[Node]:
        keys: list[Sequence[str]] = []
        nodes: list[Sequence[Node]] = []
        children: dict[str, Node] = {}
        for batch in batches(items, _CHILDREN_PER_SLICE):
            if not any(isinstance(item, (LargeObject, LargeArray)) for _, item in batch):
                self._add_children(children, batch, existing, level, with_none=True)
            else:
                for key, item in batch:
                    if self._is_child(key, level):
                        children[key] = yield from self.build_work(item, child(existing, key), level + 1)
            if len(children) >= SLICE:
                keys.append(list(children))
                nodes.append(list(children.values()))
                children = {}
                collector.sweep(force=True)
            yield
        if children:
            keys.append(list(children))
            nodes.append(list(children.values()))
        return (yield from branch_work(keys, nodes))

    def _children(self, items: Iterable[tuple[str, Json]], existing: Node, level: int) -> Node:
        children: dict[str, Node] = {}
        self._add_children(children, items, existing, level)
        if not 0 < len(children) <= MAX_RECORD:
            return branch_of(children)
        keys = tuple(children)
        ordered = self._orders.get(keys)
        if ordered is None:
            ordered = tuple(sorted_keys(keys))
            if len(self._orders) < _MAX_CACHED:
                self._orders[keys] = ordered
        return small_branch(children if ordered == keys else {key: children[key] for key in ordered})

    def _is_record(self, value: dict[str, Json]) -> TypeGuard[Record]:
        """Return whether an object can be stored without conversion.

        That is so if the same keys were sorted before and are in that order, and all values are valid leaves.
        """
        if not 0 < len(value) <= MAX_RECORD:
            return False
        keys = tuple(value)
        return self._orders.get(keys) == keys and all(map(_is_stored_unchanged, value.values()))

    def _add_children(
        self,
        children: dict[str, Node],
        items: Iterable[tuple[str, Json]],
        existing: Node,
        level: int,
        *,
        with_none: bool = False,
    ) -> None:
        known = self._keys if level < MAX_DEPTH else {}
        for key, item in items:
            shared = known.get(key)
            if shared is None:
                if not self._is_child(key, level):
                    continue
                shared = key
            if isinstance(item, (dict, list)):
                node = self.build(item, child(existing, key), level + 1)
            else:
                node = _scalar(item)
            if node is not None or with_none:
                children[shared] = node

    def _is_child(self, key: str, level: int) -> bool:
        """Return whether a member of an object at `level` is a child. Raises `InvalidDataError`."""
        if key in METADATA:
            return False
        validate_key(key)
        if level >= MAX_DEPTH:
            raise InvalidDataError(f"Invalid data; it is nested deeper than {MAX_DEPTH} levels.")
        if len(self._keys) < _MAX_CACHED:
            self._keys[key] = key
        return True

    def _server_value(self, operation: Json, current: Scalar | None) -> Scalar:
        if operation == "timestamp":
            return self._now
        delta = operation.get("increment") if isinstance(operation, dict) else None
        if not isinstance(delta, (int, float)) or isinstance(delta, bool):
            expected = '{".sv": "timestamp"} or {".sv": {"increment": number}}'
            raise InvalidDataError(f"Invalid data; a server value must be {expected}.")
        delta = normalize_number(delta)  # Python cannot add a float and an int that is beyond the range of floats
        if isinstance(current, (int, float)) and not isinstance(current, bool):
            return normalize_number(current + delta)
        return delta


def _is_stored_unchanged(value: Json) -> bool:
    if isinstance(value, str):
        return len(value) <= MAX_STRING_BYTES // 4
    if isinstance(value, float):
        return not value.is_integer() and math.isfinite(value)
    return isinstance(value, bool) or (isinstance(value, int) and -_INT64 <= value < _INT64)


def _scalar(value: None | bool | int | float | str) -> Scalar | None:
    if isinstance(value, str):
        if len(value) > MAX_STRING_BYTES // 4 and len(value.encode()) > MAX_STRING_BYTES:
            raise InvalidDataError(f"Invalid data; a string is longer than {MAX_STRING_BYTES} bytes.")
        return value
    if value is None or isinstance(value, bool):
        return value
    return normalize_number(value)
