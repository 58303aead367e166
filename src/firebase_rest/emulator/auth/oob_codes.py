"""Codes in e-mail links ("out-of-band" codes): their creation, password resets, and the page of a link."""

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
    """`accounts:sendOobCode`: create a code and record the e-mail that contains it.

    With `returnOobLink`, the response to an administrator contains the link, and no e-mail is recorded.
    """
    body = request.body
    kind = body.string("requestType")
    validate(kind and kind != "OOB_REQ_TYPE_UNSPECIFIED", "MISSING_REQ_TYPE")
    returns_link = bool(body.boolean("returnOobLink"))
    validate(request.is_admin or not returns_link, "INSUFFICIENT_PERMISSION")
    problem = "INVALID_CONTINUE_URI : ((expected an absolute URI with valid scheme and host))"
    validate(not body.string("continueUrl") or is_absolute_url(body.string("continueUrl")), problem)
    if kind not in _MODES:
        raise not_implemented(kind)
    email, new_email, creates_code = _recipient(request, kind, returns_link)
    payload: Payload = {"kind": "identitytoolkit#GetOobConfirmationCodeResponse", "email": email}
    if not creates_code:
        return payload
    code = request.project.new_code(
        request.origin, _MODES[kind], kind, email, new_email=new_email, continue_url=body.optional_string("continueUrl")
    )
    if returns_link:
        return {**payload, "oobCode": code.code, "oobLink": code.link}
    request.project.send_mail(code)
    return payload


def _recipient(request: AuthRequest, kind: str, returns_link: bool) -> tuple[str, str | None, bool]:
    """Return the address of the account, the new address or None, and whether to create a code.

    With enumeration protection, the request succeeds without a code if the address has no account, so that the
    response does not reveal whether the address has an account.
    """
    body, project = request.body, request.project
    if kind in {"EMAIL_SIGNIN", "PASSWORD_RESET"}:
        validate(kind != "EMAIL_SIGNIN" or project.allows("enableEmailLinkSignin"), "OPERATION_NOT_ALLOWED")
        validate(body.string("email"), "MISSING_EMAIL")
        email = validate_email(body.string("email"))
        is_valid = kind == "EMAIL_SIGNIN" or project.accounts.by_email(email) is not None
        validate(is_valid or project.email_privacy, "EMAIL_NOT_FOUND")
        return email, None, is_valid
    if kind == "VERIFY_EMAIL":
        return _account_email(request, returns_link), None, True
    validate(body.string("newEmail"), "MISSING_NEW_EMAIL")
    new_email = validate_email(body.string("newEmail"), "INVALID_NEW_EMAIL")
    if not returns_link:
        validate(body.string("idToken"), "MISSING_ID_TOKEN")
    email = _account_email(request, returns_link)
    is_available = project.accounts.by_email(new_email) is None
    validate(is_available or (project.email_privacy and not request.is_admin), "EMAIL_EXISTS")
    return email, new_email, is_available


def _account_email(request: AuthRequest, returns_link: bool) -> str:
    body, project = request.body, request.project
    if returns_link and not body.string("idToken"):
        validate(body.string("email"), "MISSING_EMAIL")
        email = body.string("email").lower()
        validate(project.accounts.by_email(email), "USER_NOT_FOUND")
        return email
    account = project.signed_in(body.string("idToken")).account
    if not account.email:
        raise bad_request("MISSING_EMAIL")
    return account.email


def reset_password(request: AuthRequest) -> Payload:
    """`accounts:resetPassword`: return the data of a code. With `newPassword`, apply a PASSWORD_RESET code."""
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
    """Apply a PASSWORD_RESET code and delete it. Raises `AuthHTTPError`; the code stays valid if `password` is weak."""
    validate(code.request_type == "PASSWORD_RESET", "INVALID_OOB_CODE")
    validate_password(project, password)
    del project.codes[code.code]
    account = project.accounts.by_email(code.email)
    if account is None:
        raise bad_request("INVALID_OOB_CODE")
    account.email_verified = True
    account.set_password(password, project.now_ms())
    account.revoke(str(project.now()))
    # The code proves that the user owns the e-mail address. Other sign-in methods may belong to an attacker.
    linked = [str(provider["providerId"]) for provider in account.providers or []]
    project.accounts.update_indexes(account, unlink=linked)


def follow_link(project: AuthProject, query: Mapping[str, str]) -> BrowserPage:
    """GET `/emulator/action`: apply the code of a link that was opened in a browser."""
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
    if mode in _EMAIL_MODES:
        return _follow_email_change(project, query, mode)
    return _page(400, error="Invalid mode")


def _page(status: int, **fields: str | None) -> BrowserPage:
    return BrowserPage(status, {"authEmulator": without_none(**fields)})


def _problem(error: str, instructions: str, **more: str) -> BrowserPage:
    return _page(400, error=error, instructions=instructions, **more)


_EMAIL_MODES = {
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
"""For each mode the message on success, the purpose of the link, and the instructions after an error."""


def _follow_email_change(project: AuthProject, query: Mapping[str, str], mode: str) -> BrowserPage:
    success, purpose, instructions = _EMAIL_MODES[mode]
    code = project.codes.get(query["oobCode"])
    if mode == "recoverEmail" and (code is None or code.request_type != "RECOVER_EMAIL"):
        return _problem("Requested mode does not match the OOB code provided.", instructions)
    try:
        account, applied = apply_code(project, query["oobCode"])
    except AuthHTTPError as error:
        if error.code != 501 and error.message != "INVALID_OOB_CODE":
            raise
        return _problem(f"Your request to {purpose} has expired or the link has already been used.", instructions)
    if query.get("continueUrl") and mode != "recoverEmail":
        return BrowserPage(303, location=query["continueUrl"])
    if mode == "verifyAndChangeEmail":
        return _page(200, success=success, newEmail=applied.new_email)
    return _page(200, success=success, email=account.email)


def _follow_reset(project: AuthProject, query: Mapping[str, str]) -> BrowserPage:
    code = project.codes.get(query["oobCode"])
    if code is None or code.request_type != "PASSWORD_RESET":
        error = "Your request to reset your password has expired or the link has already been used."
        return _problem(error, "Try resetting your password again.")
    template = f"{code.link}&newPassword=NEW_PASSWORD_HERE"
    password = query.get("newPassword")
    if not password:
        return _problem(
            "missing newPassword query parameter",
            f"To reset the password for {code.email}, send an HTTP GET request to the following URL.",
            instructions2="You may use a web browser or any HTTP client, such as curl.",
            urlTemplate=template,
        )
    if password == "NEW_PASSWORD_HERE":
        return _problem(
            "newPassword must be something other than 'NEW_PASSWORD_HERE'",
            "The string 'NEW_PASSWORD_HERE' is just a placeholder.",
            instructions2="Please change the URL to specify a new password instead.",
            urlTemplate=template,
        )
    confirm_reset(project, code, password)
    if query.get("continueUrl"):
        return BrowserPage(303, location=query["continueUrl"])
    return _page(200, success="The password has been successfully updated.", email=code.email)


def _follow_sign_in(query: Mapping[str, str]) -> BrowserPage:
    if not query.get("continueUrl"):
        instructions = "To sign in, append &continueUrl=YOUR_APP_URL to the link."
        return _problem("Missing continueUrl query parameter", instructions)
    target = urlsplit(query["continueUrl"])
    params = dict(parse_qsl(target.query, keep_blank_values=True))
    params.update({name: value for name, value in query.items() if name != "continueUrl"})
    return BrowserPage(303, location=urlunsplit(target._replace(path=target.path or "/", query=form_encoded(params))))
