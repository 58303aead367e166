"""Types of results, and classes that programs derive from."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections import OrderedDict
from queue import Queue

import pytest
import requests

import firebase_rest
import pyrebase
from pyrebase.pyrebase import Auth, Database, Pyre, PyreResponse


@pytest.fixture
def users(db):
    db.child("users").set({"ada": {"age": 36}, "bob": {"age": 7}, "cleo": {"age": 50}})
    return db.child("users")


def test_every_location_is_a_database(db) -> None:
    assert isinstance(db.child("a"), Database)
    assert isinstance(db.child("a").child("b", "c"), Database)
    assert isinstance(db.child("a").with_options(timeout=5), Database)


def test_val_supports_popitem(users) -> None:
    snapshot = users.order_by_child("age").get()
    assert type(snapshot.val()) is OrderedDict
    assert snapshot.val().popitem(last=False)[0] == "bob"
    assert snapshot.val().popitem()[0] == "cleo"
    assert len(snapshot.val()) == 3


def test_query_without_results_equals_an_empty_list(users) -> None:
    assert users.order_by_child("age").equal_to(99).get().val() == []


def test_queries_and_sort_return_pyrebases_types(db, users) -> None:
    assert isinstance(db.order_by_key().limit_to_last(1).child("users").get(), PyreResponse)
    youngest = db.sort(users.get(), "age").val()
    assert type(youngest) is OrderedDict
    assert list(youngest) == ["bob", "ada", "cleo"]


def test_items_are_of_the_class_pyre(users) -> None:
    item = users.get()[0]
    assert str(type(item)) == "<class 'pyrebase.pyrebase.Pyre'>"
    assert str(type(users.get())) == "<class 'pyrebase.pyrebase.PyreResponse'>"
    assert users.get().query_key == "users"
    assert Pyre(("ada", 1)).key() == "ada"
    assert Pyre(("ada", 1)).val() == 1


def test_pyre_response_can_be_constructed() -> None:
    made = PyreResponse([Pyre(("ada", 1)), Pyre(("bob", 2))], "users")
    assert (made.key(), made.val(), made[1].key()) == ("users", {"ada": 1, "bob": 2}, "bob")
    assert (PyreResponse([], "").val(), PyreResponse([], "").each()) == ([], [])
    assert (PyreResponse(7, "age").val(), PyreResponse(None, "age").each()) == (7, None)


def test_pyrebase_exposes_requests(firebase) -> None:
    with pytest.raises(pyrebase.pyrebase.requests.exceptions.HTTPError):
        firebase.auth().refresh("no refresh token")
    assert pyrebase.pyrebase.requests is requests


def test_star_import_includes_pyrebases_imports() -> None:
    names: dict[str, object] = {}
    exec("from pyrebase.pyrebase import *", names)
    assert (names["time"], names["json"], names["OrderedDict"]) == (time, json, OrderedDict)
    assert (names["requests"], names["threading"]) == (requests, threading)


def test_google_storage_is_loaded_at_first_use() -> None:
    program = """
import sys
from pyrebase.pyrebase import storage
assert "google.cloud.storage" not in sys.modules
sys.modules["google.cloud.storage"] = None
try:
    storage.Client
except ImportError as error:
    print(error.name)
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert result.stdout.strip() == "google.cloud.storage", result.stderr


def test_numeric_password_is_sent_as_text(auth) -> None:
    made = auth.create_user_with_email_and_password("ada@example.com", 123456)
    assert auth.sign_in_with_email_and_password("ada@example.com", 123456)["localId"] == made["localId"]
    assert auth.sign_in_with_email_and_password(email="ada@example.com", password="123456")["email"] == made["email"]


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda auth: auth.sign_in_with_email_and_password(None, "correct horse"), "INVALID_EMAIL"),
        (lambda auth: auth.sign_in_with_email_and_password("ada@example.com", None), "MISSING_PASSWORD"),
        (lambda auth: auth.create_user_with_email_and_password(email=None, password="correct horse"), "MISSING_EMAIL"),
        (lambda auth: auth.send_password_reset_email(None), "MISSING_EMAIL"),
        (lambda auth: auth.refresh(None), "MISSING_REFRESH_TOKEN"),
        (lambda auth: auth.get_account_info(None), "MISSING_ID_TOKEN"),
    ],
)
def test_missing_field_raises_the_error_of_firebase(auth, call, code) -> None:
    with pytest.raises(requests.exceptions.HTTPError) as caught:
        call(auth)
    assert json.loads(caught.value.args[1])["error"]["message"] == code


def test_get_url_accepts_pyrebases_tokens(server, monkeypatch) -> None:
    monkeypatch.setenv("FIREBASE_STORAGE_EMULATOR_HOST", server.host)
    firebase = pyrebase.initialize_app(server.config)
    user = firebase.auth().create_user_with_email_and_password("ada@example.com", "correct horse")
    picture = firebase.storage().child("images/a.png")
    metadata = picture.put(b"png", user["idToken"])
    address = picture.get_url(None)
    assert (picture.get_url(0), picture.get_url(""), picture.get_url(1)) == (address, address, f"{address}&token=1")
    assert picture.get_url(user) == f"{address}&token={metadata['downloadTokens']}"


def test_auth_can_be_subclassed(firebase, server) -> None:
    class Accounts(Auth):
        def __init__(self, api_key, requests, credentials) -> None:
            super().__init__(api_key, requests, credentials)
            self.received = []

        def sign_up(self, email):
            self.received.append(email)
            return self.create_user_with_email_and_password(email, "correct horse")

    accounts = Accounts(firebase.api_key, firebase.requests, firebase.credentials)
    user = accounts.sign_up("ada@example.com")
    assert user["email"] == "ada@example.com"
    assert accounts.received == ["ada@example.com"]


def test_firebase_rest_returns_plain_dicts(server, users) -> None:
    with firebase_rest.initialize_app(server.config) as app:
        snapshot = app.database().child("users").get()
        empty = app.database().child("users").order_by_child("age").equal_to(99).get()
    assert type(snapshot.val()) is dict
    assert empty.val() == {}


def test_message_prints_like_pyrebases(db) -> None:
    inbox: Queue[object] = Queue()
    stream = db.child("a").stream(inbox.put, stream_id="mine")
    try:
        assert str(inbox.get(timeout=10)) == "{'path': '/', 'data': None, 'event': 'put', 'stream_id': 'mine'}"
    finally:
        stream.close()
