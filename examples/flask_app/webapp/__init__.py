"""Noticeboard: a Flask application with accounts, to-do lists, a shared live board and files, on Firebase.

`flask --app webapp run` serves it; `dev.py` also starts the emulator. The configuration comes from the environment:

- `FIREBASE_CONFIG`: the web app's configuration from the Firebase console, as JSON or the path of a JSON file.
- `FLASK_FIREBASE_CREDENTIALS`: the path of a service account's key, or "adc".
- `FLASK_SECRET_KEY`: signs Flask's session cookie.
- `FLASK_TRUSTED_HOSTS`: a JSON list of the host names of the site.
- `FLASK_STORE`: the file with the tokens of signed-in users (default `instance/sessions.sqlite`).
- `FLASK_PROXIES`: the number of reverse proxies in front of the server (default 0).
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, g
from werkzeug.middleware.proxy_fix import ProxyFix

from firebase_rest import FirebaseError
from webapp import account, auth, board, csrf, email_links, errors, files, headers, home, mailbox, second_factor, todos
from webapp.services import create_services
from webapp.sessions import LIFETIME, User, current_user

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_UPLOAD = 20 * 1024 * 1024
"""The largest request in bytes. `storage.rules` has the same limit."""


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Return the application. Nothing is sent and no thread is started, so that a server may fork afterwards.

    Args:
        config: Settings that replace those of the environment.
    """
    app = Flask(__name__)
    _configure(app, config or {})
    app.extensions["webapp"] = create_services(app.config)
    for module in (home, auth, email_links, account, second_factor, todos, board, files):
        app.register_blueprint(module.blueprint)
    if app.config["EMULATOR_HOST"]:
        app.register_blueprint(mailbox.blueprint)
    csrf.install(app)
    headers.install(app)
    errors.install(app)
    app.context_processor(lambda: {"user": _user_of_page()})
    if app.config["PROXIES"]:
        count = int(app.config["PROXIES"])
        # Flask documents this assignment; mypy rejects assignments to methods.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    return app


def _user_of_page() -> User | None:
    try:
        return current_user()
    except FirebaseError:  # the page that explains an outage needs no user
        g.user = None
        return None


def _configure(app: Flask, config: Mapping[str, Any]) -> None:
    emulator_host = os.environ.get("FIREBASE_AUTH_EMULATOR_HOST", "")
    app.config.from_mapping(
        EMULATOR_HOST=emulator_host,
        FIREBASE=None,
        FIREBASE_CREDENTIALS=None,
        MAX_CONTENT_LENGTH=MAX_UPLOAD,
        PERMANENT_SESSION_LIFETIME=LIFETIME,
        PROXIES=0,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        STORE=Path(app.instance_path, "sessions.sqlite"),
    )
    if emulator_host:
        app.config.from_mapping(SECRET_KEY=secrets.token_hex(), TRUSTED_HOSTS=["127.0.0.1", "localhost"])
    app.config.from_prefixed_env()
    app.config.from_mapping(config)
    for name in ("SECRET_KEY", "TRUSTED_HOSTS"):
        if not app.config[name]:
            raise RuntimeError(f"Missing setting: set the environment variable FLASK_{name}.")
    app.config["SESSION_COOKIE_SECURE"] = not app.config["EMULATOR_HOST"]
