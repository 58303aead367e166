"""Redirects over HTTP: which are followed, and with which credentials."""

from __future__ import annotations

import gc
import warnings

import pytest
import responses

from firebase_rest import NetworkError
from support.scripted_server import Peer, ScriptedServer, ok

CLIENTS = ("blocking", "async")

TOKEN = "id-token-of-a-user"


def lead_to(location: str, status: int = 307):
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.respond("moved", status, {"Location": location.replace("SELF", peer.server.url)})
        while True:
            peer.read_request()
            peer.respond("7")

    return script


@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("location", ["SELF/b.json", "/b.json", "SELF/b.json?ns=x&sse=true", "SELF/b.json?auth=stale"])
def test_emulator_redirect_on_loopback_keeps_token(connect, status, location):
    with ScriptedServer(lead_to(location, status)) as server:
        assert connect(server).database().child("a").get(TOKEN).val() == 7
    assert server.requests[1].path == "/b.json"
    assert server.requests[1].query.count("auth=") == 1
    assert f"auth={TOKEN}" in server.requests[1].query
    assert server.connections == 1


def test_redirect_keeps_query(connect):
    with ScriptedServer(lead_to("/b.json?ns=x")) as server:
        connect(server).database().child("a").order_by_key().limit_to_first(2).get()
    for part in ("ns=x", "orderBy=%22%24key%22", "limitToFirst=2"):
        assert part in server.requests[1].query


def test_stream_follows_redirects(connect):
    events = 'event: put\ndata: {"path": "/", "data": 5}\n\n'

    def redirect(peer: Peer) -> None:
        peer.read_request()
        peer.respond("", 307, {"Location": "/b.json?sse=true"})

    def stream_at_target(peer: Peer) -> None:
        assert peer.read_request().headers["accept"] == "text/event-stream"
        peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + events)
        peer.hold()

    with ScriptedServer(redirect, stream_at_target) as server:
        with connect(server).database().stream() as stream:
            assert next(stream).data == 5


@pytest.mark.parametrize(
    "write",
    [
        lambda db: db.set(1),
        lambda db: db.push(1),
        lambda db: db.update({"a": 1}),
        lambda db: db.remove(),
        lambda db: db.conditional_set(1, "tag"),
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirected_write_is_an_error(connect, write, status):
    with (
        ScriptedServer(lead_to("/b.json", status)) as server,
        pytest.raises(NetworkError, match="redirected") as caught,
    ):
        write(connect(server).database())
    assert len(server.requests) == 1
    assert not caught.value.outcome_unknown


def test_redirected_sign_in_raises(connect, monkeypatch):
    with ScriptedServer(lead_to("/b.json")) as server:
        monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", server.host)
        with pytest.raises(NetworkError, match="redirected a POST"):
            connect(server).auth().sign_in_with_email_and_password("a@b.de", "secret1")
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 303])
def test_permanent_redirect_of_a_read_is_an_error(connect, status):
    with ScriptedServer(lead_to("/login", status)) as server, pytest.raises(NetworkError, match="redirected a GET"):
        connect(server).database().get()
    assert len(server.requests) == 1


def test_five_redirects_are_followed_and_not_six(connect):
    def script(count: int):
        def script(peer: Peer) -> None:
            for number in range(count):
                peer.read_request()
                peer.respond("", 307, {"Location": f"/{number}.json"})
            peer.read_request()
            peer.respond("7")

        return script

    with ScriptedServer(script(5)) as server:
        assert connect(server).database().get().val() == 7
    with ScriptedServer(script(6)) as server, pytest.raises(NetworkError, match="more than 5 times"):
        connect(server).database().get()
    assert len(server.requests) == 6


