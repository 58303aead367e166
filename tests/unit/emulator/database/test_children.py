"""The mapping of many children, against a dict."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firebase_rest.database.ordering import sorted_keys
from firebase_rest.emulator.database import chunks
from firebase_rest.emulator.database.children import KeyKind, children_work, differing_keys, kind_of_key, kind_of_keys
from firebase_rest.emulator.database.slices import finish
from unit.emulator.database.sizes import small_chunks

TEXT = st.integers(0, 3000).map(lambda number: f"k{number:04}")
INTEGERS = st.integers(-50, 3000).map(str)
UNPLEASANT = st.sampled_from(["00", "-0", "007", "é", "\uf8ff", "😀", "2147483648", "-", "--1", "1a", "A"])
KEYS = st.sampled_from([TEXT, INTEGERS, st.one_of(TEXT, INTEGERS, UNPLEASANT)])


def mapping(model):
    keys = list(model)
    middle = len(keys) // 3
    segments = [part for part in (keys[:middle], keys[middle:]) if part]
    return finish(children_work(segments, [[model[key] for key in part] for part in segments]))


def check(children, model):
    keys = sorted_keys(model)
    assert len(children) == len(model)
    assert list(children) == keys
    assert list(children.items()) == [(key, model[key]) for key in keys]
    assert list(children.values()) == [model[key] for key in keys]
    sizes = [len(chunk.keys) for chunk in children.chunks.chunks]
    assert all(0 < size <= 2 * chunks.SIZE for size in sizes)
    assert len(sizes) <= 4 * len(model) / chunks.SIZE + 2


@st.composite
def histories(draw):
    """Return the first children and several writes; None removes."""
    keys = draw(KEYS)
    first = draw(st.dictionaries(keys, st.integers(), min_size=1, max_size=120))
    key = st.one_of(keys, st.sampled_from(sorted(first)), UNPLEASANT)
    write = st.dictionaries(key, st.one_of(st.none(), st.integers()), max_size=60)
    return first, draw(st.lists(write, max_size=8))


@pytest.mark.slow
@given(histories())
@settings(max_examples=300)
def test_writes_agree_with_a_dict(history):
    first, writes = history
    with small_chunks():
        children, model = mapping(first), dict(first)
        check(children, model)
        for write in writes:
            before = dict(model)
            model.update(write)
            model = {key: value for key, value in model.items() if value is not None}
            after = finish(children.apply_changes_work(write))
            check(children, before)
            check(after, model)
            for key in [*write, *first]:
                assert after.get(key) == model.get(key)
                assert (key in after) == (key in model)
            changed = {key for key in before.keys() | model.keys() if before.get(key) != model.get(key)}
            assert changed <= differing_keys(children, after)
            children = after


@given(st.lists(st.one_of(TEXT, INTEGERS, UNPLEASANT), min_size=1, max_size=30))
def test_every_kind_of_keys_has_firebase_order(keys):
    kind = kind_of_keys(keys)
    assert kind is KeyKind.MIXED or {kind_of_key(key) for key in keys} == {kind}
    assert sorted(set(keys), key=kind.order) == sorted_keys(set(keys))


@given(st.integers(0, 100), st.integers(0, 100))
def test_keys_between_two_indexes(low, high):
    with small_chunks():
        keys = [f"k{number:03}" for number in range(90)]
        children = mapping(dict.fromkeys(keys, 1))
        assert list(children.chunks.keys_between(low, high)) == keys[low:high]
        for number, key in enumerate(keys):
            assert children.chunks.index(children.chunks.find(key)) == number
