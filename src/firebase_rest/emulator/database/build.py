"""JSON that came in becomes nodes: normalised, checked, its server values filled in.

The law of this file: it builds what the official SDKs' own `nodeFromJSON` builds, or refuses with a sentence.
https://firebase.google.com/docs/database/rest/save-data
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from firebase_rest.database.path import MAX_DEPTH, MAX_KEY_BYTES, is_valid_key
from firebase_rest.emulator.database.tree import Branch, child, leaf_value, priority_of, with_priority

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firebase_rest.emulator.database.tree import Node, Priority, Scalar
    from firebase_rest.transport.wire import Json

MAX_STRING_BYTES = 10 * 1024 * 1024
_INT64 = 2**63
_EXACT = 2**53
METADATA = frozenset({".value", ".priority", ".sv"})


class BadDataError(ValueError):
    """The data cannot be stored; the text says why."""


class BadKeyError(BadDataError):
    """A key that cannot be one."""


def number(value: int | float) -> int | float:
    """A number as the database keeps it: an integer where it is one, within 64 bits; else a double."""
    if isinstance(value, int):
        if -_INT64 <= value < _INT64:
            return value
        try:
            value = float(value)
        except OverflowError:
            value = math.inf
    if not math.isfinite(value):
        raise BadDataError("Invalid data; a number is too large for a double.")
    return int(value) if abs(value) < _EXACT and value.is_integer() else value


def check_key(key: str) -> None:
    """Raise `BadKeyError` for what cannot be a key, `BadDataError` for one that is too long."""
    if not is_valid_key(key):
        raise BadKeyError(key)
    if len(key) > MAX_KEY_BYTES // 4 and len(key.encode()) > MAX_KEY_BYTES:
        raise BadDataError(f"Invalid data; a key is longer than {MAX_KEY_BYTES} bytes.")


class Builder:
    """Builds the nodes of one request: all its timestamps are one number."""

    def __init__(self, now_ms: int) -> None:
        self._now = now_ms
        self._good_keys: set[str] = set()  # records repeat their keys, and checking one costs more than looking it up

    def build(self, value: Json, existing: Node, level: int) -> Node:
        """The node that `value` stands for. `existing` is the node it replaces, which increments add to, and `level` is
        how many keys lie above it.
        """
        if isinstance(value, dict):
            return self._object(value, existing, level)
        if isinstance(value, list):
            return self._children(((str(index), item) for index, item in enumerate(value)), existing, level)
        return _scalar(value)

    def priority(self, value: Json, existing: Node) -> Priority:
        """A priority: null, a number or a string, or a server value that becomes one."""
        if isinstance(value, dict) and ".sv" in value:
            value = self._server_value(value[".sv"], priority_of(existing))
        if value is None or isinstance(value, str):
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return number(value)
        raise BadDataError("Invalid data; a priority must be null, a number or a string.")

    def _object(self, value: dict[str, Json], existing: Node, level: int) -> Node:
        priority = self.priority(value[".priority"], existing) if ".priority" in value else None
        if ".value" in value:
            inner = self._unwrapped(value)
            if inner is not None and not isinstance(inner, dict):
                return with_priority(self.build(inner, existing, level), priority)
            value = value if inner is None else inner
        if ".sv" in value:
            return with_priority(self._server_value(value[".sv"], leaf_value(existing)), priority)
        node = self._children(value.items(), existing, level)
        return node if priority is None else with_priority(node, priority)

    @staticmethod
    def _unwrapped(value: dict[str, Json]) -> Json:
        if value.keys() - METADATA:
            raise BadDataError("Invalid data; an object cannot have both '.value' and children.")
        return value[".value"]

    def _children(self, items: Iterable[tuple[str, Json]], existing: Node, level: int) -> Branch | None:
        good, level = self._good_keys, level + 1
        children: dict[str, Node] = {}
        for key, item in items:
            if key not in good:
                if key in METADATA:
                    continue
                check_key(key)
                good.add(key)
            if level > MAX_DEPTH:
                raise BadDataError(f"Invalid data; it is nested deeper than {MAX_DEPTH} levels.")
            node = self.build(item, child(existing, key), level) if isinstance(item, (dict, list)) else _scalar(item)
            if node is not None:
                children[key] = node
        return Branch(children) if children else None

    def _server_value(self, operation: Json, current: Scalar | None) -> Scalar:
        if operation == "timestamp":
            return self._now
        delta = operation.get("increment") if isinstance(operation, dict) else None
        if not isinstance(delta, (int, float)) or isinstance(delta, bool):
            raise BadDataError(
                'Invalid data; a server value must be {".sv": "timestamp"} or {".sv": {"increment": number}}.'
            )
        if isinstance(current, (int, float)) and not isinstance(current, bool):
            return number(current + delta)
        return number(delta)


def _scalar(value: None | bool | int | float | str) -> Scalar | None:
    if isinstance(value, str):
        if len(value) > MAX_STRING_BYTES // 4 and len(value.encode()) > MAX_STRING_BYTES:
            raise BadDataError(f"Invalid data; a string is longer than {MAX_STRING_BYTES} bytes.")
        return value
    if value is None or isinstance(value, bool):
        return value
    return number(value)
