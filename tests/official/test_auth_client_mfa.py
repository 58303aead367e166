"""Second factors by text message with our client, on the official Auth emulator and on ours."""

from __future__ import annotations

import json
import pickle

import pytest

from firebase_rest import InvalidVerificationCode, MfaFactor, MfaRequired, SecondFactorError, UserSession
from official.auth_world import EMAIL, NUMBER, PASSWORD, World, google, shows


def enroll(world: World, session: UserSession, number: str = NUMBER, name: str = "phone") -> None:
    info = world.auth.mfa.send_enrollment_code(session, number, "a recaptcha token")
    world.auth.mfa.enroll_phone(session, info, world.sms(), name)


def first_factor(world: World) -> MfaRequired:
    with pytest.raises(MfaRequired) as error:
        world.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)
    return error.value


def test_enrolled_phone_is_required_and_signs_in(world: World) -> None:
    session = world.verified()
    enroll(world, session)
    assert session.claims["firebase"]["sign_in_second_factor"] == "phone"
    required = first_factor(world)
    [factor] = required.factors
    assert (factor.kind, factor.display_name, factor.phone_number) == ("phone", "phone", "+****0100")
    info = world.auth.mfa.send_code(required)
    user = world.auth.mfa.sign_in_with_phone(required, info, world.sms())
    assert user["localId"] == session.uid
    assert user["expiresIn"] == "3600"
    assert world.auth.session(user).claims["firebase"]["second_factor_identifier"] == factor.id


def test_withdrawn_factor_is_not_required(world: World) -> None:
    session = world.verified()
    enroll(world, session)
    [factor] = world.auth.mfa.factors(session)
    assert factor.phone_number == NUMBER
    world.auth.mfa.withdraw(session, factor)
    assert world.auth.mfa.factors(session) == ()
    assert world.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)["localId"] == session.uid
    with pytest.raises(SecondFactorError):
        world.auth.mfa.withdraw(session, factor.id)


def test_sign_in_with_one_of_several_factors(world: World) -> None:
    session = world.verified()
    enroll(world, session)
    enroll(world, session, "+15550101", "other")
    required = first_factor(world)
    other = next(factor for factor in required.factors if factor.display_name == "other")
    info = world.auth.mfa.send_code(required, other)
    assert world.emulator("GET", "verificationCodes")["verificationCodes"][-1]["phoneNumber"] == "+15550101"
    user = world.auth.mfa.sign_in_with_phone(required, info, world.sms())
    assert world.auth.session(user).claims["firebase"]["second_factor_identifier"] == other.id


def test_wrong_code_is_rejected_and_can_be_corrected(world: World) -> None:
    session = world.verified()
    enroll(world, session)
    required = first_factor(world)
    info = world.auth.mfa.send_code(required)
    with pytest.raises(InvalidVerificationCode) as error:
        world.auth.mfa.sign_in_with_phone(required, info, "000000" if world.sms() != "000000" else "111111")
    assert not shows(error.value, info, required.pending_credential)
    assert world.auth.mfa.sign_in_with_phone(required, info, world.sms())["localId"] == session.uid


def test_every_sign_in_method_requires_the_second_factor(world: World) -> None:
    enroll(world, world.verified())
    world.auth.send_sign_in_link_to_email(EMAIL, "http://localhost")
    with pytest.raises(MfaRequired):
        world.auth.sign_in_with_email_link(EMAIL, world.link())
    with pytest.raises(MfaRequired) as error:
        world.auth.sign_in_with_idp("google.com", id_token=google())
    info = world.auth.mfa.send_code(error.value)
    assert world.auth.mfa.sign_in_with_phone(error.value, info, world.sms())["idToken"]


def test_enrollment_requires_a_verified_email(world: World) -> None:
    with pytest.raises(SecondFactorError) as error:
        world.auth.mfa.send_enrollment_code(world.someone(), NUMBER)
    assert error.value.code == "UNVERIFIED_EMAIL"


def test_phone_number_is_enrolled_once(world: World) -> None:
    session = world.verified()
    enroll(world, session)
    with pytest.raises(SecondFactorError) as error:
        world.auth.mfa.send_enrollment_code(session, NUMBER)
    assert error.value.code == "SECOND_FACTOR_EXISTS"


def test_pickled_mfa_error_can_be_resolved(world: World) -> None:
    session = world.verified()
    enroll(world, session)
    required = first_factor(world)
    assert required.pending_credential
    assert not shows(required, required.pending_credential, PASSWORD)
    assert json.loads(required.args[1])["localId"] == session.uid
    copy = pickle.loads(pickle.dumps(required))
    assert isinstance(copy.factors[0], MfaFactor)
    info = world.auth.mfa.send_code(copy)
    assert world.auth.mfa.sign_in_with_phone(copy, info, world.sms())["localId"] == session.uid
