"""What the data folder saves of a database: any data, and any sequence of writes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebase_rest.emulator.database import commits, tree
from firebase_rest.emulator.database.node_builder import Builder, InvalidDataError
from firebase_rest.emulator.database.slices import done, finish
from firebase_rest.emulator.persistence import nodes
from firebase_rest.emulator.persistence.replay import Replay

KEYS = st.sampled_from(["a", "b", "c", "1", "2"])
SCALARS = st.one_of(st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False))
LEAVES = st.one_of(st.none(), SCALARS, st.text(max_size=3))
PRIORITIES = st.one_of(st.none(), st.integers(0, 3), st.text(max_size=2))
VALUES = st.recursive(
    st.one_of(LEAVES, st.builds(lambda value, rank: {".value": value, ".priority": rank}, LEAVES, PRIORITIES)),
    lambda inner: st.builds(
        lambda children, rank: {**children, ".priority": rank}, st.dictionaries(KEYS, inner, max_size=4), PRIORITIES
    ),
    max_leaves=8,
)
PATHS = st.lists(KEYS, max_size=3).map(tuple)
WRITES = st.one_of(
    st.tuples(st.just("set"), PATHS, VALUES),
    st.tuples(st.just("priority"), PATHS, PRIORITIES),
    st.tuples(
        st.just("update"),
        PATHS,
        st.dictionaries(st.one_of(KEYS, st.just("a/b"), st.just("b/.priority")), PRIORITIES, max_size=3),
    ),
)


def plan(kind, path, value):
    if kind == "set":
        return finish(commits.plan_set_work(path, value, 0, has_server_values=False))
    if kind == "priority":
        return commits.plan_priority(path, value, 0)
    targets = finish(commits.parse_targets_work(path, value))
    return finish(commits.plan_update_work(path, targets, 0, has_server_values=False))


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Every node with more than three nodes below it is large."""
    monkeypatch.setattr(nodes, "PIECE", 3)


@given(value=VALUES)
def test_document_of_any_data_is_read_again(value):
    try:
        node = Builder(0).build(value, None, 0)
    except InvalidDataError:
        return  # a number is too large
    read = nodes.read_document(nodes.pieces(node))
    assert tree.nodes_equal(read, node)
    assert list(tree.children_of(read)) == list(tree.children_of(node))


@given(writes=st.lists(WRITES, max_size=12))
def test_replay_of_any_writes_gives_the_same_data(writes):
    root, documents, rows = None, [], []

    def document(node):
        documents.append(list(nodes.pieces(node)))
        return done(len(documents) - 1)

    for write in writes:
        try:
            change = finish(plan(*write)(root))
        except InvalidDataError:
            continue  # overlapping paths
        rows.append(finish(nodes.entries_work(change, document)))
        root = change.after
    replay = Replay(None)
    for row in rows:
        replay.apply(*nodes.read_entries(row, lambda number: nodes.read_document(iter(documents[number]))))
    assert tree.export(replay.root()) == tree.export(root)
    assert tree.nodes_equal(replay.root(), root)


def test_document_without_its_end_is_rejected():
    root = Builder(0).build({"a": {"b": 1, "c": 2}, "d": 3}, None, 0)
    *pieces, _ = nodes.pieces(root)
    with pytest.raises(ValueError, match="end of the document"):
        nodes.read_document(iter(pieces))
