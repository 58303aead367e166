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
from official.auth_world import EMAIL, PASSWORD, World, google, shows

PROVIDERS = ["google.com", "facebook.com", "apple.com", "microsoft.com", "yahoo.com", "oidc.mine"]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_provider_id_token_signs_in(world: World, provider: str) -> None:
    user = world.auth.sign_in_with_idp(provider, id_token=google(), nonce="raw")
    assert user["providerId"] == provider
    assert user["isNewUser"] is True
    assert user["email"] == EMAIL
    assert world.providers(user["idToken"]) == {provider}
    again = world.auth.sign_in_with_idp(provider, id_token=google())
    assert again["localId"] == user["localId"]
    assert not again.get("isNewUser")


@pytest.mark.parametrize("provider", ["facebook.com", "github.com", "google.com"])
def test_provider_access_token_signs_in(world: World, provider: str) -> None:
    user = world.auth.sign_in_with_idp(provider, access_token='{"sub": "a&b=c+d"}')
    assert user["federatedId"].endswith("a&b=c+d"), "it arrived completely"


def test_twitter_signs_in_with_token_and_secret(world: World) -> None:
    user = world.auth.sign_in_with_idp("twitter.com", access_token='{"sub": "t1"}', oauth_token_secret="s")
    assert user["providerId"] == "twitter.com"


def test_invalid_credential_error_hides_the_credential(world: World) -> None:
    for bad in ("this-is-no-token", '{"this is": "no token'):
        with pytest.raises(InvalidCredentials) as error:
            world.auth.sign_in_with_idp("google.com", id_token=bad)
        assert error.value.code == "INVALID_IDP_RESPONSE"
        assert not shows(error.value, bad)


def test_linking_provider_keeps_anonymous_uid(world: World) -> None:
    session = world.auth.session(world.auth.sign_in_anonymous())
    linked = world.auth.link_with_idp(session, "google.com", id_token=google())
    assert linked["localId"] == session.uid
    assert session.claims["firebase"]["sign_in_provider"] == "google.com"
    assert world.account(session)["email"] == EMAIL
    world.auth.unlink(session, "google.com")
    assert world.providers(session) == set()


def test_linking_credential_of_another_user_is_rejected(world: World) -> None:
    world.auth.sign_in_with_idp("google.com", id_token=google())
    session = world.someone("b@example.com")
    with pytest.raises(CredentialAlreadyInUse) as error:
        world.auth.link_with_idp(session, "google.com", id_token=google())
    assert error.value.code == "FEDERATED_USER_ID_ALREADY_LINKED"
    assert error.value.details["email"] == EMAIL
    assert not shows(error.value, google(), json.dumps(google()), session.id_token)
    with pytest.raises(EmailExists):
        world.auth.link_with_idp(session, "facebook.com", id_token=google("f1"))


def test_unverified_provider_email_needs_confirmation(world: World) -> None:
    world.someone()
    unsure = google("f1", verified=False)
    with pytest.raises(AccountExistsWithDifferentCredential) as error:
        world.auth.sign_in_with_idp("facebook.com", id_token=unsure)
    conflict = error.value
    assert (conflict.email, conflict.provider_id, conflict.code) == (EMAIL, "facebook.com", "NEED_CONFIRMATION")
    assert not shows(conflict, unsure, json.dumps(unsure))
    session = world.auth.session(world.auth.sign_in_with_email_and_password(EMAIL, PASSWORD))
    world.auth.link_with_idp(session, "facebook.com", id_token=unsure)
    assert world.auth.sign_in_with_idp("facebook.com", id_token=unsure)["localId"] == session.uid


def test_linked_providers_are_listed(world: World) -> None:
    world.auth.sign_in_with_idp("google.com", id_token=google())
    with pytest.raises(AccountExistsWithDifferentCredential) as error:
        world.auth.sign_in_with_idp("facebook.com", id_token=google("f1", verified=False))
    assert error.value.providers == ("google.com",)


def test_disabled_user_cannot_sign_in_with_a_provider(world: World) -> None:
    user = world.auth.sign_in_with_idp("google.com", id_token=google())
    world.auth.admin.update_user(user["localId"], disabled=True)
    with pytest.raises(UserDisabled):
        world.auth.sign_in_with_idp("google.com", id_token=google())