@pytest.mark.parametrize(
    "location",
    [
        "http://[",
        "http://[::1",
        "https://",
        "ftp://127.0.0.1/b.json",
        "http://db.firebaseio.com/b.json",
        "https://user:pw@db.firebaseio.com/",
        "https://evil.example\\.firebaseio.com/",
        "//a b/c",
        "https://a:99999999/",
    ],
)
def test_invalid_location_header_raises(connect, location):
    with ScriptedServer(lead_to(location)) as server, pytest.raises(NetworkError):
        connect(server, retries=0).database().get(TOKEN)
    assert len(server.requests) == 1


def test_location_header_that_is_not_text_raises(connect):
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 307 T\r\nLocation: http://\xff\xfe/\r\nContent-Length: 0\r\n\r\n")

    with ScriptedServer(script) as server, pytest.raises(NetworkError):
        connect(server, retries=0).database().get(TOKEN)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()  # requests raises with the open response, which only the garbage collector can close


# --- over https, with a mocked session, because only loopback hosts can be reached ---

DATABASE = "https://db.firebaseio.com"


def redirected(connect, target: str, **options):
    with responses.RequestsMock() as mock:
        mock.get(f"{DATABASE}/a.json", status=307, headers={"Location": target})
        mock.get(target.partition("?")[0], json=7)
        app = connect(DATABASE, **options)
        assert app.database().child("a").get(TOKEN).val() == 7
        return mock.calls[1].request


@pytest.mark.parametrize("host", ["s-usc1c-nss-203.firebaseio.com", "db.firebaseio.com", "db.firebaseio.com:443"])
@pytest.mark.blocking_client
def test_redirect_within_firebase_keeps_credentials(connect, host):
    assert f"auth={TOKEN}" in redirected(connect, f"https://{host}/b.json").url


@pytest.mark.parametrize(
    "host", ["evil.example", "firebaseio.com.evil.example", "evilfirebaseio.com", "a.firebasedatabase.app", "127.0.0.1"]
)
@pytest.mark.blocking_client
def test_redirect_outside_firebase_drops_credentials(connect, host):
    request = redirected(
        connect, f"https://{host}/b.json?auth={TOKEN}&x=1", headers={"Authorization": "Bearer mine", "X-Mine": "1"}
    )
    assert TOKEN not in request.url
    assert "x=1" in request.url
    assert "Authorization" not in request.headers
    assert request.headers["X-Mine"] == "1"


@pytest.mark.blocking_client
def test_credentials_stay_dropped_after_leaving_firebase(connect):
    with responses.RequestsMock() as mock:
        mock.get(f"{DATABASE}/a.json", status=307, headers={"Location": "https://evil.example/b.json"})
        mock.get("https://evil.example/b.json", status=307, headers={"Location": f"{DATABASE}/c.json"})
        mock.get(f"{DATABASE}/c.json", json=7)
        connect(DATABASE).database().child("a").get(TOKEN)
        assert [f"auth={TOKEN}" in call.request.url for call in mock.calls] == [True, False, False]


@pytest.mark.blocking_client
def test_https_never_becomes_http(connect):
    with responses.RequestsMock() as mock:
        mock.get(f"{DATABASE}/a.json", status=307, headers={"Location": "http://127.0.0.1/b.json"})
        with pytest.raises(NetworkError, match="not https"):
            connect(DATABASE).database().child("a").get(TOKEN)
        assert len(mock.calls) == 1


def test_https_redirect_to_same_server_is_followed(connect, server_tls, ca_file):
    with ScriptedServer(lead_to("SELF/b.json"), tls=server_tls) as server:
        app = connect(server)
        app.requests.verify = ca_file
        assert app.database().child("a").get(TOKEN).val() == 7
    assert f"auth={TOKEN}" in server.requests[1].query


def test_redirect_to_another_port_drops_credentials(connect, server_tls, ca_file):
    with (
        ScriptedServer(ok("7"), tls=server_tls) as other,
        ScriptedServer(lead_to(f"{other.url}/b.json"), tls=server_tls) as server,
    ):
        app = connect(server)
        app.requests.verify = ca_file
        assert app.database().child("a").get(TOKEN).val() == 7
    assert TOKEN not in other.requests[0].target
