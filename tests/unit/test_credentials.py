from __future__ import annotations

import pytest

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
)


class Source:
    """A token source that has a new token whenever the old one was refused."""

    def __init__(self):
        self.count = 1

    def current_token(self, *, rejected=None):
        if rejected == f"token-{self.count}":
            self.count += 1
        return f"token-{self.count}"


def test_nobody_adds_nothing_and_has_no_other_stamp():
    assert ANONYMOUS.get() == NO_AUTH
    assert ANONYMOUS.get(rejected=NO_AUTH) is None


def test_the_owner_of_an_emulator_is_a_bearer_and_has_no_other_stamp():
    assert EMULATOR_ADMIN.get().headers == {"Authorization": "Bearer owner"}
    assert EMULATOR_ADMIN.get(rejected=EMULATOR_ADMIN.get()) is None


def test_a_string_is_a_token_that_nobody_can_renew():
    auth = user_credentials("token").get()
    assert auth.params == (("auth", "token"),)
    assert auth.secret == "token"
    assert user_credentials("token").get(rejected=auth) is None


def test_a_source_is_asked_each_time_and_told_what_was_refused():
    credentials = user_credentials(Source())
    first = credentials.get()
    assert credentials.get() == first
    assert credentials.get(rejected=first).secret == "token-2"
    assert credentials.get().secret == "token-2"


def test_a_session_is_recognised_by_what_it_can_do():
    assert isinstance(Source(), TokenSource)
    assert not isinstance("token", TokenSource)


@pytest.mark.parametrize(
    "token", ["", " ", "two words", "line\n", "t\u00f6ken", 5, b"token", {"idToken": "x"}, ["x"], object()]
)
def test_what_is_no_token_is_refused_without_showing_it(token):
    with pytest.raises(UsageError) as caught:
        user_credentials(token)
    for word in ("two words", "line", "t\u00f6ken"):
        assert word not in str(caught.value)


def test_signers_compare_by_what_they_sign_with():
    source = Source()
    assert user_credentials("a") == user_credentials("a") != user_credentials("b")
    assert user_credentials(source) == user_credentials(source) != user_credentials(Source())
    assert hash(user_credentials("a")) == hash(user_credentials("a"))


def test_no_signer_shows_its_credential():
    account = ServiceAccount({"private_key": "s3cret"}, lambda request: None)
    auth = RequestAuth((("auth", "s3cret"),), {"Authorization": "Bearer s3cret"}, "s3cret")
    for thing in (user_credentials("s3cret"), account, auth, ANONYMOUS, EMULATOR_ADMIN):
        assert "s3cret" not in repr(thing)


@pytest.mark.parametrize(
    "text",
    [
        '{"error": "Auth token is expired"}', '{\n  "error" : "Could not parse auth token."\n}\n',
        '{"error": "credential is no longer valid"}', '{"error": {"message": "TOKEN_EXPIRED"}}',
        '{"error": {"message": "INVALID_ID_TOKEN"}}',
    ],
)  # fmt: skip
def test_a_401_about_the_token_is_known_by_its_words(text):
    assert is_token_rejected(text)


@pytest.mark.parametrize(
    "text", ["", "{}", '{"error": "Permission denied"}', '{"error": "Missing appcheck token"}', "<html>"]
)
def test_any_other_401_is_about_something_else(text):
    assert not is_token_rejected(text)
