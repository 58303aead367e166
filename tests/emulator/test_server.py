"""The HTTP server: starting, stopping, configuration."""

from __future__ import annotations

import errno
import json
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from emulator.wire import Database
from firebase_rest import emulator as package
from firebase_rest.emulator import Emulator, Server
from support.waiting import LIMIT

CLOSE_SECONDS = 5
"""The limit of `close`, whose grace period is half a second, on a busy machine."""


def test_server_is_ready_when_serve_returns():
    for _ in range(5):
        with Emulator().serve() as server:
            assert requests.get(f"http://{server.host}/.json", timeout=LIMIT).content == b"null"


def test_server_has_host_environ_and_config():
    with Emulator("demo-x").serve() as server:
        assert isinstance(server, Server)
        host, port = server.host.split(":")
        assert host == "127.0.0.1"
        assert 0 < int(port) < 65536
        assert server.environ == {
            "FIREBASE_AUTH_EMULATOR_HOST": server.host,
            "FIREBASE_DATABASE_EMULATOR_HOST": server.host,
            "FIREBASE_STORAGE_EMULATOR_HOST": server.host,
            "STORAGE_EMULATOR_HOST": f"http://{server.host}",
            "FIREBASE_CONFIG": json.dumps(server.config),
        }
        assert server.config["projectId"] == "demo-x"
        assert server.config["databaseURL"] == f"http://{server.host}/?ns=demo-x-default-rtdb"
        assert {"apiKey", "authDomain", "storageBucket"} <= server.config.keys()


def test_database_url_in_config_is_the_default_database():
    with Emulator("demo-x").serve() as server:
        root, _, query = server.config["databaseURL"].partition("?")
        requests.put(f"{root}a.json?{query}", data="1", timeout=LIMIT)
        assert requests.get(f"http://{server.host}/a.json", timeout=LIMIT).json() == 1


def test_serve_on_a_busy_port_raises():
    with Emulator().serve() as server, pytest.raises(OSError, match="in use"):
        Emulator().serve(port=int(server.host.split(":")[1]))


def test_error_for_a_busy_port_names_the_port():
    with Emulator().serve() as server:
        port = int(server.host.split(":")[1])
        with pytest.raises(OSError, match=rf"Cannot listen on 127\.0\.0\.1 port {port}: ") as caught:
            Emulator().serve(port=port)
        assert caught.value.errno == errno.EADDRINUSE


@pytest.mark.parametrize("port", [-1, 65536])
def test_error_for_an_invalid_port_names_the_port(port):
    with pytest.raises(OSError, match=f"port {port}: the port must be from 0 to 65535"):
        Emulator().serve(port=port)


def test_config_has_the_address_of_each_service():
    with Emulator().serve() as server:
        assert server.config["emulatorHosts"] == dict.fromkeys(["auth", "database", "storage"], server.host)
        assert json.loads(server.environ["FIREBASE_CONFIG"]) == server.config


def test_close_releases_the_port_and_is_idempotent():
    server = Emulator().serve()
    port = int(server.host.split(":")[1])
    server.close()
    server.close()
    with Emulator().serve(port=port) as again:
        assert again.host == server.host


def test_ipv6_host_has_brackets():
    try:
        server = Emulator().serve("::1")
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")
    with server:
        assert server.host.startswith("[::1]:")
        assert requests.get(f"http://{server.host}/.json", timeout=LIMIT).status_code == 200


def test_two_servers_share_one_emulator():
    emulator = Emulator()
    with emulator.serve() as one, emulator.serve() as other:
        requests.put(f"http://{one.host}/a.json", data="1", timeout=LIMIT)
        with Database(other.host).listen("a") as stream:
            assert stream.next() == ("put", "/", 1)
            requests.put(f"http://{one.host}/a.json", data="2", timeout=LIMIT)
            assert stream.next() == ("put", "/", 2)


