"""Event streams over HTTP: opening, the order of events, ending."""

from __future__ import annotations

import threading

import pytest

from emulator.wire import Database
from firebase_rest.emulator import Emulator
from firebase_rest.transport.wire import Request
from support.waiting import wait_for


def streams_of(server, name="demo-test-default-rtdb"):
    return server.emulator._database.namespace(name).streams()


def test_stream_has_the_headers_of_production(db):
    with db.listen("a") as stream:
        response = stream.response
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["cache-control"] == "no-cache"
        assert response.headers["access-control-allow-origin"] == "*"
        assert "content-length" not in response.headers


def test_event_format(db):
    db.put("a", {"é": [1, None, 2]})
    with db.listen("a") as stream:
        assert stream.raw() == 'event: put\ndata: {"path":"/","data":{"é":[1,null,2]}}'.encode()
        db.delete("a/é")
        assert stream.raw() == 'event: put\ndata: {"path":"/é","data":null}'.encode()


def test_each_kind_of_write_has_its_event(db):
    with db.listen("s") as stream:
        assert stream.next() == ("put", "/", None)
        db.put("s/a", {"x": 1})
        assert stream.next() == ("put", "/a", {"x": 1})
        db.patch("s/a", '{"x": 2, "y/z": 3}')
        assert stream.next() == ("patch", "/a", {"x": 2, "y/z": 3})
        name = db.post("s/list", 5).json()["name"]
        assert stream.next() == ("put", f"/list/{name}", 5)
        db.delete("s/list")
        assert stream.next() == ("put", "/list", None)
        db.patch("", '{"s/a/x": 9, "elsewhere": 1}')
        assert stream.next() == ("patch", "/", {"a/x": 9})
        db.put("elsewhere", 2)
        db.put("", '{"s": {"a": {"x": 9, "y": {"z": 3}}}, "t": 1}')
        db.put("", '{"s": "new"}')
        assert stream.next() == ("put", "/", "new")


def test_events_contain_resolved_server_values(db):
    with db.listen("s") as stream:
        stream.next()
        response = db.put("s/n", {"t": {".sv": "timestamp"}, "i": {".sv": {"increment": 3}}}).json()
        assert stream.next() == ("put", "/n", response)
        assert response["i"] == 3


def test_events_contain_priorities_only_in_export_format(db):
    db.put("s", {"a": 1})
    with db.listen("s", format="export") as exported, db.listen("s", print="pretty", shallow="true") as plain:
        exported.next()
        plain.next()
        db.put("s/a/.priority", 5)
        assert exported.next() == ("put", "/a", {".priority": 5, ".value": 1})
        assert plain.next() == ("put", "/a", 1)
        db.patch("s", '{"a/.priority": 6, "b": 2}')
        assert exported.next() == ("patch", "/", {"a/.priority": 6, "b": 2})
        assert plain.next() == ("patch", "/", {"b": 2})


def test_filtered_stream_ignores_children_outside_the_filter(db):
    children = {f"_{number}": number for number in range(3, 10)}
    db.put("s", children)
    with db.listen("s", orderBy='"$key"', startAt='"_6"', limitToFirst="4") as stream:
        assert stream.next() == ("put", "/", {"_6": 6, "_7": 7, "_8": 8, "_9": 9})
        for name in ("_3", "_5", "_10", "_2"):
            db.put(f"s/{name}", '"outside"')
        db.delete("s/_3")
        db.put("s/_7", {"sub": 1})
        assert stream.next() == ("put", "/_7", {"sub": 1})
        db.patch("s/_7", '{"sub": 2}')
        assert stream.next() == ("patch", "/_7", {"sub": 2})
        db.delete("s/_8")
        assert stream.next() == ("put", "/_8", None)


def test_limited_stream_updates_its_children(db):
    db.put("s", {"a": 1, "b": 2, "c": 3})
    with db.listen("s", orderBy='"$value"', limitToLast="2") as stream:
        assert stream.next() == ("put", "/", {"b": 2, "c": 3})
        db.put("s/d", 4)
        assert stream.next() == ("patch", "/", {"d": 4, "b": None})
        db.delete("s/c")
        assert stream.next() == ("patch", "/", {"b": 2, "c": None})


def test_stream_request_errors_are_plain_responses(db):
    with db.listen("s", limitToFirst="1") as stream:
        assert stream.response.status_code == 400
        assert stream.response.headers["content-type"] == "application/json; charset=utf-8"
    with db.listen("s", auth="garbage") as stream:
        assert stream.response.status_code == 401
    with db.listen("s/.priority") as stream:
        assert stream.response.status_code == 400


def test_events_are_in_commit_order_and_complete(server):
    writers, rounds = 4, 50
    with Database(server.host).listen("s") as one, Database(server.host).listen("s") as other:
        assert one.next() == other.next() == ("put", "/", None)

        def write(name):
            database = Database(server.host)
            for number in range(rounds):
                database.put(f"s/{name}", str(number))
            database.close()

        threads = [threading.Thread(target=write, args=(name,)) for name in range(writers)]
        for thread in threads:
            thread.start()
        received = [one.next() for _ in range(writers * rounds)]
        assert received == [other.next() for _ in range(writers * rounds)]
        for thread in threads:
            thread.join()
        for name in range(writers):
            assert [data for _, path, data in received if path == f"/{name}"] == list(range(rounds))


def test_closed_stream_is_removed(server, db):
    stream = db.listen("s")
    stream.next()
    assert len(streams_of(server)) == 1
    stream.close()
    wait_for(lambda: not streams_of(server))


def test_idle_stream_sends_keep_alives():
    with Emulator(keep_alive=0.05).serve() as server:
        database = Database(server.host)
        with database.listen("s") as stream:
            assert stream.next() == ("put", "/", None)
            assert stream.raw() == b"event: keep-alive\ndata: null"
            assert stream.raw() == b"event: keep-alive\ndata: null"
        database.close()


def test_slow_stream_does_not_block_writers(db):
    large = {"text": "x" * 200_000}
    stream = db.session.get(f"{db.root}/s.json", headers={"Accept": "text/event-stream"}, stream=True, timeout=10)
    for number in range(100):  # 20 MB: far more than the sockets between us hold
        assert db.put(f"s/{number}", large, print="silent").status_code == 204
    stream.close()


def test_reset_sends_the_deletion_to_streams(server, db):
    db.put("s", 1)
    with db.listen("s") as stream:
        assert stream.next() == ("put", "/", 1)
        server.emulator.reset()
        assert stream.next() == ("put", "/", None)


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json, text/event-stream;q=0.9"])
def test_in_process_stream_is_a_reader(accept):
    emulator = Emulator()
    response = emulator.handle(Request("GET", "http://h/s.json", headers={"Accept": accept}, stream=True))
    assert (response.status, response.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert response.reader.read(4096) == b'event: put\ndata: {"path":"/","data":null}\n\n'
    writer = threading.Thread(target=emulator.handle, args=(Request("PUT", "http://h/s/x.json", body=b"1"),))
    writer.start()
    assert response.reader.read(4096) == b'event: put\ndata: {"path":"/x","data":1}\n\n'
    writer.join()
    waiter = threading.Thread(target=response.reader.abort)
    waiter.start()
    assert response.reader.read(4096) == b""
    waiter.join()
    response.reader.close()
