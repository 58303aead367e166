"""Enrolment of second factors, and sign-in with them. https://cloud.google.com/identity-platform/docs/web/mfa

Text messages work as in the official emulator. Authenticator apps (TOTP), which the official emulator does not support,
work as the API documents.
"""

from __future__ import annotations

import base64
import json
import secrets
from datetime import datetime, timezone
from typing import TYPE_CHECKING, cast

from firebase_rest.emulator.auth import factors
from firebase_rest.emulator.auth.errors import bad_request, not_implemented, validate
from firebase_rest.emulator.auth.model import ANONYMOUS, CUSTOM, PHONE, Account, SignedInAccount, TotpEnrollment
from firebase_rest.emulator.auth.phone_sign_in import create_code, use_code
from firebase_rest.emulator.auth.validation import validate_phone_number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firebase_rest.emulator.auth.bodies import AuthRequest, Body
    from firebase_rest.emulator.auth.model import Payload
    from firebase_rest.emulator.auth.project import AuthProject
    from firebase_rest.transport.wire import Json

MAX_FACTORS = 5
ENROLLMENT_SECONDS = 600
_INELIGIBLE = {ANONYMOUS, PHONE, CUSTOM, "gc.apple.com"}
"""Sign-in providers that cannot be combined with a second factor."""
_MARK = "_AuthEmulatorMfaPendingCredential"


def start_enrollment(request: AuthRequest) -> Payload:
    """`mfaEnrollment:start`: create a code for a text message, or the secret of an authenticator app."""
    signed_in = _enrolling_account(request)
    problem = "UNVERIFIED_EMAIL : Need to verify email first before enrolling second factors."
    validate(signed_in.account.email_verified, problem)
    if request.body.object("totpEnrollmentInfo") is not None:
        return _start_totp(request.project, signed_in.account)
    phone = request.body.object("phoneEnrollmentInfo")
    if phone is None:
        raise bad_request("INVALID_ARGUMENT : ((Missing phoneEnrollmentInfo.))")
    number = validate_phone_number(phone.string("phoneNumber"))
    _validate_new_number(signed_in.account, number)
    return {"phoneSessionInfo": {"sessionInfo": create_code(request.project, number)}}


def _start_totp(project: AuthProject, account: Account) -> Payload:
    secret, session_info = factors.new_secret(), secrets.token_urlsafe(170)[:226]
    expires = project.now() + ENROLLMENT_SECONDS
    project.totp_enrollments[session_info] = TotpEnrollment(account.local_id, secret, expires)
    info: dict[str, Json] = {
        "sharedSecretKey": secret,
        "verificationCodeLength": factors.DIGITS,
        "hashingAlgorithm": "SHA1",
        "periodSec": factors.PERIOD,
        "sessionInfo": session_info,
        "finalizeEnrollmentTime": datetime.fromtimestamp(expires, timezone.utc).isoformat().replace("+00:00", "Z"),
    }
    return {"totpSessionInfo": info}


def finish_enrollment(request: AuthRequest) -> Payload:
    """`mfaEnrollment:finalize`: verify the code, add the factor and return new tokens."""
    signed_in = _enrolling_account(request)
    account, project = signed_in.account, request.project
    validate(len(account.mfa_info or ()) < MAX_FACTORS, "SECOND_FACTOR_LIMIT_EXCEEDED")
    name, now = request.body.optional_string("displayName"), project.now_iso()
    totp, phone = request.body.object("totpVerificationInfo"), request.body.object("phoneVerificationInfo")
    if totp is not None:
        secret = _verify_totp(project, account, totp)
        factor = factors.new_factor(now, name, None)
        account.totp_secrets[str(factor["mfaEnrollmentId"])] = secret
    elif phone is not None:
        number = _verified_number(project, phone)
        _validate_new_number(account, number)
        factor = factors.new_factor(now, name, number)
    else:
        raise bad_request("INVALID_ARGUMENT : ((Missing phoneVerificationInfo.))")
    account.mfa_info = [*(account.mfa_info or ()), factor]
    return _tokens(project, account, signed_in.provider, factor)


def _verify_totp(project: AuthProject, account: Account, info: Body) -> str:
    """Return the secret of a new authenticator app. Raises `AuthHTTPError` if the code is wrong."""
    validate(info.string("verificationCode"), "MISSING_CODE")
    validate(info.string("sessionInfo"), "MISSING_SESSION_INFO")
    enrollment = project.totp_enrollments.get(info.string("sessionInfo"))
    if enrollment is None or enrollment.local_id != account.local_id:
        raise bad_request("INVALID_SESSION_INFO")
    validate(project.now() < enrollment.expires, "SESSION_EXPIRED")
    validate(factors.is_valid_totp(enrollment.secret, info.string("verificationCode"), project.clock()), "INVALID_CODE")
    del project.totp_enrollments[info.string("sessionInfo")]
    return enrollment.secret


def withdraw(request: AuthRequest) -> Payload:
    """`mfaEnrollment:withdraw`: remove a factor from the account."""
    validate(request.body.string("idToken"), "MISSING_ID_TOKEN")
    signed_in = request.project.signed_in(request.body.string("idToken"))
    account = signed_in.account
    identifier = request.body.string("mfaEnrollmentId")
    remaining = [factor for factor in account.mfa_info or () if factor["mfaEnrollmentId"] != identifier]
    validate(len(remaining) < len(account.mfa_info or ()), "MFA_ENROLLMENT_NOT_FOUND")
    account.mfa_info = remaining
    account.totp_secrets.pop(identifier, None)
    return request.project.issue(account, signed_in.provider)


