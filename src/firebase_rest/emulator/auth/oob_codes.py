"""Codes in e-mail links, and password resets with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firebase_rest.emulator.auth.accounts import without_none
from firebase_rest.emulator.auth.errors import bad_request, not_implemented, validate
from firebase_rest.emulator.auth.model import ActionCode
from firebase_rest.emulator.auth.passwords import validate_password
from firebase_rest.emulator.auth.validation import is_absolute_url, validate_email

if TYPE_CHECKING:
    from firebase_rest.emulator.auth.model import Payload
    from firebase_rest.emulator.auth.project import AuthProject
    from firebase_rest.emulator.auth.request import AuthRequest

_MODES = {
    "EMAIL_SIGNIN": "signIn",
    "PASSWORD_RESET": "resetPassword",
    "VERIFY_EMAIL": "verifyEmail",
    "VERIFY_AND_CHANGE_EMAIL": "verifyAndChangeEmail",
}


def send_oob_code(request: AuthRequest) -> Payload:
    """`accounts:sendOobCode`: create a code. `GET /emulator/v1/projects/P/oobCodes` lists them; no e-mail is sent.

    With `returnOobLink` the response to an administrator contains the link.
    """
    body = request.body
    kind = body.string("requestType")
    validate(kind and kind != "OOB_REQ_TYPE_UNSPECIFIED", "MISSING_REQ_TYPE")
    link_wanted = bool(body.boolean("returnOobLink"))
    validate(request.is_admin or not link_wanted, "INSUFFICIENT_PERMISSION")
    validate(
        not body.string("continueUrl") or is_absolute_url(body.string("continueUrl")),
        "INVALID_CONTINUE_URI : ((expected an absolute URI with valid scheme and host))",
    )
    if kind not in _MODES:
        raise not_implemented(kind)
    email, new_email, silent = _recipient(request, kind, link_wanted)
    payload: Payload = {"kind": "identitytoolkit#GetOobConfirmationCodeResponse", "email": email}
    if silent:
        return payload
    code = request.project.new_code(
        request.origin, _MODES[kind], kind, email, new_email=new_email, continue_url=body.optional_string("continueUrl")
    )
    return {**payload, "oobCode": code.code, "oobLink": code.link} if link_wanted else payload


def _recipient(request: AuthRequest, kind: str, link_wanted: bool) -> tuple[str, str | None, bool]:
    """Return the address of the account, the new address, and whether to report success without creating a code.

    With enumeration protection the response does not reveal whether an address has an account.
    """
    body, project = request.body, request.project
    if kind in {"EMAIL_SIGNIN", "PASSWORD_RESET"}:
        validate(kind != "EMAIL_SIGNIN" or project.allows("enableEmailLinkSignin"), "OPERATION_NOT_ALLOWED")
        validate(body.string("email"), "MISSING_EMAIL")
        email = validate_email(body.string("email"))
        known = kind == "EMAIL_SIGNIN" or project.accounts.by_email(email) is not None
        validate(known or project.email_privacy, "EMAIL_NOT_FOUND")
        return email, None, not known
    if kind == "VERIFY_EMAIL":
        return _own_address(request, link_wanted), None, False
    validate(body.string("newEmail"), "MISSING_NEW_EMAIL")
    new_email = validate_email(body.string("newEmail"), "INVALID_NEW_EMAIL")
    if not link_wanted:
        validate(body.string("idToken"), "MISSING_ID_TOKEN")
    email = _own_address(request, link_wanted)
    taken = project.accounts.by_email(new_email) is not None
    validate(not taken or (project.email_privacy and not request.is_admin), "EMAIL_EXISTS")
    return email, new_email, taken


def _own_address(request: AuthRequest, link_wanted: bool) -> str:
    body, project = request.body, request.project
    if link_wanted and not body.string("idToken"):
        validate(body.string("email"), "MISSING_EMAIL")
        email = body.string("email").lower()
        validate(project.accounts.by_email(email), "USER_NOT_FOUND")
        return email
    account = project.signed_in(body.string("idToken")).account
    if not account.email:
        raise bad_request("MISSING_EMAIL")
    return account.email


def reset_password(request: AuthRequest) -> Payload:
    """`accounts:resetPassword`: return the data of a code, or with `newPassword` apply a PASSWORD_RESET code."""
    body = request.body
    validate(request.project.allows("allowPasswordSignup"), "PASSWORD_LOGIN_DISABLED")
    validate(body.string("oobCode"), "MISSING_OOB_CODE")
    code = request.project.codes.get(body.string("oobCode"))
    if code is None:
        raise bad_request("INVALID_OOB_CODE")
    if body.string("newPassword"):
        confirm_reset(request.project, code, body.string("newPassword"))
    return without_none(
        kind="identitytoolkit#ResetPasswordResponse",
        requestType=code.request_type,
        email=None if code.request_type == "EMAIL_SIGNIN" else code.email,
        newEmail=code.new_email,
    )


def confirm_reset(project: AuthProject, code: ActionCode, password: str) -> None:
    """Apply and delete a PASSWORD_RESET code; a weak password keeps it."""
    validate(code.request_type == "PASSWORD_RESET", "INVALID_OOB_CODE")
    validate_password(project, password)
    del project.codes[code.code]
    account = project.accounts.by_email(code.email)
    if account is None:
        raise bad_request("INVALID_OOB_CODE")
    account.email_verified = True
    account.set_password(password, project.now_ms())
    account.revoke(str(project.now()))
    # The e-mail proves who owns the account; other sign-in methods may belong to an attacker.
    linked = [str(provider["providerId"]) for provider in account.providers or []]
    project.accounts.update_indexes(account, unlink=linked)
