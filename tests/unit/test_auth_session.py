from __future__ import annotations

import base64
import json
import threading
from types import SimpleNamespace

import pytest

from firebase_rest.auth import session as room
from firebase_rest.auth.session import UserSession
from firebase_rest.errors import InvalidResponse, NetworkError, ServerError, SessionExpired, UsageError
from firebase_rest.transport import single_flight

LIMIT = 20.0


class Clocks:
    """The wall and the monotonic clock, in a test's hands."""

    def __init__(self, monkeypatch):
        self.wall, self.steady = 1_700_000_000.0, 5_000.0
        # The room's own name for the module, not the module: emulators of other tests live by the real clock.
        clock = SimpleNamespace(time=lambda: self.wall, monotonic=lambda: self.steady)
        monkeypatch.setattr(room, "time", clock)
        monkeypatch.setattr(single_flight, "time", clock)

    def pass_by(self, seconds):
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def clocks(monkeypatch):
    return Clocks(monkeypatch)


class Firebase:
    """Answers its first call with id-2, its second with id-3, ...; fails as often as a test says."""

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


def test_a_fresh_token_is_used_as_it_is(clocks):
    firebase = Firebase()
    session = UserSession(firebase, user())
    clocks.pass_by(3600 - 301)
    assert session.id_token == session.current_token() == "id-1"
    assert session.uid == "uid-1"
    assert firebase.shown == []


def test_within_five_minutes_of_its_end_it_is_renewed_with_the_newest_refresh_token(clocks):
    firebase = Firebase()
    session = UserSession(firebase, user())
    for number in (2, 3, 4):
        clocks.pass_by(3600 - 299)
        assert session.id_token == f"id-{number}"
        assert session.refresh_token == f"refresh-{number}"
    assert firebase.shown == ["refresh-1", "refresh-2", "refresh-3"]


def test_a_short_life_has_a_short_margin(clocks):
    firebase = Firebase(lifetime=100)
    session = UserSession(firebase, user(expiresIn="100"))
    clocks.pass_by(89)
    assert session.id_token == "id-1"
    clocks.pass_by(2)
    assert session.id_token == "id-2"


def test_a_machine_that_slept_is_noticed_by_the_wall_clock(clocks):
    session = UserSession(Firebase(), user())
    clocks.wall += 3600
    assert session.id_token == "id-2"


def test_a_wall_clock_that_was_set_back_is_noticed_by_the_monotonic_one(clocks):
    session = UserSession(Firebase(), user())
    clocks.wall -= 86_400
    clocks.steady += 3600
    assert session.id_token == "id-2"


def test_an_answer_that_lay_in_a_web_session_is_as_old_as_its_token_says(clocks):
    token = jwt(iat=clocks.wall - 3500, exp=clocks.wall + 100, sub="uid-9")
    session = UserSession(Firebase(), user(idToken=token))
    assert session.id_token == "id-2"


def test_a_token_of_the_future_is_not_trusted_for_longer_than_its_life(clocks):
    token = jwt(iat=clocks.wall + 9000, exp=clocks.wall + 12600)
    session = UserSession(Firebase(), user(idToken=token))
    assert session.id_token == token
    clocks.pass_by(3600)
    assert session.id_token == "id-2"


def test_what_the_answer_leaves_out_is_read_from_the_token(clocks):
    token = jwt(iat=clocks.wall, exp=clocks.wall + 1000, sub="uid-9")
    session = UserSession(Firebase(), {"idToken": token, "refreshToken": "refresh-1"})
    assert session.uid == "uid-9"
    assert session.claims["sub"] == "uid-9"
    clocks.pass_by(901)
    assert session.id_token == "id-2"


def test_a_refused_token_is_renewed_however_fresh_and_only_that_one(clocks):
    firebase = Firebase()
    session = UserSession(firebase, user())
    assert session.current_token(rejected="id-1") == "id-2"
    assert session.current_token(rejected="id-1") == "id-2", "another thread's refusal of the old one"
    assert len(firebase.shown) == 1


def test_a_session_is_renewed_when_its_program_says_so(clocks):
    firebase = Firebase()
    session = UserSession(firebase, user())
    assert session.refresh() == session.id_token == "id-2"
    assert session.refresh() == "id-3"
    assert firebase.shown == ["refresh-1", "refresh-2"]


def test_a_renewal_that_was_asked_for_and_fails_is_the_error_though_the_old_token_is_good(clocks):
    firebase = Firebase()
    firebase.failures = [NetworkError("down")]
    session = UserSession(firebase, user())
    with pytest.raises(NetworkError, match="down"):
        session.refresh()
    assert session.id_token == "id-1"


def test_a_session_that_was_signed_out_says_where_new_tokens_go():
    session = UserSession(Firebase(), user())
    session.sign_out()
    with pytest.raises(SessionExpired, match=r"for good: make another with auth\.session\(answer\)"):
        session.adopt(user())
    with pytest.raises(SessionExpired, match="sign in again"):
        session.refresh()


