"""Firebase's order of keys and values."""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction

import pytest

from firebase_rest.database.ordering import (
    MAX_KEY,
    MIN_KEY,
    child_at,
    key_order,
    keys_by_value,
    sorted_keys,
    value_order,
)

# In ascending order, as the official SDKs sort them.
KEYS = [
    *("-2147483648", "-10", "-1", "-01", "0", "-0", "00", "000", "1", "7", "07", "007", "10", "2147483647"),
    *("-2147483649", "02147483648", "2147483648", "9999999999", "A", "Z", "_", "a", "a1", "ab", "b", "~"),
    *("é", "١", "中", "\ud7ff", "😀", "\ue000", "\uf8ff", "\uffff"),
]
VALUES = [None, False, True, -1.5, 0, 1, 1.5, 2**53, "", "0", "10", "9", "A", "a", "é", "😀", "\uf8ff", {"a": 1}]


def test_integer_keys_sort_first_and_others_by_utf16() -> None:
    shuffled = KEYS.copy()
    random.Random(1).shuffle(shuffled)
    assert sorted_keys(shuffled) == KEYS
    assert sorted(shuffled, key=key_order) == KEYS


def test_fast_path_sorts_keys_like_key_order() -> None:
    plain = [key for key in KEYS if key.isascii() and not any(map(str.isdigit, key))]
    assert sorted_keys(reversed(plain)) == plain


def test_single_integer_key_disables_the_fast_path() -> None:
    assert sorted_keys(["b", "a", "10", "9"]) == ["9", "10", "a", "b"]
    assert sorted_keys(["b", "-9", "-10"]) == ["-10", "-9", "b"]


def test_min_and_max_key_enclose_all_keys() -> None:
    assert sorted([MAX_KEY, *KEYS, MIN_KEY], key=key_order) == [MIN_KEY, *KEYS, MAX_KEY]


def test_values_of_mixed_types_are_ordered() -> None:
    shuffled = VALUES.copy()
    random.Random(1).shuffle(shuffled)
    assert sorted(shuffled, key=value_order) == VALUES
    assert [type(value) for value in sorted(shuffled, key=value_order)] == [type(value) for value in VALUES]


def test_booleans_differ_from_numbers() -> None:
    assert value_order(True) < value_order(0)
    assert value_order(False) < value_order(True) < value_order(-5)


def test_floats_equal_ints_and_objects_are_equal() -> None:
    assert value_order(1) == value_order(1.0)
    assert value_order(-0.0) == value_order(0)
    assert value_order({"a": 1}) == value_order([1]) == value_order({})


@pytest.mark.parametrize(
    "children",
    [
        {"b": 2, "a": 2, "c": 1.5},
        {"b": "x", "a": "x", "c": "w"},
        {"b": "é", "a": "z", "c": "\uf8ff", "d": "😀"},
        {"b": True, "a": 1, "c": False, "d": None, "e": "1", "f": {"x": 1}, "g": [1]},
        {"10": 1, "9": 1, "a": 1},
        {},
    ],
)
def test_fast_paths_order_children_like_value_order(children: dict) -> None:
    by_rule = sorted(children, key=lambda key: (value_order(children[key]), key_order(key)))
    assert keys_by_value(children) == by_rule
    index = {key: {"deep": value} for key, value in children.items()}
    assert keys_by_value(index, children) == by_rule


def test_decimals_and_fractions_are_ordered_by_value() -> None:
    ordered = [None, True, Decimal("-1.5"), 0, Fraction(1, 3), 0.5, Decimal("0.7"), 1, Fraction(10**400), "a", {}]
    shuffled = ordered.copy()
    random.Random(1).shuffle(shuffled)
    assert sorted(shuffled, key=value_order) == ordered
    assert keys_by_value({str(item): item for item in shuffled}) == [str(item) for item in ordered]


@pytest.mark.parametrize("nan", [float("nan"), Decimal("NaN")])
def test_nan_does_not_break_the_order(nan: object) -> None:
    assert [item for item in sorted([3, nan, 1, nan, 2], key=value_order) if item is not nan] == [1, 2, 3]


def test_key_of_many_zeros_is_an_integer() -> None:
    assert sorted_keys(["0" * 5000 + "2", "1", "3"]) == ["1", "0" * 5000 + "2", "3"]


@pytest.mark.parametrize(
    ("value", "path", "found"),
    [
        ({"a": {"b": 1}}, "a/b", 1),
        ({"a": {"b": 1}}, "a", {"b": 1}),
        ({"a": {"b": 1}}, "a/c", None),
        ({"a": 1}, "a/b", None),
        ({"a": ["x", None, "z"]}, "a/2", "z"),
        ({"a": ["x", None, "z"]}, "a/1", None),
        ({"a": ["x"]}, "a/1", None),
        ({"a": ["x"]}, "a/00", None),
        ({"a": ["x"]}, "a/-1", None),
        ({"a": ["x"]}, "a/٠", None),
        ({"a": ["x"]}, "a/length", None),
        ({"a": "text"}, "a/0", None),
        (None, "a", None),
    ],
)
def test_child_at_steps_into_objects_and_arrays(value: object, path: str, found: object) -> None:
    assert child_at(value, path.split("/")) == found  # type: ignore[arg-type]
