"""Types that programs look at: of places, of answers and their items, and the classes that they derive from."""

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


def test_every_place_is_a_database(db) -> None:
    assert isinstance(db.child("a"), Database)
    assert isinstance(db.child("a").child("b", "c"), Database)
    assert isinstance(db.child("a").with_options(timeout=5), Database)


def test_the_first_and_the_last_child_can_be_taken_off_an_answer(users) -> None:
    answer = users.order_by_child("age").get()
    assert type(answer.val()) is OrderedDict
    assert answer.val().popitem(last=False)[0] == "bob"
    assert answer.val().popitem()[0] == "cleo"
    assert len(answer.val()) == 3


def test_a_query_that_nothing_matches_equals_an_empty_list(users) -> None:
    assert users.order_by_child("age").equal_to(99).get().val() == []


def test_a_query_below_a_query_and_a_sorted_answer_have_the_same_types(db, users) -> None:
    assert isinstance(db.order_by_key().limit_to_last(1).child("users").get(), PyreResponse)
    youngest = db.sort(users.get(), "age").val()
    assert type(youngest) is OrderedDict
    assert list(youngest) == ["bob", "ada", "cleo"]


def test_an_item_is_a_pyre_by_name(users) -> None:
    item = users.get()[0]
    assert str(type(item)) == "<class 'pyrebase.pyrebase.Pyre'>"
    assert str(type(users.get())) == "<class 'pyrebase.pyrebase.PyreResponse'>"
    assert users.get().query_key == "users"
    assert Pyre(("ada", 1)).key() == "ada"
    assert Pyre(("ada", 1)).val() == 1


def test_an_answer_can_be_made_by_hand_of_items_or_of_a_plain_value() -> None:
    made = PyreResponse([Pyre(("ada", 1)), Pyre(("bob", 2))], "users")
    assert (made.key(), made.val(), made[1].key()) == ("users", {"ada": 1, "bob": 2}, "bob")
    assert (PyreResponse([], "").val(), PyreResponse([], "").each()) == ([], [])
    assert (PyreResponse(7, "age").val(), PyreResponse(None, "age").each()) == (7, None)


def test_requests_can_be_had_through_pyrebase_for_its_exceptions(firebase) -> None:
    with pytest.raises(pyrebase.pyrebase.requests.exceptions.HTTPError):
        firebase.auth().refresh("no refresh token")
    assert pyrebase.pyrebase.requests is requests


def test_what_pyrebase_imports_itself_comes_with_a_star() -> None:
    found: dict[str, object] = {}
    exec("from pyrebase.pyrebase import *", found)
    assert (found["time"], found["json"], found["OrderedDict"]) == (time, json, OrderedDict)
    assert (found["requests"], found["threading"]) == (requests, threading)


def test_googles_storage_can_be_imported_from_pyrebase_and_loads_when_it_is_used() -> None:
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
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "google.cloud.storage", done.stderr


def test_a_password_that_is_a_number_is_sent_as_text(auth) -> None:
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
def test_a_field_missing_in_a_form_is_refused_by_firebase_in_its_words(auth, call, code) -> None:
    with pytest.raises(requests.exceptions.HTTPError) as caught:
        call(auth)
    assert json.loads(caught.value.args[1])["error"]["message"] == code


def test_the_address_of_a_file_is_given_for_whatever_programs_take_for_a_token(server, monkeypatch) -> None:
    monkeypatch.setenv("FIREBASE_STORAGE_EMULATOR_HOST", server.host)
    firebase = pyrebase.initialize_app(server.config)
    user = firebase.auth().create_user_with_email_and_password("ada@example.com", "correct horse")
    picture = firebase.storage().child("images/a.png")
    metadata = picture.put(b"png", user["idToken"])
    address = picture.get_url(None)
    assert (picture.get_url(0), picture.get_url(""), picture.get_url(1)) == (address, address, f"{address}&token=1")
    assert picture.get_url(user) == f"{address}&token={metadata['downloadTokens']}"


def test_a_class_of_the_programs_own_can_derive_from_auth(firebase, server) -> None:
    class Accounts(Auth):
        def __init__(self, api_key, requests, credentials) -> None:
            super().__init__(api_key, requests, credentials)
            self.seen = []

        def sign_up(self, email):
            self.seen.append(email)
            return self.create_user_with_email_and_password(email, "correct horse")

    accounts = Accounts(firebase.api_key, firebase.requests, firebase.credentials)
    user = accounts.sign_up("ada@example.com")
    assert user["email"] == "ada@example.com"
    assert accounts.seen == ["ada@example.com"]


def test_firebase_rest_itself_answers_plain_dicts(server, users) -> None:
    with firebase_rest.initialize_app(server.config) as app:
        answer = app.database().child("users").get()
        nothing = app.database().child("users").order_by_child("age").equal_to(99).get()
    assert type(answer.val()) is dict
    assert nothing.val() == {}


def test_an_event_is_printed_as_pyrebase_prints_it(db) -> None:
    inbox: Queue[object] = Queue()
    stream = db.child("a").stream(inbox.put, stream_id="mine")
    try:
        assert str(inbox.get(timeout=10)) == "{'path': '/', 'data': None, 'event': 'put', 'stream_id': 'mine'}"
    finally:
        stream.close()
