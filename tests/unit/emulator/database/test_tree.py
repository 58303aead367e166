"""Immutable nodes: storing, rendering and sharing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebase_rest.emulator.database import tree
from firebase_rest.emulator.database.node_builder import Builder
from firebase_rest.emulator.database.tree import Branch, Leaf

NOW = 1_700_000_000_000

KEYS = st.one_of(
    st.sampled_from(["0", "1", "2", "3", "00", "-1", "a", "b", "é", "\uf8ff"]),
    st.text(
        st.characters(codec="utf-8", exclude_characters=".$#[]/", exclude_categories=["Cc"]), min_size=1, max_size=4
    ),
)
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
)
VALUES = st.recursive(
    st.one_of(st.none(), SCALARS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=12,
)
PATHS = st.lists(KEYS, max_size=3).map(tuple)


def node(value):
    return Builder(NOW).build(value, None, 0)


def empty(value):
    """Return whether the database stores nothing for a value."""
    if isinstance(value, dict):
        return all(map(empty, value.values()))
    if isinstance(value, list):
        return all(map(empty, value))
    return value is None


@given(VALUES)
def test_rendered_data_stores_as_an_equal_node(value):
    first = node(value)
    assert tree.nodes_equal(node(tree.render(first)), first)
    assert tree.nodes_equal(node(tree.export(first)), first)


@given(VALUES)
def test_empty_values_are_stored_as_none(value):
    assert (node(value) is None) == empty(value)


@given(VALUES)
def test_export_has_no_arrays_nulls_or_empty_objects(value):
    def check(exported):
        assert not isinstance(exported, list)
        if isinstance(exported, dict):
            assert exported
            for item in exported.values():
                assert item is not None
                check(item)

    check(tree.export(node(value)))


@given(VALUES, PATHS, VALUES)
def test_write_returns_a_new_tree(value, path, new):
    before = node(value)
    text = json.dumps(tree.export(before))
    after = tree.replace(before, path, node(new))
    assert tree.nodes_equal(tree.at(after, path), node(new))
    assert json.dumps(tree.export(before)) == text


@given(VALUES, PATHS)
def test_rewriting_existing_data_changes_nothing(value, path):
    root = node(value)
    assert tree.nodes_equal(tree.replace(root, path, tree.at(root, path)), root)


@given(VALUES, st.dictionaries(KEYS, VALUES, max_size=3))
def test_update_equals_single_writes(value, changes):
    root = node(value)
    nodes = {("below", key): node(new) for key, new in changes.items()}
    expected = root
    for path, new in nodes.items():
        expected = tree.replace(expected, path, new)
    if nodes:
        assert tree.nodes_equal(tree.update(root, nodes), expected)


@given(VALUES, VALUES)
def test_etags_are_equal_if_and_only_if_data_is(one, other):
    assert (tree.etag(node(one)) == tree.etag(node(other))) == tree.nodes_equal(node(one), node(other))


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        ({"0": "a"}, ["a"]),
        ({"1": "a"}, [None, "a"]),
        ({"2": "a"}, {"2": "a"}),
        ({"0": "a", "2": "b", "3": "c", "4": "d"}, ["a", None, "b", "c", "d"]),
        ({"2": "a", "4": "b"}, {"2": "a", "4": "b"}),
        ({"1": "a", "2": "b", "3": "c"}, [None, "a", "b", "c"]),
        ({"00": "a"}, {"00": "a"}),
        ({"-1": "a"}, {"-1": "a"}),
        ({"0": "a", "x": "b"}, {"0": "a", "x": "b"}),
        ({"0": "a", "12345678901": "b"}, {"0": "a", "12345678901": "b"}),
        ({"²": "a"}, {"²": "a"}),
        ({"x": {"1": {"0": True}}}, {"x": [None, [True]]}),
    ],
)
def test_node_with_more_than_half_of_its_indexes_is_an_array(stored, read):
    assert tree.render(node(stored)) == read


def test_children_are_in_firebase_order():
    read = tree.render(node({"b": 1, "10": 1, "-5": 1, "2": 1, "a": 1, "\uf8ff": 1, "😀": 1}))
    assert list(read) == ["-5", "2", "10", "a", "b", "😀", "\uf8ff"]


def test_array_is_stored_by_index_without_nulls():
    assert tree.export(node(["a", None, "c", []])) == {"0": "a", "2": "c"}


def test_parent_without_children_is_removed():
    root = node({"a": {"b": {"c": 1}}, "z": 1})
    assert tree.export(tree.replace(root, ("a", "b", "c"), None)) == {"z": 1}


def test_emptied_branch_loses_its_priority():
    root = node({"a": {".priority": 5, "b": 1}})
    again = tree.replace(tree.replace(root, ("a", "b"), None), ("a", "b"), 2)
    assert tree.export(again) == {"a": {"b": 2}}


def test_write_below_a_leaf_keeps_its_priority():
    root = node({"a": {".value": 1, ".priority": "p"}})
    assert tree.export(tree.replace(root, ("a", "b", "c"), 2)) == {"a": {"b": {"c": 2}, ".priority": "p"}}


def test_null_below_a_leaf_changes_nothing():
    root = node({"a": 1})
    assert tree.replace(root, ("a", "b", "c"), None) is root
    assert tree.export(tree.update(root, {("a", "b"): None, ("a", "c", "d"): None})) == {"a": 1}


def test_write_copies_only_the_nodes_on_its_path():
    root = node({"a": {"x": 1}, "b": {"y": 2}})
    after = tree.replace(root, ("a", "x"), 3)
    assert isinstance(root, Branch)
    assert isinstance(after, Branch)
    assert after.children["b"] is root.children["b"]


def test_added_and_removed_children_update_the_order():
    root = node({"a": 1, "c": 3})
    assert list(tree.children_of(root)) == ["a", "c"]
    assert list(tree.render(tree.replace(root, ("b",), 2))) == ["a", "b", "c"]
    assert list(tree.render(tree.replace(root, ("a",), None))) == ["c"]


def test_deletion_can_turn_an_array_into_an_object():
    root = node(["a", "b", "c"])
    assert tree.render(root) == ["a", "b", "c"]
    shorter = tree.update(root, {("0",): None, ("1",): None})
    assert tree.render(shorter) == {"2": "c"}


def test_true_and_one_are_not_equal():
    assert not tree.nodes_equal(node({"a": True}), node({"a": 1}))
    assert not tree.nodes_equal(node({".value": 1, ".priority": 1}), node({".value": True, ".priority": 1}))
    assert not tree.nodes_equal(node({"a": 1, ".priority": 1}), node({"a": 1}))
    assert not tree.nodes_equal(node({"a": 1}), node({"b": 1}))


def test_etag_of_none_is_null_etag():
    assert tree.etag(None) == "null_etag"
    assert tree.etag(node({"a": {}})) == "null_etag"


def test_etag_has_28_characters_and_includes_priorities():
    plain, ranked = tree.etag(node(10)), tree.etag(node({".value": 10, ".priority": 1}))
    assert len(plain) == 28
    assert plain != ranked


def test_priorities_are_rendered_only_in_export():
    ranked = node({"a": {".value": 1, ".priority": "p"}, ".priority": 2})
    assert tree.render(ranked) == {"a": 1}
    assert tree.export(ranked) == {"a": {".priority": "p", ".value": 1}, ".priority": 2}


def test_priority_can_be_set_and_removed():
    leaf = tree.with_priority(1, "p")
    assert isinstance(leaf, Leaf)
    assert tree.with_priority(leaf, None) == 1
    assert tree.with_priority(None, "p") is None
    branch = node({"a": 1})
    assert tree.priority_of(tree.with_priority(branch, 3)) == 3
    assert tree.priority_of(branch) is None


def test_shallow_maps_children_to_true():
    assert tree.shallow(node({"a": {"b": 1}, "0": 2})) == {"0": True, "a": True}
    assert tree.shallow(node([1, 2])) == {"0": True, "1": True}
    assert tree.shallow(node({".value": 5, ".priority": 1})) == 5
    assert tree.shallow(None) is None
