"""The events of each write, and the queue of a stream."""

from __future__ import annotations

import json
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firebase_rest.database.filter import Bound, Filter
from firebase_rest.database.path import split
from firebase_rest.emulator.database import pending, query, stream, tree
from firebase_rest.emulator.database.namespace import Namespace
from firebase_rest.emulator.database.node_builder import Builder
from firebase_rest.emulator.database.slices import finish
from firebase_rest.emulator.database.stream import StreamView, Subscription
from firebase_rest.emulator.database.tree import Change
from unit.emulator.database.sizes import small_chunks


def node(value):
    return Builder(0).build(value, None, 0)


def parsed(raw):
    """The (event, path, data) of each event in `raw`."""
    events = []
    for block in raw.decode().split("\n\n")[:-1]:
        name, data = block.split("\n")
        payload = json.loads(data.removeprefix("data: "))
        events.append((name.removeprefix("event: "), *((payload["path"], payload["data"]) if payload else ("", None))))
    return events


EVERYTHING = Filter()


class Watcher:
    """A view of a database that changes."""

    def __init__(self, value, path="", filter=EVERYTHING, *, as_export=False):
        self.root = node(value)
        self.view = StreamView(split(path), filter, as_export=as_export)
        self.first = self._shown(finish(self.view.initial_work(self.root)))

    def put(self, path, value):
        base = split(path)
        return self._changed(tree.replace(self.root, base, node(value)), base, None)

    def patch(self, path, values):
        base = split(path)
        after = tree.update(self.root, {(*base, *split(key)): node(value) for key, value in values.items()})
        return self._changed(after, base, tuple(split(key) for key in values))

    def _changed(self, after, base, targets):
        before, self.root = self.root, after
        events = self.view.pending_events(Change(before, after, base, targets))
        resolved = [event for pending in events for event in finish(self.view.resolve_work(pending))]
        return [shown for event in resolved for shown in self._shown(event)]

    def _shown(self, event):
        return parsed(b"".join(finish(self.view.text_work(event))))


@pytest.fixture(params=[stream.MANY_TARGETS, 0], ids=["few paths", "many paths"])
def many_targets(request, monkeypatch):
    """Do it also as for updates of many paths."""
    monkeypatch.setattr(stream, "MANY_TARGETS", request.param)


def test_first_event_has_all_data():
    assert Watcher({"a": {"b": [1, None, 2]}}, "a").first == [("put", "/", {"b": [1, None, 2]})]
    assert Watcher(None, "a").first == [("put", "/", None)]


def test_write_below_is_a_put_at_its_path():
    watcher = Watcher({"s": {"x": 1}}, "s")
    assert watcher.put("s/a/b", {"c": 1}) == [("put", "/a/b", {"c": 1})]
    assert watcher.put("s/a/b", None) == [("put", "/a/b", None)]
    assert watcher.put("s", [1, 2]) == [("put", "/", [1, 2])]


@pytest.mark.usefixtures("many_targets")
def test_patch_below_keeps_its_path_and_keys():
    watcher = Watcher({"s": {"x": {"a": 1}}}, "s")
    assert watcher.patch("s/x", {"a": 2, "b": None}) == [("patch", "/x", {"a": 2, "b": None})]
    assert watcher.patch("s", {"x/a": 1, "y/b": [5]}) == [("patch", "/", {"x/a": 1, "y/b": [5]})]


@pytest.mark.usefixtures("many_targets")
def test_patch_data_is_never_an_array():
    assert Watcher({}, "s").patch("s", {"0": "a", "1": ["b"]}) == [("patch", "/", {"0": "a", "1": ["b"]})]


def test_write_above_is_a_put_of_all_data_if_changed():
    watcher = Watcher({"a": {"s": 1}}, "a/s")
    assert watcher.put("a", {"s": 2, "t": 3}) == [("put", "/", 2)]
    assert watcher.put("a", {"s": 2, "t": 4}) == []
    assert watcher.put("", None) == [("put", "/", None)]


@pytest.mark.usefixtures("many_targets")
def test_patch_above_is_reduced_to_the_stream():
    watcher = Watcher({"a": {"s": {"x": 1}}}, "a/s")
    assert watcher.patch("a", {"s/x": 2, "s/y/z": 3, "t": 4}) == [("patch", "/", {"x": 2, "y/z": 3})]
    assert watcher.patch("", {"a": {"s": {"x": 5}}, "b": 1}) == [("put", "/", {"x": 5})]
    assert watcher.patch("", {"a/s": {"x": 6}}) == [("put", "/", {"x": 6})]
    assert watcher.patch("", {"a/t": 1, "b": 2}) == []


