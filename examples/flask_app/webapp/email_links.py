"""The links in Firebase's e-mails: confirm or change an address, and reset a password.

The Firebase console names this page: Authentication > Templates > Customize action URL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for

from firebase_rest import FirebaseError
from firebase_rest.errors import InvalidEmail, UserNotFound
from webapp import sessions
from webapp.errors import explain
from webapp.services import services

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("email_links", __name__)


@blueprint.route("/reset-password", methods=["GET", "POST"])
def request_reset() -> ResponseReturnValue:
    """Send an e-mail with a link to reset the password."""
    if request.method == "GET":
        return render_template("request_reset.html")
    email = request.form.get("email", "").strip()
    try:
        services().auth.send_password_reset_email(email, settings=url_for("auth.sign_in", _external=True))
    except InvalidEmail as error:
        status, message = explain(error)
        return render_template("request_reset.html", error=message), status
    except UserNotFound:
        pass  # the page does not reveal who has an account
    flash(f"If {email} has an account, we sent a link to reset its password.")
    return redirect(url_for("auth.sign_in"))


@blueprint.get("/action")
def show() -> ResponseReturnValue:
    """Show a page that asks the visitor to confirm, because mail scanners open links too."""
    code = request.args.get("oobCode", "")
    info = services().auth.check_action_code(code)
    template = "new_password.html" if info.operation == "PASSWORD_RESET" else "confirm_address.html"
    return render_template(template, code=code, info=info)


@blueprint.post("/action/confirm")
def confirm() -> ResponseReturnValue:
    """Confirm or change an e-mail address."""
    services().auth.apply_action_code(request.form.get("code", ""))
    flash("Thank you. Your e-mail address is confirmed.")
    user = sessions.current_user()
    if user is None:
        return redirect(url_for("auth.sign_in"))
    try:
        sessions.renew(user)
    except FirebaseError:  # a new address ends all sessions
        sessions.end()
        return redirect(url_for("auth.sign_in"))
    return redirect(url_for("account.show"))


@blueprint.post("/action/password")
def reset_password() -> ResponseReturnValue:
    """Set a new password. All sessions of the user end."""
    code = request.form.get("code", "")
    try:
        services().auth.confirm_password_reset(code, request.form.get("password", ""))
    except FirebaseError as error:
        status, message = explain(error)
        return render_template("new_password.html", code=code, error=message), status
    flash("Your password is changed. Sign in with the new one.")
    return redirect(url_for("auth.sign_in"))
