"""Types of the public names. mypy and pyright check this file; it never runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from typing_extensions import assert_type

import firebase_rest
from firebase_rest import types
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
    assert_type(db.push({"name": "Ada"}, session), types.PushResult)
    assert_type(db.exists(), bool)
    assert_type(db.generate_key(), str)

    def handler(message: dict[str, Any]) -> None:
        assert_type(message, dict[str, Any])

    assert_type(db.stream(handler, session), firebase_rest.Stream)


def signing_in(auth: firebase_rest.Auth) -> None:
    user = auth.sign_in_with_email_and_password("ada@example.com", "correct horse")
    assert_type(user["idToken"], str)
    assert_type(auth.session(user), firebase_rest.UserSession)


def users_sign_in_in_many_ways(auth: firebase_rest.Auth, session: firebase_rest.UserSession) -> None:
    assert_type(auth.sign_in_with_idp("google.com", id_token="token")["localId"], str)
    assert_type(auth.fetch_sign_in_methods("ada@example.com"), list[str])
    started = auth.auth_uri("google.com", "https://example.com/back")
    assert_type(started, firebase_rest.AuthUri)
    assert_type(auth.finish_sign_in(started, "https://example.com/back", user=session)["idToken"], str)
    assert_type(auth.link_with_email_and_password(session, "ada@example.com", "correct horse")["localId"], str)
    settings = firebase_rest.ActionCodeSettings("https://example.com/")
    assert_type(auth.send_email_verification(session, settings=settings), types.EmailSent)
    assert_type(auth.check_action_code("code"), firebase_rest.ActionCodeInfo)
    assert_type(auth.load_session("session.json"), firebase_rest.UserSession | None)
    auth.load_session(firebase_rest.KeyringStore("program"))
    assert_type(session.user, dict[str, Any])


def a_second_factor_goes_on_from_its_error(auth: firebase_rest.Auth, session: firebase_rest.UserSession) -> None:
    secret = auth.mfa.start_totp(session)
    assert_type(secret, firebase_rest.TotpSecret)
    try:
        auth.sign_in_anonymous()
    except firebase_rest.MfaRequired as required:
        assert_type(required.factors, tuple[firebase_rest.MfaFactor, ...])
        assert_type(auth.mfa.sign_in_with_totp(required, "123456")["idToken"], str)


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


def error_has_code_status_and_message() -> None:
    try:
        firebase_rest.initialize_app()
    except firebase_rest.EmailExists as error:
        assert_type(error.status, int)
        assert_type(error.code, "str | None")
    except firebase_rest.errors.NetworkError as error:
        assert_type(error.outcome_unknown, bool)


def the_emulator_serves() -> None:
    with Emulator().serve() as server:
        assert_type(server, Server)
        assert_type(server.config, dict[str, str | dict[str, str]])


def files_go_up_and_down(app: firebase_rest.App, session: firebase_rest.UserSession) -> None:
    storage = app.storage()
    assert_type(storage, firebase_rest.Storage)
    picture = storage.child("users", 1, "face.png")
    assert_type(picture, firebase_rest.StorageReference)
    assert_type(picture.bucket, str)
    assert_type(picture.parent, firebase_rest.StorageReference | None)
    assert_type(picture.root, firebase_rest.Storage)
    assert_type(picture.with_options(retries=0), firebase_rest.StorageReference)
    assert_type(picture.put(b"bytes", session, progress=True), types.ObjectMetadata)
    assert_type(picture.upload("local.png").state, str)
    assert_type(picture.get_bytes(session, max_size=10), bytes)
    assert_type(list(storage.list()), list[firebase_rest.StorageReference])
    assert_type(picture.get_url(), str)
    picture.download("local.png", session)
    picture.download("local.png", token=session)
    storage.download("users/1/face.png", "local.png", session)
    picture.delete(session)
    storage.delete_all("users")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue] - it must be confirmed
