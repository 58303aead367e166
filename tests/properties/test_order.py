"""Firebase's order is total, and all sort functions agree."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from firebase_rest.database.filter import Bound, Filter
from firebase_rest.database.ordering import key_order, keys_by_value, select, sorted_keys, value_order
from firebase_rest.database.push_id import PushIdGenerator
from firebase_rest.database.snapshot import Snapshot
from properties.strategies import good_keys, legal_filters, present, trees

values = trees()
children = st.dictionaries(good_keys, values, max_size=8)


@given(good_keys, good_keys)
def test_key_order_is_total(one: str, other: str) -> None:
    assert (key_order(one) < key_order(other)) + (key_order(other) < key_order(one)) == (one != other)


@given(good_keys, good_keys, good_keys)
def test_key_order_is_transitive(a: str, b: str, c: str) -> None:
    first, second, third = sorted([a, b, c], key=key_order)
    assert key_order(first) <= key_order(second) <= key_order(third)
    assert key_order(first) <= key_order(third)


@given(values, values, values)
def test_value_order_is_total(a: Any, b: Any, c: Any) -> None:
    one, two, three = sorted([a, b, c], key=value_order)
    assert value_order(one) <= value_order(two) <= value_order(three)
    assert value_order(one) <= value_order(three)
    assert not (value_order(a) < value_order(b) and value_order(b) < value_order(a))


@given(st.sets(good_keys))
def test_fast_key_sort_equals_reference_sort(keys: set[str]) -> None:
    assert sorted_keys(keys) == sorted(keys, key=key_order)


@given(
    st.one_of(
        children,
        st.dictionaries(good_keys, st.integers(-5, 5)),
        st.dictionaries(good_keys, st.floats(-2, 2)),
        st.dictionaries(good_keys, st.text(max_size=2)),
        st.dictionaries(good_keys, st.booleans()),
    )
)
def test_client_order_equals_emulator_query(found: dict[str, Any]) -> None:
    assert keys_by_value(found) == select(Filter("$value"), found.items())


@given(children, legal_filters())
def test_query_result_is_a_slice_of_the_order(found: dict[str, Any], filter: Filter) -> None:
    ordered = select(Filter(filter.order), found.items())
    part = select(filter, found.items())
    assert sorted(ordered) == sorted(found)
    assert [key for key in ordered if key in part] == part
    inside = select(Filter(filter.order, **filter.bounds()), found.items())
    start = ordered.index(inside[0]) if inside else 0
    assert inside == ordered[start : start + len(inside)]
    limit = next(iter(filter.limits().values()), len(inside))
    assert part == (inside[:limit] if filter.limit_to_last is None else inside[-limit:])


@given(st.dictionaries(good_keys, present, min_size=1, max_size=8), st.data())
def test_bounds_partition_the_children(found: dict[str, Any], data: st.DataObject) -> None:
    bound = Bound(data.draw(st.sampled_from(list(found.values()))), data.draw(st.sampled_from([None, *found])))
    for below, above in (
        (Filter("$value", end_before=bound), Filter("$value", start_at=bound)),
        (Filter("$value", end_at=bound), Filter("$value", start_after=bound)),
    ):
        parts = select(below, found.items()) + select(above, found.items())
        assert parts == select(Filter("$value"), found.items())


@given(children, st.one_of(st.just(Filter()), legal_filters()))
def test_val_and_each_agree(found: dict[str, Any], filter: Filter) -> None:
    snapshot = Snapshot("k", found, filter)
    items = snapshot.each()
    assert items is not None
    assert [item.item for item in items] == list(snapshot.val().items())
    assert [item.item for item in snapshot] == [item.item for item in snapshot.pyres]
    assert snapshot.val() == found


@given(st.lists(values, min_size=1), st.one_of(st.just(Filter()), legal_filters()))
def test_val_and_each_agree_for_arrays(found: list[Any], filter: Filter) -> None:
    snapshot = Snapshot("k", found, filter)
    items = snapshot.each()
    assert items is not None
    assert snapshot.val() == found
    expected = {index: value for index, value in enumerate(found) if filter.order is None or value is not None}
    assert {item.key(): item.val() for item in items} == expected


@given(st.lists(st.integers(0, 2**47), max_size=50))
def test_push_ids_are_ascending_for_any_clock(clock: list[int]) -> None:
    ids = PushIdGenerator()
    keys = [ids.next(now) for now in clock]
    assert all(one < other for one, other in pairwise(keys))
    assert all(len(key) == 20 for key in keys)
    assert sorted_keys(keys) == keys or any(key[0] in "-0123456789" for key in keys)
