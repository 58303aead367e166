"""Identity providers with our client, on the official Auth emulator and on ours."""

from __future__ import annotations

import json

import pytest

from firebase_rest import (
    AccountExistsWithDifferentCredential,
    CredentialAlreadyInUse,
    EmailExists,
    InvalidCredentials,
    UserDisabled,
)
from official.auth_environment import EMAIL, PASSWORD, AuthEnvironment, exposed_secrets, google_id_token

PROVIDERS = ["google.com", "facebook.com", "apple.com", "microsoft.com", "yahoo.com", "oidc.mine"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_provider_id_token_signs_in(environment: AuthEnvironment, provider: str) -> None:
    user = environment.auth.sign_in_with_idp(provider, id_token=google_id_token(), nonce="raw")
    assert user["providerId"] == provider
    assert user["isNewUser"] is True
    assert user["email"] == EMAIL
    assert environment.providers(user["idToken"]) == {provider}
    again = environment.auth.sign_in_with_idp(provider, id_token=google_id_token())
    assert again["localId"] == user["localId"]
    assert not again.get("isNewUser")


@pytest.mark.parametrize("provider", ["facebook.com", "github.com", "google.com"])
def test_provider_access_token_signs_in(environment: AuthEnvironment, provider: str) -> None:
    user = environment.auth.sign_in_with_idp(provider, access_token='{"sub": "a&b=c+d"}')
    assert user["federatedId"].endswith("a&b=c+d"), "it arrived completely"


def test_twitter_signs_in_with_token_and_secret(environment: AuthEnvironment) -> None:
    user = environment.auth.sign_in_with_idp("twitter.com", access_token='{"sub": "t1"}', oauth_token_secret="s")
    assert user["providerId"] == "twitter.com"


def test_invalid_credential_error_hides_the_credential(environment: AuthEnvironment) -> None:
    for bad in ("this-is-no-token", '{"this is": "no token'):
        with pytest.raises(InvalidCredentials) as error:
            environment.auth.sign_in_with_idp("google.com", id_token=bad)
        assert error.value.code == "INVALID_IDP_RESPONSE"
        assert not exposed_secrets(error.value, bad)


def test_linking_provider_keeps_anonymous_uid(environment: AuthEnvironment) -> None:
    session = environment.auth.session(environment.auth.sign_in_anonymous())
    linked = environment.auth.link_with_idp(session, "google.com", id_token=google_id_token())
    assert linked["localId"] == session.uid
    assert session.claims["firebase"]["sign_in_provider"] == "google.com"
    assert environment.account(session)["email"] == EMAIL
    environment.auth.unlink(session, "google.com")
    assert environment.providers(session) == set()


def test_linking_credential_of_another_user_is_rejected(environment: AuthEnvironment) -> None:
    environment.auth.sign_in_with_idp("google.com", id_token=google_id_token())
    session = environment.create_user("b@example.com")
    with pytest.raises(CredentialAlreadyInUse) as error:
        environment.auth.link_with_idp(session, "google.com", id_token=google_id_token())
    assert error.value.code == "FEDERATED_USER_ID_ALREADY_LINKED"
    assert error.value.details["email"] == EMAIL
    assert not exposed_secrets(error.value, google_id_token(), json.dumps(google_id_token()), session.id_token)
    with pytest.raises(EmailExists):
        environment.auth.link_with_idp(session, "facebook.com", id_token=google_id_token("f1"))


def test_unverified_provider_email_needs_confirmation(environment: AuthEnvironment) -> None:
    environment.create_user()
    unsure = google_id_token("f1", verified=False)
    with pytest.raises(AccountExistsWithDifferentCredential) as error:
        environment.auth.sign_in_with_idp("facebook.com", id_token=unsure)
    conflict = error.value
    assert (conflict.email, conflict.provider_id, conflict.code) == (EMAIL, "facebook.com", "NEED_CONFIRMATION")
    assert not exposed_secrets(conflict, unsure, json.dumps(unsure))
    session = environment.auth.session(environment.auth.sign_in_with_email_and_password(EMAIL, PASSWORD))
    environment.auth.link_with_idp(session, "facebook.com", id_token=unsure)
    assert environment.auth.sign_in_with_idp("facebook.com", id_token=unsure)["localId"] == session.uid


def test_linked_providers_are_listed(environment: AuthEnvironment) -> None:
    environment.auth.sign_in_with_idp("google.com", id_token=google_id_token())
    with pytest.raises(AccountExistsWithDifferentCredential) as error:
        environment.auth.sign_in_with_idp("facebook.com", id_token=google_id_token("f1", verified=False))
    assert error.value.providers == ("google.com",)


def test_disabled_user_cannot_sign_in_with_a_provider(environment: AuthEnvironment) -> None:
    user = environment.auth.sign_in_with_idp("google.com", id_token=google_id_token())
    environment.auth.admin.update_user(user["localId"], disabled=True)
    with pytest.raises(UserDisabled):
        environment.auth.sign_in_with_idp("google.com", id_token=google_id_token())
