"""Types of the drop-in: annotations with pyrebase's names mean the same as with ours."""

from __future__ import annotations

from typing import Any

from typing_extensions import assert_type

import firebase_rest
import pyrebase
from pyrebase.pyrebase import Auth, Database, Firebase, HTTPError, Pyre, PyreResponse, Storage, Stream

firebase: Firebase = pyrebase.initialize_app({"apiKey": "x"}, timeout=5)
app: firebase_rest.App = firebase
db: Database = firebase.database()
auth: Auth = firebase.auth()
storage: Storage = firebase.storage()

assert_type(firebase.with_options(timeout=5), Firebase)
assert_type(db.child("a"), Database)
assert_type(db.set({}), Any)
response: PyreResponse = db.child("a").get()
assert_type(db.child("a").order_by_key().get(), firebase_rest.Snapshot)
items: list[Pyre] | None = response.each()
stream: Stream = db.child("a").stream(print)


def message(error: HTTPError) -> str:
    return str(error.args[1])


pyrebase.pyrebase.quote = lambda text: text  # type: ignore[assignment] # programs do; it is harmless
