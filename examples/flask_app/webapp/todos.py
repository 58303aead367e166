"""The to-do list of each user."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, flash, redirect, render_template, request, url_for

from firebase_rest import SERVER_TIMESTAMP, PermissionDenied
from webapp.pages import newest_first, validate_key
from webapp.sessions import login_required, signed_in_user

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("todos", __name__, url_prefix="/todos")

MAX_TEXT = 500


@blueprint.get("/")
@login_required
def show() -> ResponseReturnValue:
    """Show a page of the list."""
    return render_template("todos.html", page=newest_first(signed_in_user().data("todos")))


@blueprint.post("/")
@login_required
def add() -> ResponseReturnValue:
    """Add an entry."""
    text, todos = request.form.get("text", "").strip(), signed_in_user().data("todos")
    if not text or len(text) > MAX_TEXT:
        error = f"Enter a text of at most {MAX_TEXT} characters."
        return render_template("todos.html", page=newest_first(todos), error=error), 400
    todos.push({"text": text, "done": False, "at": SERVER_TIMESTAMP})
    return redirect(url_for("todos.show"))


@blueprint.post("/<key>")
@login_required
def change(key: str) -> ResponseReturnValue:
    """Mark an entry as done or open."""
    todo = signed_in_user().data("todos").child(validate_key(key))
    try:
        todo.update({"done": request.form.get("done") == "yes"})
    except PermissionDenied:  # the rules reject an entry without a text
        flash("This to-do was deleted in the meantime.")
    return redirect(_same_page())


@blueprint.post("/<key>/delete")
@login_required
def delete(key: str) -> ResponseReturnValue:
    """Delete an entry."""
    signed_in_user().data("todos").child(validate_key(key)).remove()
    return redirect(_same_page())


def _same_page() -> str:
    before = request.form.get("before")
    return url_for("todos.show", before=before) if before else url_for("todos.show")
