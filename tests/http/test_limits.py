"""Memory is bounded: `max_response_size` for values, a small limit for errors and redirects."""

from __future__ import annotations

import gzip
import zlib

import pytest

from firebase_rest import InvalidResponse, NetworkError, PermissionDenied, ServerError, UsageError
from support.scripted_server import Disconnected, Peer, ScriptedServer, ok, respond_with

CLIENTS = ("blocking", "async")

OK = "HTTP/1.1 200 OK\r\n"
LIMIT = 100_000


def endless(head: str, part: bytes, sent: list[int]):
    """A body that never ends; `sent` counts its bytes."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(head)
        sent.append(0)
        try:
            while sent[-1] < 500_000_000:
                peer.send(part)
                sent[-1] += len(part)
        except Disconnected:
            pass
        assert sent[-1] < 100_000_000

    return script


CHUNK = b"10000\r\n" + b" " * 65_536 + b"\r\n"
ENDLESS = {
    "length": ("Content-Length: 99999999999\r\n\r\n", b" " * 65_536),
    "chunks": ("Transfer-Encoding: chunked\r\n\r\n", CHUNK),
    "no framing": ("\r\n", b" " * 65_536),
}


@pytest.mark.parametrize("framing", ENDLESS)
def test_endless_body_raises_and_is_not_retried(connect, framing):
    head, part = ENDLESS[framing]
    sent: list[int] = []
    with ScriptedServer(endless(OK + head, part, sent)) as server:
        with pytest.raises(InvalidResponse, match="max_response_size=100000") as caught:
            connect(server, max_response_size=LIMIT).database().get()
    assert len(sent) == 1
    assert caught.value.outcome_unknown


@pytest.mark.parametrize("framing", ENDLESS)
@pytest.mark.parametrize(("status", "error"), [(403, PermissionDenied), (500, ServerError)])
def test_endless_error_body_keeps_the_error_type(connect, framing, status, error):
    head, part = ENDLESS[framing]
    with ScriptedServer(endless(f"HTTP/1.1 {status} No\r\n{head}", part, [])) as server, pytest.raises(error) as caught:
        connect(server, retries=0).database().get()
    assert len(caught.value.args[1]) <= 1024 * 1024
    assert len(str(caught.value)) < 1000


def test_redirect_with_endless_body_is_followed(connect):
    def redirect(peer: Peer) -> None:
        endless(f"HTTP/1.1 307 R\r\nLocation: {peer.server.url}/b.json\r\n{ENDLESS['chunks'][0]}", CHUNK, [])(peer)

    with ScriptedServer(redirect, ok("7")) as server:
        assert connect(server).database().child("a").get().val() == 7


@pytest.mark.parametrize("name", ["gzip", "deflate"])
@pytest.mark.parametrize("framing", ["length", "chunks", "close"])
def test_decompression_bomb_raises(connect, name, framing):
    compress = gzip.compress if name == "gzip" else zlib.compress
    bomb = compress(b"[" + b" " * 50_000_000 + b"]")
    head = {"length": f"Content-Length: {len(bomb)}", "chunks": "Transfer-Encoding: chunked", "close": "X: y"}[framing]
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(bomb), bomb) if framing == "chunks" else bomb

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(f"{OK}Content-Encoding: {name}\r\n{head}\r\n\r\n")
        peer.send(body)

    with ScriptedServer(script) as server, pytest.raises(InvalidResponse, match="max_response_size"):
        connect(server, max_response_size=1_000_000).database().get()


def test_body_of_exactly_the_limit_is_read(connect):
    body = '"' + "x" * (LIMIT - 2) + '"'
    with ScriptedServer(respond_with((200, body), (200, body + " "))) as server:
        db = connect(server, max_response_size=LIMIT).database()
        assert len(db.get().val()) == LIMIT - 2
        with pytest.raises(InvalidResponse, match="max_response_size"):
            db.get()


def test_the_current_value_of_a_failed_condition_may_be_large(connect):
    body = '"' + "x" * 3_000_000 + '"'
    with ScriptedServer(respond_with((412, body, {"ETag": "x"}))) as server:
        db = connect(server).database()
        result = db.conditional_set(1, "tag")
    assert len(result["value"]) == 3_000_000


@pytest.mark.parametrize("size", [0, -1, "1", 1.5, None, True])
def test_limit_that_is_not_a_number_of_bytes_is_rejected(connect, size):
    with pytest.raises(UsageError, match="max_response_size must be"):
        connect("https://db.firebaseio.com", max_response_size=size)


@pytest.mark.blocking_client  # for aiohttp only the deadline ends them
def test_endless_informational_responses_raise(connect):
    def script(peer: Peer) -> None:
        peer.read_request()
        try:
            for _ in range(1_000_000):
                peer.send(b"HTTP/1.1 103 H\r\nX: y\r\n\r\n")
        except Disconnected:
            return
        raise AssertionError("it was read")

    with ScriptedServer(script) as server, pytest.raises(NetworkError, match="informational"):
        connect(server, retries=0).database().get()
