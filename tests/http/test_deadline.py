"""Deadlines and timeouts over http and https."""

from __future__ import annotations

import threading
import time

import pytest
import requests

from firebase_rest import NetworkError, NetworkTimeout, UsageError
from support.scripted_server import Peer, ScriptedServer, ok, silent
from support.waiting import LIMIT, wait_for

CLIENTS = ("blocking", "async")

DEADLINE = 0.4


def drip_headers(peer: Peer) -> None:
    peer.read_request()
    peer.send_slowly("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n" + "X-Filler: and so on\r\n" * 100 + "\r\nnull", 0.05)


def drip_body(peer: Peer) -> None:
    peer.read_request()
    peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    peer.send_slowly("[" + "1," * 500, 0.05)


def drip_chunks(peer: Peer) -> None:
    peer.read_request()
    peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    peer.send_slowly("1\r\n1\r\n" * 300, 0.05)


def drip_without_framing(peer: Peer) -> None:
    peer.read_request()
    peer.send("HTTP/1.1 200 OK\r\n\r\n")
    peer.send_slowly("1234567890" * 30, 0.05)


def drip_an_interim_response(peer: Peer) -> None:
    peer.read_request()
    peer.send_slowly("HTTP/1.1 100 Continue\r\n\r\n" * 100, 0.02)


def drip_a_redirect(peer: Peer) -> None:
    peer.read_request()
    peer.send(f"HTTP/1.1 307 T\r\nLocation: {peer.server.url}/b.json\r\nContent-Length: 1000\r\n\r\n")
    peer.send_slowly("x" * 1000, 0.05)


SLOW = [silent, drip_headers, drip_body, drip_chunks, drip_without_framing, drip_an_interim_response, drip_a_redirect]


def ended_in_time(call, limit=DEADLINE + 1.5):
    start = time.monotonic()
    with pytest.raises(NetworkTimeout) as caught:
        call()
    assert time.monotonic() - start < limit
    return caught.value


@pytest.mark.parametrize("script", SLOW)
@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_deadline_ends_slow_responses(connect, script, secure, server_tls, ca_file):
    with ScriptedServer(script, tls=server_tls if secure else None) as server:
        app = connect(server, deadline=DEADLINE)
        app.requests.verify = ca_file
        error = ended_in_time(lambda: app.database().child("a").set(1) if script is silent else app.database().get())
    assert "deadline of 0.4 s" in str(error)
    assert error.outcome_unknown or script is drip_a_redirect or not server.requests


def never_shake_hands(peer: Peer) -> None:
    peer.hold()


def drip_the_handshake(peer: Peer) -> None:
    # A handshake record of 16 KB that arrives slowly.
    peer.send_slowly(b"\x16\x03\x03\x40\x00" + b"\x02" * 16_384, 0.05)


@pytest.mark.parametrize("script", [never_shake_hands, drip_the_handshake])
def test_deadline_ends_tls_handshake(connect, script, server_tls):
    with ScriptedServer(script, tls=server_tls, handshake=False) as server:
        error = ended_in_time(lambda: connect(server, deadline=DEADLINE).database().push(1))
    assert not error.outcome_unknown


def test_stuck_tls_handshake_times_out_and_is_retried(connect, server_tls, pauses):
    with ScriptedServer(never_shake_hands, tls=server_tls, handshake=False) as server:
        with pytest.raises(NetworkTimeout) as caught:
            connect(server, timeout=(0.1, 5)).database().push(1)
    assert not caught.value.outcome_unknown
    assert len(pauses) == 3


@pytest.mark.parametrize("script", [drip_body, drip_chunks, drip_without_framing])
@pytest.mark.blocking_client
def test_deadline_ends_body_under_custom_adapter(connect, script):
    with ScriptedServer(script) as server, requests.Session() as session:
        ended_in_time(lambda: connect(server, session=session, deadline=DEADLINE).database().get())


def test_deadline_includes_retries(connect, monkeypatch):
    monkeypatch.undo()
    with ScriptedServer(lambda peer: peer.read_request()) as server:
        start = time.monotonic()
        with pytest.raises(NetworkError):
            connect(server, deadline=DEADLINE, retries=1000).database().get()
    assert time.monotonic() - start < DEADLINE + 1.5


