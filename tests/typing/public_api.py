"""Read by mypy and pyright, never run: what a program's own type checker sees of the public names."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from typing_extensions import assert_type

import firebase_rest
from firebase_rest.emulator import Emulator, Server


def an_app_gives_services() -> None:
    with firebase_rest.initialize_app({"apiKey": "key", "databaseURL": "https://example.firebaseio.com"}) as app:
        assert_type(app, firebase_rest.App)
        assert_type(app.auth(), firebase_rest.Auth)
        assert_type(app.database(), firebase_rest.Database)
        assert_type(app.with_options(timeout=5), firebase_rest.App)


def a_query_never_becomes_something_to_write_to(db: firebase_rest.Database) -> None:
    assert_type(db.child("users", 1), firebase_rest.Reference)
    assert_type(db.child("users").parent, "firebase_rest.Reference | None")
    assert_type(db.child("users").root, firebase_rest.Database)
    assert_type(db.child("users").order_by_child("name").limit_to_first(3), firebase_rest.Query)
    assert_type(db.with_options(retries=0), firebase_rest.Database)
    db.order_by_key().set(1)  # type: ignore[attr-defined] # pyright: ignore[reportAttributeAccessIssue] - a query only reads


def reads_and_writes(db: firebase_rest.Database, session: firebase_rest.UserSession) -> None:
    snapshot = db.child("users").get(session)
    assert_type(snapshot, firebase_rest.Snapshot)
    assert_type(snapshot.key(), str)
    assert_type(snapshot.each(), "list[firebase_rest.Item] | None")
    assert_type(db.push({"name": "Ada"}, session), dict[str, str])
    assert_type(db.exists(), bool)
    assert_type(db.generate_key(), str)

    def handler(message: dict[str, Any]) -> None:
        assert_type(message, dict[str, Any])

    assert_type(db.stream(handler, session), firebase_rest.Stream)


def signing_in(auth: firebase_rest.Auth) -> None:
    user = auth.sign_in_with_email_and_password("ada@example.com", "correct horse")
    assert_type(user["idToken"], str)
    assert_type(auth.session(user), firebase_rest.UserSession)


def a_server_verifies_and_manages(auth: firebase_rest.Auth) -> None:
    assert_type(auth.verify_id_token("token", check_revoked=True), dict[str, Any])
    assert_type(auth.create_session_cookie("token", 300), str)
    admin = auth.admin
    assert_type(admin, firebase_rest.Admin)
    user = admin.update_user("ada", display_name=None, disabled=False)
    assert_type(user, firebase_rest.UserRecord)
    assert_type(user.created_at, datetime | None)
    assert_type(admin.list_users(), Iterator[firebase_rest.UserRecord])
    admin.update_user("ada", email=None)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - an address cannot be cleared


def an_error_says_what_happened() -> None:
    try:
        firebase_rest.initialize_app()
    except firebase_rest.EmailExists as error:
        assert_type(error.status, int)
        assert_type(error.code, "str | None")
    except firebase_rest.errors.NetworkError as error:
        assert_type(error.may_have_happened, bool)


def the_emulator_serves() -> None:
    with Emulator().serve() as server:
        assert_type(server, Server)
        assert_type(server.config, dict[str, str])
