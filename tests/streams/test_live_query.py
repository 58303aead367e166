"""`live()`: values and child events, with an emulator and with scripted connections."""

from __future__ import annotations

import json
import math
import queue
import random
import threading

import pytest

from firebase_rest.errors import NetworkTimeout, PermissionDenied, StreamError, UsageError
from support.stream_server import StreamServer, fin, put
from support.waiting import LIMIT, wait_for

CLIENTS = ("blocking", "async")


def events_of(live):
    """Record all events as (kind, key, previous key or None, value)."""
    received: queue.Queue = queue.Queue()
    for kind in ("added", "changed", "moved"):
        register = getattr(live, f"on_child_{kind}")
        register(lambda child, previous, kind=kind: received.put((kind, child.key(), previous, child.val())))
    live.on_child_removed(lambda child: received.put(("removed", child.key(), None, child.val())))
    live.on_value(lambda snapshot: received.put(("value", snapshot.key(), None, snapshot.val())))
    return received


def taken(received, number):
    return [received.get(timeout=LIMIT) for _ in range(number)]


def test_live_returns_with_first_value_and_follows_writes(db):
    db.child("p").set({"a": 1})
    with db.child("p").live() as live:
        assert live.value == {"a": 1}
        assert live.snapshot.key() == "p"
        assert not live.stale
        db.child("p").update({"a": None, "b/c": [1, 2]})
        assert live.wait_until(lambda value: "b" in value, LIMIT) == {"b": {"c": [1, 2]}}
        db.child("p").remove()
        assert live.wait_until(lambda value: value is None, LIMIT) is None


def test_value_is_a_copy(db):
    db.set({"a": {"b": 1}})
    with db.live() as live:
        live.value["a"]["b"] = "mine"
        assert live.value == {"a": {"b": 1}}


def test_child_events_have_order_and_previous_keys(db):
    db.set({"a": {"n": 1}, "b": {"n": 2}})
    with db.order_by_child("n").live() as live:
        received = events_of(live)
        assert taken(received, 3) == [
            ("added", "a", None, {"n": 1}),
            ("added", "b", "a", {"n": 2}),
            ("value", "", None, {"a": {"n": 1}, "b": {"n": 2}}),
        ]
        db.update({"a/n": 3, "b": None, "c/n": 0})
        assert taken(received, 5) == [
            ("removed", "b", None, {"n": 2}),
            ("added", "c", None, {"n": 0}),
            ("moved", "a", "c", {"n": 3}),
            ("changed", "a", "c", {"n": 3}),
            ("value", "", None, {"c": {"n": 0}, "a": {"n": 3}}),
        ]


def test_live_query_follows_its_limit(db):
    db.set({"a": 1, "b": 2, "c": 3})
    with db.order_by_value().limit_to_last(2).live() as live:
        assert list(live.value) == ["b", "c"]
        received = events_of(live)
        taken(received, 3)
        db.child("d").set(4)
        assert taken(received, 3) == [
            ("removed", "b", None, 2),
            ("added", "d", "c", 4),
            ("value", "", None, {"c": 3, "d": 4}),
        ]
        db.child("c").remove()
        assert [event[:3] for event in taken(received, 3)] == [
            ("removed", "c", None),
            ("added", "b", None),
            ("value", "", None),
        ]


@pytest.mark.blocking_client
def test_callbacks_see_the_changed_value(db):
    db.set({"a": 1})
    received: queue.Queue = queue.Queue()
    with db.live() as live:
        live.on_child_changed(lambda child, _: received.put((child.val(), live.value)))
        db.child("a").set(2)
        assert received.get(timeout=LIMIT) == (2, {"a": 2})


def test_late_callback_gets_current_children_once(db):
    db.set({"a": 1, "b": 2})
    with db.live() as live:
        added: list[str] = []
        live.on_child_added(lambda child, _: added.append(child.key()))
        assert added == ["a", "b"]
        db.child("c").set(3)
        live.wait_until(lambda value: "c" in value, LIMIT)
        wait_for(lambda: added == ["a", "b", "c"])


def test_unsubscribed_callback_is_not_called(db):
    with db.live() as live:
        one, other = [], []
        stop = live.on_value(lambda snapshot: one.append(snapshot.val()))
        live.on_value(lambda snapshot: other.append(snapshot.val()))
        stop()
        stop()
        db.set(1)
        wait_for(lambda: 1 in other)
    assert one == [None]


def test_reconnect_reports_differences_only(server, db):
    db.set({"a": 1, "b": 2, "c": {"d": 3}})
    states: list[str] = []
    with db.live(on_state=states.append) as live:
        received = events_of(live)
        taken(received, 4)
        server.emulator.faults.reject(5)
        server.emulator.faults.drop(how="rst")
        db.update({"a": None, "e": 5})
        assert taken(received, 3) == [
            ("removed", "a", None, 1),
            ("added", "e", "c", 5),
            ("value", "", None, {"b": 2, "c": {"d": 3}, "e": 5}),
        ]
        server.emulator.faults.drop()
        wait_for(lambda: live.reconnects == 7 and not live.stale)
        assert received.empty()
        assert live.last_error is not None
    assert states[:3] == ["connecting", "open", "waiting"]


def test_stale_copy_keeps_the_last_value(connect):
    go = threading.Event()

    def later(peer):
        go.wait(LIMIT)
        put(2)(peer)

    with StreamServer(put(1, fin), later) as server, connect(server.url).database().live() as live:
        wait_for(lambda: live.stale)
        assert (live.value, live.is_alive()) == (1, True)
        go.set()
        assert live.wait_until(lambda value: value == 2, LIMIT) == 2
        wait_for(lambda: not live.stale)
    wait_for(lambda: live.stale)
    assert live.value == 2


