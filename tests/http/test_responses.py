"""Truncated, malformed and foreign responses raise; complete ones are read."""

from __future__ import annotations

import gzip
import zlib

import pytest
import responses

from firebase_rest import InvalidResponse, NetworkError, NetworkTimeout, PermissionDenied, ServerError
from support.scripted_server import Peer, ScriptedServer, ok, raw, respond_with

CLIENTS = ("blocking", "async")

OK = "HTTP/1.1 200 OK\r\n"
PAGE = "<!DOCTYPE html><html><body>Please sign in to the Wi-Fi</body></html>"

CUT = {
    "no response at all": "",
    "half a status line": "HTTP/1.",
    "a status line only": OK,
    "half of the headers": OK + "Content-Le",
    "no body": OK + "Content-Length: 4\r\n\r\n",
    "a number cut inside": OK + "Content-Length: 4\r\n\r\n12",
    "a number without framing": OK + "\r\n12",
    "a number without framing, with a space before it": OK + "\r\n -12",
    "a number of an HTTP/1.0 server": "HTTP/1.0 200 OK\r\n\r\n3.5",
    "a number with an invalid length": OK + "Content-Length: many\r\n\r\n12",
    "lengths that contradict each other": OK + "Content-Length: 2\r\nContent-Length: 4\r\n\r\n1234",
    "an object cut without framing": OK + '\r\n{"a": 1, "b"',
    "a string cut without framing": OK + '\r\n"abc',
    "chunks without an end": OK + "Transfer-Encoding: chunked\r\n\r\n2\r\n12\r\n",
    "a chunk cut inside": OK + "Transfer-Encoding: chunked\r\n\r\n4\r\n12",
    "an invalid chunk size": OK + "Transfer-Encoding: chunked\r\n\r\nzz\r\n12\r\n0\r\n\r\n",
    "a chunk size cut": OK + "Transfer-Encoding: chunked\r\n\r\n2\r\n12\r\n1",
    "another protocol": "SSH-2.0-OpenSSH_9.6\r\n",
}


@pytest.mark.parametrize("wire", CUT.values(), ids=CUT.keys())
def test_incomplete_response_is_an_error(connect, wire):
    with ScriptedServer(raw(wire)) as server, pytest.raises(NetworkError) as caught:
        connect(server).database().get()
    assert caught.value.outcome_unknown
    assert not isinstance(caught.value, NetworkTimeout)


@pytest.mark.parametrize("wire", [CUT["a number cut inside"], CUT["chunks without an end"], CUT["a chunk cut inside"]])
def test_truncated_body_is_reported_as_truncated(connect, wire):
    with ScriptedServer(raw(wire)) as server, pytest.raises(InvalidResponse, match="truncated or malformed"):
        connect(server).database().get()


def test_number_without_length_is_an_error_with_parse_float(connect):
    from decimal import Decimal

    with ScriptedServer(raw(OK + "\r\n1.5")) as server, pytest.raises(InvalidResponse, match="truncated"):
        connect(server).database().get(json_kwargs={"parse_float": Decimal})


@pytest.mark.parametrize(("body", "value"), [("true", True), ('"a"', "a"), ('{"a": 12}', {"a": 12}), ("null", None)])
def test_self_delimiting_json_needs_no_length(connect, body, value):
    with ScriptedServer(raw(OK + "\r\n" + body)) as server:
        assert connect(server).database().get().val() == value


def encoded(name: str, data: bytes, cut: int, *, has_length: bool) -> bytes:
    length = f"Content-Length: {len(data)}\r\n" if has_length else ""
    head = f"{OK}Content-Encoding: {name}\r\n{length}\r\n".encode()
    return head + data[: len(data) - cut]


@pytest.mark.parametrize("has_length", [True, False])
@pytest.mark.parametrize(
    ("name", "data"), [("gzip", gzip.compress(b"1234567", mtime=0)), ("deflate", zlib.compress(b"1234567"))]
)
@pytest.mark.parametrize("cut", [1, 6, 10])
def test_truncated_compressed_body_is_an_error(connect, name, data, cut, has_length):
    with ScriptedServer(raw(encoded(name, data, cut, has_length=has_length))) as server, pytest.raises(NetworkError):
        connect(server).database().get()


