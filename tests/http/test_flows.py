"""Flows over HTTP: pauses, open response bodies and iterator request bodies."""

from __future__ import annotations

import threading

import pytest

from firebase_rest import InvalidResponse, NetworkError, NetworkTimeout, ServerError
from firebase_rest.transport.credentials import ANONYMOUS
from firebase_rest.transport.options import Options
from firebase_rest.transport.requestor import Requestor
from firebase_rest.transport.wire import Pause, Request, RetryPolicy
from support.scripted_server import Peer, ScriptedServer, ok, raw, respond_with
from support.waiting import LIMIT


@pytest.fixture
def channel(connect):
    def channel(server, **options):
        return Requestor(connect(server)._transport, ANONYMOUS, Options().replace(**options))

    return channel


def waiting(seconds):
    yield Pause(seconds)
    return "waited"


def test_pause_is_waited_for(channel):
    assert channel("http://127.0.0.1:9").run(waiting(0.01)) == "waited"


def test_pause_beyond_the_deadline_raises_immediately(channel):
    with pytest.raises(NetworkTimeout, match=r"deadline of 0\.2 s"):
        channel("http://127.0.0.1:9", deadline=0.2).run(waiting(600))


def test_closing_the_app_ends_a_pause_of_a_flow(channel):
    requestor = channel("http://127.0.0.1:9")
    started = threading.Event()
    caught = []

    def flow():
        started.set()
        yield Pause(600)

    def work():
        try:
            requestor.run(flow())
        except NetworkError as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    assert started.wait(LIMIT)
    requestor.transport.close()
    thread.join(LIMIT)
    assert "closed" in str(caught[0])


def test_iterator_body_is_sent_in_chunks_or_with_its_length(channel):
    with ScriptedServer(ok()) as server:
        requestor = channel(server)
        requestor.fetch(Request("PUT", f"{server.url}/a", body=iter([b"ab", b"c"])))
        requestor.fetch(Request("PUT", f"{server.url}/a", headers={"content-length": "3"}, body=iter([b"ab", b"c"])))
    first, second = server.requests
    assert first.headers["transfer-encoding"] == "chunked"
    assert "transfer-encoding" not in second.headers
    assert first.body == second.body == b"abc"


def test_large_body_is_sent_and_retried(channel):
    body = bytes(range(256)) * 5000
    with ScriptedServer(respond_with((503, ""), (200, "null"))) as server:
        channel(server).fetch(Request("PUT", f"{server.url}/a", body=body, retry_policy=RetryPolicy.IDEMPOTENT))
    assert [request.body == body for request in server.requests] == [True, True]


def opened(channel, server):
    response = channel(server).fetch(
        Request("GET", f"{server.url}/a", retry_policy=RetryPolicy.IDEMPOTENT, stream=True)
    )
    assert response.reader is not None
    return response.reader


def test_open_body_returns_bytes_as_they_arrive(channel):
    more = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        more.wait(LIMIT)
        peer.send("2\r\nde\r\n0\r\n\r\n")
        peer.hold()

    with ScriptedServer(script) as server:
        reader = opened(channel, server)
        assert reader.read(100) == b"abc"
        more.set()
        assert reader.read(100) == b"de"
        assert reader.read(100) == b""
        reader.close()


@pytest.mark.parametrize(
    "head",
    ["Content-Length: 10\r\n\r\nabc", "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n", "Content-Length: 10\r\n\r\n"],
)
def test_truncated_open_body_is_an_error(channel, head):
    with ScriptedServer(raw(f"HTTP/1.1 200 OK\r\n{head}")) as server:
        reader = opened(channel, server)
        with pytest.raises(InvalidResponse, match="truncated"):
            list(iter(lambda: reader.read(100), b""))
        reader.close()


def test_closing_the_app_ends_a_read_of_an_open_body(channel):
    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        peer.hold()

    with ScriptedServer(script) as server:
        requestor = channel(server)
        reader = requestor.fetch(Request("GET", f"{server.url}/a", stream=True)).reader
        closer = threading.Timer(0.05, requestor.transport.close)
        closer.start()
        with pytest.raises(NetworkError):
            reader.read(100)
        closer.join(LIMIT)
        reader.close()


def test_rejected_stream_leaves_connection_reusable(connect):
    with ScriptedServer(respond_with((503, '{"error": "busy"}'))) as server:
        db = connect(server).database()
        with pytest.raises(ServerError, match="busy"):
            db.get()
    assert server.connections == 1
