"""What the links in mails do: `GET /emulator/action`, for a person with a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from firebase_rest.emulator.auth.accounts import without_none
from firebase_rest.emulator.auth.errors import Refusal
from firebase_rest.emulator.auth.oob_codes import confirm_reset
from firebase_rest.emulator.auth.profile import apply_code
from firebase_rest.emulator.auth.project import Page, Project, form_encoded

if TYPE_CHECKING:
    from collections.abc import Mapping


def follow_link(project: Project, query: Mapping[str, str]) -> Page:
    """`GET /emulator/action`: do what the link in a mail does."""
    for name, example in (("apiKey", "YOUR_API_KEY"), ("oobCode", "YOUR_OOB_CODE")):
        if not query.get(name):
            return _problem(
                f"missing {name} query parameter",
                f"Please modify the URL to specify an {name}, such as ...&{name}={example}",
            )
    mode = query.get("mode")
    if mode == "resetPassword":
        return _follow_reset(project, query)
    if mode == "signIn":
        return _follow_sign_in(query)
    if mode in _LINKS:
        return _follow_change(project, query, mode)
    return _page(400, error="Invalid mode")


def _page(status: int, **fields: str | None) -> Page:
    return Page(status, {"authEmulator": without_none(**fields)})


def _problem(error: str, instructions: str, **more: str) -> Page:
    return _page(400, error=error, instructions=instructions, **more)


# For each mode: what is said when it worked, and, when it did not, what the request was for and what to do.
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


def _follow_change(project: Project, query: Mapping[str, str], mode: str) -> Page:
    success, purpose, instructions = _LINKS[mode]
    code = project.codes.get(query["oobCode"])
    if mode == "recoverEmail" and (code is None or code.request_type != "RECOVER_EMAIL"):
        return _problem("Requested mode does not match the OOB code provided.", instructions)
    try:
        account, used = apply_code(project, query["oobCode"])
    except Refusal as refusal:
        if refusal.code != 501 and refusal.message != "INVALID_OOB_CODE":
            raise
        return _problem(f"Your request to {purpose} has expired or the link has already been used.", instructions)
    if query.get("continueUrl") and mode != "recoverEmail":
        return Page(303, location=query["continueUrl"])
    if mode == "verifyAndChangeEmail":
        return _page(200, success=success, newEmail=used.new_email)
    return _page(200, success=success, email=account.email)


def _follow_reset(project: Project, query: Mapping[str, str]) -> Page:
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
        return Page(303, location=query["continueUrl"])
    return _page(200, success="The password has been successfully updated.", email=code.email)


def _follow_sign_in(query: Mapping[str, str]) -> Page:
    if not query.get("continueUrl"):
        return _problem(
            "Missing continueUrl query parameter", "To sign in, append &continueUrl=YOUR_APP_URL to the link."
        )
    target = urlsplit(query["continueUrl"])
    passed = {name: value for name, value in query.items() if name != "continueUrl"}
    merged = {**dict(parse_qsl(target.query, keep_blank_values=True)), **passed}
    return Page(303, location=urlunsplit(target._replace(path=target.path or "/", query=form_encoded(merged))))
