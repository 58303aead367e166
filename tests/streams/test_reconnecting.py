"""Reconnects after closed, silent, refused and redirected connections."""

from __future__ import annotations

import logging
import socket
import threading
from itertools import pairwise

import pytest

from firebase_rest.database import event_stream
from firebase_rest.database.sse import StreamEvent
from firebase_rest.errors import (
    ApiError,
    InvalidResponse,
    NetworkError,
    NetworkTimeout,
    PayloadTooLarge,
    PermissionDenied,
    RateLimited,
    ServerError,
    StreamError,
    UsageError,
)
from firebase_rest.transport import retries
from support.stream_server import MIN_RECONNECT_INTERVAL, StreamPeer, StreamServer, fin, put
from support.waiting import LIMIT

CLIENTS = ("blocking", "async")

ENDINGS = {"in good order": StreamPeer.send_last_chunk, "by FIN": fin, "by RST": StreamPeer.reset}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
def test_stream_reconnects_with_the_complete_value(connect, ending):
    with StreamServer(put({"a": 1, "b": 2}, ending), put({"b": 2})) as server:
        with connect(server.url).database().child("x").stream() as events:
            assert next(events) == StreamEvent("put", "/", {"a": 1, "b": 2}, resync=False)
            assert next(events) == StreamEvent("put", "/", {"b": 2}, resync=True)
            assert events.reconnects == 1
            assert isinstance(events.last_error, NetworkError)


def test_incomplete_event_is_not_delivered(connect):
    def half(peer):
        peer.send_event("put", "/a", 1)
        peer.send_chunk(b'event: put\ndata: {"path":"/","data":null}\n')

    with StreamServer(put({}, half), put({"a": 1})) as server:
        with connect(server.url).database().stream() as events:
            assert [next(events).data for _ in range(3)] == [{}, 1, {"a": 1}]


def test_first_event_after_reconnect_is_a_resync(connect):
    def more(peer):
        peer.send_event("patch", "/", {"b": 1})
        peer.hold()

    with StreamServer(put(1, fin), put(2, more)) as server:
        with connect(server.url).database().stream() as events:
            assert [next(events).resync for _ in range(3)] == [False, True, False]


def test_silent_connection_is_replaced(connect, monkeypatch):
    assert event_stream.READ_TIMEOUT == 45.0
    monkeypatch.setattr(event_stream, "READ_TIMEOUT", 0.15)

    def lively(peer):
        for _ in range(4):  # longer than READ_TIMEOUT in total
            socket.socket.settimeout(peer.sock, 0.08)
            with pytest.raises(TimeoutError):
                peer.sock.recv(1)
            peer.send_raw_event("keep-alive", "null")
        peer.send_event("put", "/late", 1)
        peer.hold()

    with StreamServer(put(1), put(2, lively), put(3)) as server:
        with connect(server.url).database().stream() as events:
            assert [next(events).data for _ in range(2)] == [1, 2]
            assert isinstance(events.last_error, NetworkTimeout)
            assert next(events) == StreamEvent("put", "/late", 1)
            assert next(events).data == 3
            assert events.reconnects == 2


@pytest.mark.parametrize(
    ("status", "kind"),
    [(500, ServerError), (502, ServerError), (503, ServerError), (429, RateLimited), (408, ApiError)],
)
def test_stream_retries_after_server_errors(connect, status, kind):
    with StreamServer(lambda peer: peer.respond_error(status, "trouble"), put(1)) as server:
        with connect(server.url).database().stream() as events:
            assert next(events).data == 1
            assert isinstance(events.last_error, kind)
            assert events.reconnects == 0  # no connection was made


@pytest.mark.blocking_client
def test_stream_honours_retry_after(connect, monkeypatch):
    waits: list[float] = []
    monkeypatch.setattr(event_stream.Interrupt, "wait", lambda self, seconds: waits.append(seconds))
    with StreamServer(lambda peer: peer.respond_error(429, "slow", "Retry-After: 7\r\n"), put(1)) as server:
        with connect(server.url).database().stream() as events:
            next(events)
    assert waits == [7]


