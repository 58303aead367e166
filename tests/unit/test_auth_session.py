from __future__ import annotations

import base64
import json
import threading
from types import SimpleNamespace

import pytest

from firebase_rest.auth import session as session_module
from firebase_rest.auth.session import UserSession
from firebase_rest.errors import InvalidResponse, NetworkError, ServerError, SessionExpired, UsageError
from firebase_rest.transport import single_flight
from support.waiting import LIMIT


class Clocks:
    """The wall clock and the monotonic clock, which the test sets."""

    def __init__(self, monkeypatch):
        self.wall, self.steady = 1_700_000_000.0, 5_000.0
        # Patch the names in these modules only, because emulators of other tests need the real clock.
        clock = SimpleNamespace(time=lambda: self.wall, monotonic=lambda: self.steady)
        monkeypatch.setattr(session_module, "time", clock)
        monkeypatch.setattr(single_flight, "time", clock)

    def pass_by(self, seconds):
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def clocks(monkeypatch):
    return Clocks(monkeypatch)


class Firebase:
    """A refresh function that returns id-2, id-3, ..., after raising `failures` first."""

    def __init__(self, lifetime=3600):
        self.lifetime = lifetime
        self.shown: list[str] = []
        self.failures: list[Exception] = []

    def __call__(self, refresh_token):
        self.shown.append(refresh_token)
        if self.failures:
            raise self.failures.pop(0)
        number = len(self.shown) + 1
        return {"idToken": f"id-{number}", "refreshToken": f"refresh-{number}", "expiresIn": str(self.lifetime)}


def user(**changes):
    return {"idToken": "id-1", "refreshToken": "refresh-1", "expiresIn": "3600", "localId": "uid-1", **changes}


def jwt(**claims):
    part = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJub25lIn0.{part}."


def test_fresh_token_is_returned_without_refresh(clocks):
    firebase = Firebase()
    session = UserSession(firebase, user())
    clocks.pass_by(3600 - 301)
    assert session.id_token == session.current_token() == "id-1"
    assert session.uid == "uid-1"
    assert firebase.shown == []


def test_token_is_refreshed_five_minutes_before_it_expires(clocks):
    firebase = Firebase()
    session = UserSession(firebase, user())
    for number in (2, 3, 4):
        clocks.pass_by(3600 - 299)
        assert session.id_token == f"id-{number}"
        assert session.refresh_token == f"refresh-{number}"
    assert firebase.shown == ["refresh-1", "refresh-2", "refresh-3"]


def test_short_lifetime_has_a_short_margin(clocks):
    firebase = Firebase(lifetime=100)
    session = UserSession(firebase, user(expiresIn="100"))
    clocks.pass_by(89)
    assert session.id_token == "id-1"
    clocks.pass_by(2)
    assert session.id_token == "id-2"


def test_expiry_after_sleep_is_seen_on_the_wall_clock(clocks):
    session = UserSession(Firebase(), user())
    clocks.wall += 3600
    assert session.id_token == "id-2"


def test_expiry_is_seen_after_the_wall_clock_was_set_back(clocks):
    session = UserSession(Firebase(), user())
    clocks.wall -= 86_400
    clocks.steady += 3600
    assert session.id_token == "id-2"


def test_age_of_a_stored_token_is_read_from_its_claims(clocks):
    token = jwt(iat=clocks.wall - 3500, exp=clocks.wall + 100, sub="uid-9")
    session = UserSession(Firebase(), user(idToken=token))
    assert session.id_token == "id-2"


def test_token_issued_in_the_future_expires_after_its_lifetime(clocks):
    token = jwt(iat=clocks.wall + 9000, exp=clocks.wall + 12600)
    session = UserSession(Firebase(), user(idToken=token))
    assert session.id_token == token
    clocks.pass_by(3600)
    assert session.id_token == "id-2"


def test_missing_fields_are_read_from_the_token(clocks):
    token = jwt(iat=clocks.wall, exp=clocks.wall + 1000, sub="uid-9")
    session = UserSession(Firebase(), {"idToken": token, "refreshToken": "refresh-1"})
    assert session.uid == "uid-9"
    assert session.claims["sub"] == "uid-9"
    clocks.pass_by(901)
    assert session.id_token == "id-2"


def test_rejected_token_is_refreshed_even_if_fresh(clocks):
    firebase = Firebase()
    session = UserSession(firebase, user())
    assert session.current_token(rejected="id-1") == "id-2"
    assert session.current_token(rejected="id-1") == "id-2", "another thread has replaced the rejected token"
    assert len(firebase.shown) == 1


def test_refresh_replaces_a_fresh_token(clocks):
    firebase = Firebase()
    session = UserSession(firebase, user())
    assert session.refresh() == session.id_token == "id-2"
    assert session.refresh() == "id-3"
    assert firebase.shown == ["refresh-1", "refresh-2"]


def test_failed_explicit_refresh_raises_even_if_the_token_is_valid(clocks):
    firebase = Firebase()
    firebase.failures = [NetworkError("down")]
    session = UserSession(firebase, user())
    with pytest.raises(NetworkError, match="down"):
        session.refresh()
    assert session.id_token == "id-1"


def test_signed_out_session_error_names_how_to_get_a_new_one():
    session = UserSession(Firebase(), user())
    session.sign_out()
    with pytest.raises(SessionExpired, match=r"signed out; create a new one with auth\.session\(user\)"):
        session.update_tokens(user())
    with pytest.raises(SessionExpired, match="sign in again"):
        session.refresh()


