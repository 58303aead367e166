"""Streams in pyrebase programs."""

from __future__ import annotations

import queue
import socket
import threading
import time

import pytest

import firebase_rest
import pyrebase
from firebase_rest.errors import StopStream
from support.waiting import LIMIT


class Inbox(queue.Queue):
    """A handler that stores its messages in a queue."""

    def __call__(self, message) -> None:
        self.put(message)

    def next(self):
        return self.get(timeout=LIMIT)


def ended(stream) -> bool:
    stream.thread.join(LIMIT)
    return not stream.thread.is_alive()


@pytest.fixture
def inbox():
    return Inbox()


def test_first_message_is_a_put_on_the_root(db, inbox) -> None:
    db.child("x").set({"a": 1})
    stream = db.child("x").stream(inbox)
    message = inbox.next()
    assert type(message) is dict
    assert message == {"event": "put", "path": "/", "data": {"a": 1}}
    db.child("x/b").set(2)
    assert inbox.next() == {"event": "put", "path": "/b", "data": 2}
    db.child("x").update({"a": 3})
    assert inbox.next() == {"event": "patch", "path": "/", "data": {"a": 3}}
    stream.close()


def test_every_message_has_the_stream_id(db, inbox) -> None:
    stream = db.child("x").stream(inbox, stream_id="mine")
    assert inbox.next() == {"event": "put", "path": "/", "data": None, "stream_id": "mine"}
    stream.close()


def test_stream_thread_is_not_a_daemon(db, inbox) -> None:
    stream = db.child("x").stream(inbox)
    assert isinstance(stream.thread, threading.Thread)
    assert stream.thread.is_alive()
    assert not stream.thread.daemon
    stream.close()
    assert ended(stream)


def test_close_returns_the_stream_and_is_idempotent(db, inbox) -> None:
    stream = db.child("x").stream(inbox)
    assert stream.close() is stream
    assert stream.close() is stream
    assert ended(stream)


def test_close_in_the_handler(db) -> None:
    received = []
    opened = threading.Event()

    def handler(message) -> None:
        opened.wait(LIMIT)
        received.append(message)
        stream.close()

    stream = db.child("x").stream(handler)
    opened.set()
    assert ended(stream)
    assert len(received) == 1


def test_close_in_another_thread(db, inbox) -> None:
    stream = db.child("x").stream(inbox)
    inbox.next()
    closer = threading.Thread(target=stream.close)
    closer.start()
    closer.join(LIMIT)
    assert ended(stream)


def test_stream_with_token_and_query(db, user, inbox) -> None:
    db.child("x").set({"a": 1, "b": 2, "c": 3})
    stream = db.child("x").order_by_value().limit_to_last(1).stream(inbox, user["idToken"])
    assert inbox.next()["data"] == {"c": 3}
    stream.close()


def test_is_async_false_runs_in_the_calling_thread(db) -> None:
    threads = []

    def handler(_) -> None:
        threads.append(threading.current_thread())
        raise StopStream

    db.child("x").stream(handler, is_async=False)
    assert threads == [threading.current_thread()]


@pytest.mark.slow
def test_reconnect_sends_a_put_on_the_root(server, db, inbox) -> None:
    db.child("x").set({"a": 1})
    stream = db.child("x").stream(inbox)
    assert inbox.next() == {"event": "put", "path": "/", "data": {"a": 1}}
    assert server.emulator.faults.drop("x") == 1
    assert inbox.next() == {"event": "put", "path": "/", "data": {"a": 1}}
    db.child("x/b").set(2)
    assert inbox.next() == {"event": "put", "path": "/b", "data": 2}
    stream.close()


@pytest.mark.parametrize("build", [lambda db: db, lambda db: db.order_by_key()])
def test_stream_closed_immediately_delivers_its_first_event(db, build) -> None:
    db.child("x").set({"a": 1})
    for _ in range(5):
        received = []
        stream = build(db.child("x")).stream(received.append)
        stream.close()
        assert ended(stream)
        assert received == [{"event": "put", "path": "/", "data": {"a": 1}}]


@pytest.fixture
def silent_url():
    """The URL of a server that accepts connections and never responds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}?ns=x"


def seconds_to_close(stream) -> float:
    started = time.monotonic()
    stream.close()
    return time.monotonic() - started


@pytest.mark.slow
def test_close_waits_at_most_a_second_for_a_silent_server(silent_url) -> None:
    with pyrebase.initialize_app({"databaseURL": silent_url}) as firebase:
        stream = firebase.database().stream(print)
        assert 0.9 < seconds_to_close(stream) < 5
        assert seconds_to_close(stream) < 0.9
        assert ended(stream)


def test_close_in_firebase_rest_does_not_wait(silent_url) -> None:
    with firebase_rest.initialize_app({"databaseURL": silent_url}) as app:
        stream = app.database().stream(print)
        assert seconds_to_close(stream) < 0.9
        assert ended(stream)


def test_close_does_not_wait_after_a_connection_error() -> None:
    errors = queue.Queue()
    states = queue.Queue()
    with pyrebase.initialize_app({"databaseURL": "http://127.0.0.1:1?ns=x"}) as firebase:
        stream = firebase.database().stream(print, on_error=errors.put, on_state=states.put)
        while states.get(timeout=LIMIT) != "waiting":
            pass
        assert seconds_to_close(stream) < 0.9
        assert ended(stream)


def test_close_in_the_handler_does_not_wait_in_the_callers_thread(db) -> None:
    took = []
    opened = threading.Event()

    class Handler:
        def __call__(self, message) -> None:
            opened.wait(LIMIT)
            started = time.monotonic()
            stream.close()
            took.append(time.monotonic() - started)

    stream = db.child("x").stream(Handler())
    opened.set()
    assert ended(stream)
    assert took[0] < 0.9


@pytest.mark.parametrize("arguments", [(None,), (None, "token")])
def test_none_as_handler_raises(db, arguments) -> None:
    for reference in (db.child("x"), db.child("x").order_by_key()):
        with pytest.raises(ValueError, match=r"got None; pass the function itself: stream\(handler\)"):
            reference.stream(*arguments)
        with pytest.raises(ValueError, match="got None"):
            reference.stream(stream_handler=None)
    with db.child("x").stream() as events:
        assert next(events).data is None