@pytest.mark.parametrize("reply", [None, "id-2", [1]])
def test_what_is_no_answer_is_not_adopted(reply):
    with pytest.raises(UsageError, match="takes the answer of a sign-in"):
        UserSession(Firebase(), user()).adopt(reply)


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


def test_without_a_network_a_token_that_is_still_valid_is_used(clocks):
    firebase = Firebase()
    firebase.failures = [NetworkError("down")]
    session = UserSession(firebase, user())
    clocks.pass_by(3500)
    assert session.id_token == "id-1"
    assert session.id_token == "id-1"
    assert len(firebase.shown) == 1, "and the network is left alone for a while"
    clocks.pass_by(single_flight.FAILURE_COOLDOWN + 1)
    assert session.id_token == "id-3"


def test_without_a_network_a_token_that_is_over_is_the_error(clocks):
    firebase = Firebase()
    firebase.failures = [NetworkError("down"), NetworkError("still down")]
    session = UserSession(firebase, user())
    clocks.pass_by(3600)
    with pytest.raises(NetworkError, match="down"):
        _ = session.id_token
    with pytest.raises(NetworkError, match="still down"):
        _ = session.id_token
    assert session.id_token == "id-4"


def test_a_refresh_that_firebase_refuses_is_the_error_even_before_the_end(clocks):
    firebase = Firebase()
    firebase.failures = [SessionExpired("USER_DISABLED", status=400)]
    session = UserSession(firebase, user())
    clocks.pass_by(3500)
    with pytest.raises(SessionExpired):
        _ = session.id_token


@pytest.mark.parametrize(
    "wrong", [None, "id-1", {}, {"idToken": "id-1"}, {"refreshToken": "r"}, {"idToken": "", "refreshToken": "r"}]
)
def test_what_is_no_answer_of_a_sign_in_is_refused(wrong):
    with pytest.raises(UsageError, match="answer of a sign-in"):
        UserSession(Firebase(), wrong)


def test_a_session_shows_whose_it_is_and_no_token():
    session = UserSession(Firebase(), user())
    assert repr(session) == "<UserSession of uid-1>"
    assert "id-1" not in repr(session._tokens).replace("uid-1", "")
    assert "refresh-1" not in repr(session._tokens)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_outage_of_the_token_server_does_not_stop_a_token_that_is_still_good(clocks, status):
    firebase = Firebase()
    session = UserSession(firebase, user())
    clocks.pass_by(3400)
    firebase.failures = [ServerError("unavailable", status=status, code=None, message="unavailable")]
    assert [session.id_token, session.id_token] == ["id-1", "id-1"]
    assert len(firebase.shown) == 1


def test_an_answer_that_was_overtaken_does_not_bring_dead_tokens_back(clocks):
    session = UserSession(Firebase(), user(idToken=jwt(sub="uid-1", iat=1_700_000_000)))
    session.adopt({"idToken": jwt(sub="uid-1", iat=1_700_000_020), "refreshToken": "of the new password"})
    session.adopt({"idToken": jwt(sub="uid-1", iat=1_700_000_010), "refreshToken": "of before it"})
    assert session.refresh_token == "of the new password"


def test_a_sign_out_during_the_first_save_leaves_nothing_in_the_store():
    session = UserSession(Firebase(), user())
    signing_out = threading.Thread(target=session.sign_out)
    kept = []

    class Store:
        def read(self):
            return None

        def write(self, user):
            kept.append(user)
            signing_out.start()
            while session.signed_in:
                signing_out.join(0.01)

        def delete(self):
            kept.clear()

    session.save(Store())
    signing_out.join(LIMIT)
    assert kept == []


@pytest.mark.parametrize("expires_in", ["soon", None, "nan", "-5", "1e400", []])
def test_an_answer_that_does_not_say_how_long_its_tokens_last_gives_them_an_hour(expires_in):
    session = UserSession(lambda _: {}, {"idToken": "a.b.c", "refreshToken": "r", "expiresIn": expires_in})
    assert session._tokens.lifetime == 3600


@pytest.mark.parametrize("user", [{"idToken": 5, "refreshToken": "r"}, {"idToken": "a.b.c", "refreshToken": ["r"]}, []])
def test_what_is_no_answer_of_a_sign_in_makes_no_session(user):
    with pytest.raises(UsageError, match="takes the answer of a sign-in"):
        UserSession(lambda _: {}, user)


def test_a_refresh_that_answers_for_somebody_else_is_an_error():
    def token(uid):
        claims = base64.urlsafe_b64encode(json.dumps({"sub": uid, "iat": 1, "exp": 3601}).encode()).decode().rstrip("=")
        return f"eyJhbGciOiJub25lIn0.{claims}."

    mine = {"idToken": token("me"), "refreshToken": "r", "expiresIn": "3600"}
    session = UserSession(lambda _: {**mine, "idToken": token("you")}, mine)
    with pytest.raises(InvalidResponse, match="somebody else"):
        session.current_token(rejected=mine["idToken"])
