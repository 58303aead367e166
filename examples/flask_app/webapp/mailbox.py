"""Development only: the e-mails that the emulator did not send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from flask import Blueprint, current_app, render_template

from webapp.services import services

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("mailbox", __name__)

_SUBJECTS = {
    "VERIFY_EMAIL": "Confirm your e-mail address",
    "PASSWORD_RESET": "Reset your password",
    "VERIFY_AND_CHANGE_EMAIL": "Confirm your new e-mail address",
    "RECOVER_EMAIL": "Your e-mail address was changed",
}


@blueprint.get("/mailbox")
def show() -> ResponseReturnValue:
    """List the e-mails, newest first."""
    users = services().users
    url = f"http://{current_app.config['EMULATOR_HOST']}/emulator/v1/projects/{users.project_id}/oobCodes"
    codes = users.requests.get(url, headers={"Authorization": "Bearer owner"}, timeout=10).json()["oobCodes"]
    return render_template("mailbox.html", mails=[_mail(code) for code in reversed(codes)])


def _mail(code: dict[str, Any]) -> dict[str, str]:
    # The emulator's links lead to the emulator. A real project's links lead to this site, as the console configures.
    query = parse_qs(urlsplit(code["oobLink"]).query)
    subject = _SUBJECTS.get(code["requestType"], code["requestType"])
    return {"to": code.get("newEmail") or code["email"], "subject": subject, "code": query["oobCode"][0]}
