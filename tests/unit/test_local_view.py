"""Local copies and their child events. tests/official compares them with the official SDK on random writes."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from firebase_rest.database.filter import Bound, Filter
from firebase_rest.database.local_view import LocalView
from firebase_rest.database.normalization import children_of, render_arrays
from firebase_rest.database.sse import StreamEvent
from firebase_rest.errors import InvalidResponse


def put(path: str, data: Any, *, resync: bool = False) -> StreamEvent:
    return StreamEvent("put", path, data, resync)


def patch(path: str, data: Any) -> StreamEvent:
    return StreamEvent("patch", path, data)


def changes(view: LocalView, event: StreamEvent) -> list[tuple[Any, ...]]:
    """Apply an event and return its child events as (kind, key, previous key, value)."""
    short = {"child_": ""}
    return [
        (item.kind.replace("child_", short["child_"]), item.key, item.previous_key, render_arrays(item.value))
        for item in view.apply(event)
    ]


def holding(value: Any, **filter: Any) -> LocalView:
    view = LocalView(Filter(**filter))
    view.apply(put("/", value))
    return view


def test_first_event_makes_an_empty_value_known() -> None:
    view = LocalView(Filter())
    assert not view.is_known
    assert changes(view, put("/", None)) == [("value", "", None, None)]
    assert view.is_known
    assert changes(view, put("/", None)) == []


def test_added_children_are_ordered_with_previous_keys() -> None:
    assert changes(LocalView(Filter()), put("/", {"b": 2, "10": 0, "9": 1})) == [
        ("added", "9", None, 1),
        ("added", "10", "9", 0),
        ("added", "b", "10", 2),
        ("value", "", None, {"9": 1, "10": 0, "b": 2}),
    ]


def test_deep_change_reports_the_child() -> None:
    assert changes(holding({"a": {"x": 1}, "b": 2}), put("/a/x", 5))[0] == ("changed", "a", None, {"x": 5})


def test_unchanged_values_report_nothing() -> None:
    view = holding({"a": {"x": 1}})
    assert changes(view, put("/a/x", 1.0)) == []
    assert changes(view, patch("/", {"a/x": 1, "b": None})) == []
    assert changes(view, put("/a/x/y", None)) == []


def test_events_are_grouped_by_kind() -> None:
    view = holding({"a": {"n": 1}, "b": {"n": 2}, "c": {"n": 3}, "d": {"n": 4}}, order="n")
    kinds = [item[:3] for item in changes(view, patch("/", {"a/n": 9, "b": None, "d/m": 1, "e/n": 0}))]
    assert kinds == [
        ("removed", "b", None),
        ("added", "e", None),
        ("moved", "a", "d"),
        ("changed", "d", "c"),
        ("changed", "a", "d"),
        ("value", "", None),
    ]


def test_scalar_replaces_children() -> None:
    view = holding({"a": 1})
    assert changes(view, put("/", "leaf")) == [("removed", "a", None, 1), ("value", "", None, "leaf")]
    assert changes(view, put("/", "other")) == [("value", "", None, "other")]
    assert changes(view, put("/", {"b": 1}))[0] == ("added", "b", None, 1)


def test_array_items_are_children_by_index() -> None:
    view = holding([10, 11, 12])
    assert changes(view, put("/1", None)) == [("removed", "1", None, 11), ("value", "", None, [10, None, 12])]
    assert changes(view, put("/", {"x": 1}))[:2] == [("removed", "0", None, 10), ("removed", "2", None, 12)]


def test_trailing_slash_in_path_is_ignored() -> None:
    assert changes(holding({"a": 1}), put("/a/", 2))[0] == ("changed", "a", None, 2)


def test_resync_reports_differences_only() -> None:
    view = holding({"a": 1, "b": {"c": 2}, "d": 3})
    events = changes(view, put("/", {"a": 1, "b": {"c": 2}, "e": 4}, resync=True))
    assert events[:2] == [("removed", "d", None, 3), ("added", "e", "b", 4)]
    assert changes(view, put("/", {"a": 1, "b": {"c": 2}, "e": 4}, resync=True)) == []


def test_limit_removes_the_child_that_is_pushed_out() -> None:
    view = holding({"a": 1, "b": 2}, order="$value", limit_to_last=2)
    assert changes(view, put("/c", 3)) == [
        ("removed", "a", None, 1),
        ("added", "c", "b", 3),
        ("value", "", None, {"b": 2, "c": 3}),
    ]


def test_child_outside_the_bounds_is_removed() -> None:
    view = holding({"a": {"n": 1}, "b": {"n": 2}}, order="n", end_at=Bound(5))
    assert changes(view, put("/b/n", 6))[0] == ("removed", "b", None, {"n": 2})
    assert view.keys == ["a"]


def test_query_of_a_scalar_is_empty() -> None:
    view = holding("leaf", order="$key", limit_to_first=1)
    assert (view.is_known, view.value) == (True, None)


def test_change_by_value_is_also_a_move() -> None:
    events = changes(holding({"a": {"x": 1}}, order="$value"), put("/a/x", 2))
    assert [event[0] for event in events] == ["moved", "changed", "value"]


def test_value_is_never_modified() -> None:
    view = holding({"a": {"x": 1}})
    before = view.value
    view.apply(put("/a/x", 2))
    assert before == {"a": {"x": 1}}


@pytest.mark.parametrize("data", [None, 5, "text", []])
def test_empty_patch_changes_nothing(data: Any) -> None:
    assert changes(holding({"a": 1}), patch("/", data)) == []


def test_initial_lists_the_current_children() -> None:
    view = holding({"b": 2, "a": 1})
    assert [(event.key, event.previous_key) for event in view.initial()] == [("a", None), ("b", "a")]


@pytest.mark.slow
def test_many_children_are_added_in_linear_time() -> None:
    keys = [f"k{number:06}" for number in range(100_000)]
    shuffled = keys.copy()
    random.Random(1).shuffle(shuffled)
    view = LocalView(Filter())
    started = time.process_time()
    events = view.apply(put("/", dict.fromkeys(shuffled, 1)))
    assert time.process_time() - started < 5
    assert [event.key for event in events[:-1]] == view.keys == keys
    assert [event.previous_key for event in events[:3]] == [None, keys[0], keys[1]]


@pytest.mark.slow
def test_patch_of_many_children_takes_linear_time() -> None:
    children = {f"k{number:06}": number for number in range(50_000)}
    view = holding(children)
    started = time.process_time()
    view.apply(patch("/", {key: -number or None for key, number in children.items()}))
    view.apply(patch("/", {f"{key}/deep": 1 for key in children}))
    view.apply(patch("/", dict.fromkeys(children)))
    assert time.process_time() - started < 10
    assert view.value is None


def test_many_changes_keep_the_order() -> None:
    numbers = list(range(1000))
    view = holding({f"k{number:04}": number for number in numbers}, order="$value")
    view.apply(patch("/", {f"k{number:04}": -number if number % 2 else None for number in range(600)}))
    expected = sorted([-number for number in range(1, 600, 2)] + list(range(600, 1000)))
    assert [abs(number) for number in expected] == [int(key[1:]) for key in view.keys]
    assert changes(view, put("/k0601", None))[0] == ("removed", "k0601", None, 601)


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


HOSTILE = [
    put("/", nested(900)),
    put("/", [nested(900)]),
    put("/a", nested(900)),
    put("/a" * 900, 1),
    patch("/", {"a": nested(900)}),
    patch("/", {"/a" * 900: 1}),
    patch("/a" * 900, {"b": 1}),
]


@pytest.mark.parametrize("event", HOSTILE, ids=range(len(HOSTILE)))
def test_deeply_nested_data_raises_invalid_response(event: StreamEvent) -> None:
    with pytest.raises(InvalidResponse, match="nested deeper than 100 levels"):
        holding({"a": 1}).apply(event)


ODD = [None, True, float("nan"), float("inf"), 10**400, "", "\ud800", [], {}, [[None]], {"": 1}, {"0" * 5000: 1}]


@pytest.mark.parametrize("order", [None, "$key", "$value", "n"])
@pytest.mark.parametrize("limit", [None, 2])
def test_unusual_json_keeps_view_consistent(order: str | None, limit: int | None) -> None:
    filter: dict[str, Any] = {"order": order} if order else {}
    view = LocalView(Filter(**filter, limit_to_last=limit if order else None))
    view.apply(put("/", {str(index): value for index, value in enumerate(ODD)}))
    for index, value in enumerate(reversed(ODD)):
        for event in (put(f"/{index}", value), put(f"/{index}/n", value), patch("/", {str(index): value, "": value})):
            view.apply(event)
            assert sorted(view.keys) == sorted(children_of(view.value))
            render_arrays(view.value)
