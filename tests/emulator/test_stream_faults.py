"""Faults of event streams on the wire, and streams that end because of expiry or rules."""

from __future__ import annotations

import socket
import threading

import pytest
import requests

from emulator.wire import Database
from firebase_rest.emulator import Clock, Emulator
from firebase_rest.errors import NetworkError
from firebase_rest.transport.wire import Request
from support.waiting import LIMIT

OPEN = b"GET /s.json HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n"
FIRST = b'event: put\ndata: {"path":"/","data":null}\n\n'
SIGN_UP = "/identitytoolkit.googleapis.com/v1/accounts:signUp"


class Wire:
    """A stream over a bare socket."""

    def __init__(self, server):
        host, port = server.host.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), LIMIT)
        self.socket.sendall(OPEN)
        self.received = b""
        self.until(FIRST)

    def until(self, text):
        while text not in self.received:
            data = self.socket.recv(65536)
            assert data, f"the end came after {self.received!r}"
            self.received += data

    def rest(self):
        """Return the bytes until the connection ends. Raises ConnectionResetError if it is reset."""
        rest = b""
        while data := self.socket.recv(65536):
            rest += data
        return rest

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


@pytest.fixture
def faults(server):
    return server.emulator.faults


def test_drop_end_completes_the_response(server, faults):
    with Wire(server) as wire:
        assert faults.drop(how="end") == 1
        wire.until(b"0\r\n\r\n")


def test_drop_fin_omits_the_last_chunk(server, faults):
    with Wire(server) as wire:
        assert faults.drop(how="fin") == 1
        assert wire.rest() == b""


def test_drop_rst_resets_the_connection(server, faults):
    with Wire(server) as wire:
        assert faults.drop(how="rst") == 1
        with pytest.raises(ConnectionResetError):
            wire.rest()


def test_truncate_ends_within_an_event(server, faults):
    with Wire(server) as wire:
        assert faults.truncate() == 1
        assert wire.rest().endswith(b'event: put\ndata: {"path":"/","data":null}\n\r\n')


def test_stalled_stream_is_silent_until_resume():
    with Emulator(keep_alive=0.02).serve() as server, Wire(server) as wire:
        wire.until(b"keep-alive")
        faults, db = server.emulator.faults, Database(server.host)
        assert faults.stall() == 1
        db.put("s/a", 1)
        wire.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            wire.rest()
        wire.socket.settimeout(LIMIT)
        assert faults.resume() == 1
        wire.until(b'{"path":"/a","data":1}')
        db.close()


def test_cancel_sends_the_reason_and_ends(db, faults):
    with db.listen("s") as one, db.listen("t") as other:
        one.next(), other.next()
        assert faults.cancel("s") == 1
        assert one.raw() == b"event: cancel\ndata: Permission denied."
        assert one.raw() is None
        assert faults.cancel(reason=None) == 1
        assert other.raw() == b"event: cancel\ndata: null"


def test_cancel_and_revoke_can_leave_the_stream_open(server, faults):
    with Wire(server) as wire:
        assert faults.revoke(hang_up=False) == 1
        wire.until(b"event: auth_revoked\ndata: credential is no longer valid\n\n")
        wire.socket.settimeout(0.1)
        with pytest.raises(TimeoutError):
            wire.socket.recv(1)


def test_faults_select_streams_by_path(db, faults):
    with db.listen("a/b") as below, db.listen("a") as at_path, db.listen("b") as elsewhere:
        below.next(), at_path.next(), elsewhere.next()
        assert faults.drop("a", how="end") == 2
        assert below.raw() is None
        assert at_path.raw() is None
        db.put("b", 1)
        assert elsewhere.next() == ("put", "/", 1)


