"""Values with every array turned into the object it is stored as, and how changes are put into them.

The law of this file: a keyed value is None, a scalar, or a dict without None and without empty dicts, and it is never
changed: `replaced` shares everything beside the path. The database has no arrays; it renders some objects as arrays
when they are read, and a deletion can turn one form into the other, so both become keyed before they are merged.
https://firebase.blog/posts/2014/04/best-practices-arrays-in-firebase
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from firebase_rest.database.path import MAX_LEVELS, array_length, check_levels
from firebase_rest.transport.wire import Json

Normalized: TypeAlias = Json
"""Normalized by the law above; the type checkers cannot tell."""


def normalize(value: Json, levels: int = MAX_LEVELS) -> Normalized:
    """`value` as it is stored: arrays as objects, nothing empty. Raises `InvalidResponse` if it is too deep."""
    if isinstance(value, list):
        value = {str(index): item for index, item in enumerate(value)}
    if isinstance(value, dict):
        check_levels(levels)
        members = {key: normalize(item, levels - 1) for key, item in value.items()}
        return {key: item for key, item in members.items() if item is not None} or None
    return value


def render_arrays(value: Normalized) -> Json:
    """`value` as it is read: an object whose keys are mostly 0, 1, 2, ... is an array with None for the holes."""
    if not isinstance(value, dict):
        return value
    members: dict[str, Json] = {key: render_arrays(item) for key, item in value.items()}
    length = array_length(members)
    return [members.get(str(index)) for index in range(length)] if length else members


def set_in(value: Normalized, path: Sequence[str], new: Normalized) -> Normalized:
    """`value` with what is at `path` replaced by `new`; None removes it, and what it leaves empty."""
    if not path:
        return new
    members = children_of(value)
    child = set_in(members.get(path[0]), path[1:], new)
    if child is None:
        if path[0] not in members:
            return value  # nothing was there to be removed, so a leaf on the way stays
        rest = dict(members)  # to copy and to delete is several times as quick as to leave one out
        del rest[path[0]]
        return rest or None
    return {**members, path[0]: child}


def values_equal(one: Normalized, other: Normalized) -> bool:
    """Whether both are the same value to Firebase: 1 and 1.0 are, 1 and true are not."""
    if one is other:
        return True
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(values_equal(item, other[key]) for key, item in one.items())
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def children_of(value: Normalized) -> Mapping[str, Normalized]:
    """The children; none for a scalar."""
    return value if isinstance(value, dict) else {}
