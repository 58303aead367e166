"""Which calls are made again after which failures, seen by a server."""

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
from loopback.server import Peer, Server, answers, drop, ok, refused_port, silent


def read(app):
    return app.database().child("a").get().val()


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_read_is_repeated_after_a_passing_refusal(connect, pauses, status):
    with Server(answers((status, "{}"), (200, "1"))) as server:
        assert read(connect(server)) == 1
    assert len(server.requests) == 2
    assert len(pauses) == 1
    assert server.connections == 1, "the refusal was read to its end, so its connection is used again"


@pytest.mark.parametrize("status", [400, 402, 404, 413, 423])
def test_a_read_is_not_repeated_after_a_lasting_refusal(connect, status):
    with Server(answers((status, "{}"))) as server, pytest.raises(ApiError):
        read(connect(server))
    assert len(server.requests) == 1


def test_a_read_is_given_up_after_three_repeats_with_the_last_refusal(connect, pauses):
    with Server(answers((503, '{"error": "one"}'), (500, '{"error": "last"}'))) as server:
        with pytest.raises(ServerError) as caught:
            read(connect(server))
    assert len(server.requests) == 4
    assert caught.value.message == "last"
    assert 0 <= pauses[0] <= 0.5
    assert 0 <= pauses[1] <= 1
    assert 0 <= pauses[2] <= 2


def test_retries_are_as_many_as_the_program_says(connect):
    with Server(answers((503, ""))) as server:
        app = connect(server, retries=1)
        with pytest.raises(ServerError):
            read(app)
        with pytest.raises(ServerError):
            app.database().with_options(retries=0).get()
    assert len(server.requests) == 3


@pytest.mark.parametrize(("header", "pause"), [("7", 7), ("0", 0), ("100000", 60), ("99999999999999999999", 60)])
def test_the_server_says_how_long_to_wait_up_to_a_minute(connect, pauses, header, pause):
    with Server(answers((429, "", {"Retry-After": header}), (200, "1"))) as server:
        read(connect(server))
    assert pauses == [pause]


@pytest.mark.parametrize("header", ["soon", "-3", "", "1.5", "Mon, 99 Jan 2024 00:00:00 GMT", "Mon, 1 Jan 99999 0:0:0"])
def test_a_retry_after_that_makes_no_sense_is_as_none(connect, pauses, header):
    with Server(answers((503, "", {"Retry-After": header}), (200, "1"))) as server:
        read(connect(server))
    assert 0 <= pauses[0] <= 0.5


def test_a_retry_after_beyond_the_deadline_is_not_waited_for(connect, monkeypatch):
    monkeypatch.undo()  # real pauses
    with Server(answers((503, '{"error": "busy"}', {"Retry-After": "50"}))) as server:
        with pytest.raises(ServerError) as caught:
            connect(server, deadline=5).database().get()
    assert caught.value.message == "busy"
    assert len(server.requests) == 1


def test_a_push_is_repeated_where_it_was_certainly_not_attempted(connect):
    with Server(answers((503, ""), (429, ""), (200, '{"name": "-N"}'))) as server:
        assert connect(server).database().push(1) == {"name": "-N"}
    assert len(server.requests) == 3


@pytest.mark.parametrize("status", [408, 500, 502, 504])
def test_a_push_is_not_repeated_where_it_may_have_happened(connect, status):
    with Server(answers((status, ""))) as server, pytest.raises(ApiError):
        connect(server).database().push(1)
    assert len(server.requests) == 1


def test_a_push_whose_answer_is_lost_is_not_repeated_and_says_so(connect):
    with Server(drop, ok('{"name": "-N"}')) as server, pytest.raises(NetworkError) as caught:
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
def test_what_is_the_same_twice_is_repeated_when_its_answer_is_lost(connect, write):
    with Server(drop, ok("null")) as server:
        write(connect(server).database())
    assert len(server.requests) == 2


def test_an_increment_and_a_conditional_write_are_not_repeated_when_the_answer_is_lost(connect):
    from firebase_rest import increment

    for write in (lambda db: db.set(increment(1)), lambda db: db.conditional_set(1, "tag")):
        with Server(drop, ok("1")) as server:
            with pytest.raises(NetworkError) as caught:
                write(connect(server).database())
            assert caught.value.outcome_unknown
            assert len(server.requests) == 1


def test_a_read_timeout_is_an_error_at_once(connect):
    with Server(silent) as server, pytest.raises(NetworkTimeout) as caught:
        connect(server, timeout=(5, 0.1)).database().set(1)
    assert caught.value.outcome_unknown
    assert len(server.requests) == 1


def test_nobody_listening_is_tried_again_and_then_an_error_that_sent_nothing(connect, pauses):
    nobody = f"http://127.0.0.1:{refused_port()}"

    with pytest.raises(NetworkError) as caught:
        connect(nobody).database().push(1)
    assert not caught.value.outcome_unknown
    assert not isinstance(caught.value, NetworkTimeout)
    assert len(pauses) == 3


def test_an_answer_lost_before_the_server_went_away_is_not_forgotten(connect):
    listener: list[Server] = []

    def last(peer: Peer) -> None:
        listener[0].stop_listening()
        peer.request()

    with Server(last) as server:
        listener.append(server)
        with pytest.raises(NetworkError) as caught:
            connect(server).database().set(1)
    assert caught.value.outcome_unknown


def test_a_sign_up_is_not_repeated_after_503_but_after_429(connect, monkeypatch):
    with Server(answers((429, "{}"), (503, "{}"))) as server:
        monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", server.host)
        with pytest.raises(ServerError):
            connect(server).auth().create_user_with_email_and_password("a@b.de", "secret1")
    assert len(server.requests) == 2


def test_a_sign_in_is_repeated_after_503_and_when_its_answer_is_lost(connect, monkeypatch):
    def second(peer: Peer) -> None:
        peer.request()
        peer.answer("{}", 503)
        peer.request()
        peer.answer('{"idToken": "t"}')

    with Server(drop, second) as server:
        monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", server.host)
        connect(server).auth().sign_in_with_email_and_password("a@b.de", "secret1")
    assert len(server.requests) == 3


def test_a_rate_limit_that_stays_is_its_own_error(connect, monkeypatch):
    with Server(answers((429, "{}"))) as server:
        with pytest.raises(RateLimited):
            read(connect(server))
        monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", server.host)
        with pytest.raises((RateLimited, AuthError)):
            connect(server).auth().sign_in_anonymous()


def test_a_kept_alive_connection_that_the_server_has_closed_is_replaced_without_a_word(connect, pauses):
    def once(peer: Peer) -> None:
        peer.request()
        peer.answer("1")

    with Server(once) as server:
        app = connect(server)
        for _ in range(5):
            assert read(app) == 1
    assert server.connections == 5
    assert len(server.requests) == 5


def test_a_url_that_no_request_can_have_is_refused_with_a_sentence(connect):
    nowhere = "https://a..b.firebaseio.com"

    with pytest.raises((UsageError, ConfigError), match=r"cannot be sent|databaseURL"):
        read(connect(nowhere))