@pytest.mark.parametrize("payload", [None, "id-2", [1]])
def test_update_tokens_rejects_other_types(payload):
    with pytest.raises(UsageError, match="must be the result of a sign-in"):
        UserSession(Firebase(), user()).update_tokens(payload)


def test_sixty_four_threads_cause_one_refresh(clocks):
    started, go = threading.Event(), threading.Event()
    firebase = Firebase()

    def slow(refresh_token):
        started.set()
        assert go.wait(LIMIT)
        return firebase(refresh_token)

    session = UserSession(slow, user())
    clocks.pass_by(4000)
    tokens: list[str] = []
    threads = [threading.Thread(target=lambda: tokens.append(session.id_token)) for _ in range(64)]
    for thread in threads:
        thread.start()
    assert started.wait(LIMIT)
    go.set()
    for thread in threads:
        thread.join(LIMIT)
    assert tokens == ["id-2"] * 64
    assert firebase.shown == ["refresh-1"]


def test_valid_token_is_returned_without_a_network(clocks):
    firebase = Firebase()
    firebase.failures = [NetworkError("down")]
    session = UserSession(firebase, user())
    clocks.pass_by(3500)
    assert session.id_token == "id-1"
    assert session.id_token == "id-1"
    assert len(firebase.shown) == 1, "and the network is left alone for a while"
    clocks.pass_by(single_flight.FAILURE_COOLDOWN + 1)
    assert session.id_token == "id-3"


def test_expired_token_without_a_network_raises(clocks):
    firebase = Firebase()
    firebase.failures = [NetworkError("down"), NetworkError("still down")]
    session = UserSession(firebase, user())
    clocks.pass_by(3600)
    with pytest.raises(NetworkError, match="down"):
        _ = session.id_token
    with pytest.raises(NetworkError, match="still down"):
        _ = session.id_token
    assert session.id_token == "id-4"


def test_rejected_refresh_raises_before_the_token_expires(clocks):
    firebase = Firebase()
    firebase.failures = [SessionExpired("USER_DISABLED", status=400)]
    session = UserSession(firebase, user())
    clocks.pass_by(3500)
    with pytest.raises(SessionExpired):
        _ = session.id_token


@pytest.mark.parametrize(
    "wrong", [None, "id-1", {}, {"idToken": "id-1"}, {"refreshToken": "r"}, {"idToken": "", "refreshToken": "r"}]
)
def test_session_rejects_other_types(wrong):
    with pytest.raises(UsageError, match="must be the result of a sign-in"):
        UserSession(Firebase(), wrong)


def test_repr_shows_the_uid_and_no_token():
    session = UserSession(Firebase(), user())
    assert repr(session) == "<UserSession of uid-1>"
    assert "id-1" not in repr(session._tokens).replace("uid-1", "")
    assert "refresh-1" not in repr(session._tokens)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_outage_of_the_token_server_keeps_a_valid_token(clocks, status):
    firebase = Firebase()
    session = UserSession(firebase, user())
    clocks.pass_by(3400)
    firebase.failures = [ServerError("unavailable", status=status, code=None, message="unavailable")]
    assert [session.id_token, session.id_token] == ["id-1", "id-1"]
    assert len(firebase.shown) == 1


def test_late_response_does_not_restore_older_tokens(clocks):
    session = UserSession(Firebase(), user(idToken=jwt(sub="uid-1", iat=1_700_000_000)))
    session.update_tokens({"idToken": jwt(sub="uid-1", iat=1_700_000_020), "refreshToken": "of the new password"})
    session.update_tokens({"idToken": jwt(sub="uid-1", iat=1_700_000_010), "refreshToken": "of before it"})
    assert session.refresh_token == "of the new password"


def test_sign_out_during_the_first_save_leaves_the_store_empty():
    session = UserSession(Firebase(), user())
    signing_out = threading.Thread(target=session.sign_out)
    stored = []

    class Store:
        def read(self):
            return None

        def write(self, user):
            stored.append(user)
            signing_out.start()
            while session.signed_in:
                signing_out.join(0.01)

        def delete(self):
            stored.clear()

    session.save(Store())
    signing_out.join(LIMIT)
    assert stored == []


@pytest.mark.parametrize("expires_in", ["soon", None, "nan", "-5", "1e400", []])
def test_unknown_lifetime_is_an_hour(expires_in):
    session = UserSession(lambda _: {}, {"idToken": "a.b.c", "refreshToken": "r", "expiresIn": expires_in})
    assert session._tokens.lifetime == 3600


@pytest.mark.parametrize("user", [{"idToken": 5, "refreshToken": "r"}, {"idToken": "a.b.c", "refreshToken": ["r"]}, []])
def test_session_rejects_incomplete_results(user):
    with pytest.raises(UsageError, match="must be the result of a sign-in"):
        UserSession(lambda _: {}, user)


def test_refreshed_tokens_of_another_user_are_rejected():
    def token(uid):
        claims = base64.urlsafe_b64encode(json.dumps({"sub": uid, "iat": 1, "exp": 3601}).encode()).decode().rstrip("=")
        return f"eyJhbGciOiJub25lIn0.{claims}."

    mine = {"idToken": token("me"), "refreshToken": "r", "expiresIn": "3600"}
    session = UserSession(lambda _: {**mine, "idToken": token("you")}, mine)
    with pytest.raises(InvalidResponse, match="another user"):
        session.current_token(rejected=mine["idToken"])