def test_backoff_doubles_and_resets_after_a_stable_connection(connect, monkeypatch):
    delays: list[int] = []
    monkeypatch.setattr(event_stream, "backoff_delay", lambda failures, retry_after: delays.append(failures) or 0.0)
    lived = threading.Event()
    bad = (lambda peer: peer.respond_error(503),) * 3
    with StreamServer(*bad, put(1, fin), *bad, put(2, lambda peer: lived.wait(LIMIT)), put(3)) as server:
        with connect(server.url).database().stream() as events:
            assert [next(events).data for _ in range(2)] == [1, 2]
            monkeypatch.setattr(event_stream, "STABLE_AFTER", 0.0)  # the connection has been open for longer
            lived.set()
            assert next(events).data == 3
    assert delays == [1, 2, 3, 4, 5, 6, 7, 1]
    monkeypatch.undo()
    assert max(retries.backoff_delay(20) for _ in range(200)) <= retries.MAX_DELAY == 20


def test_slow_connect_does_not_reset_backoff(connect, monkeypatch):
    monkeypatch.setattr(event_stream, "STABLE_AFTER", 0.05)
    monkeypatch.setattr(event_stream, "READ_TIMEOUT", 0.1)
    with StreamServer(StreamPeer.hold) as server:
        with connect(server.url).database().stream(max_retries=2) as events, pytest.raises(StreamError, match="3 fail"):
            next(events)
    assert len(server.requests) == 3


def test_stream_retries_refused_connections(connect):
    with StreamServer() as closed:
        pass
    states: list[str] = []
    with connect(closed.url).database().stream(on_state=states.append, max_retries=5) as events:
        with pytest.raises(StreamError, match="ended after 6 failures"):
            next(events)
    assert states == ["connecting", "waiting"] * 5 + ["connecting", "closed"]
    assert not events.is_alive()


@pytest.mark.blocking_client
def test_stream_retries_dns_failures(connect, monkeypatch):
    real, tries = socket.getaddrinfo, []

    def getaddrinfo(host, *rest, **more):
        tries.append(host)
        if len(tries) < 3:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return real(host, *rest, **more)

    with StreamServer(put(1)) as server:
        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        with connect(server.url).database().stream() as events:
            assert next(events).data == 1
        assert len(tries) == 3


def test_stable_connection_resets_max_retries(connect, monkeypatch):
    monkeypatch.setattr(event_stream, "STABLE_AFTER", 0.0)
    bad = (lambda peer: peer.respond_error(503),) * 2
    with StreamServer(*bad, put(1, fin), *bad, put(2, fin), *bad, put(3)) as server:
        with connect(server.url).database().stream(max_retries=3) as events:
            assert [next(events).data for _ in range(3)] == [1, 2, 3]


def test_connections_start_more_than_a_second_apart(connect, monkeypatch):
    monkeypatch.setattr(event_stream, "MIN_RECONNECT_INTERVAL", 0.1)
    begun = set()  # recorded by the stream, because a busy server may notice a connection late
    with StreamServer(put(1, fin)) as server:
        with connect(server.url).database().stream() as events:
            for _ in range(5):
                next(events)
                begun.add(events._connected_at)
    assert len(begun) == 5
    assert all(later - earlier >= 0.1 for earlier, later in pairwise(sorted(begun)))


def test_redirect_counts_as_a_connection(connect, monkeypatch):
    monkeypatch.setattr(event_stream, "MIN_RECONNECT_INTERVAL", 0.1)
    begun = set()
    with StreamServer(put(1, fin)) as there:
        with StreamServer(lambda peer: peer.redirect(f"http://127.0.0.1:{there.port}/.json")) as first:
            with connect(first.url).database().stream() as events:
                for _ in range(3):
                    next(events)
                    begun.add(events._connected_at)
    assert all(later - earlier > 0.199 for earlier, later in pairwise(sorted(begun)))


def test_stream_connects_less_than_once_per_second():
    assert MIN_RECONNECT_INTERVAL * 60 > 60


