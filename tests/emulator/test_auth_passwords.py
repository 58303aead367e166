"""Password policies and other settings of Auth that the official emulator does not have."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
import requests

import firebase_rest
from emulator.accounts import EMAIL, PASSWORD, auth_environment
from firebase_rest import (
    InvalidCredentials,
    InvalidEmail,
    InvalidRequest,
    OperationNotAllowed,
    UsageError,
    UserNotFound,
    WeakPassword,
)
from firebase_rest.emulator import Emulator
from support.waiting import LIMIT

OPTIONS = {
    "minPasswordLength": 8,
    "containsUppercaseCharacter": True,
    "containsNumericCharacter": True,
    "containsNonAlphanumericCharacter": True,
}
GOOD = "Correct.Horse.7"


@pytest.fixture
def env(monkeypatch):
    with auth_environment(monkeypatch) as environment:
        yield environment


def enforce(env, *, at_sign_in=False, state="ENFORCE"):
    policy = {
        "passwordPolicyEnforcementState": state,
        "forceUpgradeOnSignin": at_sign_in,
        "passwordPolicyVersions": [{"customStrengthOptions": OPTIONS}],
    }
    env.configure("passwordPolicyConfig", passwordPolicyConfig=policy)


def test_password_without_policy_needs_six_characters(env):
    policy = env.auth.get_password_policy()
    assert policy["customStrengthOptions"]["minPasswordLength"] == 6
    assert policy["enforcementState"] == "OFF"
    assert policy["schemaVersion"] == 1


def test_password_policy_is_returned_and_enforced(env):
    enforce(env)
    policy = env.auth.get_password_policy()
    assert policy["customStrengthOptions"].items() >= OPTIONS.items()
    assert policy["enforcementState"] == "ENFORCE"
    with pytest.raises(WeakPassword) as error:
        env.auth.create_user_with_email_and_password(EMAIL, "horse")
    assert error.value.code == "PASSWORD_DOES_NOT_MEET_REQUIREMENTS"
    assert error.value.message.endswith(
        "Missing password requirements: [Password must contain at least 8 characters, "
        "Password must contain an upper case character, Password must contain a numeric character, "
        "Password must contain a non-alphanumeric character]"
    )
    assert env.auth.create_user_with_email_and_password(EMAIL, GOOD)["email"] == EMAIL


def test_password_policy_applies_to_every_new_password(env):
    session = env.someone()
    enforce(env)
    with pytest.raises(WeakPassword):
        env.auth.change_password(session, "another horse")
    env.auth.send_password_reset_email(EMAIL)
    link = env.link()
    with pytest.raises(WeakPassword):
        env.auth.confirm_password_reset(link, "another horse")
    env.auth.confirm_password_reset(link, GOOD)
    anonymous = env.auth.sign_in_anonymous()["idToken"]
    with pytest.raises(WeakPassword):
        env.auth.link_with_email_and_password(anonymous, "b@example.com", "another horse")


@pytest.mark.parametrize("at_sign_in", [False, True])
def test_existing_password_is_checked_only_with_force_upgrade(env, at_sign_in):
    env.someone()
    enforce(env, at_sign_in=at_sign_in)
    if not at_sign_in:
        assert env.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)["email"] == EMAIL
        return
    with pytest.raises(WeakPassword):
        env.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)


def test_disabled_password_policy_is_returned_but_not_enforced(env):
    enforce(env, state="OFF")
    assert env.auth.get_password_policy()["enforcementState"] == "OFF"
    assert env.someone().uid


@contextmanager
def auth_of(monkeypatch, emulator):
    with emulator.serve() as server:
        for name, value in server.environ.items():
            monkeypatch.setenv(name, value)
        with firebase_rest.initialize_app(server.config) as app:
            yield app.auth()


def test_password_policy_argument_survives_reset(monkeypatch):
    emulator = Emulator(password_policy={"minPasswordLength": 12, "containsNumericCharacter": True})
    with auth_of(monkeypatch, emulator) as auth:
        emulator.reset()
        assert auth.get_password_policy()["customStrengthOptions"]["minPasswordLength"] == 12
        with pytest.raises(WeakPassword, match="at least 12 characters, Password must contain a numeric"):
            auth.create_user_with_email_and_password(EMAIL, "horse")


def test_unknown_password_policy_option_raises():
    with pytest.raises(UsageError, match="Unknown password_policy option 'minLength'; expected one of minPass"):
        Emulator(password_policy={"minLength": 12})


def test_enumeration_protection_argument(monkeypatch):
    emulator = Emulator(enumeration_protection=True)
    with auth_of(monkeypatch, emulator) as auth:
        session = auth.session(auth.create_user_with_email_and_password(EMAIL, PASSWORD))
        for address in (EMAIL, "nobody@example.com"):
            with pytest.raises(InvalidCredentials, match="INVALID_LOGIN_CREDENTIALS"):
                auth.sign_in_with_email_and_password(address, "wrong horse")
            assert auth.fetch_sign_in_methods(address) == []
        with pytest.raises(OperationNotAllowed):
            auth.change_email(session, "new@example.com")
    with auth_of(monkeypatch, Emulator()) as auth, pytest.raises(UserNotFound):
        auth.sign_in_with_email_and_password("nobody@example.com", "wrong horse")


def test_empty_password_is_wrong_at_sign_in_and_weak_at_sign_up(env):
    env.someone()
    with pytest.raises(InvalidCredentials) as caught:
        env.auth.sign_in_with_email_and_password(EMAIL, "")
    assert caught.value.code == "MISSING_PASSWORD"
    with pytest.raises(WeakPassword):
        env.auth.create_user_with_email_and_password("b@example.com", "")


@pytest.mark.parametrize("address", ["", "no address", "a@b@c"])
def test_invalid_email_is_rejected_everywhere(env, address):
    session = env.someone()
    for call in (
        lambda: env.auth.sign_in_with_email_and_password(address, PASSWORD),
        lambda: env.auth.verify_before_change_email(session, address),
        lambda: env.auth.send_password_reset_email(address),
        lambda: env.auth.send_sign_in_link_to_email(address, "https://example.com/"),
    ):
        with pytest.raises(InvalidEmail):
            call()


def test_unknown_provider_is_rejected(env):
    with pytest.raises(InvalidRequest, match="INVALID_PROVIDER_ID"):
        env.auth.sign_in_with_idp("google", id_token='{"sub": "1"}')
    with pytest.raises(InvalidRequest, match="INVALID_PROVIDER_ID"):
        env.auth.auth_uri("gogle.com", "https://example.com/")


def test_custom_claims_are_in_the_refreshed_token(env):
    session = env.someone()
    env.auth.admin.set_custom_claims(session.uid, {"admin": True})
    assert "admin" not in session.claims
    assert env.auth.verify_id_token(session.refresh())["admin"] is True
    assert env.auth.verify_id_token(session)["uid"] == session.uid


def test_tenant_has_its_own_password_policy_or_that_of_the_project(env):
    enforce(env)
    url = f"http://{env.server.host}/identitytoolkit.googleapis.com/v2/projects/demo-project/tenants"
    policy = {
        "passwordPolicyEnforcementState": "ENFORCE",
        "passwordPolicyVersions": [{"customStrengthOptions": {"minPasswordLength": 10}}],
    }
    settings = {"allowPasswordSignup": True, "passwordPolicyConfig": policy}
    headers = {"Authorization": "Bearer owner"}
    created = requests.post(url, json=settings, headers=headers, timeout=LIMIT).json()
    assert created["passwordPolicyConfig"] == policy
    own = env.app.auth(tenant_id=created["tenantId"])
    assert own.get_password_policy()["customStrengthOptions"] == {"minPasswordLength": 10, "maxPasswordLength": 4096}
    with pytest.raises(WeakPassword, match="at least 10 characters"):
        own.create_user_with_email_and_password(EMAIL, "ninechars")
    own.create_user_with_email_and_password(EMAIL, "ten-chars!")
    inherited = env.app.auth(tenant_id="other")
    assert inherited.get_password_policy()["customStrengthOptions"].items() >= OPTIONS.items()
    with pytest.raises(WeakPassword, match="upper case"):
        inherited.create_user_with_email_and_password(EMAIL, "ten-chars!")


def test_update_of_a_tenant_changes_its_password_policy(env):
    url = f"http://{env.server.host}/identitytoolkit.googleapis.com/v2/projects/demo-project/tenants"
    headers = {"Authorization": "Bearer owner"}
    name = requests.post(url, json={"allowPasswordSignup": True}, headers=headers, timeout=LIMIT).json()["tenantId"]
    policy = {
        "passwordPolicyEnforcementState": "ENFORCE",
        "passwordPolicyVersions": [{"customStrengthOptions": {"containsNumericCharacter": True}}],
    }
    params = {"updateMask": "passwordPolicyConfig"}
    requests.patch(
        f"{url}/{name}", params=params, json={"passwordPolicyConfig": policy}, headers=headers, timeout=LIMIT
    ).raise_for_status()
    with pytest.raises(WeakPassword, match="numeric"):
        env.app.auth(tenant_id=name).create_user_with_email_and_password(EMAIL, "no digits")
