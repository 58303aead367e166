"""Children that a filter selects: the cases of the SDKs' integration tests, and ties."""

from __future__ import annotations

import pytest

from firebase_rest.database.filter import Bound, Filter
from firebase_rest.database.ordering import MAX_KEY, MIN_KEY, select

FIVE = [(f"k{number}", number) for number in range(5)]
TIES = [("c", 1), ("a", 1), ("b", 1), ("d", 2)]
MIXED = [("o", {}), ("s", "x"), ("n", 5), ("t", True), ("f", False), ("z", None), ("l", [1])]


@pytest.mark.parametrize(
    ("window", "numbers"),
    [
        ({}, "01234"),
        ({"limit_to_first": 3}, "012"),
        ({"limit_to_last": 3}, "234"),
        ({"start_at": 3}, "34"),
        ({"end_at": 1}, "01"),
        ({"equal_to": 2}, "2"),
        ({"start_at": 2, "limit_to_last": 2}, "34"),
        ({"start_at": 2, "limit_to_first": 2}, "23"),
        ({"end_at": 2, "limit_to_last": 2}, "12"),
        ({"end_at": 2, "limit_to_first": 2}, "01"),
        ({"start_after": 2}, "34"),
        ({"end_before": 2}, "01"),
        ({"start_after": 0, "end_before": 4}, "123"),
        ({"start_at": 3, "end_at": 1}, ""),
        ({"equal_to": 9}, ""),
        ({"limit_to_first": 99}, "01234"),
        ({"limit_to_last": 99}, "01234"),
    ],
)
def test_select_applies_bounds_and_limits(window: dict, numbers: str) -> None:
    expected = [f"k{number}" for number in numbers]
    by_value = {name: number if "limit" in name else Bound(number) for name, number in window.items()}
    by_key = {name: number if "limit" in name else Bound(f"k{number}") for name, number in window.items()}
    assert select(Filter("$value", **by_value), reversed(FIVE)) == expected
    assert select(Filter("$key", **by_key), reversed(FIVE)) == expected


@pytest.mark.parametrize(
    ("window", "keys"),
    [
        ({"start_at": Bound(1)}, "abcd"),
        ({"start_at": Bound(1, "b")}, "bcd"),
        ({"start_after": Bound(1)}, "d"),
        ({"start_after": Bound(1, "b")}, "cd"),
        ({"start_after": Bound(1, MAX_KEY)}, "d"),
        ({"end_at": Bound(1)}, "abc"),
        ({"end_at": Bound(1, "b")}, "ab"),
        ({"end_before": Bound(1)}, ""),
        ({"end_before": Bound(1, "b")}, "a"),
        ({"end_before": Bound(1, MIN_KEY)}, ""),
        ({"end_before": Bound(2)}, "abc"),
        ({"equal_to": Bound(1)}, "abc"),
        ({"equal_to": Bound(1, "b")}, "b"),
        ({"equal_to": Bound(1, "x")}, ""),
        ({"limit_to_first": 2}, "ab"),
        ({"limit_to_last": 2}, "cd"),
    ],
)
def test_key_of_bound_breaks_ties(window: dict, keys: str) -> None:
    assert select(Filter("$value", **window), TIES) == list(keys)


def test_bounds_include_types_that_sort_after_them() -> None:
    assert select(Filter("x", start_at=Bound(5)), MIXED) == ["n", "s", "l", "o"]
    assert select(Filter("x", end_at=Bound(5)), MIXED) == ["z", "f", "t", "n"]
    assert select(Filter("x", start_at=Bound(None), end_before=Bound(True)), MIXED) == ["z", "f"]
    assert select(Filter("x", equal_to=Bound(None)), MIXED) == ["z"]


def test_bounds_distinguish_one_and_true() -> None:
    entries = [("one", 1), ("true", True), ("float", 1.0)]
    assert select(Filter("$value", equal_to=Bound(True)), entries) == ["true"]
    assert select(Filter("$value", equal_to=Bound(1)), entries) == ["float", "one"]


def test_select_without_order_uses_keys() -> None:
    entries = [("b", 1), ("10", 5), ("9", 7)]
    assert select(Filter(), entries) == ["9", "10", "b"]
    assert select(Filter(limit_to_last=2), entries) == ["10", "b"]


def test_key_bounds_use_key_order() -> None:
    entries = [(key, None) for key in ("9", "10", "a", "a😀", "a\uf8ff", "b")]
    assert select(Filter("$key", start_at=Bound("10")), entries) == ["10", "a", "a😀", "a\uf8ff", "b"]
    assert select(Filter("$key", start_at=Bound("a"), end_at=Bound("a\uf8ff")), entries) == ["a", "a😀", "a\uf8ff"]
