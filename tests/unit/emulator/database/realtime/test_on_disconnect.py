"""Writes that a session leaves for its end."""

from __future__ import annotations

import pytest

from firebase_rest.database.path import split
from firebase_rest.emulator.database.realtime.on_disconnect import PendingWrites


def pending(*steps):
    """The values by path after puts of (path, value) and cancellations of a path."""
    writes = PendingWrites()
    for step in steps:
        if isinstance(step, str):
            writes.cancel(split(step))
        else:
            writes.put(split(step[0]), step[1])
    return {"/".join(path): value for path, value in writes.values().items()}


def test_values_of_different_paths_are_kept():
    assert pending(("a", 1), ("b/c", 2), ("b/d", None)) == {"a": 1, "b/c": 2, "b/d": None}


@pytest.mark.parametrize("above", ["", "a", "a/b"])
def test_value_replaces_those_below(above):
    assert pending(("a/b/c", 1), ("a/b/d", 2), (above, {"x": 3})) == {above: {"x": 3}}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"x": 1}, {"x": 1, "b": {"c": 2}}),
        (7, {"b": {"c": 2}}),
        (None, {"b": {"c": 2}}),
        ([5], {"0": 5, "b": {"c": 2}}),
        ({".sv": "timestamp"}, {"b": {"c": 2}}),
        ({".value": 1, ".priority": 3}, {".priority": 3, "b": {"c": 2}}),
        ({"b": {"d": 1}}, {"b": {"d": 1, "c": 2}}),
    ],
)
def test_value_is_merged_into_a_write_above(value, expected):
    assert pending(("a", value), ("a/b/c", 2)) == {"a": expected}


def test_priority_of_a_pending_value():
    assert pending(("a", 1), ("a/.priority", 2)) == {"a": {".value": 1, ".priority": 2}}
    assert pending(("a", {"b": 1}), ("a/.priority", 2)) == {"a": {"b": 1, ".priority": 2}}
    assert pending(("a/.priority", 2)) == {"a/.priority": 2}


def test_cancel_removes_a_path_and_the_paths_below():
    assert pending(("a/b", 1), ("a/c/d", 2), ("e", 3), "a") == {"e": 3}
    assert pending(("a/b", 1), "a/b") == {}
    assert pending(("a", 1), "") == {}
    assert pending("a") == {}


def test_cancel_inside_a_value_keeps_the_other_children_as_single_values():
    assert pending(("a", {"b": {"c": 1, "d": 2}, "e": 3}), "a/b/c") == {"a/b/d": 2, "a/e": 3}
    assert pending(("a", 1), "a/b") == {}
    assert pending(("a", {"b": 1}), "a/x") == {"a/b": 1}


def test_merge_puts_each_path():
    writes = PendingWrites()
    writes.merge(("a",), {("b",): 1, ("c", "d"): 2})
    assert writes.values() == {("a", "b"): 1, ("a", "c", "d"): 2}