def test_redirect_keeps_the_query_and_adds_sse(db, server, faults):
    faults.redirect()
    url, headers = f"http://{server.host}/s.json", {"Accept": "text/event-stream"}
    query = {"orderBy": '"$key"', "ns": "other"}
    response = requests.get(url, query, headers=headers, allow_redirects=False, timeout=LIMIT)
    assert response.status_code == 307
    assert response.headers["location"] == f"{url}?orderBy=%22%24key%22&ns=other&sse=true"
    faults.redirect(None)
    for _ in range(2):
        with db.listen("s") as stream:
            assert [one.status_code for one in stream.response.history] == [307]
            assert stream.next() == ("put", "/", None)
    faults.clear()
    with db.listen("s") as stream:
        assert not stream.response.history


def test_reject_applies_to_the_given_number_of_streams(db, faults):
    faults.reject(2, status=429, error="Too many", retry_after="7")
    assert db.get("s").status_code == 200
    for _ in range(2):
        with db.listen("s") as stream:
            assert (stream.response.status_code, stream.response.headers["retry-after"]) == (429, "7")
    with db.listen("s") as stream:
        assert stream.response.status_code == 200


def test_reset_clears_planned_faults(db, server, faults):
    faults.reject(None)
    server.emulator.reset()
    with db.listen("s") as stream:
        assert stream.response.status_code == 200


def signed_up(server):
    response = requests.post(f"http://{server.host}{SIGN_UP}?key=k", json={}, timeout=LIMIT)
    return response.json()["idToken"]


def test_stream_is_revoked_when_its_token_expires():
    clock = Clock()
    with Emulator(clock=clock).serve() as server:
        db = Database(server.host)
        with db.listen("s", auth=signed_up(server)) as signed, db.listen("s") as anonymous:
            signed.next(), anonymous.next()
            clock.advance(3590)
            db.put("s", 1)
            assert signed.next() == ("put", "/", 1)
            clock.advance(10)
            assert signed.raw() == b"event: auth_revoked\ndata: credential is no longer valid"
            assert signed.raw() is None
            assert anonymous.next() == ("put", "/", 1)
            db.put("s", 2)
            assert anonymous.next() == ("put", "/", 2)
        db.close()


def test_expiry_is_noticed_with_a_custom_clock():
    with Emulator(clock=Clock(rate=36_000)).serve() as server:  # an hour lasts a tenth of a second
        db = Database(server.host)
        with db.listen("s", auth=signed_up(server)) as stream:
            assert stream.next() == ("put", "/", None)
            assert stream.raw() == b"event: auth_revoked\ndata: credential is no longer valid"
        db.close()


def test_new_rules_cancel_unauthorized_streams(db, server):
    with db.listen("s") as nobody, db.listen("s", access_token="owner") as admin:
        nobody.next(), admin.next()
        rules = {"rules": {".read": False, ".write": True}}
        owner = {"Authorization": "Bearer owner"}
        assert db.put(".settings/rules", rules, headers=owner).status_code == 200
        assert nobody.raw() == b"event: cancel\ndata: Permission denied."
        db.put("s", 1)
        assert admin.next() == ("put", "/", 1)


def opened(emulator):
    return emulator.handle(Request("GET", "http://h/s.json", headers={"Accept": "text/event-stream"})).reader


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_in_process_broken_stream_raises_network_error(how):
    emulator = Emulator()
    reader = opened(emulator)
    assert reader.read(4096) == FIRST
    emulator.faults.drop(how=how)
    with pytest.raises(NetworkError):
        reader.read(4096)


def test_in_process_stalled_stream_waits_for_resume_or_close():
    emulator = Emulator(keep_alive=0.01)
    reader = opened(emulator)
    assert reader.read(4096) == FIRST
    emulator.faults.stall()
    emulator.handle(Request("PUT", "http://h/s/a.json", body=b"1"))
    waker = threading.Timer(0.1, emulator.faults.resume)
    waker.start()
    assert b'"path":"/a"' in reader.read(4096)
    emulator.faults.stall()
    closer = threading.Timer(0.05, reader.close)
    closer.start()
    assert reader.read(4096) == b""
    waker.join(), closer.join()


def test_clock_runs_and_advances():
    clock = Clock()
    before = clock()
    clock.advance(100)
    assert 100 <= clock() - before < 101