def test_write_elsewhere_has_no_event():
    watcher = Watcher({"a": 1}, "a/s")
    assert watcher.put("b", 1) == []
    assert watcher.put("a/t", 1) == []


@pytest.mark.usefixtures("many_targets")
def test_priority_change_has_an_event_only_in_export_format():
    assert Watcher({"s": {"x": 1}}, "s").patch("s", {"x/.priority": None}) == []
    exported = Watcher({"s": {"x": {".value": 1, ".priority": 3}}}, "s", as_export=True)
    assert exported.first == [("put", "/", {"x": {".value": 1, ".priority": 3}})]


TOP_TWO = Filter(order="n", limit_to_last=2)
PEOPLE = {"a": {"n": 1}, "b": {"n": 2}, "c": {"n": 3}}


def test_filtered_stream_starts_with_matching_children():
    assert Watcher({"s": PEOPLE}, "s", TOP_TWO).first == [("put", "/", {"b": {"n": 2}, "c": {"n": 3}})]
    assert Watcher(None, "s", TOP_TWO).first == [("put", "/", None)]


def test_filtered_stream_shows_only_matching_writes():
    watcher = Watcher({"s": PEOPLE}, "s", TOP_TWO)
    assert watcher.put("s/c/m", 1) == [("put", "/c/m", 1)]
    assert watcher.patch("s/c", {"m": None}) == [("patch", "/c", {"m": None})]
    assert watcher.patch("s", {"c/m": 1, "a/m": 1}) == [("patch", "/", {"c/m": 1})]
    assert watcher.put("s/a/m", 2) == []
    assert watcher.put("s/a", {"n": 0}) == []
    assert watcher.put("s/a", {"n": 0}) == []
    assert watcher.put("s/c/m", 1) == [("put", "/c/m", 1)]


def test_children_entering_and_leaving_are_one_patch():
    watcher = Watcher({"s": PEOPLE}, "s", TOP_TWO)
    assert watcher.put("s/d", {"n": 4}) == [("patch", "/", {"d": {"n": 4}, "b": None})]
    assert watcher.put("s/d", None) == [("patch", "/", {"b": {"n": 2}, "d": None})]
    assert watcher.put("s/a/n", 9) == [("patch", "/", {"a": {"n": 9}, "b": None})]
    assert watcher.patch("s", {"c/n": 5, "a": None}) == [("patch", "/", {"a": None, "b": {"n": 2}, "c": {"n": 5}})]


def test_single_child_entering_or_leaving_is_a_put():
    watcher = Watcher({"s": {"a": 1, "b": 5}}, "s", Filter(order="$value", start_at=Bound(3)))
    assert watcher.put("s/c", 4) == [("put", "/c", 4)]
    assert watcher.put("s/c", 2) == [("put", "/c", None)]
    assert watcher.put("s/b", None) == [("put", "/b", None)]


def test_overwrite_is_a_put_of_the_matching_children():
    watcher = Watcher({"s": PEOPLE}, "s", TOP_TWO)
    assert watcher.put("s", {"x": {"n": 1}, "y": 5}) == [("put", "/", {"x": {"n": 1}, "y": 5})]
    assert watcher.put("", {"s": PEOPLE}) == [("put", "/", {"b": {"n": 2}, "c": {"n": 3}})]
    assert watcher.put("s", 5) == [("put", "/", None)]


KEYS = st.sampled_from(["0", "1", "2", "a", "b"])
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(["x", "y"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(KEYS, inner, max_size=3),
        st.builds(lambda value, rank: {".value": value, ".priority": rank}, st.integers(0, 3), st.integers(0, 2)),
    ),
    max_leaves=8,
)
PATHS = st.lists(KEYS, max_size=3).map("/".join)
PATCHES = st.dictionaries(PATHS.filter(bool), VALUES, min_size=1, max_size=3).filter(
    lambda patch: not any(f"{one}/".startswith(f"{other}/") for one in patch for other in patch if one != other)
)
FILTERS = st.one_of(
    st.just(Filter()),
    st.just(Filter(order="$key")),
    st.builds(
        Filter,
        order=st.sampled_from(["$value", "$priority", "a", "0/1"]),
        start_at=st.one_of(st.none(), st.just(Bound(1))),
        limit_to_first=st.one_of(st.none(), st.integers(1, 2)),
    ),
    st.builds(Filter, order=st.just("$key"), start_after=st.just(Bound("0")), limit_to_last=st.integers(1, 2)),
)
WRITES = st.lists(st.one_of(st.tuples(PATHS, VALUES), st.tuples(PATHS, PATCHES, st.just("patch"))), max_size=6)


