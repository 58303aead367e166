"""Codes in e-mail links: creation, password resets, and the links themselves (`GET /emulator/action`) for a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from firebase_rest.emulator.auth.errors import AuthHTTPError, bad_request, not_implemented, validate
from firebase_rest.emulator.auth.model import ActionCode, BrowserPage, Payload, without_none
from firebase_rest.emulator.auth.passwords import validate_password
from firebase_rest.emulator.auth.profile import apply_code
from firebase_rest.emulator.auth.validation import form_encoded, is_absolute_url, validate_email

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.auth.bodies import AuthRequest
    from firebase_rest.emulator.auth.project import AuthProject

_MODES = {
    "EMAIL_SIGNIN": "signIn",
    "PASSWORD_RESET": "resetPassword",
    "VERIFY_EMAIL": "verifyEmail",
    "VERIFY_AND_CHANGE_EMAIL": "verifyAndChangeEmail",
}


def send_oob_code(request: AuthRequest) -> Payload:
    """`accounts:sendOobCode`: create a code, and record the e-mail with it.

    With `returnOobLink` the response to an administrator contains the link, and there is no e-mail.
    """
    body = request.body
    kind = body.string("requestType")
    validate(kind and kind != "OOB_REQ_TYPE_UNSPECIFIED", "MISSING_REQ_TYPE")
    link_wanted = bool(body.boolean("returnOobLink"))
    validate(request.is_admin or not link_wanted, "INSUFFICIENT_PERMISSION")
    problem = "INVALID_CONTINUE_URI : ((expected an absolute URI with valid scheme and host))"
    validate(not body.string("continueUrl") or is_absolute_url(body.string("continueUrl")), problem)
    if kind not in _MODES:
        raise not_implemented(kind)
    email, new_email, silent = _recipient(request, kind, link_wanted)
    payload: Payload = {"kind": "identitytoolkit#GetOobConfirmationCodeResponse", "email": email}
    if silent:
        return payload
    code = request.project.new_code(
        request.origin, _MODES[kind], kind, email, new_email=new_email, continue_url=body.optional_string("continueUrl")
    )
    if link_wanted:
        return {**payload, "oobCode": code.code, "oobLink": code.link}
    request.project.send_mail(code)
    return payload


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


def follow_link(project: AuthProject, query: Mapping[str, str]) -> BrowserPage:
    """`GET /emulator/action`: apply the code of a link."""
    for name, example in (("apiKey", "YOUR_API_KEY"), ("oobCode", "YOUR_OOB_CODE")):
        if not query.get(name):
            return _problem(
                f"missing {name} query parameter",
                f"Please modify the URL to specify an {name}, such as ...&{name}={example}",
            )
    target = query.get("continueUrl")
    if target and not is_absolute_url(target):
        return _problem("invalid continueUrl query parameter", "Please use an absolute URL with a scheme and a host.")
    mode = query.get("mode")
    if mode == "resetPassword":
        return _follow_reset(project, query)
    if mode == "signIn":
        return _follow_sign_in(query)
    if mode in _LINKS:
        return _follow_change(project, query, mode)
    return _page(400, error="Invalid mode")


def _page(status: int, **fields: str | None) -> BrowserPage:
    return BrowserPage(status, {"authEmulator": without_none(**fields)})


def _problem(error: str, instructions: str, **more: str) -> BrowserPage:
    return _page(400, error=error, instructions=instructions, **more)


# Mode: the message on success, and for errors the purpose of the link and the instructions.
_LINKS = {
    "verifyEmail": (
        "The email has been successfully verified.",
        "verify your email",
        "Try verifying your email again.",
    ),
    "verifyAndChangeEmail": (
        "The email has been successfully changed.",
        "change your email",
        "Try changing your email again.",
    ),
    "recoverEmail": (
        "The email has been successfully reset.",
        "revert your email",
        "If you're trying to test the reverting email flow, try changing the email again to generate a new link.",
    ),
}


def _follow_change(project: AuthProject, query: Mapping[str, str], mode: str) -> BrowserPage:
    success, purpose, instructions = _LINKS[mode]
    code = project.codes.get(query["oobCode"])
    if mode == "recoverEmail" and (code is None or code.request_type != "RECOVER_EMAIL"):
        return _problem("Requested mode does not match the OOB code provided.", instructions)
    try:
        account, used = apply_code(project, query["oobCode"])
    except AuthHTTPError as error:
        if error.code != 501 and error.message != "INVALID_OOB_CODE":
            raise
        return _problem(f"Your request to {purpose} has expired or the link has already been used.", instructions)
    if query.get("continueUrl") and mode != "recoverEmail":
        return BrowserPage(303, location=query["continueUrl"])
    if mode == "verifyAndChangeEmail":
        return _page(200, success=success, newEmail=used.new_email)
    return _page(200, success=success, email=account.email)


def _follow_reset(project: AuthProject, query: Mapping[str, str]) -> BrowserPage:
    code = project.codes.get(query["oobCode"])
    if code is None or code.request_type != "PASSWORD_RESET":
        error = "Your request to reset your password has expired or the link has already been used."
        return _problem(error, "Try resetting your password again.")
    template = f"{code.link}&newPassword=NEW_PASSWORD_HERE"
    password = query.get("newPassword")
    if not password:
        advice = f"To reset the password for {code.email}, send an HTTP GET request to the following URL."
        more = "You may use a web browser or any HTTP client, such as curl."
        return _problem("missing newPassword query parameter", advice, instructions2=more, urlTemplate=template)
    if password == "NEW_PASSWORD_HERE":
        error = "newPassword must be something other than 'NEW_PASSWORD_HERE'"
        advice = "The string 'NEW_PASSWORD_HERE' is just a placeholder."
        more = "Please change the URL to specify a new password instead."
        return _problem(error, advice, instructions2=more, urlTemplate=template)
    confirm_reset(project, code, password)
    if query.get("continueUrl"):
        return BrowserPage(303, location=query["continueUrl"])
    return _page(200, success="The password has been successfully updated.", email=code.email)


def _follow_sign_in(query: Mapping[str, str]) -> BrowserPage:
    if not query.get("continueUrl"):
        advice = "To sign in, append &continueUrl=YOUR_APP_URL to the link."
        return _problem("Missing continueUrl query parameter", advice)
    target = urlsplit(query["continueUrl"])
    forwarded = {name: value for name, value in query.items() if name != "continueUrl"}
    merged = {**dict(parse_qsl(target.query, keep_blank_values=True)), **forwarded}
    return BrowserPage(303, location=urlunsplit(target._replace(path=target.path or "/", query=form_encoded(merged))))
