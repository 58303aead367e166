"""Windows of large nodes by their indexes, against a selection without an index."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firebase_rest.database.filter import Bound, Filter
from firebase_rest.database.ordering import select
from firebase_rest.emulator.database import tree
from firebase_rest.emulator.database.children import Children
from firebase_rest.emulator.database.node_builder import Builder
from firebase_rest.emulator.database.slices import batches, finish, is_ascending, partition
from firebase_rest.emulator.database.windows import Window, index_work
from unit.emulator.database.sizes import small_chunks

KEYS = st.one_of(
    st.integers(0, 40).map(lambda number: f"k{number:02}"),
    st.integers(-3, 30).map(str),
    st.sampled_from(["00", "é", "\uf8ff", "😀", "-a"]),
)
NUMBERS = st.one_of(st.integers(0, 9), st.floats(-3, 9), st.just(2**60))
TEXTS = st.sampled_from(["", "a", "b", "ab", "B", "\uf8ff", "😀", "é"])
ANY = st.one_of(st.booleans(), NUMBERS, TEXTS)


def with_values(values):
    """Return a strategy for a child that is a scalar or an object, with or without a priority."""
    return st.one_of(
        values,
        st.fixed_dictionaries({"n": values}, optional={"m": values}),
        st.fixed_dictionaries({".value": values, ".priority": st.one_of(NUMBERS, TEXTS)}),
        st.just({"n": {"deep": 1}}),
    )


CHILDREN = st.sampled_from([NUMBERS, TEXTS, ANY]).map(with_values)
BOUNDS = st.builds(Bound, ANY, st.one_of(st.none(), KEYS, st.sampled_from(["[MIN_NAME]", "[MAX_NAME]"])))
KEY_BOUNDS = st.builds(Bound, KEYS)
LIMITS = st.one_of(
    st.just({}),
    st.integers(1, 30).map(lambda n: {"limit_to_first": n}),
    st.integers(1, 30).map(lambda n: {"limit_to_last": n}),
)


@st.composite
def filters(draw):
    order = draw(st.sampled_from(["$key", "$value", "$priority", "n", "n/deep"]))
    bounds = KEY_BOUNDS if order == "$key" else BOUNDS
    low = draw(st.sampled_from([None, "start_at", "start_after", "equal_to"]))
    high = draw(st.sampled_from([None, "end_at", "end_before"])) if low != "equal_to" else None
    return Filter(order=order, **{name: draw(bounds) for name in (low, high) if name}, **draw(LIMITS))


@st.composite
def histories(draw):
    child = draw(CHILDREN)
    first = draw(st.dictionaries(KEYS, child, min_size=5, max_size=60))
    other = draw(CHILDREN)
    write = st.dictionaries(KEYS, st.one_of(st.none(), child, other), min_size=1, max_size=6)
    return first, draw(st.lists(write, max_size=6))


def expected(branch, filter):
    values = {
        "$key": lambda _: None,
        "$value": lambda node: {} if tree.has_children(node) else tree.leaf_value(node),
        "$priority": tree.priority_of,
    }

    def by_path(node):
        node = tree.at(node, filter.order.split("/"))
        return {} if tree.has_children(node) else tree.leaf_value(node)

    value_of = values.get(filter.order, by_path)
    return select(filter, [(key, value_of(node)) for key, node in tree.children_of(branch).items()])


@pytest.mark.slow
@settings(max_examples=400)
@given(histories(), filters())
def test_windows_agree_with_a_selection(history, filter):
    first, writes = history
    builder = Builder(0)
    with small_chunks():
        branch = builder.build(first, None, 0)
        assert isinstance(branch, tree.Branch)
        for write in [{}, *writes]:
            before, branch = branch, tree.update(branch, {(k,): builder.build(v, None, 0) for k, v in write.items()})
            if branch is None:
                return
            window, keys = Window(branch, filter), expected(branch, filter)
            assert list(window.keys()) == keys
            assert {key for key in tree.children_of(branch) if key in window} == set(keys)
            assert "absent" not in window
            carried = all(isinstance(tree.children_of(version), Children) for version in (before, branch))
            if filter.order != "$key" and carried:
                assert filter.order in branch.indexes


def test_index_is_derived_from_an_earlier_version():
    filter = Filter(order="n", limit_to_first=2)
    with small_chunks():
        before = Builder(0).build({f"k{i:02}": {"n": -i} for i in range(50)}, None, 0)
        after = tree.update(before, {("k10",): None, ("new", "n"): -1000, ("k49", "n"): 5})
        finish(index_work(before, filter))
        assert not after.indexes
        assert list(Window(after, filter, before).keys()) == ["new", "k48"]


@pytest.mark.parametrize(
    "items", [range(3000), range(3000, 0, -1), [i * 7919 % 1000 for i in range(9000)], [5] * 5000 + [4] * 5000]
)
def test_buckets_of_a_partition_ascend_and_keep_the_order_of_equal_items(items):
    segments = list(batches(items))
    numbers = list(batches(range(len(items))))
    buckets = finish(partition(segments, numbers, lambda item: item))
    assert not segments
    assert not numbers
    pairs = [
        pair
        for bucket in buckets
        for pair in sorted(zip(bucket.items, bucket.companions, strict=True), key=lambda pair: pair[0])
    ]
    assert pairs == sorted(((item, number) for number, item in enumerate(items)), key=lambda pair: pair[0])
    assert all(len(set(bucket.items)) == 1 for bucket in buckets if bucket.is_sorted)
    assert all(bucket.is_sorted or len(bucket.items) < 20_000 for bucket in buckets)


@pytest.mark.parametrize("strictly", [False, True])
def test_ascending_items_across_segments(strictly):
    def check(*segments):
        return finish(is_ascending(segments, lambda item: item, strictly=strictly))

    assert check([1, 2], [3], [4, 5])
    assert check([1, 2], [2, 3]) is not strictly
    assert not check([1, 2], [1, 3])
