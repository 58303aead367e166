"""Sign up, sign in (password, Google, second factor) and sign out."""

from __future__ import annotations

import re
import secrets
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for

from firebase_rest import AuthUri, FirebaseError, MfaFactor, MfaRequired, UsageError
from webapp import sessions
from webapp.errors import explain
from webapp.services import services
from webapp.sessions import login_required, signed_in_user

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask.typing import ResponseReturnValue

blueprint = Blueprint("auth", __name__)

FLOW_SECONDS = 600
"""Maximum seconds for a sign-in with several steps."""
_LOCAL_PATH = re.compile(r"/(?![/\\])[^\x00-\x20\x7f\\]*")


def safe_next(target: str | None) -> str:
    """Return a path of this site, or the home page for any other target, because open redirects help phishing."""
    return target if target and _LOCAL_PATH.fullmatch(target) else url_for("home.show")


@blueprint.route("/sign-up", methods=["GET", "POST"])
def sign_up() -> ResponseReturnValue:
    """Create an account, send the verification mail, and sign in."""
    if request.method == "GET":
        return render_template("sign_up.html")
    email, name = request.form.get("email", "").strip(), request.form.get("name", "").strip()
    if not name or len(name) > 60:
        return render_template("sign_up.html", error="Enter your name, at most 60 characters."), 400
    auth = services().auth
    try:
        user = auth.create_user_with_email_and_password(email, request.form.get("password", ""))
        user_session = auth.session(user)
        auth.update_profile(user_session, display_name=name)
        auth.send_email_verification(user_session, settings=url_for("home.show", _external=True))
    except FirebaseError as error:
        status, message = explain(error)
        return render_template("sign_up.html", error=message), status
    user_session.refresh()  # the next ID token contains the name
    sessions.start(user_session.user)
    flash(f"Welcome, {name}. We sent a link to {email}: open it to confirm your address.")
    return redirect(url_for("todos.show"))


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> ResponseReturnValue:
    """Sign in with e-mail address and password."""
    target = safe_next(request.values.get("next"))
    if request.method == "GET":
        return render_template("sign_in.html", next=target)
    email, password = request.form.get("email", "").strip(), request.form.get("password", "")
    try:
        user = services().auth.sign_in_with_email_and_password(email, password)
    except MfaRequired as required:
        return _ask_for_code(required, target, is_popup=False)
    except FirebaseError as error:
        status, message = explain(error)
        return render_template("sign_in.html", next=target, error=message), status
    sessions.start(user)
    return redirect(target)


# --- Google ----------------------------------------------------------------------------------------------------------


@blueprint.get("/sign-in/google")
def google() -> ResponseReturnValue:
    """Redirect the browser, or the popup, to Google's page."""
    hint = request.args.get("email", "")
    callback = url_for("auth.google_callback", _external=True)
    auth_uri = services().auth.auth_uri("google.com", callback, parameters={"login_hint": hint} if hint else None)
    target, is_popup = safe_next(request.args.get("next")), "popup" in request.args
    _save_flow("google", {"auth_uri": asdict(auth_uri), "next": target, "popup": is_popup})
    return redirect(auth_uri.uri)


@blueprint.get("/sign-in/google/callback")
def google_callback() -> ResponseReturnValue:
    """Finish the sign-in with the URL to which Google's page redirected."""
    flow = _take_flow("google")
    if flow is None:
        abort(400, "This sign-in has expired. Start again.")
    try:
        # finish_sign_in compares `state`: a callback that an attacker started is rejected.
        user = services().auth.finish_sign_in(AuthUri(**flow["auth_uri"]), request.url)
    except UsageError:
        abort(400, "This sign-in was started in another browser. Start again.")
    except MfaRequired as required:
        return _ask_for_code(required, flow["next"], is_popup=flow["popup"])
    sessions.start(user)
    return _finish(flow)


# --- second factor ---------------------------------------------------------------------------------------------------


@blueprint.route("/sign-in/code", methods=["GET", "POST"])
def code() -> ResponseReturnValue:
    """Ask for the code of the authenticator app."""
    flow = _peek_flow("code")
    if flow is None:
        flash("Please sign in again.")
        return redirect(url_for("auth.sign_in"))
    if request.method == "GET":
        return render_template("code.html")
    try:
        user = services().auth.mfa.sign_in_with_totp(_restore(flow["required"]), request.form.get("code", ""))
    except FirebaseError as error:
        status, message = explain(error)
        return render_template("code.html", error=message), status
    _take_flow("code")
    sessions.start(user)
    return _finish(flow)


def _ask_for_code(required: MfaRequired, target: str, *, is_popup: bool) -> ResponseReturnValue:
    saved = {"credential": required.pending_credential, "factors": [asdict(factor) for factor in required.factors]}
    _save_flow("code", {"required": saved, "next": target, "popup": is_popup})
    return redirect(url_for("auth.code"))


def _restore(saved: Mapping[str, Any]) -> MfaRequired:
    required = MfaRequired()
    required.pending_credential = saved["credential"]
    required.factors = tuple(MfaFactor(**factor) for factor in saved["factors"])
    return required


# --- sign out --------------------------------------------------------------------------------------------------------


@blueprint.post("/sign-out")
def sign_out() -> ResponseReturnValue:
    """Sign out of this browser."""
    sessions.end()
    return redirect(url_for("home.show"))


@blueprint.post("/sign-out-everywhere")
@login_required
def sign_out_everywhere() -> ResponseReturnValue:
    """Sign out of all browsers and apps."""
    sessions.end_everywhere(signed_in_user().uid)
    flash("You are signed out everywhere.")
    return redirect(url_for("home.show"))


# --- sign-ins with several steps -------------------------------------------------------------------------------------
# The store contains their state. Flask's session contains only the key, because the visitor can read it.


def _save_flow(name: str, state: dict[str, Any]) -> None:
    session[name] = secrets.token_urlsafe(32)
    services().store.put(f"{name}:{session[name]}", state, FLOW_SECONDS)


def _peek_flow(name: str) -> Any:
    return services().store.get(f"{name}:{session.get(name, '')}")


def _take_flow(name: str) -> Any:
    return services().store.pop(f"{name}:{session.pop(name, '')}")


def _finish(flow: Mapping[str, Any]) -> ResponseReturnValue:
    return render_template("popup_done.html", next=flow["next"]) if flow["popup"] else redirect(flow["next"])