def start_sign_in(request: AuthRequest) -> Payload:
    """`mfaSignIn:start`: create a code for a text message to an enrolled number."""
    body = request.body
    problem = "MISSING_MFA_PENDING_CREDENTIAL : Request does not have MFA pending credential."
    validate(body.string("mfaPendingCredential"), problem)
    validate(body.string("mfaEnrollmentId"), "MISSING_MFA_ENROLLMENT_ID : No second factor identifier is provided.")
    account, _ = _first_factor(request.project, body.string("mfaPendingCredential"))
    number = factors.number_of(_enrolled_factor(account, body.string("mfaEnrollmentId")))
    if number is None:
        raise bad_request("INVALID_ARGUMENT : MFA provider not supported!")
    return {"phoneResponseInfo": {"sessionInfo": create_code(request.project, number)}}


def finish_sign_in(request: AuthRequest) -> Payload:
    """`mfaSignIn:finalize`: return tokens for the credential of the first factor and a code."""
    body, project = request.body, request.project
    validate(body.string("mfaPendingCredential"), "MISSING_CREDENTIAL : Please set MFA Pending Credential.")
    totp, phone = body.object("totpVerificationInfo"), body.object("phoneVerificationInfo")
    if totp is not None:
        account, provider = _first_factor(project, body.string("mfaPendingCredential"))
        factor = _enrolled_factor(account, body.string("mfaEnrollmentId"))
        validate(totp.string("verificationCode"), "MISSING_CODE")
        secret = account.totp_secrets.get(body.string("mfaEnrollmentId"))
        code = totp.string("verificationCode")
        validate(secret and factors.is_valid_totp(secret, code, project.clock()), "INVALID_CODE")
    elif phone is not None:
        number = _verified_number(project, phone)
        account, provider = _first_factor(project, body.string("mfaPendingCredential"))
        matching = (factor for factor in account.mfa_info or () if factors.number_of(factor) == number)
        factor = _require_factor(matching)
    else:
        raise bad_request("INVALID_ARGUMENT : MFA provider not supported!")
    account.last_login_at = str(project.now_ms())
    validate(not account.disabled, "USER_DISABLED")
    return _tokens(project, account, provider, factor)


def pending_credential(project: AuthProject, account: Account, provider: str) -> Payload:
    """Return the response to a correct first factor, without tokens."""
    record = {_MARK: "DO NOT MODIFY", "localId": account.local_id, "projectId": project.name}
    record["signInProvider"] = provider
    credential = base64.b64encode(json.dumps(record, separators=(",", ":")).encode()).decode()
    return {"mfaPendingCredential": credential, "mfaInfo": [factors.hint(factor) for factor in account.mfa_info or ()]}


def _first_factor(project: AuthProject, credential: str) -> tuple[Account, str]:
    """Return the account and the provider of a first factor. Raises `AuthHTTPError`."""
    try:
        record = cast("Json", json.loads(base64.b64decode(credential)))
    except ValueError:
        record = None
    if not isinstance(record, dict) or not record.get(_MARK):
        raise bad_request("INVALID_MFA_PENDING_CREDENTIAL")
    problem = "INVALID_PROJECT_ID : Project ID does not match MFA pending credential."
    validate(record.get("projectId") == project.name, problem)
    account = project.accounts.get(str(record.get("localId")))
    if account is None:
        raise bad_request("INVALID_MFA_PENDING_CREDENTIAL")
    return account, str(record.get("signInProvider"))


def _enrolling_account(request: AuthRequest) -> SignedInAccount:
    validate(request.body.string("idToken"), "MISSING_ID_TOKEN")
    signed_in = request.project.signed_in(request.body.string("idToken"))
    problem = "UNSUPPORTED_FIRST_FACTOR : MFA is not available for the given first factor."
    validate(signed_in.provider not in _INELIGIBLE, problem)
    return signed_in


def _validate_new_number(account: Account, number: str) -> None:
    is_enrolled = any(factors.number_of(factor) == number for factor in account.mfa_info or ())
    problem = "SECOND_FACTOR_EXISTS : Phone number already enrolled as second factor for this account."
    validate(not is_enrolled, problem)


def _enrolled_factor(account: Account, identifier: str) -> factors.Factor:
    return _require_factor(factor for factor in account.mfa_info or () if factor["mfaEnrollmentId"] == identifier)


def _require_factor(matching: Iterable[factors.Factor]) -> factors.Factor:
    """Return the first factor. Raises `AuthHTTPError` if `matching` is empty."""
    for factor in matching:
        return factor
    raise bad_request("MFA_ENROLLMENT_NOT_FOUND")


def _verified_number(project: AuthProject, info: Body) -> str:
    if info.string("androidVerificationProof"):
        raise not_implemented("androidVerificationProof is unsupported!")
    return use_code(project, info.string("sessionInfo"), info.string("code"))


def _tokens(project: AuthProject, account: Account, provider: str, factor: factors.Factor) -> Payload:
    kind = "totp" if factors.number_of(factor) is None else "phone"
    issued = project.issue(account, provider, second_factor=(kind, str(factor["mfaEnrollmentId"])))
    return {"idToken": issued["idToken"], "refreshToken": issued["refreshToken"]}
