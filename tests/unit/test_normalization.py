"""Normalized values and changes to them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebase_rest.database.normalization import apply_changes, normalize, render_arrays, values_equal


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        ([1, None, 2], {"0": 1, "2": 2}),
        ({"a": [], "b": {}, "c": None, "d": {"e": [None]}}, None),
        ([[1]], {"0": {"0": 1}}),
        (0, 0),
        (False, False),
        ("", ""),
    ],
)
def test_normalize_converts_arrays_and_drops_empty_values(value: Any, stored: Any) -> None:
    assert normalize(value) == stored


@pytest.mark.parametrize(
    ("stored", "value"),
    [
        ({"0": 1, "1": 2}, [1, 2]),
        ({"0": 1, "2": 2}, [1, None, 2]),
        ({"1": 1}, [None, 1]),
        ({"3": 1}, {"3": 1}),
        ({"0": 1, "a": 2}, {"0": 1, "a": 2}),
        ({"a": {"0": {"0": 1}}}, {"a": [[1]]}),
    ],
)
def test_objects_with_mostly_index_keys_render_as_arrays(stored: Any, value: Any) -> None:
    assert render_arrays(stored) == value


TREE = {"a": {"b": 1, "c": 2}, "d": 3}


@pytest.mark.parametrize(
    ("path", "new", "result"),
    [
        ((), 5, 5),
        ((), None, None),
        (("a", "b"), 9, {"a": {"b": 9, "c": 2}, "d": 3}),
        (("a", "b"), None, {"a": {"c": 2}, "d": 3}),
        (("d",), None, {"a": {"b": 1, "c": 2}}),
        (("d", "x"), 1, {"a": {"b": 1, "c": 2}, "d": {"x": 1}}),
        (("d", "x"), None, TREE),
        (("n", "m"), {"o": 1}, {**TREE, "n": {"m": {"o": 1}}}),
        (("n", "m"), None, TREE),
    ],
)
def test_apply_changes_replaces_only_its_path(path: tuple[str, ...], new: Any, result: Any) -> None:
    before = normalize(TREE)
    assert apply_changes(before, [(path, new)]) == result
    assert before == TREE


def test_deletion_removes_empty_parents() -> None:
    assert apply_changes({"a": {"b": {"c": 1}}}, [(("a", "b", "c"), None)]) is None


def test_apply_changes_shares_other_children() -> None:
    before = {"a": {"b": 1}, "c": {"d": 1}}
    after = apply_changes(before, [(("a", "b"), 2)])
    assert isinstance(after, dict)
    assert after["c"] is before["c"]


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        *((1, 1.0, True), (0, -0.0, True), (1, True, False), (0, False, False), ("1", 1, False), (None, None, True)),
        *(({"a": 1}, {"a": 1.0}, True), ({"a": 1}, {"a": True}, False), ({"a": 1}, {"a": 1, "b": 2}, False)),
        *(({"a": 1}, 1, False), (None, False, False)),
    ],
)
def test_values_equal_compares_like_the_database(one: Any, other: Any, equal: bool) -> None:
    assert values_equal(one, other) is values_equal(other, one) is equal


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text("ab1", max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["0", "1", "2", "a", "b"]), inner),
    max_leaves=12,
)


@given(JSON)
def test_rendering_and_normalizing_are_inverse(value: Any) -> None:
    stored = normalize(value)
    assert values_equal(normalize(render_arrays(stored)), stored)


def test_apply_changes_in_their_order() -> None:
    before = {"a": {"x": 1, "y": 2}, "b": 3}
    assert apply_changes(before, [(("a", "x"), 5), (("a", "z"), 6), (("b",), None), (("c", "d"), 7)]) == {
        "a": {"x": 5, "y": 2, "z": 6},
        "c": {"d": 7},
    }
    assert apply_changes(before, [(("a", "x"), 5), (("a",), {"n": 1}), (("a", "m"), 2)]) == {
        "a": {"n": 1, "m": 2},
        "b": 3,
    }
    assert apply_changes(before, [((), {"n": 1}), (("m",), 2)]) == {"n": 1, "m": 2}
    assert apply_changes("leaf", [(("a",), None), (("b", "c"), None)]) == "leaf"
    assert apply_changes(before, [(("a",), None), (("b",), None)]) is None
    assert before == {"a": {"x": 1, "y": 2}, "b": 3}
