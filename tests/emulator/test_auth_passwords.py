"""The password policy, which the official emulator has not."""

from __future__ import annotations

import pytest

from emulator.accounts import EMAIL, PASSWORD, world_with
from firebase_rest import WeakPassword

OPTIONS = {
    "minPasswordLength": 8,
    "containsUppercaseCharacter": True,
    "containsNumericCharacter": True,
    "containsNonAlphanumericCharacter": True,
}
GOOD = "Correct.Horse.7"


@pytest.fixture
def world(monkeypatch):
    with world_with(monkeypatch) as found:
        yield found


def enforce(world, *, at_sign_in=False, state="ENFORCE"):
    policy = {
        "passwordPolicyEnforcementState": state,
        "forceUpgradeOnSignin": at_sign_in,
        "passwordPolicyVersions": [{"customStrengthOptions": OPTIONS}],
    }
    world.configure("passwordPolicyConfig", passwordPolicyConfig=policy)


def test_a_project_without_a_policy_asks_for_six_characters(world):
    policy = world.auth.get_password_policy()
    assert policy["customStrengthOptions"]["minPasswordLength"] == 6
    assert policy["enforcementState"] == "OFF"
    assert policy["schemaVersion"] == 1


def test_a_policy_is_told_and_enforced(world):
    enforce(world)
    policy = world.auth.get_password_policy()
    assert policy["customStrengthOptions"].items() >= OPTIONS.items()
    assert policy["enforcementState"] == "ENFORCE"
    with pytest.raises(WeakPassword) as error:
        world.auth.create_user_with_email_and_password(EMAIL, "horse")
    assert error.value.code == "PASSWORD_DOES_NOT_MEET_REQUIREMENTS"
    assert error.value.message.endswith(
        "Missing password requirements: [Password must contain at least 8 characters, "
        "Password must contain an upper case character, Password must contain a numeric character, "
        "Password must contain a non-alphanumeric character]"
    )
    assert world.auth.create_user_with_email_and_password(EMAIL, GOOD)["email"] == EMAIL


def test_every_way_to_a_new_password_is_held_to_the_policy(world):
    session = world.someone()
    enforce(world)
    with pytest.raises(WeakPassword):
        world.auth.change_password(session, "another horse")
    world.auth.send_password_reset_email(EMAIL)
    link = world.link()
    with pytest.raises(WeakPassword):
        world.auth.confirm_password_reset(link, "another horse")
    world.auth.confirm_password_reset(link, GOOD)
    anonymous = world.auth.sign_in_anonymous()["idToken"]
    with pytest.raises(WeakPassword):
        world.auth.link_with_email_and_password(anonymous, "b@example.com", "another horse")


@pytest.mark.parametrize("at_sign_in", [False, True])
def test_an_older_password_is_good_until_the_policy_looks_at_sign_ins_too(world, at_sign_in):
    world.someone()
    enforce(world, at_sign_in=at_sign_in)
    if not at_sign_in:
        assert world.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)["email"] == EMAIL
        return
    with pytest.raises(WeakPassword):
        world.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)


def test_a_policy_that_is_off_is_told_and_not_enforced(world):
    enforce(world, state="OFF")
    assert world.auth.get_password_policy()["enforcementState"] == "OFF"
    assert world.someone().uid
