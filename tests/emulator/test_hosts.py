"""Which hosts and origins a server on a loopback address accepts."""

from __future__ import annotations

import http.client

import pytest
import requests

from firebase_rest.emulator import Emulator
from firebase_rest.emulator.hosts import is_allowed_host, is_local_origin, is_loopback
from support.waiting import LIMIT


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:9000",
        "10.0.2.2:9000",
        "[::1]:9000",
        "localhost",
        "LOCALHOST:1",
        "app.localhost:5000",
        "localhost.",
        "demo-default-rtdb.firebaseio.com",
        "x.europe-west1.firebasedatabase.app",
        "firebasestorage.googleapis.com",
    ],
)
def test_addresses_of_this_machine_and_hosts_of_firebase_are_allowed(host):
    assert is_allowed_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:9000",
        "localhost.evil.example",
        "notlocalhost",
        "127.0.0.1.evil.example",
        "firebaseio.com.evil.example",
        "evilfirebaseio.com",
        "emulator",
        "",
        "[",
        "[::1].evil.example",
        "127.0.0.1@evil.example",
    ],
)
def test_names_that_a_site_may_have_are_not_allowed(host):
    assert not is_allowed_host(host)


def test_further_names_can_be_allowed():
    assert is_allowed_host("Emulator:9000", {"emulator"})
    assert not is_allowed_host("emulator2", {"emulator"})


@pytest.mark.parametrize(
    ("origin", "local"),
    [
        (None, True),
        ("http://localhost:5173", True),
        ("http://127.0.0.1", True),
        ("http://[::1]:80", True),
        ("http://app.localhost", True),
        ("https://evil.example", False),
        ("http://localhost.evil.example", False),
        ("null", False),
        ("", False),
        ("http://[", False),
    ],
)
def test_local_origins(origin, local):
    assert is_local_origin(origin) is local


def test_loopback_addresses():
    assert is_loopback("127.0.0.2")
    assert is_loopback("::1")
    assert is_loopback("localhost")
    assert not is_loopback("0.0.0.0")


def status(server, method, path, **headers):
    connection = http.client.HTTPConnection(server.host, timeout=LIMIT)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


PATHS = ["/.json", "/v0/b/x/o", "/storage/v1/b/x/o", "/identitytoolkit.googleapis.com/v1/projects", "/.lp?start=t", "/"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "PUT", "OPTIONS"])
def test_every_service_rejects_the_host_of_a_web_site(server, path, method):
    code, text = status(server, method, path, Host="evil.example")
    assert code == 403
    assert "'evil.example'" in text
    assert "--allow-host" in text


def test_websocket_rejects_the_host_of_a_web_site(server):
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    code, text = status(
        server, "GET", "/.ws?v=5", Host="evil.example", **upgrade, **{"Sec-WebSocket-Key": "A" * 22 + "=="}
    )
    assert code == 403
    assert "evil.example" in text


def test_allowed_host_and_host_of_firebase_are_served():
    with Emulator().serve(allowed_hosts=["Emulator"]) as server:
        assert status(server, "GET", "/.json", Host="emulator:9000")[0] == 200
        assert status(server, "GET", "/.json", Host="demo.firebaseio.com")[0] == 200
        assert status(server, "GET", "/.json", Host="other")[0] == 403


def test_server_for_the_network_accepts_any_host():
    with Emulator().serve("0.0.0.0") as server:
        port = server.host.rpartition(":")[2]
        response = requests.get(f"http://127.0.0.1:{port}/.json", headers={"Host": "firebase"}, timeout=LIMIT)
        assert response.status_code == 200
