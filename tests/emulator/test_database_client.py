"""Every read and write method of the client on a served emulator."""

from __future__ import annotations

import time

import pytest

import firebase_rest
from firebase_rest import SERVER_TIMESTAMP, UsageError, increment

NASTY_KEYS = [
    "a b",
    "é",
    "日本",
    "?x=1&y",
    "+",
    "%",
    "%41",
    "a%2Fb",
    '"',
    "'",
    "😀",
    "~!@%^&*()=;:,<>|`{}\\",
    "ns",
    "json",
]


def test_set_value_is_read_back(root):
    data = {"name": "Ada", "tags": ["x", "y"], "born": 1815, "alive": False, "score": 0.5}
    assert root.child("users/ada").set(data) == data
    assert root.child("users").child("ada").get().val() == data
    assert root.child("users/ada/tags/1").get().val() == "y"


def test_set_replaces_and_update_keeps_the_other_children(root):
    reference = root.child("x")
    reference.set({"a": 1, "b": {"c": 1, "d": 2}})
    assert reference.update({"b": {"c": 5}, "e": 6}) == {"b": {"c": 5}, "e": 6}
    assert reference.get().val() == {"a": 1, "b": {"c": 5}, "e": 6}
    reference.set({"z": 1})
    assert reference.get().val() == {"z": 1}


def test_multi_path_update_writes_and_deletes_atomically(root):
    root.set({"users": {"ada": {"age": 1, "name": "Ada"}, "bob": {"age": 2}}, "log": {"n": 1}})
    root.update({"users/ada/age": 36, "users/bob": None, "log/last/who": "ada"})
    assert root.get().val() == {"users": {"ada": {"age": 36, "name": "Ada"}}, "log": {"n": 1, "last": {"who": "ada"}}}


@pytest.mark.parametrize("nothing", [None, {}, [], {"a": None}, {"a": {"b": []}}])
def test_setting_nothing_deletes(root, nothing):
    root.child("x/y").set(1)
    root.child("x/y").set(nothing)
    assert root.child("x").get().val() is None
    assert not root.child("x").exists()


def test_push_keys_are_ascending(root):
    names = [root.child("list").push({"n": n})["name"] for n in range(10)]
    assert names == sorted(names)
    assert [item.item for item in root.child("list").get()] == [(name, {"n": n}) for n, name in enumerate(names)]


def test_remove_deletes_and_returns_none(root):
    root.child("a").set({"b": 1, "c": 2})
    assert root.child("a/b").remove() is None
    assert root.child("a").get().val() == {"c": 2}
    assert root.child("nowhere").remove() is None


@pytest.mark.parametrize("value", [0, False, "", "x", {"a": 1}, [1]])
def test_exists_is_true_for_falsy_values(root, value):
    assert not root.child("x").exists()
    root.child("x").set(value)
    assert root.child("x").exists()
    assert root.child("x").exists() is True


@pytest.mark.parametrize("key", NASTY_KEYS)
def test_special_characters_in_keys(root, key):
    root.child("keys", key, "deep").set(key)
    assert root.child("keys").get().val() == {key: {"deep": key}}
    assert root.child(f"keys/{key}/deep").get().val() == key
    root.child("keys").update({f"{key}/more": 1})
    assert list(root.child("keys").order_by_key().equal_to(key).get().val()) == [key]
    assert root.child("keys").child(key).get().key() == key


def test_server_timestamp_is_resolved_in_the_response(root):
    before = int(time.time() * 1000)
    written = root.child("post").set({"at": SERVER_TIMESTAMP, "text": "x"})
    assert before <= written["at"] <= int(time.time() * 1000)
    assert root.child("post").get().val() == written
    root.child("post").update({"changed": SERVER_TIMESTAMP})
    assert root.child("post/changed").get().val() >= written["at"]


def test_increment_adds_to_the_current_value(root):
    count = root.child("count")
    assert count.set(increment(5)) == 5
    assert count.set(increment(-2)) == 3
    assert root.update({"count": increment(0.5), "new/deep": increment(1)}) == {"count": 3.5, "new/deep": 1}
    count.set("text")
    assert count.set(increment(7)) == 7


def test_json_kwargs_configure_encoding_and_decoding(root):
    root.child("x").set({"when": complex(1, 2), "price": 1.10}, json_kwargs={"default": str})
    assert root.child("x").get().val() == {"when": "(1+2j)", "price": 1.1}
    assert root.child("x/price").get(json_kwargs={"parse_float": str}).val() == "1.1"


def test_shallow_returns_keys(root):
    root.child("x").set({"b": {"c": 1}, "a": 2, "10": 3, "9": 4})
    assert root.child("x").shallow().get().val() == ["9", "10", "a", "b"]
    root.child("list").set(["x", None, "z"])
    assert root.child("list").shallow().get().val() == ["0", "2"]
    assert root.child("x/a").shallow().get().val() == 2
    assert root.child("nowhere").shallow().get().val() is None


def test_arrays_are_returned_as_firebase_renders_them(root):
    root.child("x").set(["a", None, "c"])
    written = root.child("x").get()
    assert written.val() == ["a", None, "c"]
    assert [item.item for item in written.each()] == [(0, "a"), (1, None), (2, "c")]
    root.child("x/0").remove()
    assert root.child("x").get().val() == {"2": "c"}


def test_databases_of_one_app_are_separate(app, server):
    other = app.database(f"http://{server.host}/?ns=another")
    app.database().child("x").set("mine")
    other.child("x").set("theirs")
    assert app.database().child("x").get().val() == "mine"
    assert other.child("x").get().val() == "theirs"
    assert other != app.database()


def test_production_url_selects_namespace_of_emulator(server, monkeypatch):
    monkeypatch.setenv("FIREBASE_DATABASE_EMULATOR_HOST", server.host)
    with firebase_rest.initialize_app({"databaseURL": "https://one.firebaseio.com"}) as app:
        app.database().child("x").set(1)
        two = app.database("https://two.europe-west1.firebasedatabase.app/")
        assert two.child("x").get().val() is None
    with firebase_rest.initialize_app({"databaseURL": f"http://{server.host}?ns=one"}) as app:
        assert app.database().child("x").get().val() == 1


def test_parent_and_root_references(root):
    root.set({"a": {"b": {"c": 1}}})
    reference = root.child("a/b/c")
    assert reference.parent.get().val() == {"c": 1}
    assert reference.parent.parent.get().key() == "a"
    assert reference.root.get().val() == {"a": {"b": {"c": 1}}}


def test_with_options_returns_a_new_reference(root):
    patient = root.child("x").with_options(timeout=(5, 30), deadline=60, retries=5)
    patient.set(1)
    assert patient.get().val() == root.child("x").get().val() == 1
    with pytest.raises(UsageError):
        root.with_options(timeout=0)


def test_invalid_namespace_error_has_the_server_message(app, server):
    odd = app.database(f"http://{server.host}/?ns=not.a.name")
    with pytest.raises(firebase_rest.NotFound, match="Invalid Firebase database name") as caught:
        odd.get()
    assert caught.value.status == 403
