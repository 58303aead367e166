"""Authenticator apps (TOTP) as a second factor, which the official emulator does not support."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from emulator.accounts import EMAIL, PASSWORD, auth_environment
from firebase_rest import InvalidRequest, InvalidVerificationCode, MfaRequired, SecondFactorError, UsageError
from firebase_rest.emulator import totp_code


@pytest.fixture
def env(monkeypatch):
    with auth_environment(monkeypatch) as environment:
        yield environment


def enroll(env, session, name="app"):
    secret = env.auth.mfa.start_totp(session)
    env.auth.mfa.enroll_totp(session, secret, totp_code(secret.key, env.clock()), name)
    return secret


def first_factor(env):
    with pytest.raises(MfaRequired) as error:
        env.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)
    return error.value


def test_totp_codes_match_rfc_6238():
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B, its last six digits
    assert [totp_code(secret, at) for at in (59, 1111111109, 1234567890, 20000000000)] == [
        "287082", "081804", "005924", "353130",
    ]  # fmt: skip


def test_enrolled_totp_is_required_and_signs_in(env):
    session = env.verified()
    secret = enroll(env, session)
    assert session.claims["firebase"]["sign_in_second_factor"] == "totp"
    required = first_factor(env)
    [factor] = required.factors
    assert (factor.kind, factor.display_name, factor.phone_number) == ("totp", "app", None)
    user = env.auth.mfa.sign_in_with_totp(required, totp_code(secret.key, env.clock()))
    assert user["localId"] == session.uid
    fresh = env.auth.session(env.auth.refresh(user["refreshToken"]))
    assert fresh.claims["firebase"]["second_factor_identifier"] == factor.id


@pytest.mark.parametrize(("late", "good"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_totp_code_is_valid_for_adjacent_periods(env, late, good):
    secret = enroll(env, env.verified())
    required = first_factor(env)
    env.clock.advance(40 - env.clock() % 30)  # well inside a period
    code = totp_code(secret.key, env.clock() - late)
    if good:
        assert env.auth.mfa.sign_in_with_totp(required, code)["idToken"]
    else:
        with pytest.raises(InvalidVerificationCode):
            env.auth.mfa.sign_in_with_totp(required, code)


def test_totp_enrollment_needs_valid_code_before_expiry(env):
    session = env.verified()
    secret = env.auth.mfa.start_totp(session)
    right = totp_code(secret.key, env.clock())
    with pytest.raises(InvalidVerificationCode) as wrong:
        env.auth.mfa.enroll_totp(session, secret, "000000" if right != "000000" else "111111")
    assert wrong.value.code == "INVALID_CODE"
    env.clock.advance(601)
    with pytest.raises(InvalidVerificationCode) as late:
        env.auth.mfa.enroll_totp(session, secret, totp_code(secret.key, env.clock()))
    assert late.value.code == "SESSION_EXPIRED"


@pytest.mark.parametrize("code", ["é", "😀" * 3, "٣٣٣٣٣٣", "\x00"])
def test_code_that_is_not_digits_is_rejected(env, code):
    session = env.verified()
    secret = env.auth.mfa.start_totp(session)
    with pytest.raises(InvalidVerificationCode) as wrong:
        env.auth.mfa.enroll_totp(session, secret, code)
    assert wrong.value.code == "INVALID_CODE"


def test_totp_uri_has_all_parameters(env):
    secret = env.auth.mfa.start_totp(env.verified())
    parts = urlsplit(secret.uri("ada@example.com", "My App: x"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/My App: x:ada@example.com"
    assert parse_qs(parts.query) == {
        "secret": [secret.key], "issuer": ["My App: x"], "algorithm": ["SHA1"], "digits": ["6"],
    }  # fmt: skip
    assert secret.key not in repr(secret)
    assert secret.session_info not in repr(secret)


def test_account_has_at_most_five_factors(env):
    session = env.verified()
    for number in range(5):
        enroll(env, session, f"app {number}")
    with pytest.raises(SecondFactorError) as error:
        enroll(env, session)
    assert error.value.code == "SECOND_FACTOR_LIMIT_EXCEEDED"
    assert [factor.display_name for factor in env.auth.mfa.factors(session)] == [f"app {n}" for n in range(5)]


def test_totp_account_gets_no_sms(env):
    enroll(env, env.verified())
    required = first_factor(env)
    with pytest.raises(UsageError, match="no phone factor"):
        env.auth.mfa.send_code(required)
    with pytest.raises(InvalidRequest) as error:
        env.auth.mfa.send_code(required, required.factors[0])
    assert error.value.code == "INVALID_ARGUMENT"


def test_invalid_pending_credential_error_code(env):
    secret = enroll(env, env.verified())
    required = first_factor(env)
    required.pending_credential = "a-bad-credential"
    with pytest.raises(SecondFactorError) as error:
        env.auth.mfa.sign_in_with_totp(required, totp_code(secret.key, env.clock()))
    assert error.value.code == "INVALID_MFA_PENDING_CREDENTIAL"


def test_withdrawing_the_app_ends_the_asking(env):
    session = env.verified()
    enroll(env, session)
    env.auth.mfa.withdraw(session, env.auth.mfa.factors(session)[0])
    assert env.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)["localId"] == session.uid
