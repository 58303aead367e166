"""Which calls are retried after which failures."""

from __future__ import annotations

import pytest

from firebase_rest import (
    ApiError,
    AuthError,
    ConfigError,
    NetworkError,
    NetworkTimeout,
    RateLimited,
    ServerError,
    UsageError,
)
from support.scripted_server import Peer, ScriptedServer, drop, ok, refused_port, respond_with, silent

CLIENTS = ("blocking", "async")


def read(app):
    return app.database().child("a").get().val()


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_read_is_retried_after_transient_status(connect, pauses, status):
    with ScriptedServer(respond_with((status, "{}"), (200, "1"))) as server:
        assert read(connect(server)) == 1
    assert len(server.requests) == 2
    assert len(pauses) == 1
    assert server.connections == 1, "the error response was read to its end, so its connection is used again"


@pytest.mark.parametrize("status", [400, 402, 404, 413, 423])
def test_read_is_not_retried_after_permanent_status(connect, status):
    with ScriptedServer(respond_with((status, "{}"))) as server, pytest.raises(ApiError):
        read(connect(server))
    assert len(server.requests) == 1


def test_read_raises_last_error_after_three_retries(connect, pauses):
    with ScriptedServer(respond_with((503, '{"error": "one"}'), (500, '{"error": "last"}'))) as server:
        with pytest.raises(ServerError) as caught:
            read(connect(server))
    assert len(server.requests) == 4
    assert caught.value.message == "last"
    assert 0 <= pauses[0] <= 0.5
    assert 0 <= pauses[1] <= 1
    assert 0 <= pauses[2] <= 2


def test_retries_option_sets_the_number_of_retries(connect):
    with ScriptedServer(respond_with((503, ""))) as server:
        app = connect(server, retries=1)
        with pytest.raises(ServerError):
            read(app)
        with pytest.raises(ServerError):
            app.database().with_options(retries=0).get()
    assert len(server.requests) == 3


@pytest.mark.parametrize(("header", "pause"), [("7", 7), ("0", 0), ("100000", 60), ("99999999999999999999", 60)])
def test_retry_after_is_honoured_up_to_a_minute(connect, pauses, header, pause):
    with ScriptedServer(respond_with((429, "", {"Retry-After": header}), (200, "1"))) as server:
        read(connect(server))
    assert pauses == [pause]


@pytest.mark.parametrize("header", ["soon", "-3", "", "1.5", "Mon, 99 Jan 2024 00:00:00 GMT", "Mon, 1 Jan 99999 0:0:0"])
def test_invalid_retry_after_is_ignored(connect, pauses, header):
    with ScriptedServer(respond_with((503, "", {"Retry-After": header}), (200, "1"))) as server:
        read(connect(server))
    assert 0 <= pauses[0] <= 0.5


def test_retry_after_beyond_deadline_ends_retries(connect, monkeypatch):
    monkeypatch.undo()  # real pauses
    with ScriptedServer(respond_with((503, '{"error": "busy"}', {"Retry-After": "50"}))) as server:
        with pytest.raises(ServerError) as caught:
            connect(server, deadline=5).database().get()
    assert caught.value.message == "busy"
    assert len(server.requests) == 1


def test_push_is_retried_if_not_processed(connect):
    with ScriptedServer(respond_with((503, ""), (429, ""), (200, '{"name": "-N"}'))) as server:
        assert connect(server).database().push(1) == {"name": "-N"}
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [408, 500, 502, 504])
def test_push_is_not_retried_if_possibly_processed(connect, status):
    with ScriptedServer(respond_with((status, ""))) as server, pytest.raises(ApiError):
        connect(server).database().push(1)
    assert len(server.requests) == 1


def test_push_with_lost_response_has_unknown_outcome(connect):
    with ScriptedServer(drop, ok('{"name": "-N"}')) as server, pytest.raises(NetworkError) as caught:
        connect(server).database().push(1)
    assert caught.value.outcome_unknown
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "write",
    [
        lambda db: db.set(1),
        lambda db: db.update({"a": 1}),
        lambda db: db.remove(),
        lambda db: db.get(),
    ],
)
def test_idempotent_write_is_retried_after_lost_response(connect, write):
    with ScriptedServer(drop, ok("null")) as server:
        write(connect(server).database())
    assert len(server.requests) == 2


def test_increment_is_not_retried_after_lost_response(connect):
    from firebase_rest import increment

    for write in (lambda db: db.set(increment(1)), lambda db: db.conditional_set(1, "tag")):
        with ScriptedServer(drop, ok("1")) as server:
            with pytest.raises(NetworkError) as caught:
                write(connect(server).database())
            assert caught.value.outcome_unknown
            assert len(server.requests) == 1


def test_read_timeout_is_not_retried(connect):
    with ScriptedServer(silent) as server, pytest.raises(NetworkTimeout) as caught:
        connect(server, timeout=(5, 0.1)).database().set(1)
    assert caught.value.outcome_unknown
    assert len(server.requests) == 1


def test_refused_connection_is_retried_and_nothing_was_sent(connect, pauses):
    closed_port = f"http://127.0.0.1:{refused_port()}"

    with pytest.raises(NetworkError) as caught:
        connect(closed_port).database().push(1)
    assert not caught.value.outcome_unknown
    assert not isinstance(caught.value, NetworkTimeout)
    assert len(pauses) == 3


def test_outcome_stays_unknown_after_a_lost_response(connect):
    listener: list[ScriptedServer] = []

    def last(peer: Peer) -> None:
        listener[0].stop_listening()
        peer.read_request()

    with ScriptedServer(last) as server:
        listener.append(server)
        with pytest.raises(NetworkError) as caught:
            connect(server).database().set(1)
    assert caught.value.outcome_unknown


def test_sign_up_is_retried_after_429_but_not_503(connect, monkeypatch):
    with ScriptedServer(respond_with((429, "{}"), (503, "{}"))) as server:
        monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", server.host)
        with pytest.raises(ServerError):
            connect(server).auth().create_user_with_email_and_password("a@b.de", "secret1")
    assert len(server.requests) == 2


def test_sign_in_is_retried_after_503_and_lost_response(connect, monkeypatch):
    def second(peer: Peer) -> None:
        peer.read_request()
        peer.respond("{}", 503)
        peer.read_request()
        peer.respond('{"idToken": "t"}')

    with ScriptedServer(drop, second) as server:
        monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", server.host)
        connect(server).auth().sign_in_with_email_and_password("a@b.de", "secret1")
    assert len(server.requests) == 3


def test_persistent_rate_limit_raises_rate_limited(connect, monkeypatch):
    with ScriptedServer(respond_with((429, "{}"))) as server:
        with pytest.raises(RateLimited):
            read(connect(server))
        monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", server.host)
        with pytest.raises((RateLimited, AuthError)):
            connect(server).auth().sign_in_anonymous()


def test_closed_kept_alive_connection_is_replaced(connect, pauses):
    def once(peer: Peer) -> None:
        peer.read_request()
        peer.respond("1")

    with ScriptedServer(once) as server:
        app = connect(server)
        for _ in range(5):
            assert read(app) == 1
    assert server.connections == 5
    assert len(server.requests) == 5


def test_invalid_url_is_a_usage_error(connect):
    nowhere = "https://a..b.firebaseio.com"

    with pytest.raises((UsageError, ConfigError), match=r"cannot be sent|databaseURL"):
        read(connect(nowhere))
