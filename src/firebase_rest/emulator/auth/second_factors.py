"""Enrolling second factors and signing in with them. https://cloud.google.com/identity-platform/docs/web/mfa

Text messages as in the official emulator; authenticator apps, which it has not, as the API describes them.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, cast

from firebase_rest.emulator.auth.accounts import ANONYMOUS, CUSTOM, PHONE, Account
from firebase_rest.emulator.auth.errors import bad_request, expect, not_implemented
from firebase_rest.emulator.auth.factors import (
    DIGITS,
    PERIOD,
    Factor,
    accepts,
    hint,
    new_factor,
    new_secret,
    number_of,
)
from firebase_rest.emulator.auth.phone_sign_in import use_code, write_code
from firebase_rest.emulator.auth.project import phone_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firebase_rest.emulator.auth.bodies import Body
    from firebase_rest.emulator.auth.project import Call, Project, Reply, SignedIn
    from firebase_rest.transport.wire import Json

MAX_FACTORS = 5
ENROLLMENT_SECONDS = 600
_INELIGIBLE = {ANONYMOUS, PHONE, CUSTOM, "gc.apple.com"}
_MARK = "_AuthEmulatorMfaPendingCredential"


@dataclass(frozen=True, slots=True)
class TotpEnrollment:
    """A secret that an account was given and has not shown a code of yet. `ends` is in seconds."""

    local_id: str
    secret: str
    ends: float


def start_enrollment(call: Call) -> Reply:
    """`mfaEnrollment:start`: a text message, or a secret for an authenticator app."""
    signed_in = _may_enroll(call)
    expect(
        signed_in.account.email_verified,
        "UNVERIFIED_EMAIL : Need to verify email first before enrolling second factors.",
    )
    if call.body.record("totpEnrollmentInfo") is not None:
        return _start_totp(call.project, signed_in.account)
    phone = call.body.record("phoneEnrollmentInfo")
    if phone is None:
        raise bad_request("INVALID_ARGUMENT : ((Missing phoneEnrollmentInfo.))")
    number = phone_number(phone.text("phoneNumber"))
    _expect_new(signed_in.account, number)
    return {"phoneSessionInfo": {"sessionInfo": write_code(call.project, number)}}


def _start_totp(project: Project, account: Account) -> Reply:
    secret, session_info = new_secret(), secrets.token_urlsafe(170)[:226]
    ends = project.now() + ENROLLMENT_SECONDS
    project.totp_enrollments[session_info] = TotpEnrollment(account.local_id, secret, ends)
    info: dict[str, Json] = {
        "sharedSecretKey": secret,
        "verificationCodeLength": DIGITS,
        "hashingAlgorithm": "SHA1",
        "periodSec": PERIOD,
        "sessionInfo": session_info,
        "finalizeEnrollmentTime": datetime.fromtimestamp(ends, timezone.utc).isoformat().replace("+00:00", "Z"),
    }
    return {"totpSessionInfo": info}


def finish_enrollment(call: Call) -> Reply:
    """`mfaEnrollment:finalize`: the code of the message or of the app; tokens that say so."""
    signed_in = _may_enroll(call)
    account, project = signed_in.account, call.project
    expect(len(account.mfa_info or ()) < MAX_FACTORS, "SECOND_FACTOR_LIMIT_EXCEEDED")
    name, now = call.body.given("displayName"), project.now_iso()
    totp, phone = call.body.record("totpVerificationInfo"), call.body.record("phoneVerificationInfo")
    if totp is not None:
        secret = _totp_secret(project, account, totp)
        factor = new_factor(now, name, None)
        account.totp_secrets[str(factor["mfaEnrollmentId"])] = secret
    elif phone is not None:
        number = _number_shown(project, phone)
        _expect_new(account, number)
        factor = new_factor(now, name, number)
    else:
        raise bad_request("INVALID_ARGUMENT : ((Missing phoneVerificationInfo.))")
    account.mfa_info = [*(account.mfa_info or ()), factor]
    return _tokens(project, account, signed_in.provider, factor)


def _totp_secret(project: Project, account: Account, info: Body) -> str:
    expect(info.text("verificationCode"), "MISSING_CODE")
    expect(info.text("sessionInfo"), "MISSING_SESSION_INFO")
    enrollment = project.totp_enrollments.get(info.text("sessionInfo"))
    if enrollment is None or enrollment.local_id != account.local_id:
        raise bad_request("INVALID_SESSION_INFO")
    expect(project.now() < enrollment.ends, "SESSION_EXPIRED")
    expect(accepts(enrollment.secret, info.text("verificationCode"), project.clock()), "INVALID_CODE")
    del project.totp_enrollments[info.text("sessionInfo")]
    return enrollment.secret


def withdraw(call: Call) -> Reply:
    """`mfaEnrollment:withdraw`: the account without a factor."""
    expect(call.body.text("idToken"), "MISSING_ID_TOKEN")
    signed_in = call.project.signed_in(call.body.text("idToken"))
    account = signed_in.account
    identifier = call.body.text("mfaEnrollmentId")
    left = [factor for factor in account.mfa_info or () if factor["mfaEnrollmentId"] != identifier]
    expect(len(left) < len(account.mfa_info or ()), "MFA_ENROLLMENT_NOT_FOUND")
    account.mfa_info = left
    account.totp_secrets.pop(identifier, None)
    return call.project.issue(account, signed_in.provider)


def start_sign_in(call: Call) -> Reply:
    """`mfaSignIn:start`: a text message to an enrolled number."""
    body = call.body
    expect(
        body.text("mfaPendingCredential"),
        "MISSING_MFA_PENDING_CREDENTIAL : Request does not have MFA pending credential.",
    )
    expect(body.text("mfaEnrollmentId"), "MISSING_MFA_ENROLLMENT_ID : No second factor identifier is provided.")
    account, _ = _first_factor(call.project, body.text("mfaPendingCredential"))
    number = number_of(_enrolled(account, body.text("mfaEnrollmentId")))
    if number is None:
        raise bad_request("INVALID_ARGUMENT : MFA provider not supported!")
    return {"phoneResponseInfo": {"sessionInfo": write_code(call.project, number)}}


def finish_sign_in(call: Call) -> Reply:
    """`mfaSignIn:finalize`: the first factor's credential and a code; tokens."""
    body, project = call.body, call.project
    expect(body.text("mfaPendingCredential"), "MISSING_CREDENTIAL : Please set MFA Pending Credential.")
    totp, phone = body.record("totpVerificationInfo"), body.record("phoneVerificationInfo")
    if totp is not None:
        account, provider = _first_factor(project, body.text("mfaPendingCredential"))
        factor = _enrolled(account, body.text("mfaEnrollmentId"))
        expect(totp.text("verificationCode"), "MISSING_CODE")
        secret = account.totp_secrets.get(body.text("mfaEnrollmentId"))
        expect(secret and accepts(secret, totp.text("verificationCode"), project.clock()), "INVALID_CODE")
    elif phone is not None:
        number = _number_shown(project, phone)
        account, provider = _first_factor(project, body.text("mfaPendingCredential"))
        factor = _found(one for one in account.mfa_info or () if number_of(one) == number)
    else:
        raise bad_request("INVALID_ARGUMENT : MFA provider not supported!")
    account.last_login_at = str(project.now_ms())
    expect(not account.disabled, "USER_DISABLED")
    return _tokens(project, account, provider, factor)


