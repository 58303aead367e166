"""The files of each user: content in Storage, names and sizes in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from werkzeug.utils import secure_filename

from firebase_rest import SERVER_TIMESTAMP, NotFound
from webapp.errors import wants_json
from webapp.headers import DOWNLOAD_POLICY
from webapp.pages import newest_first, validate_key
from webapp.sessions import login_required, signed_in_user

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("files", __name__, url_prefix="/files")

MAX_NAME = 200
_PIECE = 64 * 1024


@blueprint.get("/")
@login_required
def show() -> ResponseReturnValue:
    """Show a page of the files."""
    return render_template("files.html", page=newest_first(signed_in_user().data("files")))


@blueprint.post("/")
@login_required
def upload() -> ResponseReturnValue:
    """Store a file."""
    user, file = signed_in_user(), request.files.get("file")
    if file is None or not file.filename:
        abort(400, "Choose a file.")
    entries = user.data("files")
    key = entries.generate_key()
    stored = user.storage().child("files", user.uid, key)
    metadata = stored.put(file.stream, content_type="application/octet-stream")
    try:
        entry = {"name": file.filename[-MAX_NAME:], "size": int(metadata["size"]), "at": SERVER_TIMESTAMP}
        entries.child(key).set(entry)
    except BaseException:
        stored.delete()
        raise
    flash(f"{file.filename} is stored.")
    return ("", 201) if wants_json() else redirect(url_for("files.show"))


def _entry(key: str) -> dict[str, Any]:
    entry = signed_in_user().data("files").child(validate_key(key)).get().val()
    if not isinstance(entry, dict):
        raise NotFound("The file does not exist.")
    return entry


@blueprint.get("/<key>")
@login_required
def download(key: str) -> ResponseReturnValue:
    """Return a file as a download. It is never shown on this site, because it may contain scripts."""
    user, entry = signed_in_user(), _entry(key)
    stream = user.storage().child("files", user.uid, key).open_stream()
    response = Response(iter(lambda: stream.read(_PIECE), b""), content_type="application/octet-stream")
    response.call_on_close(stream.close)
    response.headers.set("Content-Disposition", "attachment", filename=secure_filename(entry["name"]) or "file")
    response.headers["Content-Length"] = str(entry["size"])
    response.headers["Content-Security-Policy"] = DOWNLOAD_POLICY
    return response


@blueprint.post("/<key>/delete")
@login_required
def delete(key: str) -> ResponseReturnValue:
    """Delete a file."""
    user, entry = signed_in_user(), _entry(key)
    user.storage().child("files", user.uid, key).delete()
    user.data("files").child(key).remove()
    flash(f"{entry['name']} is deleted.")
    return redirect(url_for("files.show"))
