"""Builds nodes from JSON: normalises and validates values and resolves server values.

Invariant: the result is the node that `nodeFromJSON` of the official SDKs builds; other data raises an error.
https://firebase.google.com/docs/database/rest/save-data
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from firebase_rest.database.path import MAX_DEPTH, MAX_KEY_BYTES, is_valid_key
from firebase_rest.emulator.database.tree import branch_of, child, leaf_value, priority_of, with_priority

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firebase_rest.emulator.database.tree import Branch, Node, Priority, Scalar
    from firebase_rest.transport.wire import Json

MAX_STRING_BYTES = 10 * 1024 * 1024
_INT64 = 2**63
_EXACT = 2**53
METADATA = frozenset({".value", ".priority", ".sv"})


class InvalidDataError(ValueError):
    """The data cannot be stored."""


class InvalidKeyError(InvalidDataError):
    """A key contains characters that are not allowed."""


def number(value: int | float) -> int | float:
    """Return a number as the database stores it: an integer of 64 bits if possible, else a double."""
    if isinstance(value, int):
        if -_INT64 <= value < _INT64:
            return value
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
    if not math.isfinite(value):
        raise InvalidDataError("Invalid data; a number is too large for a double.")
    return int(value) if abs(value) < _EXACT and value.is_integer() else value


def validate_key(key: str) -> None:
    """Raise `InvalidKeyError` if a key is invalid, `InvalidDataError` if it is too long."""
    if not is_valid_key(key):
        raise InvalidKeyError(key)
    if len(key) > MAX_KEY_BYTES // 4 and len(key.encode()) > MAX_KEY_BYTES:
        raise InvalidDataError(f"Invalid data; a key is longer than {MAX_KEY_BYTES} bytes.")


class Builder:
    """Builds the nodes of one request. All its timestamps are equal."""

    def __init__(self, now_ms: int) -> None:
        self._now = now_ms
        self._valid_keys: set[str] = set()  # cache: records repeat their keys

    def build(self, value: Json, existing: Node, level: int) -> Node:
        """Return the node for `value`.

        `existing` is the node to replace, to which increments are added; `level` is the number of keys above it.
        """
        if isinstance(value, dict):
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
            return number(value)
        raise InvalidDataError("Invalid data; a priority must be null, a number or a string.")

    def _object(self, value: dict[str, Json], existing: Node, level: int) -> Node:
        priority = self.priority(value[".priority"], existing) if ".priority" in value else None
        if ".value" in value:
            inner = self._inner_value(value)
            if inner is not None and not isinstance(inner, dict):
                return with_priority(self.build(inner, existing, level), priority)
            value = value if inner is None else inner
        if ".sv" in value:
            return with_priority(self._server_value(value[".sv"], leaf_value(existing)), priority)
        node = self._children(value.items(), existing, level)
        return node if priority is None else with_priority(node, priority)

    @staticmethod
    def _inner_value(value: dict[str, Json]) -> Json:
        if value.keys() - METADATA:
            raise InvalidDataError("Invalid data; an object cannot have both '.value' and children.")
        return value[".value"]

    def _children(self, items: Iterable[tuple[str, Json]], existing: Node, level: int) -> Branch | None:
        valid, level = self._valid_keys, level + 1
        children: dict[str, Node] = {}
        for key, item in items:
            if key not in valid:
                if key in METADATA:
                    continue
                validate_key(key)
                valid.add(key)
            if level > MAX_DEPTH:
                raise InvalidDataError(f"Invalid data; it is nested deeper than {MAX_DEPTH} levels.")
            node = self.build(item, child(existing, key), level) if isinstance(item, (dict, list)) else _scalar(item)
            if node is not None:
                children[key] = node
        return branch_of(children)

    def _server_value(self, operation: Json, current: Scalar | None) -> Scalar:
        if operation == "timestamp":
            return self._now
        delta = operation.get("increment") if isinstance(operation, dict) else None
        if not isinstance(delta, (int, float)) or isinstance(delta, bool):
            expected = '{".sv": "timestamp"} or {".sv": {"increment": number}}'
            raise InvalidDataError(f"Invalid data; a server value must be {expected}.")
        delta = number(delta)  # before the addition, because Python cannot add a float and an int beyond its range
        if isinstance(current, (int, float)) and not isinstance(current, bool):
            return number(current + delta)
        return delta


def _scalar(value: None | bool | int | float | str) -> Scalar | None:
    if isinstance(value, str):
        if len(value) > MAX_STRING_BYTES // 4 and len(value.encode()) > MAX_STRING_BYTES:
            raise InvalidDataError(f"Invalid data; a string is longer than {MAX_STRING_BYTES} bytes.")
        return value
    if value is None or isinstance(value, bool):
        return value
    return number(value)
