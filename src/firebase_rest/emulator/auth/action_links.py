"""The links in e-mails: `GET /emulator/action`, for a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from firebase_rest.emulator.auth.accounts import without_none
from firebase_rest.emulator.auth.errors import AuthHTTPError
from firebase_rest.emulator.auth.model import BrowserPage
from firebase_rest.emulator.auth.oob_codes import confirm_reset
from firebase_rest.emulator.auth.profile import apply_code
from firebase_rest.emulator.auth.validation import form_encoded, is_absolute_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.auth.project import AuthProject


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
        return _problem(
            "Your request to reset your password has expired or the link has already been used.",
            "Try resetting your password again.",
        )
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
        return _problem(
            "Missing continueUrl query parameter", "To sign in, append &continueUrl=YOUR_APP_URL to the link."
        )
    target = urlsplit(query["continueUrl"])
    forwarded = {name: value for name, value in query.items() if name != "continueUrl"}
    merged = {**dict(parse_qsl(target.query, keep_blank_values=True)), **forwarded}
    return BrowserPage(303, location=urlunsplit(target._replace(path=target.path or "/", query=form_encoded(merged))))
