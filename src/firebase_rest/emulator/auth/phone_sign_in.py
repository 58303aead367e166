"""Phone numbers: codes that no text message carries, and signing in with them.

No message is sent: `GET /emulator/v1/projects/P/verificationCodes` lists the codes that nobody has used yet.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firebase_rest.emulator.auth.accounts import PHONE, Account
from firebase_rest.emulator.auth.errors import bad_request, expect
from firebase_rest.emulator.auth.project import phone_number

if TYPE_CHECKING:
    from firebase_rest.emulator.auth.project import Call, Project, Reply

PROOF_SECONDS = 3600
_SECOND_FACTOR = "UNSUPPORTED_FIRST_FACTOR : A phone number cannot be set as a first factor on an SMS based MFA user."


@dataclass(frozen=True, slots=True)
class VerificationCode:
    """The code that a text message would carry, and what it belongs to."""

    code: str
    phone_number: str
    session_info: str

    def as_json(self) -> Reply:
        return {"code": self.code, "phoneNumber": self.phone_number, "sessionInfo": self.session_info}


def write_code(project: Project, number: str) -> str:
    """Write a text message; the session info that its code goes with."""
    session_info = secrets.token_urlsafe(170)[:226]
    code = f"{secrets.randbelow(1_000_000):06}"
    project.verification_codes[session_info] = VerificationCode(code, number, session_info)
    return session_info


def use_code(project: Project, session_info: str, code: str) -> str:
    """The number that a code shows to be somebody's. A right one is used up."""
    expect(code, "MISSING_CODE")
    expect(session_info, "MISSING_SESSION_INFO")
    written = project.verification_codes.get(session_info)
    if written is None:
        raise bad_request("INVALID_SESSION_INFO")
    expect(written.code == code, "INVALID_CODE")
    del project.verification_codes[session_info]
    return written.phone_number


def send_verification_code(call: Call) -> Reply:
    """`accounts:sendVerificationCode`. No proof that a genuine app asks is wanted here."""
    expect(call.project.tenant is None, "UNSUPPORTED_TENANT_OPERATION")
    number = phone_number(call.body.text("phoneNumber"))
    owner = call.project.accounts.by_phone_number(number)
    expect(owner is None or not owner.mfa_info, _SECOND_FACTOR)
    return {"sessionInfo": write_code(call.project, number)}


def sign_in_with_phone_number(call: Call) -> Reply:
    """`accounts:signInWithPhoneNumber`: with a code, or the proof that an earlier answer gave for the number.

    With `idToken` the number becomes that user's, unless it is somebody else's: then the answer is a proof.
    """
    body, project = call.body, call.project
    expect(project.tenant is None, "UNSUPPORTED_TENANT_OPERATION")
    number = _proven_number(call)
    owner = project.accounts.by_phone_number(number)
    linking = project.signed_in(body.text("idToken")).account if body.text("idToken") else None
    if owner and linking and owner is not linking:
        expect(not body.text("temporaryProof"), "PHONE_NUMBER_EXISTS")
        proof = secrets.token_urlsafe(90)[:119]
        project.temporary_proofs[proof] = number
        return {"phoneNumber": number, "temporaryProof": proof, "temporaryProofExpiresIn": str(PROOF_SECONDS)}
    account = linking or owner
    is_new = account is None
    if account is None:
        account = Account(project.accounts.new_id(), created_at=str(project.now_ms()))
        project.accounts.add(account)
    expect(not account.disabled, "USER_DISABLED")
    expect(not account.mfa_info, _SECOND_FACTOR)
    account.phone_number, account.last_login_at = number, str(project.now_ms())
    project.accounts.settle(account)
    reply: Reply = {"isNewUser": is_new, "phoneNumber": number, "localId": account.local_id}
    return {**reply, **project.issue(account, PHONE)}


def _proven_number(call: Call) -> str:
    body = call.body
    if not body.text("temporaryProof"):
        expect(body.text("sessionInfo"), "MISSING_SESSION_INFO")
        return use_code(call.project, body.text("sessionInfo"), body.text("code"))
    expect(body.text("phoneNumber"), "MISSING_PHONE_NUMBER")
    proven = call.project.temporary_proofs.get(body.text("temporaryProof"))
    expect(proven == body.text("phoneNumber"), "INVALID_TEMPORARY_PROOF")
    return body.text("phoneNumber")


def get_recaptcha_params(call: Call) -> Reply:
    """GET `recaptchaParams`: what a web page needs to prove that it is genuine; here nobody asks for that."""
    del call
    return {
        "kind": "identitytoolkit#GetRecaptchaParamResponse",
        "recaptchaStoken": "This-is-a-fake-token__Dont-send-this-to-the-Recaptcha-service__The-Auth-Emulator-does-not-"
        "support-Recaptcha",
        "recaptchaSiteKey": "Fake-key__Do-not-send-this-to-Recaptcha_",
    }
