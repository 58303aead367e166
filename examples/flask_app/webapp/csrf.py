"""Protection against forged forms: a random token in Flask's session that each unsafe request must repeat."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from flask import abort, request, session
from markupsafe import Markup

if TYPE_CHECKING:
    from flask import Flask

_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def csrf_token() -> str:
    """Return the visitor's token, for a hidden field `csrf_token`."""
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(32)
    return str(session["csrf"])


def csrf_field() -> Markup:
    """Return the hidden field for a form."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(csrf_token())


def check() -> None:
    """Reject an unsafe request without the token."""
    if request.method in _SAFE_METHODS:
        return
    received = request.form.get("csrf_token", "")
    expected = session.get("csrf", "")
    if not expected or not hmac.compare_digest(received.encode(), expected.encode()):
        abort(400, "This page has expired. Go back, reload it, and try again.")


def install(app: Flask) -> None:
    """Check all requests, and let templates call `csrf_field()`."""
    app.before_request(check)
    app.jinja_env.globals["csrf_field"] = csrf_field
