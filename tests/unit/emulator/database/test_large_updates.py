"""Updates of many paths, of which no step may take long."""

from __future__ import annotations

import gc
import json
import sys

import pytest

from firebase_rest.database.filter import Filter
from firebase_rest.emulator import Emulator
from firebase_rest.emulator.database import slices, tree
from firebase_rest.emulator.database.rules import _READER
from firebase_rest.emulator.database.slices import clear_work, finish
from firebase_rest.emulator.database.stream import PendingEvent, StreamView
from firebase_rest.emulator.urls import RequestUrl
from firebase_rest.rules.database import DatabaseRules
from firebase_rest.transport.wire import Request

COUNT = 4000
PADDING = "x" * 60  # makes the body large enough to be parsed in slices

UPDATES = {
    "children": lambda number: (f"k{number:06}{PADDING}", number),
    "fields of records": lambda number: (f"k{number:06}{PADDING}/name", f"n{number}"),
    "deep paths": lambda number: (f"top/a{number % 97}/b{number % 1009}/k{number:06}{PADDING}", f"n{number}"),
}


def most_freed_in_one_step(work):
    """Do the work; return its result and the greatest number of blocks of memory that one step freed."""
    most = 0
    while True:
        before = sys.getallocatedblocks()
        try:
            next(work)
        except StopIteration as stop:
            return stop.value, max(most, before - sys.getallocatedblocks())
        most = max(most, before - sys.getallocatedblocks())


@pytest.fixture
def small_slices(monkeypatch):
    """Empty containers in slices of 256 items, and collect no garbage meanwhile."""
    monkeypatch.setattr(slices, "SLICE", 256)
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def over_rest(emulator, text):
    path, params = "/base.json", (("ns", "d"),)
    request = Request("PATCH", f"http://h{path}", params, {"host": "h"}, text.encode())
    response, most = most_freed_in_one_step(emulator.database_work(request, RequestUrl("http", "h", path, params)))
    assert response.status == 200
    return most


def over_websocket(emulator, text):
    session = emulator.sessions.open("h", {"ns": "d"})
    list(session.outbox.take_work())
    message = f'{{"t":"d","d":{{"r":1,"a":"m","b":{{"p":"/base","d":{text}}}}}}}'
    most = most_freed_in_one_step(session.receive_work(message))[1]
    assert b'"s":"ok"' in finish(session.outbox.take_work())[0][0]
    return most


@pytest.mark.parametrize("send", [over_rest, over_websocket])
@pytest.mark.parametrize("kind", UPDATES)
@pytest.mark.usefixtures("small_slices")
def test_no_step_of_a_large_update_frees_much_memory(send, kind):
    emulator = Emulator()
    text = json.dumps(dict(map(UPDATES[kind], range(COUNT))))
    for _ in range(2):  # the second update replaces the data of the first one
        assert send(emulator, text) < 1.25 * COUNT


def test_no_garbage_is_collected_during_a_large_message():
    session = Emulator().sessions.open("h", {"ns": "d"})
    text = json.dumps({f"k{number}": "x" * 1000 for number in range(2000)})
    work = session.receive_work(f'{{"t":"d","d":{{"r":1,"a":"m","b":{{"p":"/base","d":{text}}}}}}}')
    assert [gc.isenabled() for _ in work].count(True) == 0
    assert gc.isenabled()


def test_decision_about_many_paths_keeps_few_evaluations():
    rules = DatabaseRules(
        '{"rules": {"base": {"$key": {".write": "!data.exists()", ".validate": "newData.val() > 0"}}}}'
    )
    paths = [("base", f"k{number}") for number in range(1000)]
    after = tree.update(None, dict.fromkeys(paths, 1))
    allowed = rules.write(_READER, None, after, paths, None, 0)
    assert allowed.allowed
    assert len(allowed.evaluations) < 200
    refused = rules.write(_READER, tree.update(None, {paths[-1]: 1}), after, paths, None, 0)
    assert (refused.allowed, refused.path) == (False, "/base/k999")
    assert refused.evaluations[-1].result is False
    assert len(refused.evaluations) < 200


@pytest.fixture
def change():
    """An update of the fields of many of the children of /base."""
    targets = tuple((f"k{number}", "name") for number in range(COUNT))
    before = tree.update(None, {("base", f"k{number}"): 1 for number in range(COUNT + 1)})
    after = tree.update(before, {("base", *target): number for number, target in enumerate(targets)})
    return tree.Change(before, after, ("base",), targets)


def test_writer_leaves_the_search_for_the_events_of_many_paths_to_the_reader(change):
    child, other, parent = (StreamView(path, Filter()) for path in [("base", "k7"), ("base", f"k{COUNT}"), ("base",)])
    assert other.pending_events(change) == []
    assert [*map(StreamView.pending_events, (child, parent), [change] * 2)] == [[PendingEvent((), update=change)]] * 2
    work = child.resolve_work(PendingEvent((), update=change))
    next(work)
    assert finish(work) == [PendingEvent((), patch={"name": 7})]
    (event,) = finish(parent.resolve_work(PendingEvent((), update=change)))
    assert event.patch == {"/".join(target): number for number, target in enumerate(change.targets)}


def test_filtered_stream_gets_all_its_data_after_an_update_of_many_paths(change):
    view = StreamView(("base",), Filter(order="name", limit_to_last=1))
    (pending,) = view.pending_events(change)
    (event,) = finish(view.resolve_work(pending))
    assert (event.path, event.patch, tree.export(event.node)) == ((), None, {f"k{COUNT - 1}": {"name": COUNT - 1}})


@pytest.mark.parametrize("items", [[*range(5000)], dict.fromkeys(range(5000)), [], {}])
def test_containers_are_emptied_in_steps(items):
    count = len(items)
    lengths = [len(items) for _ in clear_work(items)]
    assert lengths == sorted(lengths, reverse=True)
    assert len(lengths) == count // 2048
    assert not items
