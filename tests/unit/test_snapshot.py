"""Snapshots: the types of their results, and the order of children."""

from __future__ import annotations

import copy
import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from firebase_rest.database.filter import Bound, Filter
from firebase_rest.database.snapshot import Item, Snapshot, sort
from firebase_rest.errors import InvalidResponse, UsageError

SHALLOW = Filter(shallow=True)
BY_KEY = Filter("$key")
BY_VALUE = Filter("$value", limit_to_first=10)
BY_AGE = Filter("age", start_at=Bound(None))


def pairs(snapshot: Snapshot) -> Any:
    items = snapshot.each()
    return None if items is None else [item.item for item in items]


@pytest.mark.parametrize("value", [None, 0, 5, 1.5, "", "text", True, False])
def test_scalar_and_null_have_no_items(value: object) -> None:
    snapshot = Snapshot("k", value)  # type: ignore[arg-type]
    assert snapshot.val() == value
    assert type(snapshot.val()) is type(value)
    assert snapshot.each() is None
    assert snapshot.pyres == value
    assert list(snapshot) == []
    assert snapshot


def test_object_is_a_dict_in_key_order() -> None:
    snapshot = Snapshot("k", {"b": 1, "10": 2, "a": 3, "9": 4})
    assert list(snapshot.val().items()) == [("9", 4), ("10", 2), ("a", 3), ("b", 1)]
    assert pairs(snapshot) == [("9", 4), ("10", 2), ("a", 3), ("b", 1)]
    assert [item.key() for item in snapshot.pyres] == ["9", "10", "a", "b"]
    assert [item.val() for item in snapshot] == [4, 2, 3, 1]
    assert snapshot[1].item == ("10", 2)
    assert json.dumps(snapshot.val()) == '{"9": 4, "10": 2, "a": 3, "b": 1}'


def test_val_returns_a_new_object() -> None:
    for value in ({"a": 1}, [1, 2]):
        snapshot = Snapshot("k", copy.copy(value))  # type: ignore[arg-type]
        snapshot.val().clear()
        assert snapshot.val() == value
        assert len(snapshot.each() or []) == len(value)


def test_array_has_none_for_holes_and_int_keys() -> None:
    snapshot = Snapshot("k", ["a", None, "a", {"x": 1}])
    assert snapshot.val() == ["a", None, "a", {"x": 1}]
    assert pairs(snapshot) == [(0, "a"), (1, None), (2, "a"), (3, {"x": 1})]
    assert [item.key() for item in snapshot.pyres] == [0, 1, 2, 3]
    assert snapshot[3].val() == {"x": 1}


def test_ordered_array_has_items_without_holes() -> None:
    snapshot = Snapshot("k", [None, 3, None, 1, 2], BY_VALUE)
    assert snapshot.val() == [None, 3, None, 1, 2]
    assert pairs(snapshot) == [(3, 1), (4, 2), (1, 3)]
    by_age = Snapshot("k", [None, {"age": 7}, {"age": "x"}, {"name": "z"}], BY_AGE)
    assert [item.key() for item in by_age] == [3, 1, 2]


@pytest.mark.parametrize("value", [None, {}])
@pytest.mark.parametrize("filter", [BY_KEY, BY_VALUE, BY_AGE])
def test_query_without_results_has_empty_val(value: Any, filter: Filter) -> None:
    snapshot = Snapshot("k", value, filter)
    assert snapshot.val() == {}
    assert not snapshot.val()
    assert snapshot.each() == []
    assert snapshot.pyres == []
    assert list(snapshot) == []
    assert snapshot


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        ({"b": True, "a": True, "10": True, "9": True}, ["9", "10", "a", "b"]),
        ([True, None, True], ["0", "2"]),
        (None, None),
        ("leaf", "leaf"),
    ],
)
def test_shallow_val_is_the_sorted_keys(value: Any, keys: Any) -> None:
    snapshot = Snapshot("k", value, SHALLOW)
    assert snapshot.val() == keys
    assert snapshot.each() is None
    assert list(snapshot) == (keys if isinstance(keys, list) else [])


def test_children_of_mixed_types_are_ordered() -> None:
    people: dict[str, Any] = {
        "text": {"age": "7"},
        "map": {"age": {"x": 1}},
        "none": {"name": "x"},
        "int": {"age": 7},
        "true": {"age": True},
        "leaf": "just text",
        "float": {"age": 6.5},
        "false": {"age": False},
        "array": ["age"],
    }
    snapshot = Snapshot("k", people, BY_AGE)
    assert list(snapshot.val()) == ["array", "leaf", "none", "false", "true", "float", "int", "text", "map"]


def test_children_are_ordered_by_a_deep_path() -> None:
    value: dict[str, Any] = {"a": {"scores": [9, 3]}, "b": {"scores": {"1": 1, "x": 0}}, "c": {"scores": [1]}}
    assert list(Snapshot("k", value, Filter("scores/1")).val()) == ["c", "b", "a"]
    assert list(Snapshot("k", {"a": [5], "b": [4]}, Filter("0")).val()) == ["b", "a"]


def test_equal_values_are_ordered_by_key() -> None:
    value: dict[str, Any] = {key: {"age": 1} for key in ("b", "10", "a", "9")}
    assert list(Snapshot("k", value, BY_AGE).val()) == ["9", "10", "a", "b"]


def test_export_is_ordered_by_priority_without_showing_it() -> None:
    exported: Any = {
        "z": {".value": 1, ".priority": "b"},
        "y": {"x": {"0": 1, "1": {".value": 2, ".priority": 9}}, ".priority": 5},
        "b": 3,
        "a": {"x": 1},
        "x": {".value": False, ".priority": "a"},
    }
    snapshot = Snapshot.from_export("k", exported, Filter("$priority"))
    assert list(snapshot.val().items()) == [("a", {"x": 1}), ("b", 3), ("y", {"x": [1, 2]}), ("x", False), ("z", 1)]


