"""Authenticator apps (TOTP) as a second factor, which the official emulator does not support."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from emulator.accounts import EMAIL, PASSWORD, world_with
from firebase_rest import InvalidRequest, InvalidVerificationCode, MfaRequired, SecondFactorError, UsageError
from firebase_rest.emulator import totp_code


@pytest.fixture
def world(monkeypatch):
    with world_with(monkeypatch) as found:
        yield found


def enroll(world, session, name="app"):
    secret = world.auth.mfa.start_totp(session)
    world.auth.mfa.enroll_totp(session, secret, totp_code(secret.key, world.clock()), name)
    return secret


def first_factor(world):
    with pytest.raises(MfaRequired) as error:
        world.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)
    return error.value


def test_totp_codes_match_rfc_6238():
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # RFC 6238, appendix B, its last six digits
    assert [totp_code(secret, at) for at in (59, 1111111109, 1234567890, 20000000000)] == [
        "287082", "081804", "005924", "353130",
    ]  # fmt: skip


def test_enrolled_totp_is_required_and_signs_in(world):
    session = world.verified()
    secret = enroll(world, session)
    assert session.claims["firebase"]["sign_in_second_factor"] == "totp"
    required = first_factor(world)
    [factor] = required.factors
    assert (factor.kind, factor.display_name, factor.phone_number) == ("totp", "app", None)
    user = world.auth.mfa.sign_in_with_totp(required, totp_code(secret.key, world.clock()))
    assert user["localId"] == session.uid
    fresh = world.auth.session(world.auth.refresh(user["refreshToken"]))
    assert fresh.claims["firebase"]["second_factor_identifier"] == factor.id


@pytest.mark.parametrize(("late", "good"), [(-60, False), (-30, True), (30, True), (60, False)])
def test_totp_code_is_valid_for_adjacent_periods(world, late, good):
    secret = enroll(world, world.verified())
    required = first_factor(world)
    world.clock.advance(40 - world.clock() % 30)  # well inside a period
    code = totp_code(secret.key, world.clock() - late)
    if good:
        assert world.auth.mfa.sign_in_with_totp(required, code)["idToken"]
    else:
        with pytest.raises(InvalidVerificationCode):
            world.auth.mfa.sign_in_with_totp(required, code)


def test_totp_enrollment_needs_valid_code_before_expiry(world):
    session = world.verified()
    secret = world.auth.mfa.start_totp(session)
    right = totp_code(secret.key, world.clock())
    with pytest.raises(InvalidVerificationCode) as wrong:
        world.auth.mfa.enroll_totp(session, secret, "000000" if right != "000000" else "111111")
    assert wrong.value.code == "INVALID_CODE"
    world.clock.advance(601)
    with pytest.raises(InvalidVerificationCode) as late:
        world.auth.mfa.enroll_totp(session, secret, totp_code(secret.key, world.clock()))
    assert late.value.code == "SESSION_EXPIRED"


@pytest.mark.parametrize("code", ["é", "😀" * 3, "٣٣٣٣٣٣", "\x00"])
def test_code_that_is_not_digits_is_rejected(world, code):
    session = world.verified()
    secret = world.auth.mfa.start_totp(session)
    with pytest.raises(InvalidVerificationCode) as wrong:
        world.auth.mfa.enroll_totp(session, secret, code)
    assert wrong.value.code == "INVALID_CODE"


def test_totp_uri_has_all_parameters(world):
    secret = world.auth.mfa.start_totp(world.verified())
    parts = urlsplit(secret.uri("ada@example.com", "My App: x"))
    assert (parts.scheme, parts.netloc) == ("otpauth", "totp")
    assert unquote(parts.path) == "/My App: x:ada@example.com"
    assert parse_qs(parts.query) == {
        "secret": [secret.key], "issuer": ["My App: x"], "algorithm": ["SHA1"], "digits": ["6"],
    }  # fmt: skip
    assert secret.key not in repr(secret)
    assert secret.session_info not in repr(secret)


def test_account_has_at_most_five_factors(world):
    session = world.verified()
    for number in range(5):
        enroll(world, session, f"app {number}")
    with pytest.raises(SecondFactorError) as error:
        enroll(world, session)
    assert error.value.code == "SECOND_FACTOR_LIMIT_EXCEEDED"
    assert [factor.display_name for factor in world.auth.mfa.factors(session)] == [f"app {n}" for n in range(5)]


def test_totp_account_gets_no_sms(world):
    enroll(world, world.verified())
    required = first_factor(world)
    with pytest.raises(UsageError, match="no phone factor"):
        world.auth.mfa.send_code(required)
    with pytest.raises(InvalidRequest) as error:
        world.auth.mfa.send_code(required, required.factors[0])
    assert error.value.code == "INVALID_ARGUMENT"


def test_invalid_pending_credential_error_code(world):
    secret = enroll(world, world.verified())
    required = first_factor(world)
    required.pending_credential = "a-bad-credential"
    with pytest.raises(SecondFactorError) as error:
        world.auth.mfa.sign_in_with_totp(required, totp_code(secret.key, world.clock()))
    assert error.value.code == "INVALID_MFA_PENDING_CREDENTIAL"


def test_withdrawing_the_app_ends_the_asking(world):
    session = world.verified()
    enroll(world, session)
    world.auth.mfa.withdraw(session, world.auth.mfa.factors(session)[0])
    assert world.auth.sign_in_with_email_and_password(EMAIL, PASSWORD)["localId"] == session.uid
