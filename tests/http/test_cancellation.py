"""Ending a call from another thread, and never another call: deadlines, `close()`, name resolution, the pool."""

from __future__ import annotations

import random
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from urllib3.connectionpool import HTTPConnectionPool

from firebase_rest import NetworkError, NetworkTimeout
from firebase_rest.transport.cancellation import cancel_socket, current_handle
from support.blocking import BlockingApp
from support.scripted_server import Peer, ScriptedServer, ok, silent
from support.waiting import LIMIT

CLIENTS = ("blocking", "async")


@pytest.fixture
def stuck_resolver(monkeypatch):
    """Name resolution that blocks until the test ends."""
    test_ended = threading.Event()
    requested = threading.Event()

    def getaddrinfo(*_: object, **__: object):
        requested.set()
        test_ended.wait(LIMIT)
        raise socket.gaierror("the test has ended")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield requested
    test_ended.set()


def test_the_deadline_bounds_name_resolution(connect, stuck_resolver):
    start = time.monotonic()
    with pytest.raises(NetworkTimeout, match="deadline") as caught:
        connect("https://db.example.com", deadline=0.3).database().push(1)
    assert time.monotonic() - start < 10
    assert not caught.value.outcome_unknown


@pytest.mark.blocking_client
def test_close_ends_name_resolution(connect, stuck_resolver):
    app = connect("https://db.example.com")
    errors: list[Exception] = []

    def work() -> None:
        try:
            app.database().get()
        except NetworkError as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert stuck_resolver.wait(LIMIT)
    app.close()
    thread.join(LIMIT)
    assert [type(error) for error in errors] == [NetworkError]


def requests_in_progress(app):
    """Return what the transport of either client keeps of its requests."""
    return app._transport.scopes if isinstance(app, BlockingApp) else app._transport._handles


def test_closing_a_stream_ends_name_resolution(connect, stuck_resolver):
    app = connect("https://db.example.com")
    stream = app.database().stream(lambda event: None)
    assert stuck_resolver.wait(LIMIT)
    stream.close()
    stream.thread.join(LIMIT)
    assert not stream.thread.is_alive()
    assert not requests_in_progress(app)


def test_streams_closed_while_connecting_are_forgotten(connect):
    with ScriptedServer(silent) as server:
        app = connect(server)
        for _ in range(20):
            stream = app.database().stream(lambda event: None)
            stream.close()
            stream.thread.join(LIMIT)
        assert not requests_in_progress(app)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.blocking_client
def test_cancel_at_hand_over_never_reaches_next_call(connect, monkeypatch, moment):
    put = HTTPConnectionPool._put_conn

    def put_and_cancel(pool: HTTPConnectionPool, connection: object) -> None:
        handle = current_handle.get()
        assert handle is not None
        put(pool, connection)
        handle.cancel()

    if moment == "after":
        monkeypatch.setattr(HTTPConnectionPool, "_put_conn", put_and_cancel)
    else:
        from firebase_rest.transport import adapter

        take = adapter.take

        def cancel_and_take(slot):
            handle = current_handle.get()
            if handle is not None and slot is handle.slot:
                handle.cancel()
            return take(slot)

        monkeypatch.setattr(adapter, "take", cancel_and_take)
    with ScriptedServer(ok("7")) as server:
        db = connect(server, retries=0).database()
        assert [db.get().val() for _ in range(20)] == [7] * 20
    assert server.connections == (1 if moment == "after" else 20)


@pytest.mark.slow
def test_deadlines_of_some_threads_never_end_calls_of_others(connect):
    pauses = random.Random(1)

    def script(peer: Peer) -> None:
        while True:
            peer.read_request()
            peer.server.closing.wait(pauses.random() * 0.004)
            peer.respond("7")

    with ScriptedServer(script) as server:
        app = connect(server, retries=0)
        problems: list[Exception] = []
        ends = time.monotonic() + 2

        def hurry() -> None:
            db = app.with_options(deadline=0.003).database()
            while time.monotonic() < ends:
                with suppress(NetworkTimeout):
                    db.get()

        def work() -> None:
            db = app.database()
            try:
                while time.monotonic() < ends:
                    assert db.get().val() == 7
            except NetworkError as error:
                problems.append(error)

        threads = [threading.Thread(target=target) for target in [hurry, work] * 4]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LIMIT)
    assert problems == []


class Wrapper:
    def __init__(self, name: str, inner: object) -> None:
        setattr(self, name, inner)


@pytest.mark.parametrize("name", ["socket", "fd", "_sock"])
def test_any_kind_of_socket_is_cancelled(name):
    ours, theirs = socket.socketpair()
    with ours, theirs:
        cancel_socket(Wrapper("socket", Wrapper(name, ours)))
        assert theirs.recv(1) == b""


@pytest.mark.parametrize("broken", [None, 7, object(), Wrapper("socket", None), Wrapper("fd", 3)])
def test_cancelling_never_raises(broken):
    cancel_socket(broken)
    closed = socket.socket()
    closed.close()
    cancel_socket(closed)


# --- TLS ---


def damaged(peer: Peer) -> None:
    """Send one response over TLS, then a record that cannot be decrypted."""
    peer.read_request()
    peer.respond("1")
    peer.read_request()
    raw = socket.socket(fileno=socket.dup(peer.sock.fileno()))
    with raw:
        raw.sendall(b"\x17\x03\x03\x00\x40" + b"\x00" * 64)
        peer.wait_closed()


def test_damaged_tls_record_is_retried_for_reads(connect, server_tls, ca_file):
    with ScriptedServer(damaged, ok("2"), tls=server_tls) as server:
        app = connect(server)
        app.requests.verify = ca_file
        assert app.database().get().val() == 1
        assert app.database().get().val() == 2
    assert server.connections == 2


def test_damaged_tls_record_raises_for_push(connect, server_tls, ca_file):
    with ScriptedServer(damaged, ok("2"), tls=server_tls) as server:
        app = connect(server)
        app.requests.verify = ca_file
        app.database().get()
        with pytest.raises(NetworkError) as caught:
            app.database().push(1)
    assert caught.value.outcome_unknown
    assert server.connections == 1


def test_server_without_tls_is_not_retried(connect, ca_file, pauses):
    with ScriptedServer(lambda peer: peer.send("HTTP/1.1 400 Bad Request\r\n\r\n")) as server:
        app = connect(server.url.replace("http", "https"))
        app.requests.verify = ca_file
        with pytest.raises(NetworkError):
            app.database().get()
    assert pauses == []


# --- the end of the interpreter ---

AT_EXIT = """
import {module}, sys
import firebase_rest

class Late:
    def __init__(self, url):
        self.app = firebase_rest.initialize_app({{"databaseURL": url}}, deadline=3)
        self.db = self.app.database().child("late")
    def __del__(self, expected=firebase_rest.errors.FirebaseError):
        try:
            print("result:", self.db.get().val())
        except expected as error:
            print("error:", error)

late = Late(sys.argv[1])
{use}
"""


@pytest.mark.parametrize("use", ["", "late.db.get()", "firebase_rest.late = late", "atexit.register(late.__del__)"])
def test_calls_at_interpreter_exit_end(use):
    source = Path(__file__).parents[2] / "src"
    with ScriptedServer(ok("7")) as server:
        program = AT_EXIT.format(module="atexit", use=use)
        result = subprocess.run(
            [sys.executable, "-c", program, server.url],
            env={"PYTHONPATH": str(source)},
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
    assert result.returncode == 0
    assert result.stdout.startswith("result: 7") or "error: " in result.stdout, result