def test_export_renders_arrays() -> None:
    exported: Any = {"0": {".value": "x", ".priority": 2}, "2": {".value": "y", ".priority": 1}, ".priority": "own"}
    snapshot = Snapshot.from_export("k", exported, Filter("$priority"))
    assert snapshot.val() == ["x", None, "y"]
    assert pairs(snapshot) == [(2, "y"), (0, "x")]
    leaf = Snapshot.from_export("k", {".value": 5, ".priority": 1}, Filter("$priority"))
    assert leaf.val() == 5


def test_repr_shows_the_key_and_not_the_value() -> None:
    snapshot = Snapshot("users", {"ada": "secret"})
    assert snapshot.key() == "users"
    assert repr(snapshot) == "<Snapshot 'users'>"
    assert repr(snapshot[0]) == "<Item 'ada'>"
    assert repr(Snapshot("", None)) == "<Snapshot '/'>"


def test_sort_orders_mixed_types_and_keeps_all_children() -> None:
    snapshot = Snapshot("k", {"a": {"n": 2}, "b": {"n": "1"}, "c": 5, "d": {"n": 1, "x/y": 0}})
    by_n = sort(snapshot, "n")
    assert [item.key() for item in by_n] == ["c", "d", "a", "b"]
    assert list(by_n.val()) == ["c", "d", "a", "b"]
    assert [item.key() for item in sort(snapshot, "n", reverse=True)] == ["b", "a", "d", "c"]
    assert by_n.key() == "k"


def test_sort_of_scalar_and_null_is_empty() -> None:
    assert sort(Snapshot("k", None), "n").each() == []
    assert sort(Snapshot("k", 5), "n").each() == []


def test_sort_of_an_array_returns_a_list() -> None:
    by_n = sort(Snapshot("k", [{"n": 2}, {"n": 1}]), "n")
    assert [item.item for item in by_n] == [(1, {"n": 1}), (0, {"n": 2})]
    assert by_n.val() == [{"n": 1}, {"n": 2}]


def test_item_has_key_and_value() -> None:
    item = Item("a", 1)
    assert (item.key(), item.val(), item.item) == ("a", 1, ("a", 1))


@pytest.mark.parametrize(
    ("snapshot", "length", "exists"),
    [
        (Snapshot("k", None), 0, False),
        (Snapshot("k", None, BY_KEY), 0, False),
        (Snapshot("k", {}, BY_KEY), 0, False),
        (Snapshot("k", None, SHALLOW), 0, False),
        (Snapshot("k", 0), 0, True),
        (Snapshot("k", False), 0, True),
        (Snapshot("k", ""), 0, True),
        (Snapshot("k", "text"), 0, True),
        (Snapshot("k", {"a": 1, "b": {"c": 2}}), 2, True),
        (Snapshot("k", ["a", None, "c"]), 3, True),
        (Snapshot("k", ["a", None, "c"], BY_VALUE), 2, True),
        (Snapshot("k", {"a": True, "b": True}, SHALLOW), 2, True),
        (Snapshot("k", "text", SHALLOW), 0, True),
        (Snapshot.from_pairs("k", [("b", 2), ("a", 1)]), 2, True),
    ],
)
def test_length_is_the_number_of_items(snapshot: Snapshot, length: int, exists: bool):
    assert len(snapshot) == length == len(list(snapshot))
    assert snapshot.exists() is exists
    assert bool(snapshot) is True


@pytest.mark.parametrize(
    ("value", "key", "found"),
    [
        ({"a": {"b": 0}}, "a", True),
        ({"a": {"b": 0}}, "a/b", True),
        ({"a": {"b": 0}}, "/a/b/", True),
        ({"a": {"b": 0}}, "b", False),
        ({"a": {"b": 0}}, "a/b/c", False),
        ({"a": 1}, "", False),
        ({"1": "x"}, 1, True),
        (["x", None, "z"], 0, True),
        (["x", None, "z"], "1", False),
        ("text", "0", False),
        (None, "a", False),
    ],
)
def test_has_child_looks_up_a_key_or_path(value: Any, key: Any, found: bool) -> None:
    assert Snapshot("k", value).has_child(key) is found


def test_has_child_with_invalid_key_raises() -> None:
    with pytest.raises(UsageError, match=r"has_child\(\) arguments must be .* got list"):
        Snapshot("k", {"a": 1}).has_child(["a"])


@pytest.mark.parametrize("number", [Decimal, Fraction])
def test_decimals_and_fractions_are_ordered(number: Any) -> None:
    text = '{"a": {"p": 10.5}, "b": {"p": 9.25}, "c": {"p": 10}, "d": {"p": "1"}, "e": {"p": true}, "f": {}}'
    value = json.loads(text, parse_float=number)
    assert list(Snapshot("k", value, Filter("p")).val()) == ["f", "e", "b", "c", "a", "d"]
    assert list(sort(Snapshot("k", value), "p", reverse=True).val()) == ["d", "a", "c", "b", "e", "f"]
    by_value = json.loads('{"a": 10.5, "b": 9.25, "c": 10}', parse_float=number)
    assert list(Snapshot("k", by_value, Filter("$value")).val()) == ["b", "c", "a"]


def test_deeply_nested_export_raises_invalid_response() -> None:
    value: Any = 1
    for _ in range(900):
        value = {"a": value}
    with pytest.raises(InvalidResponse, match="nested deeper than 100 levels"):
        Snapshot.from_export("k", value, Filter("$priority"))
