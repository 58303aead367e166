"""ETags, conditional writes and transactions of the client on a served emulator."""

from __future__ import annotations

import threading

import pytest

from firebase_rest import TransactionConflict, UsageError


def test_etag_changes_with_the_value(root):
    reference = root.child("x")
    assert reference.get_etag() == {"ETag": "null_etag", "value": None}
    reference.set({"a": 1})
    first = reference.get_etag()
    assert first["value"] == {"a": 1}
    reference.child("a").set(2)
    assert reference.get_etag()["ETag"] != first["ETag"]
    reference.child("a").set(1)
    assert reference.get_etag() == first


def test_conditional_set_with_current_etag_writes(root):
    reference = root.child("x")
    reference.set(1)
    assert reference.conditional_set(2, reference.get_etag()["ETag"]) == 2
    assert reference.get().val() == 2


def test_conditional_set_with_old_etag_returns_current_value(root):
    reference = root.child("x")
    reference.set(1)
    old = reference.get_etag()["ETag"]
    reference.set({"theirs": True})
    result = reference.conditional_set(2, old)
    assert result == reference.get_etag() == {"ETag": result["ETag"], "value": {"theirs": True}}
    assert reference.conditional_set(3, result["ETag"]) == 3


def test_conditional_set_with_null_etag_requires_no_value(root):
    reference = root.child("x")
    assert reference.conditional_set("first", "null_etag") == "first"
    assert reference.conditional_set("second", "null_etag")["value"] == "first"


def test_conditional_remove_requires_current_etag(root):
    reference = root.child("x")
    reference.set(1)
    old = reference.get_etag()["ETag"]
    reference.set(2)
    result = reference.conditional_remove(old)
    assert result["value"] == 2
    assert reference.get().val() == 2
    assert reference.conditional_remove(result["ETag"]) is None
    assert reference.get().val() is None


def test_transaction_writes_the_returned_value(root):
    reference = root.child("count")
    assert reference.transaction(lambda value: (value or 0) + 1) == 1
    assert reference.transaction(lambda value: (value or 0) + 1) == 2
    assert reference.get().val() == 2


def test_transaction_can_delete(root):
    root.child("x").set({"a": 1})
    assert root.child("x").transaction(lambda _: {}) == {}
    assert not root.child("x").exists()


def test_transaction_retries_after_conflicting_write(root):
    reference = root.child("list")
    received = []

    def add(value):
        if len(received) < 3:
            root.child("list").set([f"other {len(received)}"])
        received.append(value)
        return [*(value or []), "mine"]

    assert reference.transaction(add) == ["other 2", "mine"]
    assert received == [None, ["other 0"], ["other 1"], ["other 2"]]
    assert reference.get().val() == ["other 2", "mine"]


@pytest.mark.slow
def test_transaction_raises_after_25_attempts(root):
    reference = root.child("x")
    calls = []

    def disturbed(value):
        calls.append(value)
        root.child("x").set(len(calls))
        return "mine"

    with pytest.raises(TransactionConflict, match="25 attempts") as caught:
        reference.transaction(disturbed)
    assert len(calls) == 25
    assert caught.value.value == 25
    assert caught.value.etag == reference.get_etag()["ETag"]
    assert reference.get().val() == 25


def test_exception_in_function_ends_the_transaction(root):
    root.child("x").set("before")

    def stop(_):
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        root.child("x").transaction(stop)
    assert root.child("x").get().val() == "before"


def test_transaction_validates_the_returned_value(root):
    with pytest.raises(UsageError, match=r"/x/a"):
        root.child("x").transaction(lambda _: {"a": float("nan")})
    assert not root.child("x").exists()


@pytest.mark.parametrize("path", ["count", "deep/er/count"])
def test_concurrent_transactions_lose_no_update(root, path):
    def work():
        for _ in range(5):
            root.child(path).transaction(lambda value: (value or 0) + 1)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert root.child(path).get().val() == 20
