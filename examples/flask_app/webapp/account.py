"""The account page: profile, e-mail address, password, and deletion of the account."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for

from firebase_rest import FirebaseError, NotFound
from webapp import sessions
from webapp.errors import explain
from webapp.headers import DOWNLOAD_POLICY
from webapp.services import services
from webapp.sessions import login_required, recent_login_required, signed_in_user

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("account", __name__, url_prefix="/account")

MAX_PICTURE = 2 * 1024 * 1024
_IMAGES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif"}
"""Media types by the first bytes of a picture, because the type that a browser sends is not trusted."""


def _page(error: str | None = None, status: int = 200) -> ResponseReturnValue:
    user = signed_in_user()
    info = services().auth.get_account_info(user.session)["users"][0]
    providers = [provider["providerId"] for provider in info.get("providerUserInfo", [])]
    factors = services().auth.mfa.factors(user.session)
    page = render_template("account.html", error=error, has_password="password" in providers, factors=factors)
    return page, status


@blueprint.get("/")
@login_required
def show() -> ResponseReturnValue:
    """Show the account."""
    return _page()


# --- profile ---------------------------------------------------------------------------------------------------------


@blueprint.post("/profile")
@login_required
def change_profile() -> ResponseReturnValue:
    """Change the name and the picture."""
    user, name = signed_in_user(), request.form.get("name", "").strip()
    if not name or len(name) > 60:
        return _page("Enter your name, at most 60 characters.", 400)
    upload = request.files.get("picture")
    picture = upload.read(MAX_PICTURE + 1) if upload else b""
    url = None
    if picture:
        content_type = _image_type(picture)
        if content_type is None or len(picture) > MAX_PICTURE:
            return _page("Choose a PNG, JPEG or GIF picture of at most 2 MB.", 400)
        user.storage().child("pictures", user.uid).put(picture, content_type=content_type)
        # A new URL for each picture, so that browsers do not show the old one.
        url = url_for("account.picture", uid=user.uid, v=secrets.token_urlsafe(6), _external=True)
    services().auth.update_profile(user.session, display_name=name, photo_url=url)
    sessions.renew(user)
    flash("Your profile is saved.")
    return redirect(url_for("account.show"))


def _image_type(content: bytes) -> str | None:
    return next((media_type for start, media_type in _IMAGES.items() if content.startswith(start)), None)


@blueprint.get("/picture/<uid>")
@login_required
def picture(uid: str) -> ResponseReturnValue:
    """Return the profile picture of a user."""
    content = signed_in_user().storage().child("pictures", uid).get_bytes(max_size=MAX_PICTURE)
    content_type = _image_type(content)
    if content_type is None:
        raise NotFound("The file is not a picture.")
    headers = {"Content-Security-Policy": DOWNLOAD_POLICY, "Cache-Control": "private, max-age=3600"}
    return Response(content, content_type=content_type, headers=headers)


# --- e-mail address and password -------------------------------------------------------------------------------------


@blueprint.post("/verification")
@login_required
def send_verification() -> ResponseReturnValue:
    """Send the verification mail again."""
    user = signed_in_user()
    services().auth.send_email_verification(user.session, settings=url_for("home.show", _external=True))
    flash(f"We sent a link to {user.email}.")
    return redirect(url_for("account.show"))


@blueprint.post("/email")
@recent_login_required
def change_email() -> ResponseReturnValue:
    """Send a link to a new address. The address changes when the link is opened."""
    user, email = signed_in_user(), request.form.get("email", "").strip()
    try:
        services().auth.verify_before_change_email(user.session, email, url_for("home.show", _external=True))
    except FirebaseError as error:
        status, message = explain(error)
        return _page(message, status)
    flash(f"We sent a link to {email}. Your address changes when you open it.")
    return redirect(url_for("account.show"))


@blueprint.post("/password")
@recent_login_required
def change_password() -> ResponseReturnValue:
    """Set a new password. Sessions in other browsers end."""
    user = signed_in_user()
    try:
        services().auth.change_password(user.session, request.form.get("password", ""))
    except FirebaseError as error:
        status, message = explain(error)
        return _page(message, status)
    services().store.delete_owned(user.uid)
    sessions.start({**user.session.user, "localId": user.uid})
    flash("Your password is changed. Other browsers are signed out.")
    return redirect(url_for("account.show"))


# --- deletion --------------------------------------------------------------------------------------------------------


@blueprint.post("/delete")
@recent_login_required
def delete() -> ResponseReturnValue:
    """Delete the account with all its data."""
    user = signed_in_user()
    storage, root = user.storage(), user.database()
    for entry in user.data("files").get():
        storage.child("files", user.uid, entry.key()).delete()
    if user.picture:
        storage.child("pictures", user.uid).delete()
    notes = root.child("board").order_by_child("uid").equal_to(user.uid).get()
    paths = [f"todos/{user.uid}", f"files/{user.uid}", *(f"board/{note.key()}" for note in notes)]
    root.update(dict.fromkeys(paths))
    services().auth.delete_user_account(user.session)
    services().store.delete_owned(user.uid)
    sessions.end()
    flash("Your account and its data are deleted.")
    return redirect(url_for("home.show"))