def test_wait_until_times_out(db):
    with db.live() as live, pytest.raises(NetworkTimeout, match=r"Timed out after 0.05 s while waiting for '/'"):
        live.wait_until(lambda value: value == "never", 0.05)


def test_wait_until_without_limit(db):
    with db.live(timeout=math.inf) as live:
        threading.Timer(0.05, lambda: db.child("a").set(1)).start()
        assert live.wait_until(lambda value: value is not None, math.inf) == {"a": 1}


def test_wait_until_ends_when_closed(db):
    with db.live() as live:
        closer = threading.Timer(0.05, live.close)
        closer.start()
        with pytest.raises(UsageError, match="was closed"):
            live.wait_until(lambda value: value == "never", LIMIT)
        closer.join()


def test_wait_until_raises_the_final_error(server, db, caplog):
    with db.live() as live:
        canceller = threading.Timer(0.05, server.emulator.faults.cancel)
        canceller.start()
        with pytest.raises(PermissionDenied):
            live.wait_until(lambda value: value == "never", LIMIT)
        canceller.join()
    assert "has ended" not in caplog.text


@pytest.mark.blocking_client
def test_wait_until_in_a_callback_raises(db):
    errors: queue.Queue = queue.Queue()
    with db.live(on_error=errors.put) as live:
        live.on_value(lambda _: live.wait_until(bool, 5))
        db.set(1)
        assert "from a callback" in str(errors.get(timeout=LIMIT))


def test_live_raises_the_error_of_the_server(connect):
    with (
        StreamServer(lambda peer: peer.respond_error(401, "Permission denied")) as server,
        pytest.raises(PermissionDenied),
    ):
        connect(server.url).database().live()


def test_live_times_out(connect):
    with StreamServer(lambda peer: peer.hold()) as server, pytest.raises(NetworkTimeout):
        connect(server.url).database().live(timeout=0.05)


def test_live_with_timeout_0_does_not_wait(connect, caplog):
    with StreamServer(lambda peer: peer.respond_error(503)) as server:
        errors: queue.Queue = queue.Queue()
        live = connect(server.url).database().live(timeout=0, max_retries=1, on_error=errors.put)
        assert (live.value, live.stale) == (None, True)
        assert isinstance(errors.get(timeout=LIMIT), StreamError)
        live = connect(server.url).database().live(timeout=0, max_retries=0)
        wait_for(lambda: "has ended" in caplog.text)
        assert not live.is_alive()


def test_callback_exception_is_passed_to_on_error(db):
    errors: queue.Queue = queue.Queue()
    received: list[object] = []
    with db.live(on_error=errors.put) as live:
        live.on_value(lambda _: 1 / 0)
        live.on_value(lambda snapshot: received.append(snapshot.val()))
        db.set(1)
        assert all(isinstance(errors.get(timeout=LIMIT), ZeroDivisionError) for _ in range(2))
        wait_for(lambda: received == [None, 1])


@pytest.mark.blocking_client
def test_callback_exception_is_logged_without_on_error(db, caplog):
    with db.live() as live:
        live.on_value(lambda _: 1 / 0)
    assert "A callback of <LiveQuery '/'> failed" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_exception_in_on_error_is_logged(db, caplog):
    with db.live(on_error=lambda error: error.nothing) as live:
        live.on_value(lambda _: 1 / 0)
    assert "AttributeError" in caplog.text


def test_live_with_priority_or_shallow_raises(db):
    with pytest.raises(UsageError, match="order_by_priority"):
        db.order_by_priority().live()
    with pytest.raises(UsageError, match="shallow"):
        db.shallow().live()


def test_value_is_always_a_value_of_the_database(db):
    """Every write sets two children to the same value, so a reader never sees different ones."""
    db.child("pair").set({"one": 0, "two": 0})
    with db.child("pair").live() as live:
        done, torn = threading.Event(), []

        def read():
            while not done.is_set():
                value = live.value
                if value["one"] != value["two"]:
                    torn.append(value)

        reader = threading.Thread(target=read)
        reader.start()
        for number in range(1, 50):
            db.child("pair").update({"one": number, "two": number})
        live.wait_until(lambda value: value["one"] == 49, LIMIT)
        done.set()
        reader.join()
        assert torn == []


def test_copy_converges_with_many_writers_and_faults(server, db):
    rng = random.Random(4)
    with db.child("s").live() as complete, db.child("s").order_by_value().limit_to_first(3).live() as top:
        for number in range(150):
            key = f"k{rng.randrange(8)}"
            if rng.random() < 0.2:
                db.child("s", key).remove()
            else:
                db.child("s", key).set(rng.randrange(100))
            if number % 15 == 7:
                getattr(server.emulator.faults, rng.choice(["drop", "truncate"]))(how=rng.choice(["end", "fin", "rst"]))
        db.child("s", "last").set(-1)
        complete.wait_until(lambda value: "last" in value, LIMIT)
        top.wait_until(lambda value: "last" in value, LIMIT)
        assert json.dumps(complete.value) == json.dumps(db.child("s").get().val())
        assert json.dumps(top.value) == json.dumps(db.child("s").order_by_value().limit_to_first(3).get().val())


def test_raised_error_is_not_logged(connect, caplog):
    with pytest.raises(UsageError):
        connect(None).database().live(timeout=5)
    assert not caplog.records
