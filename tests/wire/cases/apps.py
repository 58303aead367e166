"""Configuration, attributes, and the `requests.Session`."""

from __future__ import annotations

import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

from wire.case import CONFIG, DATABASE, ID_TOKEN, CaseContext, Response, case


def key_file(at: CaseContext) -> str:
    return at.file("key.json", json.dumps(at.account).encode())


def five_fields(at: CaseContext) -> dict[str, Any]:
    return {name: at.account[name] for name in ("type", "project_id", "private_key_id", "private_key", "client_email")}


def replaced_get(at: CaseContext) -> object:
    """Replace `session.get` by a function."""
    calls = []
    real = at.db.requests.get

    def get(url: str, headers: Any = None, timeout: Any = None) -> Any:
        calls.append(url.partition("?")[0])
        return real(url, headers=headers, timeout=5)

    at.db.requests.get = get
    return at.db.child("x").get().val(), calls


def quote_replaced(at: CaseContext) -> object:
    """Disable pyrebase's encoder, as some programs do."""
    inside = at.pyrebase.pyrebase
    real, inside.quote = inside.quote, lambda text: text
    try:
        return at.storage.child("a b").get_url(None), at.db.child("a b").get().key()
    finally:
        inside.quote = real


def classes(at: CaseContext) -> object:
    inside = at.pyrebase.pyrebase
    snapshot = at.db.child("x").get()
    return {
        "Firebase": isinstance(at.firebase, inside.Firebase),
        "Auth": isinstance(at.auth, inside.Auth),
        "Database": isinstance(at.db, inside.Database),
        "a child": isinstance(at.db.child("x"), inside.Database),
        "names": [
            type(made).__name__ for made in (at.firebase, at.auth, at.db, at.storage, snapshot, snapshot.each()[0])
        ],
        "Storage": isinstance(at.storage, inside.Storage),
        "PyreResponse": isinstance(snapshot, inside.PyreResponse),
        "Pyre": isinstance(snapshot.each()[0], inside.Pyre),
        "HTTPError": issubclass(inside.HTTPError, OSError),
        "a function": at.pyrebase.initialize_app is inside.initialize_app,
    }


def of_own(at: CaseContext) -> object:
    """Derive a class from pyrebase's."""

    class Mine(at.pyrebase.pyrebase.Firebase):
        def users(self) -> Any:
            return self.database().child("users")

    return Mine(CONFIG).users().get().val()


def auth_of_own(at: CaseContext) -> object:
    class Mine(at.pyrebase.pyrebase.Auth):
        def uid(self) -> Any:
            return self.sign_in_anonymous()["localId"]

    return Mine(at.firebase.api_key, at.firebase.requests, at.firebase.credentials).uid()


def by_hand(kind: str, *names: str) -> Any:
    """Create an object of `kind` from attributes of the app, as pyrebase's code does."""

    def make(at: CaseContext) -> Any:
        return getattr(at.pyrebase.pyrebase, kind)(*(getattr(at.firebase, name) for name in names))

    return make


database_by_hand = by_hand("Database", "credentials", "api_key", "database_url", "requests")
storage_by_hand = by_hand("Storage", "credentials", "storage_bucket", "requests")


def own_request(at: CaseContext) -> object:
    """Send a request with requests and let pyrebase check the response."""
    response = at.firebase.requests.get(at.db.database_url + at.db.child("x").path + ".json", timeout=5)
    at.pyrebase.pyrebase.raise_detailed_error(response)
    return response.json()


def session_headers(at: CaseContext) -> object:
    at.firebase.requests.headers["X-Mine"] = "yes"
    return at.db.child("x").get().val()


def empty_configuration(at: CaseContext) -> object:
    return at.pyrebase.initialize_app({"apiKey": "the-key", "databaseURL": DATABASE}).database().child("x").get().val()


def no_database(at: CaseContext) -> object:
    firebase = at.pyrebase.initialize_app({"apiKey": "the-key", "authDomain": "", "storageBucket": ""})
    return firebase.database().child("x").get().val()


