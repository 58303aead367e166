"""Results of the database, over HTTP."""

from __future__ import annotations

import json

import pytest


@pytest.mark.parametrize("value", [5, 0.5, "text", "", True, False])
def test_val_of_a_scalar(db, value) -> None:
    db.child("x").set(value)
    snapshot = db.child("x").get()
    assert snapshot.val() == value
    assert snapshot.each() is None
    assert snapshot.pyres == value


def test_val_and_each_of_null_are_none(db) -> None:
    snapshot = db.child("nowhere").get()
    assert snapshot.val() is None
    assert snapshot.each() is None
    assert snapshot.pyres is None
    assert snapshot
    assert list(snapshot) == []


def test_iterating_each_of_null_raises_type_error(db) -> None:
    with pytest.raises(TypeError):
        list(db.child("nowhere").get().each())


def test_val_of_an_object_is_a_new_ordered_dict(db) -> None:
    db.child("x").set({"b": {"n": 1}, "a": 2})
    snapshot = db.child("x").get()
    assert isinstance(snapshot.val(), dict)
    assert list(snapshot.val().items()) == [("a", 2), ("b", {"n": 1})]
    snapshot.val()["c"] = 3
    assert "c" not in snapshot.val()
    json.dumps(snapshot.val())
    assert [item.key() for item in snapshot.each()] == ["a", "b"]
    assert [item.val() for item in snapshot.each()] == [2, {"n": 1}]
    assert [item.item for item in snapshot.pyres] == [("a", 2), ("b", {"n": 1})]
    assert snapshot[1].key() == "b"
    assert [item.key() for item in snapshot] == ["a", "b"]


def test_val_of_an_array_is_a_list_with_none_for_holes(db) -> None:
    db.child("x").set(["same", None, "same"])
    snapshot = db.child("x").get()
    assert snapshot.val() == ["same", None, "same"]
    assert [(item.key(), item.val()) for item in snapshot.each()] == [(0, "same"), (1, None), (2, "same")]
    assert [item.item for item in snapshot.pyres] == [(0, "same"), (1, None), (2, "same")]


def test_ordered_array_has_items_without_holes(db) -> None:
    db.child("x").set([None, 3, 1, 2])
    snapshot = db.child("x").order_by_value().limit_to_first(3).get()
    assert snapshot.val() == [None, 3, 1, 2]
    assert [(item.key(), item.val()) for item in snapshot.each()] == [(2, 1), (3, 2), (1, 3)]


def test_query_without_results_is_empty(db) -> None:
    db.child("users").set({"ada": {"age": 36}})
    for query in (
        db.child("users").order_by_child("age").equal_to(99),
        db.child("nowhere").order_by_child("age").equal_to(99),
        db.child("users").order_by_key().start_at("b"),
    ):
        snapshot = query.get()
        assert not snapshot.val()
        assert snapshot.each() == []
        assert snapshot.pyres == []
        assert snapshot


def test_shallow_val_is_a_list_of_keys(db) -> None:
    db.child("users").set({"b": {"n": 1}, "a": True})
    snapshot = db.child("users").shallow().get()
    assert sorted(snapshot.val()) == ["a", "b"]
    assert "a" in snapshot.val()
    json.dumps(snapshot.val())
    assert snapshot.each() is None


@pytest.mark.parametrize(("path", "key"), [("users/ada", "ada"), ("/users/", "users"), ("", "")])
def test_key_is_the_last_segment_of_the_path(db, path, key) -> None:
    assert db.child(path).get().key() == key


def test_push_returns_the_name(db) -> None:
    snapshot = db.child("users").push({"name": "Ada"})
    assert list(snapshot) == ["name"]
    assert len(snapshot["name"]) == 20
    assert db.child("users").child(snapshot["name"]).get().val() == {"name": "Ada"}


def test_set_and_update_return_the_written_data(db) -> None:
    assert db.child("x").set({"a": 1}) == {"a": 1}
    assert db.child("x").update({"b": 2}) == {"b": 2}
    assert isinstance(db.child("x").set({"at": {".sv": "timestamp"}})["at"], int)


def test_remove_returns_none(db) -> None:
    db.child("x").set(1)
    assert db.child("x").remove() is None


def test_get_etag_returns_etag_and_value(db) -> None:
    db.child("x").set({"a": 1})
    snapshot = db.child("x").get_etag()
    assert sorted(snapshot) == ["ETag", "value"]
    assert snapshot["value"] == {"a": 1}


def test_conditional_write_of_changed_data_returns_a_dict(db) -> None:
    db.child("x").set(1)
    snapshot = db.child("x").conditional_set(2, "wrong")
    assert snapshot == {"ETag": db.child("x").get_etag()["ETag"], "value": 1}
    assert "ETag" in db.child("x").conditional_remove("wrong")
    assert db.child("x").conditional_remove(snapshot["ETag"]) is None


def test_result_of_get_etag_is_accepted_as_etag(db) -> None:
    reference = db.child("x")
    first = reference.get_etag()
    assert reference.conditional_set({"a": 1}, first) == {"a": 1}
    assert "ETag" in reference.conditional_set(2, first)
    assert reference.conditional_remove(reference.get_etag()) is None
    assert reference.get().val() is None


def test_sort_orders_by_a_child(db) -> None:
    db.child("x").set({"a": {"n": 2}, "b": {"n": 1}})
    assert [item.key() for item in db.sort(db.child("x").get(), "n").each()] == ["b", "a"]
    assert [item.key() for item in db.sort(db.child("x").get(), "n", True).each()] == ["a", "b"]


def test_generate_key_returns_ascending_keys(db) -> None:
    keys = [db.generate_key() for _ in range(100)]
    assert keys == sorted(set(keys))
    assert {len(key) for key in keys} == {20}