def pending(project: Project, account: Account, provider: str) -> Reply:
    """What a sign-in answers whose first factor is right, in place of tokens."""
    record = {
        _MARK: "DO NOT MODIFY",
        "localId": account.local_id,
        "signInProvider": provider,
        "projectId": project.name,
    }
    credential = base64.b64encode(json.dumps(record, separators=(",", ":")).encode()).decode()
    return {"mfaPendingCredential": credential, "mfaInfo": [hint(factor) for factor in account.mfa_info or ()]}


def _first_factor(project: Project, credential: str) -> tuple[Account, str]:
    """Who showed a first factor, and by which provider."""
    try:
        record = cast("Json", json.loads(base64.b64decode(credential)))
    except ValueError:
        record = None
    if not isinstance(record, dict) or not record.get(_MARK):
        raise bad_request("INVALID_MFA_PENDING_CREDENTIAL")
    expect(
        record.get("projectId") == project.name,
        "INVALID_PROJECT_ID : Project ID does not match MFA pending credential.",
    )
    account = project.accounts.get(str(record.get("localId")))
    if account is None:
        raise bad_request("INVALID_MFA_PENDING_CREDENTIAL")
    return account, str(record.get("signInProvider"))


def _may_enroll(call: Call) -> SignedIn:
    expect(call.body.text("idToken"), "MISSING_ID_TOKEN")
    signed_in = call.project.signed_in(call.body.text("idToken"))
    problem = "UNSUPPORTED_FIRST_FACTOR : MFA is not available for the given first factor."
    expect(signed_in.provider not in _INELIGIBLE, problem)
    return signed_in


def _expect_new(account: Account, number: str) -> None:
    known = any(number_of(factor) == number for factor in account.mfa_info or ())
    problem = "SECOND_FACTOR_EXISTS : Phone number already enrolled as second factor for this account."
    expect(not known, problem)


def _enrolled(account: Account, identifier: str) -> Factor:
    return _found(one for one in account.mfa_info or () if one["mfaEnrollmentId"] == identifier)


def _found(matching: Iterable[Factor]) -> Factor:
    for factor in matching:
        return factor
    raise bad_request("MFA_ENROLLMENT_NOT_FOUND")


def _number_shown(project: Project, info: Body) -> str:
    if info.text("androidVerificationProof"):
        raise not_implemented("androidVerificationProof is unsupported!")
    return use_code(project, info.text("sessionInfo"), info.text("code"))


def _tokens(project: Project, account: Account, provider: str, factor: Factor) -> Reply:
    kind = "totp" if number_of(factor) is None else "phone"
    issued = project.issue(account, provider, second_factor=(kind, str(factor["mfaEnrollmentId"])))
    return {"idToken": issued["idToken"], "refreshToken": issued["refreshToken"]}
