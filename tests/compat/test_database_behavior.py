"""Behavior of the database that programs rely on."""

from __future__ import annotations

import pytest

import pyrebase


@pytest.fixture
def users(db):
    db.child("users").set({"ada": {"age": 36, "n": "10"}, "bob": {"age": 7, "n": 10}, "cy": {"age": 36}})
    return db.child("users")


def test_last_order_and_bound_win(users) -> None:
    query = users.order_by_key().order_by_child("age").start_at(1).start_at(8).limit_to_first(1).limit_to_first(5)
    assert list(query.get().val()) == ["ada", "cy"]


def test_bounds_distinguish_strings_and_numbers(users) -> None:
    assert list(users.order_by_child("n").equal_to("10").get().val()) == ["ada"]
    assert list(users.order_by_child("n").equal_to(10).get().val()) == ["bob"]
    assert list(users.order_by_child("n").equal_to(10.0).get().val()) == ["bob"]
    assert list(users.order_by_child("n").equal_to(None).get().val()) == ["cy"]


def test_bounds_distinguish_true_and_one(db) -> None:
    db.child("x").set({"a": True, "b": 1})
    assert list(db.child("x").order_by_value().equal_to(True).get().val()) == ["a"]
    assert list(db.child("x").order_by_value().equal_to(1).get().val()) == ["b"]


def test_results_are_in_firebases_order(users) -> None:
    assert list(users.order_by_child("age").get().val()) == ["bob", "ada", "cy"]
    assert list(users.order_by_child("n").get().val()) == ["cy", "bob", "ada"]


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        ((), ""),
        (("users", "ada"), "users/ada"),
        (("/users/", "/ada"), "users/ada"),
        (("users/ada",), "users/ada"),
        (("", "users"), "users"),
        ((1, 2), "1/2"),
        ((True,), "True"),
    ],
)
def test_child_accepts_any_number_of_arguments(db, parts, path) -> None:
    assert db.child(*parts).path == path


@pytest.mark.parametrize("name", ["a b", "é", "what?", "a+b", "100%", "a&b", "%41"])
def test_text_in_child_is_encoded_once(db, name) -> None:
    db.child("names", name).set(1)
    assert db.child("names").get().val() == {name: 1}


@pytest.mark.parametrize("name", ["a.b", "$a", "#", "[", "]", "a\tb", None])
def test_invalid_key_raises(db, name) -> None:
    with pytest.raises(ValueError, match=r"\."):
        db.child("users", name)


def test_int_keys_become_strings_and_other_keys_raise(db) -> None:
    db.child("x").set({1: "a", -5: "b"})
    assert db.child("x").get().val() == {"-5": "b", "1": "a"}
    for key in (1.5, None, True, (1,)):
        with pytest.raises(ValueError, match="must be a string"):
            db.child("x").set({key: 1})


def test_json_kwargs_are_applied_before_validation(db) -> None:
    db.child("x").set({"a": {1}}, json_kwargs={"default": sorted})
    assert db.child("x").get().val() == {"a": [1]}


def test_stored_reference_keeps_its_location(db) -> None:
    ref = db.child("x")
    ref.set({"a": 1})
    ref.child("b").set(2)
    assert ref.get().val() == {"a": 1, "b": 2}
    ref.order_by_key().limit_to_first(1).get()
    assert ref.get().val() == {"a": 1, "b": 2}
    ref.push(3)
    assert len(ref.get().val()) == 3


@pytest.mark.parametrize("empty", [{}, [], None])
def test_set_of_empty_data_deletes(db, empty) -> None:
    db.child("x").set(1)
    db.child("x").set(empty)
    assert db.child("x").get().val() is None


def test_child_as_a_statement_has_no_effect(db) -> None:
    db.child("x").set(1)
    db.child("y")
    assert db.get().val() == {"x": 1}


def test_token_by_position_and_keyword(db, user) -> None:
    db.child("x").set(1, user["idToken"])
    assert db.child("x").get(user["idToken"]).val() == 1
    assert db.child("x").get(token=user["idToken"]).val() == 1
    db.child("x").update({"a": 1}, user["idToken"])
    db.child("x").push(1, token=user["idToken"])
    db.child("x").remove(user["idToken"])


def test_user_token_replaces_service_account_for_one_call(server, user, monkeypatch) -> None:
    monkeypatch.setenv("FIREBASE_DATABASE_EMULATOR_HOST", server.host)
    with pyrebase.initialize_app({**server.config, "serviceAccount": {"type": "service_account"}}) as firebase:
        sent = []
        firebase.requests.hooks["response"].append(lambda response, **_: sent.append(response.request))
        firebase.database().get()
        firebase.database().get(user["idToken"])
        assert sent[0].headers["Authorization"] == "Bearer owner"
        assert "Authorization" not in sent[1].headers
        assert "auth=ey" in sent[1].url