def replayed(copy, events):
    for name, path, data in events:
        if name == "put":
            copy = tree.replace(copy, split(path), node(data))
        else:
            copy = tree.update(copy, {(*split(path), *split(key)): node(value) for key, value in data.items()})
    return copy


@pytest.mark.slow
@settings(max_examples=300)
@given(VALUES, PATHS, FILTERS, WRITES)
def test_replayed_events_give_the_current_data(value, path, filter, writes):
    check_replay(value, path, filter, writes)


@pytest.mark.slow
@settings(max_examples=300)
@given(VALUES, PATHS, FILTERS, WRITES)
def test_replayed_events_of_large_nodes_give_the_current_data(value, path, filter, writes):
    with small_chunks(2):
        check_replay(value, path, filter, writes)


@pytest.mark.slow
@settings(max_examples=300)
@given(VALUES, PATHS, FILTERS, WRITES)
def test_replayed_events_of_updates_of_many_paths_give_the_current_data(value, path, filter, writes):
    with mock.patch.object(stream, "MANY_TARGETS", 0):
        check_replay(value, path, filter, writes)


def check_replay(value, path, filter, writes):
    watcher = Watcher(value, path, filter, as_export=True)
    copy = replayed(None, watcher.first)
    for write in writes:
        copy = replayed(copy, watcher.patch(*write[:2]) if len(write) == 3 else watcher.put(*write))
        expected = query.apply_filter(tree.at(watcher.root, split(path)), filter)
        assert tree.nodes_equal(copy, expected), write


# --- the queue between writers and a watcher --------------------------------------------------------------------------


def write(namespace, path, value):
    base = split(path)
    namespace.commit(lambda before: Change(before, tree.replace(before, base, node(value)), base), lambda _: None)


def subscribe(namespace, path=""):
    return namespace.subscribe(lambda root: Subscription(StreamView(split(path), Filter()), root, split(path)))


def test_changes_are_queued_in_commit_order():
    namespace = Namespace("n")
    watcher = subscribe(namespace, "s")
    for number in range(3):
        write(namespace, "s/x", number)
        write(namespace, "elsewhere", number)
    assert parsed(watcher.take()) == [("put", "/", None), ("put", "/x", 0), ("put", "/x", 1), ("put", "/x", 2)]
    assert watcher.take() == b""


def test_first_event_has_the_data_at_subscription():
    namespace = Namespace("n")
    write(namespace, "s", "then")
    watcher = subscribe(namespace, "s")
    write(namespace, "s", "now")
    assert parsed(watcher.take()) == [("put", "/", "then"), ("put", "/", "now")]


def test_ended_stream_receives_nothing_and_is_removed():
    namespace = Namespace("n")
    watcher = subscribe(namespace)
    assert parsed(watcher.take()) == [("put", "/", None)]
    watcher.end(b"event: cancel\ndata: null\n\n")
    watcher.end(b"twice")
    write(namespace, "a", 1)
    assert watcher.take() == b"event: cancel\ndata: null\n\n"
    assert watcher.take() == b""
    assert namespace.streams() == []


def test_slow_stream_is_ended(monkeypatch):
    monkeypatch.setattr(pending, "MAX_PENDING", 5)
    namespace = Namespace("n")
    watcher = subscribe(namespace)
    for number in range(10):
        write(namespace, "a", number)
    assert watcher.ended
    reader = stream.StreamReader(watcher, keep_alive=60)
    assert reader.read(1000).startswith(b"event: put")
    assert reader.read(1000) == b""
    assert namespace.streams() == []


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_reader_returns_pieces_of_any_size(size):
    namespace = Namespace("n")
    reader = stream.StreamReader(subscribe(namespace), keep_alive=60)
    write(namespace, "a", "é" * 10)
    expected = 'event: put\ndata: {"path":"/","data":null}\n\n'
    expected = (expected + 'event: put\ndata: {"path":"/a","data":"éééééééééé"}\n\n').encode()
    received = b""
    while len(received) < len(expected):
        piece = reader.read(size)
        assert 0 < len(piece) <= size
        received += piece
    assert received == expected


def test_idle_reader_returns_a_keep_alive():
    reader = stream.StreamReader(subscribe(Namespace("n")), keep_alive=0.01)
    assert parsed(reader.read(1000)) == [("put", "/", None)]
    assert reader.read(1000) == b"event: keep-alive\ndata: null\n\n"
    reader.close()
    reader.abort()
    assert reader.read(1000) == b""
