"""Second factors by text message with our client, on the official Auth emulator and on ours."""

from __future__ import annotations

import json
import pickle

import pytest

from firebase_rest import InvalidVerificationCode, MfaFactor, MfaRequired, SecondFactorError, UserSession
from official.auth_environment import EMAIL, NUMBER, PASSWORD, AuthEnvironment, exposed_secrets, google_id_token


def enroll(environment: AuthEnvironment, session: UserSession, number: str = NUMBER, name: str = "phone") -> None:
    info = environment.auth.mfa.send_enrollment_code(session, number, "a recaptcha token")
    environment.auth.mfa.enroll_phone(session, info, environment.last_sms_code(), name)


def first_factor(environment: AuthEnvironment) -> MfaRequired:
    with pytest.raises(MfaRequired) as error:
        environment.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)
    return error.value


def test_enrolled_phone_is_required_and_signs_in(environment: AuthEnvironment) -> None:
    session = environment.create_verified_user()
    enroll(environment, session)
    assert session.claims["firebase"]["sign_in_second_factor"] == "phone"
    required = first_factor(environment)
    [factor] = required.factors
    assert (factor.kind, factor.display_name, factor.phone_number) == ("phone", "phone", "+****0100")
    info = environment.auth.mfa.send_code(required)
    user = environment.auth.mfa.sign_in_with_phone(required, info, environment.last_sms_code())
    assert user["localId"] == session.uid
    assert user["expiresIn"] == "3600"
    assert environment.auth.session(user).claims["firebase"]["second_factor_identifier"] == factor.id


def test_withdrawn_factor_is_not_required(environment: AuthEnvironment) -> None:
    session = environment.create_verified_user()
    enroll(environment, session)
    [factor] = environment.auth.mfa.factors(session)
    assert factor.phone_number == NUMBER
    environment.auth.mfa.withdraw(session, factor)
    assert environment.auth.mfa.factors(session) == ()
    assert environment.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)["localId"] == session.uid
    with pytest.raises(SecondFactorError):
        environment.auth.mfa.withdraw(session, factor.id)


def test_sign_in_with_one_of_several_factors(environment: AuthEnvironment) -> None:
    session = environment.create_verified_user()
    enroll(environment, session)
    enroll(environment, session, "+15550101", "other")
    required = first_factor(environment)
    other = next(factor for factor in required.factors if factor.display_name == "other")
    info = environment.auth.mfa.send_code(required, other)
    assert environment.request("GET", "verificationCodes")["verificationCodes"][-1]["phoneNumber"] == "+15550101"
    user = environment.auth.mfa.sign_in_with_phone(required, info, environment.last_sms_code())
    assert environment.auth.session(user).claims["firebase"]["second_factor_identifier"] == other.id


def test_wrong_code_is_rejected_and_can_be_corrected(environment: AuthEnvironment) -> None:
    session = environment.create_verified_user()
    enroll(environment, session)
    required = first_factor(environment)
    info = environment.auth.mfa.send_code(required)
    with pytest.raises(InvalidVerificationCode) as error:
        environment.auth.mfa.sign_in_with_phone(
            required, info, "000000" if environment.last_sms_code() != "000000" else "111111"
        )
    assert not exposed_secrets(error.value, info, required.pending_credential)
    assert (
        environment.auth.mfa.sign_in_with_phone(required, info, environment.last_sms_code())["localId"] == session.uid
    )


def test_every_sign_in_method_requires_the_second_factor(environment: AuthEnvironment) -> None:
    enroll(environment, environment.create_verified_user())
    environment.auth.send_sign_in_link_to_email(EMAIL, "http://localhost")
    with pytest.raises(MfaRequired):
        environment.auth.sign_in_with_email_link(EMAIL, environment.last_link())
    with pytest.raises(MfaRequired) as error:
        environment.auth.sign_in_with_idp("google.com", id_token=google_id_token())
    info = environment.auth.mfa.send_code(error.value)
    assert environment.auth.mfa.sign_in_with_phone(error.value, info, environment.last_sms_code())["idToken"]


def test_enrollment_requires_a_verified_email(environment: AuthEnvironment) -> None:
    with pytest.raises(SecondFactorError) as error:
        environment.auth.mfa.send_enrollment_code(environment.create_user(), NUMBER)
    assert error.value.code == "UNVERIFIED_EMAIL"


def test_phone_number_is_enrolled_once(environment: AuthEnvironment) -> None:
    session = environment.create_verified_user()
    enroll(environment, session)
    with pytest.raises(SecondFactorError) as error:
        environment.auth.mfa.send_enrollment_code(session, NUMBER)
    assert error.value.code == "SECOND_FACTOR_EXISTS"


def test_pickled_mfa_error_can_be_resolved(environment: AuthEnvironment) -> None:
    session = environment.create_verified_user()
    enroll(environment, session)
    required = first_factor(environment)
    assert required.pending_credential
    assert not exposed_secrets(required, required.pending_credential, PASSWORD)
    assert json.loads(required.args[1])["localId"] == session.uid
    copy = pickle.loads(pickle.dumps(required))
    assert isinstance(copy.factors[0], MfaFactor)
    info = environment.auth.mfa.send_code(copy)
    assert environment.auth.mfa.sign_in_with_phone(copy, info, environment.last_sms_code())["localId"] == session.uid
