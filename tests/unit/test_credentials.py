from __future__ import annotations

import pytest

from firebase_rest import initialize_app
from firebase_rest.errors import UsageError
from firebase_rest.transport.credentials import (
    ANONYMOUS,
    EMULATOR_ADMIN,
    NO_AUTH,
    RequestAuth,
    ServiceAccount,
    TokenSource,
    is_token_rejected,
    user_credentials,
    with_app_check,
)


class Source:
    """A token source that returns a new token after the old one was rejected."""

    def __init__(self):
        self.count = 1

    def current_token(self, *, rejected=None):
        if rejected == f"token-{self.count}":
            self.count += 1
        return f"token-{self.count}"


def test_anonymous_credentials_add_nothing():
    assert ANONYMOUS.get() == NO_AUTH
    assert ANONYMOUS.get(rejected=NO_AUTH) is None


def test_emulator_admin_sends_a_bearer_token():
    assert EMULATOR_ADMIN.get().headers == {"Authorization": "Bearer owner"}
    assert EMULATOR_ADMIN.get(rejected=EMULATOR_ADMIN.get()) is None


def test_token_cannot_be_refreshed():
    auth = user_credentials("token").get()
    assert auth.params == (("auth", "token"),)
    assert auth.secret == "token"
    assert user_credentials("token").get(rejected=auth) is None


def test_token_source_receives_the_rejected_token():
    credentials = user_credentials(Source())
    first = credentials.get()
    assert credentials.get() == first
    assert credentials.get(rejected=first).secret == "token-2"
    assert credentials.get().secret == "token-2"


def test_token_source_is_recognized_by_its_method():
    assert isinstance(Source(), TokenSource)
    assert not isinstance("token", TokenSource)


@pytest.mark.parametrize(
    "token", ["", " ", "two words", "line\n", "t\u00f6ken", 5, b"token", {"idToken": "x"}, ["x"], object()]
)
def test_invalid_token_is_rejected_without_showing_it(token):
    with pytest.raises(UsageError) as caught:
        user_credentials(token)
    for word in ("two words", "line", "t\u00f6ken"):
        assert word not in str(caught.value)


def test_credentials_compare_by_their_token():
    source = Source()
    assert user_credentials("a") == user_credentials("a") != user_credentials("b")
    assert user_credentials(source) == user_credentials(source) != user_credentials(Source())
    assert hash(user_credentials("a")) == hash(user_credentials("a"))


def test_repr_shows_no_secret():
    account = ServiceAccount({"private_key": "s3cret"}, lambda request: None)
    auth = RequestAuth((("auth", "s3cret"),), {"Authorization": "Bearer s3cret"}, "s3cret")
    for value in (user_credentials("s3cret"), account, auth, ANONYMOUS, EMULATOR_ADMIN):
        assert "s3cret" not in repr(value)


@pytest.mark.parametrize(
    "text",
    [
        '{"error": "Auth token is expired"}', '{\n  "error" : "Could not parse auth token."\n}\n',
        '{"error": "credential is no longer valid"}', '{"error": {"message": "TOKEN_EXPIRED"}}',
        '{"error": {"message": "INVALID_ID_TOKEN"}}',
    ],
)  # fmt: skip
def test_rejected_token_is_recognized_by_the_message(text):
    assert is_token_rejected(text)


@pytest.mark.parametrize(
    "text", ["", "{}", '{"error": "Permission denied"}', '{"error": "Missing appcheck token"}', "<html>"]
)
def test_other_401_does_not_reject_the_token(text):
    assert not is_token_rejected(text)


@pytest.mark.parametrize("app_check", ["", " ", "line\n", "t\u00f6ken", b"token", 5, False, {}])
def test_invalid_app_check_token_is_rejected_at_once(app_check):
    with pytest.raises(UsageError, match="app_check must be"):
        initialize_app({}, app_check=app_check)


@pytest.mark.parametrize("token", ["", None, "two\nlines", 5])
def test_invalid_app_check_token_of_a_function_is_rejected(token):
    with pytest.raises(UsageError, match="app_check function must return"):
        with_app_check(NO_AUTH, lambda: token)


def test_app_check_token_is_a_header():
    assert with_app_check(NO_AUTH, "token").headers == with_app_check(NO_AUTH, lambda: "token").headers
    assert with_app_check(NO_AUTH, "token").headers == {"X-Firebase-AppCheck": "token"}