def test_close_ends_100_streams_soon():
    server = Emulator().serve()
    with ThreadPoolExecutor(20) as pool:
        streams = list(pool.map(lambda _: Database(server.host).listen("a"), range(100)))
    for stream in streams:
        assert stream.next() == ("put", "/", None)
    started = time.monotonic()
    server.close()
    assert time.monotonic() - started < CLOSE_SECONDS
    for stream in streams:
        assert stream.next() is None
        stream.close()


def test_slow_stream_does_not_delay_close():
    server = Emulator().serve()
    url = f"http://{server.host}/a.json"
    with requests.get(url, headers={"Accept": "text/event-stream"}, stream=True, timeout=LIMIT):
        for number in range(60):
            requests.put(f"http://{server.host}/a/{number}.json?print=silent", json="x" * 200_000, timeout=LIMIT)
        started = time.monotonic()
        server.close()
        assert time.monotonic() - started < CLOSE_SECONDS


def test_idle_connection_does_not_delay_close():
    server = Emulator().serve()
    host, port = server.host.split(":")
    with socket.create_connection((host, int(port)), timeout=LIMIT) as connection:
        connection.sendall(b"GET /.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        started = time.monotonic()
        server.close()
        assert time.monotonic() - started < CLOSE_SECONDS


@pytest.mark.skipif(not hasattr(time, "clock_gettime"), reason="Windows has no clock that a test does not replace.")
def test_server_closes_while_a_test_freezes_the_clock(monkeypatch):
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now)
    server = Emulator().serve()
    with requests.Session() as session:
        assert session.get(f"http://{server.host}/.json", timeout=LIMIT).content == b"null"
        closer = threading.Thread(target=server.close, daemon=True)
        closer.start()
        closer.join(LIMIT)
    assert not closer.is_alive()


def test_emulator_works_after_its_server_is_closed():
    emulator = Emulator()
    with emulator.serve() as server, Database(server.host).listen("a") as stream:
        stream.next()
    with emulator.serve() as server:
        assert requests.put(f"http://{server.host}/a.json", data="1", timeout=LIMIT).json() == 1


def test_concurrent_clients(server):
    barrier = threading.Barrier(16)

    def work(number):
        database = Database(server.host)
        barrier.wait()
        for step in range(10):
            assert database.put(f"c{number}", str(step)).json() == step
            assert database.get(f"c{number}").json() == step
        database.close()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))


def test_oversized_body_is_rejected_while_it_arrives(monkeypatch, server, db):
    monkeypatch.setattr("firebase_rest.emulator.server.MAX_BODY_BYTES", 1000)
    response = db.put("a", iter_bytes())
    assert response.status_code == 413
    assert response.json() == {"error": "Payload is too large"}


def iter_bytes():
    return b'"' + b"x" * 200_000 + b'"'


def test_public_names():
    with pytest.raises(AttributeError, match="has no attribute 'Other'"):
        package.Other  # noqa: B018


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("database_rules", "/.settings/rules.json", '{"rules": {".read": true}}'),
        (
            "storage_rules",
            "/internal/setRules",
            '{"rules": {"files": [{"name": "s", "content": "service firebase.storage {}"}]}}',
        ),
    ],
)
def test_other_clients_are_served_while_rules_are_parsed(monkeypatch, server, method, path, body):
    store = server.emulator._rules_store
    parse, started, may_end = getattr(store, method), threading.Event(), threading.Event()

    def wait_and_parse(text):
        started.set()
        assert may_end.wait(LIMIT)
        return parse(text)

    monkeypatch.setattr(store, method, wait_and_parse)
    with ThreadPoolExecutor(1) as pool:
        headers = {"Authorization": "Bearer owner"}
        url = f"http://{server.host}{path}"
        publishing = pool.submit(requests.put, url, body, headers=headers, timeout=LIMIT)
        try:
            assert started.wait(LIMIT)
            assert requests.get(f"http://{server.host}/a.json", timeout=LIMIT).status_code == 200
        finally:
            may_end.set()
        assert publishing.result().status_code == 200
