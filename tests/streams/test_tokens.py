"""Streams with expired and rejected tokens."""

from __future__ import annotations

import itertools
import queue

import pytest

import firebase_rest
from firebase_rest.emulator import Clock, Emulator
from firebase_rest.errors import (
    NetworkError,
    PermissionDenied,
    SessionExpired,
    StreamError,
    TokenExpired,
    Unauthenticated,
    UserDisabled,
)
from support.stream_server import StreamServer, put
from support.waiting import LIMIT

CLIENTS = ("blocking", "async")


class Tokens:
    """A token source with the tokens "t1", "t2", ..., which may also fail."""

    def __init__(self, *failures):
        self.count = 1
        self.rejected = []
        self.failures = list(failures)

    def current_token(self, *, rejected=None):
        if rejected is not None:
            self.rejected.append(rejected)
            if self.failures:
                raise self.failures.pop(0)
            self.count += 1
        return f"t{self.count}"


def revoked(peer):
    peer.send_raw_event("auth_revoked", "credential is no longer valid")
    peer.hold()  # the client must close the connection


def signers(server):
    return [request.target.split("auth=")[1] for request in server.requests]


def test_auth_revoked_refreshes_once_and_reconnects(connect):
    tokens = Tokens()
    with StreamServer(put(1, revoked), put(2)) as server:
        with connect(server.url).database().stream(token=tokens) as events:
            assert [next(events).data for _ in range(2)] == [1, 2]
            assert events.last_error is None
        assert signers(server) == ["t1", "t2"]
        assert tokens.rejected == ["t1"]


def test_stream_survives_many_expiries(connect):
    tokens = Tokens()
    with StreamServer(*(put(number, revoked) for number in range(20)), put(20)) as server:
        with connect(server.url).database().stream(token=tokens) as events:
            assert [next(events).data for _ in range(21)] == list(range(21))
    assert signers(server) == [f"t{number}" for number in range(1, 22)]


def test_second_rejection_in_a_row_raises(connect):
    def at_once(peer):
        peer.open()
        revoked(peer)

    with StreamServer(at_once) as server:
        with connect(server.url).database().stream(token=Tokens()) as events:
            with pytest.raises(TokenExpired, match="rejected the refreshed token"):
                next(events)
            assert not events.is_alive()
        assert signers(server) == ["t1", "t2"]


@pytest.mark.parametrize("words", ["Auth token is expired", "Could not parse auth token."])
def test_rejected_token_is_refreshed_once(connect, words):
    with StreamServer(lambda peer: peer.respond_error(401, words), put(1)) as server:
        with connect(server.url).database().stream(token=Tokens()) as events:
            assert next(events).data == 1
        assert signers(server) == ["t1", "t2"]
    with StreamServer(lambda peer: peer.respond_error(401, words)) as server:
        with connect(server.url).database().stream(token=Tokens()) as events, pytest.raises(Unauthenticated):
            next(events)
        assert signers(server) == ["t1", "t2"]


def test_permission_denied_does_not_refresh(connect):
    tokens = Tokens()
    with StreamServer(lambda peer: peer.respond_error(401, "Permission denied")) as server:
        with connect(server.url).database().stream(token=tokens) as events, pytest.raises(PermissionDenied):
            next(events)
        assert signers(server) == ["t1"]
        assert tokens.rejected == []


def test_expired_plain_token_raises(connect):
    with StreamServer(put(1, revoked)) as server:
        with connect(server.url).database().stream(token="plain") as events:
            next(events)
            with pytest.raises(TokenExpired, match="pass a UserSession, which refreshes it"):
                next(events)
        assert signers(server) == ["plain"]


def test_refresh_is_retried_after_network_errors(connect):
    tokens = Tokens(NetworkError("down"), NetworkError("down"))
    expired = lambda peer: peer.respond_error(401, "Auth token is expired")  # noqa: E731
    with StreamServer(put(1, revoked), expired, expired, put(2)) as server:
        with connect(server.url).database().stream(token=tokens) as events:
            assert [next(events).data for _ in range(2)] == [1, 2]
            assert str(events.last_error) == "down"
    assert signers(server) == ["t1", "t1", "t1", "t2"]


def test_max_retries_limits_failed_refreshes(connect):
    with StreamServer(put(1, revoked)) as server:
        tokens = Tokens(*[NetworkError("down")] * 9)
        with connect(server.url).database().stream(token=tokens, max_retries=2) as events:
            next(events)
            with pytest.raises(StreamError, match="down"):
                list(itertools.islice(events, 9))


def test_rejected_refresh_ends_the_stream(connect):
    with StreamServer(put(1, revoked)) as server:
        error = UserDisabled("USER_DISABLED", status=400, message="USER_DISABLED")
        with connect(server.url).database().stream(token=Tokens(error)) as events:
            next(events)
            with pytest.raises(UserDisabled):
                next(events)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def signed_in(clock, monkeypatch):
    """An emulator, an App and a user session."""
    with Emulator("demo", clock=clock, require_auth=True).serve() as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        with firebase_rest.initialize_app(server.config) as app:
            user = app.auth().sign_in_anonymous()
            yield server.emulator, app, app.auth().session(user), user


def test_session_loses_no_event_in_100_expiries(clock, signed_in):
    _, app, session, _ = signed_in
    reference = app.database().child("log")
    received: queue.Queue = queue.Queue()
    states: list[str] = []
    have: dict[str, int] = {}

    def take(message):
        if message["path"] == "/":
            received.put(message["data"] or {})
        else:
            received.put({message["path"][1:]: message["data"]})

    with reference.stream(take, session, on_state=states.append) as stream:
        have.update(received.get(timeout=LIMIT))
        for number in range(100):
            reference.child(f"n{number}").set(number, session)  # before, during and after the reconnect
            clock.advance(3601)
            while f"n{number}" not in have or stream.reconnects <= number:
                have.update(received.get(timeout=LIMIT))
        assert stream.reconnects == 100
        assert stream.last_error is None
    assert have == {f"n{number}": number for number in range(100)}
    assert states.count("open") == 101


def test_stream_with_id_token_ends_with_token_expired(clock, signed_in):
    _, app, _, user = signed_in
    with app.database().stream(token=user["idToken"]) as events:
        next(events)
        clock.advance(3601)
        with pytest.raises(TokenExpired):
            next(events)


def test_revoked_session_ends_its_streams(clock, signed_in):
    emulator, app, session, user = signed_in
    with app.database().stream(token=session) as events:
        next(events)
        app.auth().delete_user_account(user["idToken"])
        emulator.faults.revoke()
        with pytest.raises((SessionExpired, Unauthenticated, firebase_rest.errors.AuthError)):
            next(events)


def test_redirected_stream_is_authenticated_on_both_hosts(connect):
    with StreamServer(put(1, revoked), put(2)) as there:
        lead = lambda peer: peer.redirect(f"http://127.0.0.1:{there.port}/.json?sse=true")  # noqa: E731
        with StreamServer(lead) as here, connect(here.url).database().stream(token=Tokens()) as events:
            assert [next(events).data for _ in range(2)] == [1, 2]
        assert signers(here) == signers(there) == ["t1", "t2"]
