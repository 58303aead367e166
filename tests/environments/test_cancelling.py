"""Sockets of every kind: threads, green threads, pyOpenSSL, TLS inside TLS.

Deadlines and `close()` end a wait, and no call receives the bytes that follow the response to another.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import trustme

from environments.conftest import Run
from support.scripted_server import Disconnected, Peer, ScriptedServer

PROGRAM = """
import sys, threading, time
import firebase_rest
from support.waiting import wait_for

app = firebase_rest.initialize_app({"databaseURL": sys.argv[1]}, timeout=30, retries=0)
db = app.database()

def ends(call):
    start = time.monotonic()
    try:
        result = call()
    except firebase_rest.NetworkError as error:
        result = type(error).__name__
    took = time.monotonic() - start
    assert took < 8, took
    return result

hurried = app.with_options(deadline=0.5).database()
assert db.child("a").get().val() == 7
for place in ("silent", "body", "chunks"):
    assert ends(lambda: hurried.child(place).get().val()) == "NetworkTimeout", place
    assert db.child("a").get().val() == 7

arrived = threading.Event()
stream = db.child("events").stream(lambda event: arrived.set())
assert arrived.wait(10)
ends(stream.close)
ends(lambda: stream.thread.join(20))
assert not stream.is_alive()

results = []
before = db.child("received/silent").get().val()
waiting = threading.Thread(target=lambda: results.append(ends(lambda: db.child("silent").get())))
waiting.start()
wait_for(lambda: db.child("received/silent").get().val() > before)
ends(app.close)
waiting.join(10)
assert results == ["NetworkError"], results
print("done")
"""

SURPLUS_PROGRAM = """
import sys
import firebase_rest

db = firebase_rest.initialize_app({"databaseURL": sys.argv[1]}, timeout=30, retries=0).database()
for size in range(8185, 8200):
    assert db.child("surplus").child(str(size)).get().val() == 1
    assert db.child("a").get().val() == 7, size
print("done")
"""

FIRST_LINES = {
    "threads": "",
    "eventlet": "import eventlet; eventlet.monkey_patch()",
    "gevent": "from gevent import monkey; monkey.patch_all()",
    "pyOpenSSL": "from urllib3.contrib import pyopenssl; pyopenssl.inject_into_urllib3()",
}


def serve(peer: Peer) -> None:
    while True:
        path = peer.read_request().path
        if path == "/silent.json":
            peer.hold()
        elif path == "/received/silent.json":
            peer.respond(str(sum(request.path == "/silent.json" for request in peer.server.requests)))
        elif path == "/body.json":
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            peer.send_slowly(" " * 1000, 0.05)
        elif path == "/chunks.json":
            peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            peer.send_slowly("1\r\n \r\n" * 200, 0.05)
        elif path == "/events.json":
            peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
            peer.send('event: put\ndata: {"path": "/", "data": 1}\n\n')
            peer.hold()
        elif path.startswith("/surplus/"):
            # At 8,192 bytes, the client has read exactly this response, and the next one is still in the TLS layer.
            size = int(path.removeprefix("/surplus/").removesuffix(".json"))
            head = "HTTP/1.1 200 OK\r\nContent-Length: 8000\r\nX-Filler: "
            peer.send(
                head.ljust(size - 8004, "x")
                + "\r\n\r\n"
                + "1".ljust(8000)
                + "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n9"
            )
        else:
            peer.respond("7")


def forward(peer: Peer) -> None:
    """An HTTP proxy that opens a tunnel."""
    host, _, port = peer.read_request().target.rpartition(":")
    with socket.create_connection((host, int(port))) as target:
        peer.send("HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=copy, args=(target.recv, peer.sock.sendall), daemon=True)
        back.start()
        copy(peer.sock.recv, target.sendall)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)
        back.join(5)
    raise Disconnected


def copy(read: Callable[[int], bytes], write: Callable[[bytes], object]) -> None:
    with suppress(OSError, ValueError):
        while data := read(65_536):
            write(data)


@pytest.fixture
def tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture
def https_proxy(tls: ssl.SSLContext) -> Iterator[ScriptedServer]:
    with ScriptedServer(forward, tls=tls) as proxy:
        yield proxy


@pytest.mark.parametrize("first_line", FIRST_LINES.values(), ids=FIRST_LINES.keys())
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_deadline_and_close_end_a_wait(run: Run, tls: ssl.SSLContext, first_line: str, scheme: str) -> None:
    with ScriptedServer(serve, tls=tls if scheme == "https" else None) as server:
        result = run(f"{first_line}\n{PROGRAM}", server.url)
    assert (result.stdout, result.returncode) == ("done\n", 0), result.stderr


@pytest.mark.parametrize("first_line", FIRST_LINES.values(), ids=FIRST_LINES.keys())
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_bytes_after_a_response_are_dropped(run: Run, tls: ssl.SSLContext, first_line: str, scheme: str) -> None:
    with ScriptedServer(serve, tls=tls if scheme == "https" else None) as server:
        result = run(f"{first_line}\n{SURPLUS_PROGRAM}", server.url)
    assert (result.stdout, result.returncode) == ("done\n", 0), result.stderr


def test_bytes_after_a_response_through_an_https_proxy_are_dropped(
    run: Run, tls: ssl.SSLContext, https_proxy: ScriptedServer
) -> None:
    with ScriptedServer(serve, tls=tls) as server:
        result = run(SURPLUS_PROGRAM, server.url, HTTPS_PROXY=https_proxy.url)
    assert (result.stdout, result.returncode) == ("done\n", 0), result.stderr


def test_deadline_and_close_end_a_wait_through_an_https_proxy(
    run: Run, tls: ssl.SSLContext, https_proxy: ScriptedServer
) -> None:
    with ScriptedServer(serve, tls=tls) as server:
        result = run(PROGRAM, server.url, HTTPS_PROXY=https_proxy.url)
    assert (result.stdout, result.returncode) == ("done\n", 0), result.stderr
    assert https_proxy.connections
