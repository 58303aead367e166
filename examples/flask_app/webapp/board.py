"""The board that all users share, with live updates."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for

from firebase_rest import SERVER_TIMESTAMP
from webapp import sessions
from webapp.errors import wants_json
from webapp.pages import newest_first, validate_key
from webapp.services import services
from webapp.sessions import login_required, signed_in_user

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("board", __name__, url_prefix="/board")

MAX_TEXT = 280
RETRY_AFTER = 30
"""Seconds after which a visitor without an event stream tries again. Until then the page polls."""


@blueprint.app_template_filter("time")
def format_time(milliseconds: int) -> str:
    """Return Firebase's timestamp as text."""
    return datetime.fromtimestamp(milliseconds / 1000, timezone.utc).strftime("%Y-%m-%d %H:%M")


@blueprint.get("/")
@login_required
def show() -> ResponseReturnValue:
    """Show a page of the board. The newest page is live."""
    page = newest_first(signed_in_user().database().child("board"))
    return render_template("board.html", page=page, is_live=page.newer is None, max_text=MAX_TEXT)


@blueprint.post("/")
@login_required
def add() -> ResponseReturnValue:
    """Add a note."""
    user, text = signed_in_user(), request.form.get("text", "").strip()
    if not text or len(text) > MAX_TEXT:
        abort(400, f"Enter a text of at most {MAX_TEXT} characters.")
    if not user.email_verified:
        user.session.refresh()  # the user may have confirmed the address in another browser
        if user.session.claims.get("email_verified") is not True:
            abort(403, "Confirm your e-mail address before you write on the board.")
        sessions.renew(user)
    note = {"text": text, "name": user.name[:60], "uid": user.uid, "at": SERVER_TIMESTAMP}
    user.database().child("board").push(note)
    return ("", 201) if wants_json() else redirect(url_for("board.show"))


@blueprint.post("/<key>/delete")
@login_required
def delete(key: str) -> ResponseReturnValue:
    """Delete a note. The security rules let users delete only their own."""
    signed_in_user().database().child("board", validate_key(key)).remove()
    flash("The note is deleted.")
    return redirect(url_for("board.show"))


@blueprint.get("/notes")
@login_required
def notes() -> ResponseReturnValue:
    """Return the newest notes as JSON, for pages that poll."""
    return Response(services().board.notes(), content_type="application/json")


@blueprint.get("/events")
@login_required
def events() -> ResponseReturnValue:
    """Return server-sent events with the newest notes; 503 if this process has too many streams."""
    board = services().board
    if not board.enter():
        return Response("Too many visitors.\n", 503, {"Retry-After": str(RETRY_AFTER)})
    try:
        response = Response(board.events(), content_type="text/event-stream")
    except BaseException:
        board.leave()
        raise
    response.call_on_close(board.leave)
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold events back
    return response
