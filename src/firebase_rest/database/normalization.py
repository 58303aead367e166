"""Normalize values: arrays become the objects that the database stores.

The database has no arrays. Reads render some objects as arrays, and a deletion can change the form of a value.
Therefore both forms are normalized before they are merged. https://firebase.blog/posts/2014/04/best-practices-arrays-in-firebase
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from firebase_rest.database.path import MAX_LEVELS, array_length, check_levels
from firebase_rest.transport.wire import Json

Normalized: TypeAlias = Json
"""None, a scalar, or a dict without None and without empty dicts."""

# Invariant: a normalized value is immutable; `apply_changes` shares the unchanged parts with the new value.


def normalize(value: Json, levels: int = MAX_LEVELS) -> Normalized:
    """Return `value` as the database stores it: arrays as objects, and no empty objects.

    Raises `InvalidResponse` if it is nested too deeply.
    """
    if isinstance(value, list):
        value = {str(index): item for index, item in enumerate(value)}
    if isinstance(value, dict):
        check_levels(levels)
        members = {key: normalize(item, levels - 1) for key, item in value.items()}
        return {key: item for key, item in members.items() if item is not None} or None
    return value


def render_arrays(value: Normalized) -> Json:
    """Return `value` as reads render it: objects with mostly the keys 0, 1, 2, ... become arrays."""
    if not isinstance(value, dict):
        return value
    members: dict[str, Json] = {key: render_arrays(item) for key, item in value.items()}
    length = array_length(members)
    return [members.get(str(index)) for index in range(length)] if length else members


def apply_changes(value: Normalized, changes: Iterable[tuple[Sequence[str], Normalized]]) -> Normalized:
    """Return a copy of `value` with new values at some paths. None removes data, and parents that become empty."""
    by_key: dict[str, list[tuple[Sequence[str], Normalized]]] = {}
    for path, new in changes:
        if path:
            by_key.setdefault(path[0], []).append((path[1:], new))
        else:
            value = new
            by_key.clear()
    if not by_key:
        return value
    members = dict(children_of(value))  # copied once, however many children change
    for key, child_changes in by_key.items():
        child = apply_changes(members.get(key), child_changes)
        if child is not None:
            members[key] = child
        elif key in members:
            del members[key]
    if members:
        return members
    return None if isinstance(value, dict) else value  # removing a child of a scalar does not change it


def values_equal(left: Normalized, right: Normalized) -> bool:
    """Return whether both are the same value in the database: 1 equals 1.0, and 1 does not equal true."""
    if left is right:
        return True
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(values_equal(item, right[key]) for key, item in left.items())
    return isinstance(left, bool) == isinstance(right, bool) and left == right


def children_of(value: Normalized) -> Mapping[str, Normalized]:
    """Return the children of an object. Other values have none."""
    return value if isinstance(value, dict) else {}
