"""Noticeboard: a Flask application with accounts, to-do lists, a shared live board and files, on Firebase.

`flask --app webapp run` serves it; `dev.py` also starts the emulator. The configuration comes from the environment:

- `FIREBASE_CONFIG`: the web app's configuration from the Firebase console, as JSON or the path of a JSON file.
- `FLASK_FIREBASE_CREDENTIALS`: the path of a service account's key, or "adc".
- `FLASK_SECRET_KEY`: signs Flask's session cookie.
- `FLASK_TRUSTED_HOSTS`: a JSON list of the host names of the site.
- `FLASK_PROXIES`: the number of reverse proxies in front of the server (default 0).
"""

from __future__ import annotations

import os
import secrets
from typing import TYPE_CHECKING, Any

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from webapp import account, auth, board, csrf, email_links, errors, files, headers, home, mailbox, second_factor, todos
from webapp.services import create_services
from webapp.sessions import LIFETIME, current_user

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_UPLOAD = 20 * 1024 * 1024
"""The largest request in bytes. `storage.rules` has the same limit."""


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Return the application. Nothing is sent and no thread is started, so that a server may fork afterwards.

    Args:
        config: Settings that replace those of the environment.
    """
    app = Flask(__name__, instance_path=os.environ.get("INSTANCE_PATH"))
    _configure(app, config or {})
    app.extensions["webapp"] = create_services(app.config)
    for module in (home, auth, email_links, account, second_factor, todos, board, files):
        app.register_blueprint(module.blueprint)
    if app.config["EMULATOR_HOST"]:
        app.register_blueprint(mailbox.blueprint)
    csrf.install(app)
    headers.install(app)
    errors.install(app)
    app.context_processor(lambda: {"user": current_user()})
    if app.config["PROXIES"]:
        count = int(app.config["PROXIES"])
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]
    return app


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
        STORE=os.path.join(app.instance_path, "sessions.sqlite"),  # noqa: PTH118 - Flask's instance_path is a str
    )
    if emulator_host:
        app.config.from_mapping(SECRET_KEY=secrets.token_hex(), TRUSTED_HOSTS=["127.0.0.1", "localhost"])
    app.config.from_prefixed_env()
    app.config.from_mapping(config)
    for name in ("SECRET_KEY", "TRUSTED_HOSTS"):
        if not app.config[name]:
            raise RuntimeError(f"Missing setting: set the environment variable FLASK_{name}.")
    app.config["SESSION_COOKIE_SECURE"] = not app.config["EMULATOR_HOST"]
