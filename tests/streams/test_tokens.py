"""Streams whose credential expires or is refused."""

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
from streams.scripted import LIMIT, Scripted, put


class Tokens:
    """A token source of a program's own: "t1", "t2", ...; it may fail in between."""

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
    peer.raw("auth_revoked", "credential is no longer valid")
    peer.hold()  # the server may leave the connection open: it is for the client to close it


def signers(server):
    return [line.split("auth=")[1].split(" ")[0] for line in server.lines]


def test_after_auth_revoked_there_is_one_refresh_and_a_reconnect_with_the_new_token(connect):
    tokens = Tokens()
    with Scripted(put(1, revoked), put(2)) as server:
        with connect(server.url).database().stream(token=tokens) as events:
            assert [next(events).data for _ in range(2)] == [1, 2]
            assert events.last_error is None
        assert signers(server) == ["t1", "t2"]
        assert tokens.rejected == ["t1"]


def test_a_stream_goes_on_through_many_expiries(connect):
    tokens = Tokens()
    with Scripted(*(put(number, revoked) for number in range(20)), put(20)) as server:
        with connect(server.url).database().stream(token=tokens) as events:
            assert [next(events).data for _ in range(21)] == list(range(21))
    assert signers(server) == [f"t{number}" for number in range(1, 22)]


def test_a_second_refusal_in_a_row_is_an_error(connect):
    def at_once(peer):
        peer.open()
        revoked(peer)

    with Scripted(at_once) as server:
        with connect(server.url).database().stream(token=Tokens()) as events:
            with pytest.raises(TokenExpired, match="rejected the refreshed token"):
                next(events)
            assert not events.is_alive()
        assert signers(server) == ["t1", "t2"]


@pytest.mark.parametrize("words", ["Auth token is expired", "Could not parse auth token."])
def test_a_401_about_the_token_is_answered_by_one_refresh(connect, words):
    with Scripted(lambda peer: peer.refuse(401, words), put(1)) as server:
        with connect(server.url).database().stream(token=Tokens()) as events:
            assert next(events).data == 1
        assert signers(server) == ["t1", "t2"]
    with Scripted(lambda peer: peer.refuse(401, words)) as server:
        with connect(server.url).database().stream(token=Tokens()) as events, pytest.raises(Unauthenticated):
            next(events)
        assert signers(server) == ["t1", "t2"]


def test_permission_denied_is_an_error_without_a_refresh(connect):
    tokens = Tokens()
    with Scripted(lambda peer: peer.refuse(401, "Permission denied")) as server:
        with connect(server.url).database().stream(token=tokens) as events, pytest.raises(PermissionDenied):
            next(events)
        assert signers(server) == ["t1"]
        assert tokens.rejected == []


def test_a_plain_token_that_has_expired_is_a_clear_error_and_no_loop(connect):
    with Scripted(put(1, revoked)) as server:
        with connect(server.url).database().stream(token="plain") as events:
            next(events)
            with pytest.raises(TokenExpired, match="pass a UserSession, which refreshes it"):
                next(events)
        assert signers(server) == ["plain"]


def test_a_refresh_that_the_network_hinders_is_tried_again(connect):
    tokens = Tokens(NetworkError("down"), NetworkError("down"))
    expired = lambda peer: peer.refuse(401, "Auth token is expired")  # noqa: E731
    with Scripted(put(1, revoked), expired, expired, put(2)) as server:
        with connect(server.url).database().stream(token=tokens) as events:
            assert [next(events).data for _ in range(2)] == [1, 2]
            assert str(events.last_error) == "down"
    assert signers(server) == ["t1", "t1", "t1", "t2"]


def test_max_retries_bounds_the_refreshes_that_fail(connect):
    with Scripted(put(1, revoked)) as server:
        tokens = Tokens(*[NetworkError("down")] * 9)
        with connect(server.url).database().stream(token=tokens, max_retries=2) as events:
            next(events)
            with pytest.raises(StreamError, match="down"):
                list(itertools.islice(events, 9))


def test_a_refresh_that_firebase_refuses_ends_the_stream_with_its_reason(connect):
    with Scripted(put(1, revoked)) as server:
        refusal = UserDisabled("USER_DISABLED", status=400, message="USER_DISABLED")
        with connect(server.url).database().stream(token=Tokens(refusal)) as events:
            next(events)
            with pytest.raises(UserDisabled):
                next(events)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def signed_in(clock, monkeypatch):
    """The emulator, an App and the session of a user."""
    with Emulator("demo", clock=clock, require_auth=True).serve() as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        with firebase_rest.initialize_app(server.config) as app:
            user = app.auth().sign_in_anonymous()
            yield server.emulator, app, app.auth().session(user), user


def test_a_user_session_carries_a_stream_through_a_hundred_expiries_without_losing_an_event(clock, signed_in):
    _, app, session, _ = signed_in
    place = app.database().child("log")
    seen: queue.Queue = queue.Queue()
    states: list[str] = []
    have: dict[str, int] = {}

    def take(message):
        if message["path"] == "/":
            seen.put(message["data"] or {})
        else:
            seen.put({message["path"][1:]: message["data"]})

    with place.stream(take, session, on_state=states.append) as stream:
        have.update(seen.get(timeout=LIMIT))
        for number in range(100):
            place.child(f"n{number}").set(number, session)  # before, while and after the stream is away
            clock.advance(3601)
            while f"n{number}" not in have or stream.reconnects <= number:
                have.update(seen.get(timeout=LIMIT))
        assert stream.reconnects == 100
        assert stream.last_error is None
    assert have == {f"n{number}": number for number in range(100)}
    assert states.count("open") == 101


def test_the_token_of_a_sign_in_ends_a_stream_with_a_clear_error_when_it_expires(clock, signed_in):
    _, app, _, user = signed_in
    with app.database().stream(token=user["idToken"]) as events:
        next(events)
        clock.advance(3601)
        with pytest.raises(TokenExpired):
            next(events)


def test_a_session_that_firebase_ends_ends_its_streams(clock, signed_in):
    emulator, app, session, user = signed_in
    with app.database().stream(token=session) as events:
        next(events)
        app.auth().delete_user_account(user["idToken"])
        emulator.faults.revoke()
        with pytest.raises((SessionExpired, Unauthenticated, firebase_rest.errors.AuthError)):
            next(events)


def test_redirected_streams_are_signed_on_both_hosts(connect):
    with Scripted(put(1, revoked), put(2)) as there:
        lead = lambda peer: peer.redirect(f"http://127.0.0.1:{there.port}/.json?sse=true")  # noqa: E731
        with Scripted(lead) as here, connect(here.url).database().stream(token=Tokens()) as events:
            assert [next(events).data for _ in range(2)] == [1, 2]
        assert signers(here) == signers(there) == ["t1", "t2"]
