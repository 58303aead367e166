"""ETags, conditional writes and transactions of the client on a served emulator."""

from __future__ import annotations

import threading

import pytest

from firebase_rest import TransactionConflict, UsageError


def test_an_etag_goes_with_its_value_and_follows_the_data(root):
    place = root.child("x")
    assert place.get_etag() == {"ETag": "null_etag", "value": None}
    place.set({"a": 1})
    first = place.get_etag()
    assert first["value"] == {"a": 1}
    place.child("a").set(2)
    assert place.get_etag()["ETag"] != first["ETag"]
    place.child("a").set(1)
    assert place.get_etag() == first


def test_a_conditional_set_writes_while_the_etag_holds(root):
    place = root.child("x")
    place.set(1)
    assert place.conditional_set(2, place.get_etag()["ETag"]) == 2
    assert place.get().val() == 2


def test_a_conditional_set_that_comes_too_late_tells_what_is_there_and_raises_nothing(root):
    place = root.child("x")
    place.set(1)
    old = place.get_etag()["ETag"]
    place.set({"theirs": True})
    answer = place.conditional_set(2, old)
    assert answer == place.get_etag() == {"ETag": answer["ETag"], "value": {"theirs": True}}
    assert place.conditional_set(3, answer["ETag"]) == 3


def test_a_conditional_set_on_nothing_writes_only_where_nothing_is(root):
    place = root.child("x")
    assert place.conditional_set("first", "null_etag") == "first"
    assert place.conditional_set("second", "null_etag")["value"] == "first"


def test_a_conditional_remove_deletes_while_the_etag_holds(root):
    place = root.child("x")
    place.set(1)
    old = place.get_etag()["ETag"]
    place.set(2)
    answer = place.conditional_remove(old)
    assert answer["value"] == 2
    assert place.get().val() == 2
    assert place.conditional_remove(answer["ETag"]) is None
    assert place.get().val() is None


def test_a_transaction_writes_what_the_function_makes_of_the_value(root):
    place = root.child("count")
    assert place.transaction(lambda value: (value or 0) + 1) == 1
    assert place.transaction(lambda value: (value or 0) + 1) == 2
    assert place.get().val() == 2


def test_a_transaction_may_delete(root):
    root.child("x").set({"a": 1})
    assert root.child("x").transaction(lambda _: {}) == {}
    assert not root.child("x").exists()


def test_a_transaction_that_others_disturb_goes_again_with_their_value(root):
    place = root.child("list")
    seen = []

    def add(value):
        if len(seen) < 3:
            root.child("list").set([f"other {len(seen)}"])
        seen.append(value)
        return [*(value or []), "mine"]

    assert place.transaction(add) == ["other 2", "mine"]
    assert seen == [None, ["other 0"], ["other 1"], ["other 2"]]
    assert place.get().val() == ["other 2", "mine"]


def test_a_transaction_gives_up_after_25_attempts_and_writes_nothing(root):
    place = root.child("x")
    calls = []

    def disturbed(value):
        calls.append(value)
        root.child("x").set(len(calls))
        return "mine"

    with pytest.raises(TransactionConflict, match="25 attempts") as caught:
        place.transaction(disturbed)
    assert len(calls) == 25
    assert caught.value.value == 25
    assert caught.value.etag == place.get_etag()["ETag"]
    assert place.get().val() == 25


def test_what_the_function_raises_ends_the_transaction_with_nothing_written(root):
    root.child("x").set("before")

    def stop(_):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        root.child("x").transaction(stop)
    assert root.child("x").get().val() == "before"


def test_a_transaction_refuses_what_cannot_be_stored_before_writing(root):
    with pytest.raises(UsageError, match=r"/x/a"):
        root.child("x").transaction(lambda _: {"a": float("nan")})
    assert not root.child("x").exists()


@pytest.mark.parametrize("path", ["count", "deep/er/count"])
def test_transactions_of_many_threads_lose_nothing(root, path):
    def work():
        for _ in range(5):
            root.child(path).transaction(lambda value: (value or 0) + 1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert root.child(path).get().val() == 20