def test_reconnect_starts_at_the_original_url(connect):
    with StreamServer(put(1, fin), put(2)) as there:

        def lead(peer):
            peer.redirect(f"http://127.0.0.1:{there.port}/x.json?ns=demo&sse=true&auth=echoed")

        with StreamServer(lead) as first:
            query = connect(first.url).database().child("x").order_by_key().limit_to_first(2)
            with query.stream(token="secret") as events:
                assert [next(events).data for _ in range(2)] == [1, 2]
        assert len(first.requests) == 2
        assert first.requests[0].target == first.requests[1].target
        target = "/x.json?ns=demo&sse=true&orderBy=%22%24key%22&limitToFirst=2&auth=secret"
        assert [request.target for request in there.requests] == [target] * 2


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        ("null", PermissionDenied, "Permission denied"),
        ("Permission denied.", PermissionDenied, "Permission denied."),
        ('"Permission denied."', PermissionDenied, "Permission denied."),
        (
            "The specified payload is too large, please request a location with less data.",
            PayloadTooLarge,
            "The specified payload is too large, please request a location with less data.",
        ),
        ("Something new", ApiError, "Something new"),
    ],
)
def test_cancel_event_raises_its_reason(connect, data, kind, words):
    with StreamServer(put(1, lambda peer: (peer.send_raw_event("cancel", data), peer.hold()))) as server:
        with connect(server.url).database().stream() as events:
            next(events)
            with pytest.raises(kind) as caught:
                next(events)
            assert caught.value.message == words
            assert caught.value.response is None
            assert events.last_error is caught.value
            assert not events.is_alive()
            assert list(events) == []
        assert len(server.requests) == 1


def test_permission_denied_is_not_retried(connect):
    with StreamServer(lambda peer: peer.respond_error(401, "Permission denied")) as server:
        with connect(server.url).database().stream() as events, pytest.raises(PermissionDenied):
            next(events)
    assert len(server.requests) == 1


def test_unknown_events_are_ignored(connect):
    def noise(peer):
        peer.send_raw_event("log", "anything")
        peer.send_raw_event("rules_debug", "null")
        peer.send_chunk(b"data: {}\n\n")
        peer.send_event("put", "/a", 2)
        peer.hold()

    with StreamServer(put(1, noise)) as server:
        with connect(server.url).database().stream() as events:
            assert [next(events).data for _ in range(2)] == [1, 2]


def test_stream_reconnects_after_malformed_event(connect):
    with StreamServer(put(1, lambda peer: (peer.send_raw_event("put", "{}"), peer.hold())), put(2)) as server:
        with connect(server.url).database().stream() as events:
            assert [next(events).data for _ in range(2)] == [1, 2]
            assert isinstance(events.last_error, InvalidResponse)


def test_stream_retries_after_html_page(connect):
    def portal(peer):
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>")

    with StreamServer(portal, put(1)) as server:
        with connect(server.url).database().stream() as events:
            assert next(events).data == 1
            assert isinstance(events.last_error, InvalidResponse)


@pytest.mark.parametrize("size", [1, 7, 65_536])
def test_event_of_20_mb_is_delivered(connect, size):
    text = "x" * (20_000_000 if size > 1000 else 20_000)

    def large(peer):
        raw = f'event: put\ndata: {{"path":"/","data":"{text}"}}\n\n'.encode()
        for start in range(0, len(raw), size):
            peer.send_chunk(raw[start : start + size])
        peer.hold()

    with StreamServer(lambda peer: (peer.open(), large(peer))) as server:
        with connect(server.url).database().stream() as events:
            assert next(events).data == text


def test_on_state_is_called_once_per_state(connect):
    states: list[str] = []
    with StreamServer(put(1, fin), put(2)) as server:
        with connect(server.url).database().stream(on_state=states.append) as events:
            assert states == []
            next(events)
            assert states == ["connecting", "open"]
            next(events)
            assert events.state == "open"
    assert states == ["connecting", "open", "waiting", "connecting", "open", "closed"]


def test_exception_in_on_state_is_logged(connect, caplog):
    with StreamServer(put(1)) as server:
        with connect(server.url).database().stream(on_state=lambda state: 1 / 0) as events:
            assert next(events).data == 1
    assert "on_state('open')" in caplog.text
    assert "ZeroDivisionError" in caplog.text


def test_log_shows_path_and_reason_without_the_token(connect, caplog):
    caplog.set_level(logging.DEBUG)
    with StreamServer(lambda peer: peer.respond_error(503, "auth=s3cret is down"), put(1)) as server:
        with connect(server.url).database().child("place").stream(token="s3cret") as events:
            next(events)
    assert "The stream of /place reconnects in" in caplog.text
    assert "s3cret" not in caplog.text


def test_invalid_stream_arguments_raise_before_sending(connect):
    with StreamServer(put(1)) as server:
        with pytest.raises(UsageError, match="needs an order"):
            connect(server.url).database().limit_to_first(1).stream()
        with pytest.raises(UsageError, match="max_retries must be a whole number >= 0, got -1"):
            connect(server.url).database().stream(max_retries=-1)
        with pytest.raises(UsageError, match="must be callable, got str"):
            connect(server.url).database().stream("token")
        assert server.requests == []