APPS = {
    "attributes of an app": case(
        lambda at: (
            at.firebase.api_key,
            at.firebase.auth_domain,
            at.firebase.database_url,
            at.firebase.storage_bucket,
            at.firebase.credentials,
            at.firebase.requests,
        )
    ),
    "attributes of a reference": case(
        lambda at: (at.db.api_key, at.db.database_url, at.db.path, at.db.credentials, at.db.requests)
    ),
    "attributes of a bucket": case(
        lambda at: (at.storage.storage_bucket, at.storage.path, at.storage.credentials, at.storage.requests)
    ),
    "attributes of auth": case(
        lambda at: (at.auth.api_key, at.auth.current_user, at.auth.credentials, at.auth.requests)
    ),
    "each service is a new object": case(
        lambda at: [
            at.firebase.auth() is at.firebase.auth(),
            at.firebase.database() is at.firebase.database(),
            at.firebase.storage() is at.firebase.storage(),
        ]
    ),
    "the configuration by keyword": case(
        lambda at: (
            at.pyrebase.initialize_app(
                config={"apiKey": "k", "authDomain": "a", "databaseURL": DATABASE, "storageBucket": "b", "more": 1}
            ).api_key
        )
    ),
    "a mapping for a configuration": case(
        lambda at: (
            at.pyrebase.initialize_app(
                MappingProxyType({"apiKey": "k", "authDomain": "a", "databaseURL": DATABASE, "storageBucket": "b"})
            ).api_key
        )
    ),
    "a configuration without storage and domain": case(empty_configuration, "1"),
    "a database that the configuration does not name": case(no_database, "1"),
    "a databaseURL with a slash": case(
        lambda at: at.app(databaseURL=DATABASE + "/").database().child("x").get().val(), "1"
    ),
    "a databaseURL with a namespace": case(
        lambda at: at.app(databaseURL="http://127.0.0.1:9000/?ns=wire").database().child("x").get().val(), "1"
    ),
    "a bucket with gs": case(
        lambda at: at.app(storageBucket="gs://wire.appspot.com").storage().child("a").get_url(None)
    ),
    "no service account": case(lambda at: at.app(serviceAccount="").database().child("x").get().val(), "1"),
    "None for a service account": case(lambda at: at.app(serviceAccount=None).database().child("x").get().val(), "1"),
    "a service account's mapping": case(lambda at: at.admin.database().child("x").get().val(), "1"),
    "a service account's file": case(
        lambda at: at.app(serviceAccount=key_file(at)).database().child("x").get().val(), "1"
    ),
    "a service account's PathLike": case(
        lambda at: at.app(serviceAccount=Path(key_file(at))).database().child("x").get().val(), "1"
    ),
    "a missing service account file": case(
        lambda at: at.app(serviceAccount=str(at.folder / "missing.json")).database().child("x").get().val()
    ),
    "a service account with five fields": case(
        lambda at: at.app(serviceAccount=five_fields(at)).credentials.service_account_email
    ),
    "two calls of a service account": case(
        lambda at: [at.admin.database().child(name).get().val() for name in "ab"], "1"
    ),
    "writes of a service account": case(
        lambda at: [at.admin.database().child("x").set(1), at.admin.database().child("x").remove()], "null"
    ),
    "a user's token instead of a service account": case(
        lambda at: at.admin.database().child("x").get(ID_TOKEN).val(), "1"
    ),
    "a session's get is replaced": case(replaced_get, "1"),
    "quote is replaced": case(quote_replaced, "1"),
    "pyrebase's own names": case(classes, '{"a": 1}'),
    "a Firebase of the program's own": case(of_own, "1"),
    "an Auth of the program's own": case(
        auth_of_own, '{"localId": "ada", "idToken": "T", "refreshToken": "R", "expiresIn": "3600"}'
    ),
    "a Database made directly": case(lambda at: database_by_hand(at).child("x").get().val(), "1"),
    "a Storage made directly": case(lambda at: storage_by_hand(at).child("x").get_url(None)),
    "a Pyre made directly": case(lambda at: at.pyrebase.pyrebase.Pyre(("a", 1)).val()),
    "a PyreResponse made directly": case(
        lambda at: at.pyrebase.pyrebase.PyreResponse([at.pyrebase.pyrebase.Pyre(("a", 1))], "users")
    ),
    "a PyreResponse made directly of a value": case(lambda at: at.pyrebase.pyrebase.PyreResponse(7, "users")),
    "a query is a Database": case(lambda at: isinstance(at.db.order_by_key(), at.pyrebase.pyrebase.Database)),
    "a file is a Storage": case(lambda at: isinstance(at.storage.child("x"), at.pyrebase.pyrebase.Storage)),
    "a request of the program's own": case(own_request, "1"),
    "a rejected request of the program": case(own_request, Response('{"error": "Permission denied"}', 401)),
    "a session's headers": case(session_headers, "1"),
    "no response to a push": case(lambda at: at.db.child("x").push(1), Response(drop=True)),
}