def test_deadline_includes_all_requests_of_a_transaction(connect):
    def conflicts(peer: Peer) -> None:
        peer.read_request()
        peer.respond("1", 200, {"ETag": "x"})
        while True:
            peer.read_request()
            peer.server.closing.wait(0.05)
            peer.respond("1", 412, {"ETag": "x"})

    with ScriptedServer(conflicts) as server:
        ended_in_time(lambda: connect(server, deadline=DEADLINE).database().transaction(lambda value: 2))


def test_connection_is_reused_after_call_within_deadline(connect):
    with ScriptedServer(ok("1")) as server:
        db = connect(server, deadline=5).database()
        assert [db.get().val() for _ in range(20)] == [1] * 20
    assert server.connections == 1


def test_threads_share_one_watchdog(connect):
    with ScriptedServer(silent) as server:
        db = connect(server, deadline=DEADLINE).database()
        errors: list[Exception] = []

        def work() -> None:
            try:
                db.get()
            except NetworkTimeout as error:
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(20)]
        before = set(threading.enumerate())
        start = time.monotonic()
        for thread in threads:
            thread.start()
        names = [thread.name for thread in set(threading.enumerate()) - before]
        for thread in threads:
            thread.join(LIMIT)
    assert len(errors) == 20
    assert time.monotonic() - start < DEADLINE + 3
    assert names.count("firebase_rest deadlines") <= 1


@pytest.mark.slow
@pytest.mark.parametrize("dripping", [drip_headers, drip_body])
def test_read_timeout_applies_to_silence_only(connect, dripping):
    with ScriptedServer(dripping, ok("1")) as server:
        # Every byte arrives within the read timeout, so only the deadline ends the call.
        ended_in_time(lambda: connect(server, timeout=(5, 0.3), deadline=1.0).database().get(), 3)


def test_silence_within_body_is_a_read_timeout(connect):
    def half(peer: Peer) -> None:
        peer.read_request()
        peer.send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n[1")
        peer.hold()

    with ScriptedServer(half) as server:
        error = ended_in_time(lambda: connect(server, timeout=(5, 0.2)).database().get())
    assert "timeout=" in str(error)


def test_large_write_times_out_if_server_reads_nothing(connect):
    def deaf(peer: Peer) -> None:
        peer.server.closing.wait(LIMIT)

    with ScriptedServer(deaf) as server:
        app = connect(server, timeout=(0.3, 0.3))
        ended_in_time(lambda: app.database().set(["x" * 9_000_000] * 3), 5)


def errors_of_write_during_close(app, wait):
    """Close the App while another thread writes, after `wait`, and return the errors of the write."""
    caught: list[NetworkError] = []

    def work() -> None:
        try:
            app.database().set(1)
        except NetworkError as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    wait()
    app.close()
    thread.join(LIMIT)
    return caught


def test_close_ends_waiting_calls(connect):
    with ScriptedServer(silent) as server:
        caught = errors_of_write_during_close(connect(server), lambda: wait_for(lambda: server.requests))
    assert len(caught) == 1
    assert "close()" in str(caught[0])
    assert caught[0].outcome_unknown
    assert len(server.requests) == 1


def test_close_ends_pauses_before_repeats(connect, monkeypatch):
    from firebase_rest.transport import exchange

    pausing = threading.Event()

    def long_pause(attempt: int, retry_after: str | None = None) -> float:
        pausing.set()
        return 600.0

    monkeypatch.setattr(exchange, "backoff_delay", long_pause)
    with ScriptedServer(lambda peer: peer.read_request()) as server:
        caught = errors_of_write_during_close(connect(server), lambda: wait_for(pausing.is_set))
    assert "closed" in str(caught[0])
    assert caught[0].outcome_unknown, "the first try was sent"


def test_closed_app_rejects_calls_with_a_message(connect):
    with ScriptedServer(ok()) as server:
        app = connect(server)
        app.close()
        app.close()
        with pytest.raises(UsageError, match="closed"):
            app.database().get()
    assert server.requests == []