@pytest.mark.parametrize(
    ("name", "data"), [("gzip", gzip.compress(b"[1]", mtime=0)), ("deflate", zlib.compress(b"[1]"))]
)
def test_compressed_body_is_read(connect, name, data):
    with ScriptedServer(raw(encoded(name, data, 0, has_length=True))) as server:
        assert connect(server).database().get().val() == [1]


def test_body_with_wrong_encoding_is_an_error(connect):
    with ScriptedServer(raw(OK + "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n[1]")) as server:
        with pytest.raises(InvalidResponse):
            connect(server, retries=0).database().get()


@pytest.mark.parametrize(
    "call",
    [
        lambda app: app.database().get(),
        lambda app: app.database().set(1),
        lambda app: app.database().push(1),
        lambda app: app.database().update({"a": 1}),
        lambda app: app.database().remove(),
        lambda app: app.database().exists(),
        lambda app: app.database().get_etag(),
        lambda app: app.database().conditional_set(1, "tag"),
        lambda app: app.database().conditional_remove("tag"),
        lambda app: app.auth().sign_in_anonymous(),
        lambda app: app.auth().refresh("refresh-token"),
        lambda app: app.auth().get_account_info("token"),
    ],
)
@pytest.mark.parametrize("page", [PAGE, "", "Welcome!", '{"idToken": "eyJ'])
def test_html_page_is_never_accepted_as_json(connect, monkeypatch, call, page):
    with ScriptedServer(ok(page)) as server:
        monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", server.host)
        with pytest.raises(InvalidResponse) as caught:
            call(connect(server))
    assert len(server.requests) == 1
    assert caught.value.outcome_unknown
    assert "idToken" not in str(caught.value)


@pytest.mark.parametrize("body", ["[]", '"text"', "5"])
def test_json_of_another_type_is_an_error(connect, monkeypatch, body):
    with ScriptedServer(ok(body)) as server:
        monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", server.host)
        app = connect(server)
        for call in (app.auth().sign_in_anonymous, lambda: app.auth().refresh("r"), lambda: app.database().push(1)):
            with pytest.raises(InvalidResponse):
                call()


def test_proxy_error_page_is_a_server_error(connect):
    with (
        ScriptedServer(respond_with((502, "<html>Bad Gateway</html>"))) as server,
        pytest.raises(ServerError) as caught,
    ):
        connect(server).database().get()
    assert caught.value.status == 502
    assert caught.value.args[1] == "<html>Bad Gateway</html>"


def test_response_in_many_packets_is_read(connect):
    def pieces(peer: Peer) -> None:
        peer.read_request()
        peer.send_slowly(f"{OK}Content-Length: 9\r\n\r\n[1, 2, 3]", 0.001)

    with ScriptedServer(pieces) as server:
        assert connect(server).database().get().val() == [1, 2, 3]


def test_api_error_keeps_pyrebases_shape(connect):
    with ScriptedServer(respond_with((401, '{\n  "error" : "Permission denied"\n}\n'))) as server:
        with pytest.raises(PermissionDenied) as caught:
            connect(server).database().child("a").get()
    error = caught.value
    assert error.args[1] == error.strerror == '{\n  "error" : "Permission denied"\n}\n'
    assert error.args[0].response.json() == {"error": "Permission denied"}
    assert str(error.errno).split()[0] == "401"
    assert error.response.status_code == error.status == 401
    assert error.response.url == f"{server.url}/a.json"


@pytest.mark.blocking_client
def test_mocked_number_needs_no_length(connect):
    mocked = "https://db.firebaseio.com"

    with responses.RequestsMock() as mock:
        mock.get("https://db.firebaseio.com/a.json", json=42)
        assert connect(mocked).database().child("a").get().val() == 42


def test_deeply_nested_json_is_an_error(connect):
    with ScriptedServer(ok("[" * 200_000 + "]" * 200_000)) as server, pytest.raises(InvalidResponse, match="deep"):
        connect(server).database().get()
