"""Normalize values: arrays become the objects that the database stores.

The database has no arrays; reads render some objects as arrays, and a deletion can turn one form into the other. So
both are normalized before they are merged. https://firebase.blog/posts/2014/04/best-practices-arrays-in-firebase
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from firebase_rest.database.path import MAX_LEVELS, array_length, check_levels
from firebase_rest.transport.wire import Json

Normalized: TypeAlias = Json
"""None, a scalar, or a dict without None and without empty dicts."""

# Invariant: a normalized value is never changed; `set_in` shares everything beside the path.


def normalize(value: Json, levels: int = MAX_LEVELS) -> Normalized:
    """Return `value` as it is stored: arrays as objects, nothing empty. Raises `InvalidResponse` if it is too deep."""
    if isinstance(value, list):
        value = {str(index): item for index, item in enumerate(value)}
    if isinstance(value, dict):
        check_levels(levels)
        members = {key: normalize(item, levels - 1) for key, item in value.items()}
        return {key: item for key, item in members.items() if item is not None} or None
    return value


def render_arrays(value: Normalized) -> Json:
    """Return `value` as it is read: objects with mostly the keys 0, 1, 2, ... as arrays with None for the holes."""
    if not isinstance(value, dict):
        return value
    members: dict[str, Json] = {key: render_arrays(item) for key, item in value.items()}
    length = array_length(members)
    return [members.get(str(index)) for index in range(length)] if length else members


def set_in(value: Normalized, path: Sequence[str], new: Normalized) -> Normalized:
    """Return a copy of `value` with `new` at `path`. None removes the data there, and parents that become empty."""
    if not path:
        return new
    members = children_of(value)
    child = set_in(members.get(path[0]), path[1:], new)
    if child is None:
        if path[0] not in members:
            return value  # nothing to remove, so a scalar on the way stays
        rest = dict(members)  # copying and deleting is several times faster than a comprehension
        del rest[path[0]]
        return rest or None
    return {**members, path[0]: child}


def values_equal(one: Normalized, other: Normalized) -> bool:
    """Return whether both are the same value in the database: 1 equals 1.0, and 1 does not equal true."""
    if one is other:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(values_equal(item, other[key]) for key, item in one.items())
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def children_of(value: Normalized) -> Mapping[str, Normalized]:
    """Return the children; a scalar has none."""
    return value if isinstance(value, dict) else {}
