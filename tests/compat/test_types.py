"""Types that programs look at: of places, of answers and their items, and the classes that they derive from."""

from __future__ import annotations

from collections import OrderedDict

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
