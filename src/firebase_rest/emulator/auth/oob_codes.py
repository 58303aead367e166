"""Action codes: the mails that Firebase would send, and resetting a password with one."""

from __future__ import annotations

from firebase_rest.emulator.auth.accounts import without_none
from firebase_rest.emulator.auth.errors import bad_request, expect, not_implemented
from firebase_rest.emulator.auth.passwords import strong_password
from firebase_rest.emulator.auth.project import Call, Code, Project, Reply, email_address, is_absolute_url

_MODES = {
    "EMAIL_SIGNIN": "signIn",
    "PASSWORD_RESET": "resetPassword",
    "VERIFY_EMAIL": "verifyEmail",
    "VERIFY_AND_CHANGE_EMAIL": "verifyAndChangeEmail",
}


def send_oob_code(call: Call) -> Reply:
    """`accounts:sendOobCode`: write a mail. No mail is sent: `GET /emulator/v1/projects/P/oobCodes` lists them.

    An administrator may ask for the link itself with `returnOobLink`.
    """
    body = call.body
    kind = body.text("requestType")
    expect(kind and kind != "OOB_REQ_TYPE_UNSPECIFIED", "MISSING_REQ_TYPE")
    link_wanted = bool(body.flag("returnOobLink"))
    expect(call.privileged or not link_wanted, "INSUFFICIENT_PERMISSION")
    expect(
        not body.text("continueUrl") or is_absolute_url(body.text("continueUrl")),
        "INVALID_CONTINUE_URI : ((expected an absolute URI with valid scheme and host))",
    )
    if kind not in _MODES:
        raise not_implemented(kind)
    email, new_email, silent = _addressee(call, kind, link_wanted)
    reply: Reply = {"kind": "identitytoolkit#GetOobConfirmationCodeResponse", "email": email}
    if silent:
        return reply
    code = call.project.new_code(
        call.origin, _MODES[kind], kind, email, new_email=new_email, continue_url=body.given("continueUrl")
    )
    return {**reply, "oobCode": code.code, "oobLink": code.link} if link_wanted else reply


def _addressee(call: Call, kind: str, link_wanted: bool) -> tuple[str, str | None, bool]:
    """The account's address, the new one if there is one, and whether to say yes without writing a mail.

    With enumeration protection nobody learns from the answer whether an address is taken.
    """
    body, project = call.body, call.project
    if kind in {"EMAIL_SIGNIN", "PASSWORD_RESET"}:
        expect(kind != "EMAIL_SIGNIN" or project.allows("enableEmailLinkSignin"), "OPERATION_NOT_ALLOWED")
        expect(body.text("email"), "MISSING_EMAIL")
        email = email_address(body.text("email"))
        known = kind == "EMAIL_SIGNIN" or project.accounts.by_email(email) is not None
        expect(known or project.email_privacy, "EMAIL_NOT_FOUND")
        return email, None, not known
    if kind == "VERIFY_EMAIL":
        return _own_address(call, link_wanted), None, False
    expect(body.text("newEmail"), "MISSING_NEW_EMAIL")
    new_email = email_address(body.text("newEmail"), "INVALID_NEW_EMAIL")
    if not link_wanted:
        expect(body.text("idToken"), "MISSING_ID_TOKEN")
    email = _own_address(call, link_wanted)
    taken = project.accounts.by_email(new_email) is not None
    expect(not taken or (project.email_privacy and not call.privileged), "EMAIL_EXISTS")
    return email, new_email, taken


def _own_address(call: Call, link_wanted: bool) -> str:
    body, project = call.body, call.project
    if link_wanted and not body.text("idToken"):
        expect(body.text("email"), "MISSING_EMAIL")
        email = body.text("email").lower()
        expect(project.accounts.by_email(email), "USER_NOT_FOUND")
        return email
    account = project.signed_in(body.text("idToken")).account
    if not account.email:
        raise bad_request("MISSING_EMAIL")
    return account.email


def reset_password(call: Call) -> Reply:
    """`accounts:resetPassword`: look at a code of any kind, or with `newPassword` use up a PASSWORD_RESET one."""
    body = call.body
    expect(call.project.allows("allowPasswordSignup"), "PASSWORD_LOGIN_DISABLED")
    expect(body.text("oobCode"), "MISSING_OOB_CODE")
    code = call.project.codes.get(body.text("oobCode"))
    if code is None:
        raise bad_request("INVALID_OOB_CODE")
    if body.text("newPassword"):
        confirm_reset(call.project, code, body.text("newPassword"))
    return without_none(
        kind="identitytoolkit#ResetPasswordResponse",
        requestType=code.request_type,
        email=None if code.request_type == "EMAIL_SIGNIN" else code.email,
        newEmail=code.new_email,
    )


def confirm_reset(project: Project, code: Code, password: str) -> None:
    """Use up a PASSWORD_RESET code; a weak password leaves it usable."""
    expect(code.request_type == "PASSWORD_RESET", "INVALID_OOB_CODE")
    strong_password(project, password)
    del project.codes[code.code]
    account = project.accounts.by_email(code.email)
    if account is None:
        raise bad_request("INVALID_OOB_CODE")
    account.email_verified = True
    account.set_password(password, project.now_ms())
    account.revoke(str(project.now()))
    # Whoever can read the mails owns the account: other ways in may be somebody else's.
    linked = [str(provider["providerId"]) for provider in account.providers or []]
    project.accounts.settle(account, unlink=linked)
