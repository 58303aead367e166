"""Turn the second factor on and off: an authenticator app."""

from __future__ import annotations

from typing import TYPE_CHECKING

import segno
from flask import Blueprint, flash, redirect, render_template, request, url_for
from markupsafe import Markup

from firebase_rest import FirebaseError, TotpSecret
from webapp import sessions
from webapp.errors import explain
from webapp.services import services
from webapp.sessions import User, recent_login_required, signed_in_user

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("second_factor", __name__, url_prefix="/account/second-factor")

ISSUER = "Noticeboard"
ENROLLMENT_SECONDS = 600


def _page(user: User, secret: TotpSecret, error: str | None = None, status: int = 200) -> ResponseReturnValue:
    uri = secret.uri(user.email, ISSUER)
    code = Markup(segno.make(uri).svg_inline(scale=5, border=2))  # noqa: S704 - the SVG contains no text
    return render_template("second_factor.html", secret=secret, qr_code=code, uri=uri, error=error), status


@blueprint.post("/start")
@recent_login_required
def start() -> ResponseReturnValue:
    """Show a new secret as a QR code."""
    user = signed_in_user()
    if not user.email_verified:
        flash("Confirm your e-mail address first.")
        return redirect(url_for("account.show"))
    secret = services().auth.mfa.start_totp(user.session)
    saved = {"key": secret.key, "session_info": secret.session_info}
    services().store.put(f"enrollment:{user.uid}", saved, ENROLLMENT_SECONDS, owner=user.uid)
    return _page(user, secret)


@blueprint.post("/finish")
@recent_login_required
def finish() -> ResponseReturnValue:
    """Enroll the app with its first code."""
    user = signed_in_user()
    saved = services().store.get(f"enrollment:{user.uid}")
    if saved is None:
        flash("The time for this step is over. Start again.")
        return redirect(url_for("account.show"))
    secret = TotpSecret(**saved)
    try:
        services().auth.mfa.enroll_totp(user.session, secret, request.form.get("code", ""), "Authenticator app")
    except FirebaseError as error:
        status, message = explain(error)
        return _page(user, secret, message, status)
    services().store.pop(f"enrollment:{user.uid}")
    sessions.start({**user.session.user, "localId": user.uid})
    flash("From now on, a sign-in needs a code of your authenticator app.")
    return redirect(url_for("account.show"))


@blueprint.post("/remove")
@recent_login_required
def remove() -> ResponseReturnValue:
    """Turn the second factor off."""
    user = signed_in_user()
    for factor in services().auth.mfa.factors(user.session):
        services().auth.mfa.withdraw(user.session, factor)
    sessions.start({**user.session.user, "localId": user.uid})
    flash("The second factor is off.")
    return redirect(url_for("account.show"))
