"""Verification codes for phone numbers, and sign-in with them.

Text messages are not sent, but recorded in `emulator.auth.sms`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from firebase_rest.emulator.auth.errors import bad_request, validate
from firebase_rest.emulator.auth.model import PHONE, Payload, VerificationCode
from firebase_rest.emulator.auth.validation import validate_phone_number

if TYPE_CHECKING:
    from firebase_rest.emulator.auth.bodies import AuthRequest
    from firebase_rest.emulator.auth.project import AuthProject

PROOF_SECONDS = 3600
_SECOND_FACTOR = "UNSUPPORTED_FIRST_FACTOR : A phone number cannot be set as a first factor on an SMS based MFA user."


def create_code(project: AuthProject, number: str) -> str:
    """Create a code, record the text message that contains it, and return its session info."""
    session_info = secrets.token_urlsafe(170)[:226]
    code = f"{secrets.randbelow(1_000_000):06}"
    verification_code = VerificationCode(code, number, session_info)
    project.verification_codes[session_info] = verification_code
    project.send_text_message(verification_code)
    return session_info


def use_code(project: AuthProject, session_info: str, code: str) -> str:
    """Return the phone number of a code, and delete the code. Raises `AuthHTTPError` if the code is wrong."""
    validate(code, "MISSING_CODE")
    validate(session_info, "MISSING_SESSION_INFO")
    stored = project.verification_codes.get(session_info)
    if stored is None:
        raise bad_request("INVALID_SESSION_INFO")
    validate(stored.code == code, "INVALID_CODE")
    del project.verification_codes[session_info]
    return stored.phone_number


def send_verification_code(request: AuthRequest) -> Payload:
    """`accounts:sendVerificationCode`: create a code. Proofs such as reCAPTCHA tokens are not verified."""
    validate(request.project.tenant is None, "UNSUPPORTED_TENANT_OPERATION")
    number = validate_phone_number(request.body.string("phoneNumber"))
    owner = request.project.accounts.by_phone_number(number)
    validate(owner is None or not owner.mfa_info, _SECOND_FACTOR)
    return {"sessionInfo": create_code(request.project, number)}


def sign_in_with_phone_number(request: AuthRequest) -> Payload:
    """`accounts:signInWithPhoneNumber`: sign in with a code, or with the temporary proof of an earlier response.

    With `idToken`, the number is linked to the account of the token. If another account has the number, the response
    contains a temporary proof instead of tokens.
    """
    body, project = request.body, request.project
    validate(project.tenant is None, "UNSUPPORTED_TENANT_OPERATION")
    number = _verified_number(request)
    owner = project.accounts.by_phone_number(number)
    linking = project.signed_in(body.string("idToken")).account if body.string("idToken") else None
    if owner and linking and owner is not linking:
        validate(not body.string("temporaryProof"), "PHONE_NUMBER_EXISTS")
        proof = secrets.token_urlsafe(90)[:119]
        project.temporary_proofs[proof] = number
        return {"phoneNumber": number, "temporaryProof": proof, "temporaryProofExpiresIn": str(PROOF_SECONDS)}
    is_new = linking is None and owner is None
    account = linking or owner or project.create_account()
    validate(not account.disabled, "USER_DISABLED")
    validate(not account.mfa_info, _SECOND_FACTOR)
    account.phone_number, account.last_login_at = number, str(project.now_ms())
    project.accounts.update_indexes(account)
    payload: Payload = {"isNewUser": is_new, "phoneNumber": number, "localId": account.local_id}
    return {**payload, **project.issue(account, PHONE)}


def _verified_number(request: AuthRequest) -> str:
    body = request.body
    if not body.string("temporaryProof"):
        validate(body.string("sessionInfo"), "MISSING_SESSION_INFO")
        return use_code(request.project, body.string("sessionInfo"), body.string("code"))
    validate(body.string("phoneNumber"), "MISSING_PHONE_NUMBER")
    proven = request.project.temporary_proofs.get(body.string("temporaryProof"))
    validate(proven == body.string("phoneNumber"), "INVALID_TEMPORARY_PROOF")
    return body.string("phoneNumber")


def get_recaptcha_params(request: AuthRequest) -> Payload:
    """GET `recaptchaParams`: return fake parameters of the reCAPTCHA widget."""
    del request
    return {
        "kind": "identitytoolkit#GetRecaptchaParamResponse",
        "recaptchaStoken": "This-is-a-fake-token__Dont-send-this-to-the-Recaptcha-service__The-Auth-Emulator-does-not-"
        "support-Recaptcha",
        "recaptchaSiteKey": "Fake-key__Do-not-send-this-to-Recaptcha_",
    }
