"""A local copy and its child events; the official SDK judges the same on random writes in tests/official."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from firebase_rest.database.filter import Bound, Filter
from firebase_rest.database.local_view import LocalView
from firebase_rest.database.normalized import children_of, render_arrays
from firebase_rest.database.sse import StreamEvent
from firebase_rest.errors import InvalidResponse


def put(path: str, data: Any, *, resync: bool = False) -> StreamEvent:
    return StreamEvent("put", path, data, resync)


def patch(path: str, data: Any) -> StreamEvent:
    return StreamEvent("patch", path, data)


def told(view: LocalView, event: StreamEvent) -> list[tuple[Any, ...]]:
    """The events in short: (kind, key, previous key, value)."""
    short = {"child_": ""}
    return [
        (item.kind.replace("child_", short["child_"]), item.key, item.previous_key, render_arrays(item.value))
        for item in view.apply(event)
    ]


def holding(value: Any, **filter: Any) -> LocalView:
    view = LocalView(Filter(**filter))
    view.apply(put("/", value))
    return view


def test_the_first_event_makes_it_known_even_if_nothing_is_there() -> None:
    view = LocalView(Filter())
    assert not view.is_known
    assert told(view, put("/", None)) == [("value", "", None, None)]
    assert view.is_known
    assert told(view, put("/", None)) == []


def test_children_are_added_in_order_each_with_its_predecessor() -> None:
    assert told(LocalView(Filter()), put("/", {"b": 2, "10": 0, "9": 1})) == [
        ("added", "9", None, 1),
        ("added", "10", "9", 0),
        ("added", "b", "10", 2),
        ("value", "", None, {"9": 1, "10": 0, "b": 2}),
    ]


def test_a_change_deep_inside_is_a_change_of_the_child() -> None:
    assert told(holding({"a": {"x": 1}, "b": 2}), put("/a/x", 5))[0] == ("changed", "a", None, {"x": 5})


def test_what_changes_nothing_is_not_told() -> None:
    view = holding({"a": {"x": 1}})
    assert told(view, put("/a/x", 1.0)) == []
    assert told(view, patch("/", {"a/x": 1, "b": None})) == []
    assert told(view, put("/a/x/y", None)) == []


def test_removed_then_added_then_moved_then_changed_then_the_whole() -> None:
    view = holding({"a": {"n": 1}, "b": {"n": 2}, "c": {"n": 3}, "d": {"n": 4}}, order="n")
    kinds = [item[:3] for item in told(view, patch("/", {"a/n": 9, "b": None, "d/m": 1, "e/n": 0}))]
    assert kinds == [
        ("removed", "b", None),
        ("added", "e", None),
        ("moved", "a", "d"),
        ("changed", "d", "c"),
        ("changed", "a", "d"),
        ("value", "", None),
    ]


def test_a_leaf_in_place_of_children_removes_them() -> None:
    view = holding({"a": 1})
    assert told(view, put("/", "leaf")) == [("removed", "a", None, 1), ("value", "", None, "leaf")]
    assert told(view, put("/", "other")) == [("value", "", None, "other")]
    assert told(view, put("/", {"b": 1}))[0] == ("added", "b", None, 1)


def test_arrays_are_followed_by_index() -> None:
    view = holding([10, 11, 12])
    assert told(view, put("/1", None)) == [("removed", "1", None, 11), ("value", "", None, [10, None, 12])]
    assert told(view, put("/", {"x": 1}))[:2] == [("removed", "0", None, 10), ("removed", "2", None, 12)]


def test_a_trailing_slash_in_a_path_means_nothing() -> None:
    assert told(holding({"a": 1}), put("/a/", 2))[0] == ("changed", "a", None, 2)


def test_after_a_reconnect_only_the_true_difference_is_told() -> None:
    view = holding({"a": 1, "b": {"c": 2}, "d": 3})
    events = told(view, put("/", {"a": 1, "b": {"c": 2}, "e": 4}, resync=True))
    assert events[:2] == [("removed", "d", None, 3), ("added", "e", "b", 4)]
    assert told(view, put("/", {"a": 1, "b": {"c": 2}, "e": 4}, resync=True)) == []


def test_the_window_is_kept_where_the_server_only_says_who_enters() -> None:
    view = holding({"a": 1, "b": 2}, order="$value", limit_to_last=2)
    assert told(view, put("/c", 3)) == [
        ("removed", "a", None, 1),
        ("added", "c", "b", 3),
        ("value", "", None, {"b": 2, "c": 3}),
    ]


def test_a_child_that_leaves_the_bounds_is_removed_though_the_server_has_said_only_its_new_value() -> None:
    view = holding({"a": {"n": 1}, "b": {"n": 2}}, order="n", end_at=Bound(5))
    assert told(view, put("/b/n", 6))[0] == ("removed", "b", None, {"n": 2})
    assert view.keys == ["a"]


def test_a_query_sees_nothing_of_a_leaf() -> None:
    view = holding("leaf", order="$key", limit_to_first=1)
    assert (view.is_known, view.value) == (True, None)


def test_by_value_every_change_is_a_move_too() -> None:
    events = told(holding({"a": {"x": 1}}, order="$value"), put("/a/x", 2))
    assert [event[0] for event in events] == ["moved", "changed", "value"]


def test_the_value_is_replaced_and_never_changed() -> None:
    view = holding({"a": {"x": 1}})
    before = view.value
    view.apply(put("/a/x", 2))
    assert before == {"a": {"x": 1}}


@pytest.mark.parametrize("data", [None, 5, "text", []])
def test_a_patch_of_no_members_changes_nothing(data: Any) -> None:
    assert told(holding({"a": 1}), patch("/", data)) == []


def test_who_comes_late_is_told_of_the_children_that_are_there() -> None:
    view = holding({"b": 2, "a": 1})
    assert [(event.key, event.previous_key) for event in view.initial()] == [("a", None), ("b", "a")]


def test_many_children_in_random_order_are_added_in_their_order() -> None:
    keys = [f"k{number:06}" for number in range(100_000)]
    shuffled = keys.copy()
    random.Random(1).shuffle(shuffled)
    view = LocalView(Filter())
    started = time.process_time()
    events = view.apply(put("/", dict.fromkeys(shuffled, 1)))
    assert time.process_time() - started < 5
    assert [event.key for event in events[:-1]] == view.keys == keys
    assert [event.previous_key for event in events[:3]] == [None, keys[0], keys[1]]


def test_many_changes_at_once_keep_the_order_of_the_rest() -> None:
    numbers = list(range(1000))
    view = holding({f"k{number:04}": number for number in numbers}, order="$value")
    view.apply(patch("/", {f"k{number:04}": -number if number % 2 else None for number in range(600)}))
    expected = sorted([-number for number in range(1, 600, 2)] + list(range(600, 1000)))
    assert [abs(number) for number in expected] == [int(key[1:]) for key in view.keys]
    assert told(view, put("/k0601", None))[0] == ("removed", "k0601", None, 601)


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
def test_data_that_is_nested_too_deeply_is_an_invalid_response(event: StreamEvent) -> None:
    with pytest.raises(InvalidResponse, match="nested deeper than 100 levels"):
        holding({"a": 1}).apply(event)


ODD = [None, True, float("nan"), float("inf"), 10**400, "", "\ud800", [], {}, [[None]], {"": 1}, {"0" * 5000: 1}]


@pytest.mark.parametrize("order", [None, "$key", "$value", "n"])
@pytest.mark.parametrize("limit", [None, 2])
def test_odd_json_never_raises_and_stays_in_order(order: str | None, limit: int | None) -> None:
    filter: dict[str, Any] = {"order": order} if order else {}
    view = LocalView(Filter(**filter, limit_to_last=limit if order else None))
    view.apply(put("/", {str(index): value for index, value in enumerate(ODD)}))
    for index, value in enumerate(reversed(ODD)):
        for event in (put(f"/{index}", value), put(f"/{index}/n", value), patch("/", {str(index): value, "": value})):
            view.apply(event)
            assert sorted(view.keys) == sorted(children_of(view.value))
            render_arrays(view.value)
