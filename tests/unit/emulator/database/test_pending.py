"""What waits for a client that reads slowly or not at all."""

from __future__ import annotations

import json

import pytest

from firebase_rest.emulator import Emulator
from firebase_rest.emulator.database import pending
from firebase_rest.emulator.database.pending import PendingQueue
from firebase_rest.emulator.database.realtime import outbox
from firebase_rest.emulator.database.slices import finish
from firebase_rest.transport.wire import Request


@pytest.fixture(autouse=True)
def limits(monkeypatch):
    monkeypatch.setattr(pending, "MAX_PENDING", 5)
    monkeypatch.setattr(pending, "MAX_PENDING_BYTES", 1000)


def test_queue_returns_items_and_sizes_in_order():
    queue = PendingQueue()
    assert all(queue.add(item, size) for item, size in [("a", 400), ("b", 600)])
    assert queue.take() == ("a", 400)
    assert queue.add("c", 400)
    assert [queue.take() for _ in range(len(queue))] == [("b", 600), ("c", 400)]
    assert not queue


def test_full_queue_is_emptied():
    queue = PendingQueue()
    assert [queue.add(number) for number in range(6)] == [True] * 5 + [False]
    assert not queue
    assert [queue.add("a", 600), queue.add("b", 401)] == [True, False]
    assert not queue
    assert queue.add("c", 1000)


def test_single_item_may_be_larger_than_the_limit():
    queue = PendingQueue()
    assert queue.add("large", 5000)
    assert not queue.add("next", 1)


def put(emulator, value):
    body = json.dumps(value).encode()
    assert emulator.handle(Request("PUT", "http://h/hot.json?ns=d&print=silent", body=body)).status == 204


def stream_of(emulator, path):
    """Return an event stream whose first event has been taken."""
    stream = emulator.dispatch(Request("GET", f"http://h/{path}.json?ns=d", headers={"accept": "text/event-stream"}))
    stream.take()
    return stream


def test_stream_that_is_not_read_ends_before_it_holds_much_memory():
    emulator = Emulator()
    stream = stream_of(emulator, "hot")
    put(emulator, "a" * 5000)
    assert not stream.ended
    put(emulator, "b")
    assert stream.ended
    assert stream.take() == b""


def session_of(emulator):
    session = emulator.sessions.open("h", {"ns": "d"})
    finish(session.outbox.take_work())
    return session


def ask(session, action, **body):
    finish(session.receive_work(json.dumps({"t": "d", "d": {"r": 1, "a": action, "b": body}})))


def test_session_that_reads_no_events_ends_before_it_holds_much_memory():
    emulator = Emulator()
    session = session_of(emulator)
    ask(session, "q", p="/hot", h="")
    finish(session.outbox.take_work())
    for number in range(4):
        assert session.outbox.closed == (number > 2)
        put(emulator, f"{number}" * 400)
    assert finish(session.outbox.take_work()) == []


def test_session_that_reads_no_answers_ends_before_it_holds_much_memory():
    emulator = Emulator()
    put(emulator, "a" * 400)
    session = session_of(emulator)
    for number in range(4):
        assert session.outbox.closed == (number > 2)
        ask(session, "g", p="/hot", q={})
    assert finish(session.outbox.take_work()) == []


def test_large_events_are_rendered_in_several_takes(monkeypatch):
    monkeypatch.setattr("firebase_rest.emulator.database.stream._BATCH_BYTES", 500)
    monkeypatch.setattr(outbox, "_BATCH_BYTES", 500)
    emulator = Emulator()
    stream, session = stream_of(emulator, "hot"), session_of(emulator)
    ask(session, "q", p="/hot", h="")
    finish(session.outbox.take_work())
    for number in range(3):
        put(emulator, f"{number}" * 300)
    assert [stream.take().count(b"put") for _ in range(3)] == [2, 1, 0]
    assert [len(finish(session.outbox.take_work())) for _ in range(3)] == [2, 1, 0]


def test_all_events_before_the_end_of_a_stream_are_rendered(monkeypatch):
    monkeypatch.setattr("firebase_rest.emulator.database.stream._BATCH_BYTES", 1)
    emulator = Emulator()
    stream = stream_of(emulator, "hot")
    for number in range(2):
        put(emulator, number)
    stream.end(b"final")
    event = 'event: put\ndata: {"path":"/","data":%d}\n\n'
    assert [stream.take().decode() for _ in range(3)] == [event % 0, event % 1 + "final", ""]


def test_take_continues_after_an_update_without_an_event(monkeypatch):
    monkeypatch.setattr("firebase_rest.emulator.database.stream._BATCH_BYTES", 1)
    monkeypatch.setattr("firebase_rest.emulator.database.stream.MANY_TARGETS", 0)
    monkeypatch.setattr(outbox, "_BATCH_BYTES", 1)
    emulator = Emulator()
    stream, session = stream_of(emulator, "hot/x"), session_of(emulator)
    ask(session, "q", p="/hot/x", h="")
    finish(session.outbox.take_work())
    emulator.handle(Request("PATCH", "http://h/hot.json?ns=d", body=b'{"y": 1}'))
    put(emulator, {"x": 2})
    assert b'"data":2' in stream.take()
    assert b"2" in b"".join(finish(session.outbox.take_work())[0])
