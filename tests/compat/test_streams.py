"""Streams as pyrebase's programs use them."""

from __future__ import annotations

import queue
import threading

import pytest

from firebase_rest.errors import StopStream

LIMIT = 10.0


class Inbox(queue.Queue):
    """A handler whose messages can be waited for."""

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


def test_the_first_message_is_a_put_on_the_root_of_the_stream_and_a_plain_dict(db, inbox) -> None:
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


def test_a_stream_id_comes_with_every_message(db, inbox) -> None:
    stream = db.child("x").stream(inbox, stream_id="mine")
    assert inbox.next() == {"event": "put", "path": "/", "data": None, "stream_id": "mine"}
    stream.close()


def test_a_stream_runs_in_a_thread_that_keeps_the_program_alive(db, inbox) -> None:
    stream = db.child("x").stream(inbox)
    assert isinstance(stream.thread, threading.Thread)
    assert stream.thread.is_alive()
    assert not stream.thread.daemon
    stream.close()
    assert ended(stream)


def test_close_gives_the_stream_and_may_come_twice_and_before_the_first_message(db, inbox) -> None:
    stream = db.child("x").stream(inbox)
    assert stream.close() is stream
    assert stream.close() is stream
    assert ended(stream)


def test_close_works_from_inside_the_handler(db) -> None:
    seen = []
    opened = threading.Event()

    def handler(message) -> None:
        opened.wait(LIMIT)
        seen.append(message)
        stream.close()

    stream = db.child("x").stream(handler)
    opened.set()
    assert ended(stream)
    assert len(seen) == 1


def test_close_works_from_another_thread(db, inbox) -> None:
    stream = db.child("x").stream(inbox)
    inbox.next()
    closer = threading.Thread(target=stream.close)
    closer.start()
    closer.join(LIMIT)
    assert ended(stream)


def test_a_stream_takes_a_token_and_a_query(db, user, inbox) -> None:
    db.child("x").set({"a": 1, "b": 2, "c": 3})
    stream = db.child("x").order_by_value().limit_to_last(1).stream(inbox, user["idToken"])
    assert inbox.next()["data"] == {"c": 3}
    stream.close()


def test_is_async_false_runs_in_the_callers_own_thread(db) -> None:
    threads = []

    def handler(_) -> None:
        threads.append(threading.current_thread())
        raise StopStream

    db.child("x").stream(handler, is_async=False)
    assert threads == [threading.current_thread()]


def test_after_a_reconnect_the_fresh_snapshot_is_again_a_put_on_the_root_of_the_stream(server, db, inbox) -> None:
    db.child("x").set({"a": 1})
    stream = db.child("x").stream(inbox)
    assert inbox.next() == {"event": "put", "path": "/", "data": {"a": 1}}
    assert server.emulator.faults.drop("x") == 1
    assert inbox.next() == {"event": "put", "path": "/", "data": {"a": 1}}
    db.child("x/b").set(2)
    assert inbox.next() == {"event": "put", "path": "/b", "data": 2}
    stream.close()
