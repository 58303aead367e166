"""Invalid input: one clear sentence, and nothing is sent."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from firebase_rest import UsageError
from support.silent_progress import silent_app

DB = silent_app().database()
PLACE = DB.child("users")
CYCLE: dict[str, Any] = {}
CYCLE["self"] = CYCLE


def deep(levels: int) -> Any:
    return 1 if levels == 0 else {"a": deep(levels - 1)}


KEYS = {
    "dot": "ada@example.com",
    "dollar": "$id",
    "hash": "a#b",
    "opening bracket": "a[",
    "closing bracket": "]",
    "slash inside data": "a/b",
    "control character": "a\x07",
    "delete character": "a\x7f",
    "newline": "a\n",
    "empty": "",
    "769 bytes": "k" * 769,
    "770 bytes of two-byte letters": "é" * 385,
    "an unpaired surrogate": "\ud83d",
    "unknown metadata": ".meta",
    "None": None,
    "a float": 1.5,
    "a bool": True,
    "a tuple": (1, 2),
    "bytes": b"k",
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("write", ["set", "push", "update", "conditional_set"])
def test_invalid_key_raises_one_sentence(write: str, key: Any) -> None:
    arguments = ({"ok": {key: 1}}, "etag") if write == "conditional_set" else ({"ok": {key: 1}},)
    with pytest.raises(UsageError, match=r"/users/.*ok") as caught:
        getattr(PLACE, write)(*arguments)
    assert_one_sentence(caught.value)


VALUES = {
    "NaN": float("nan"),
    "Infinity": float("inf"),
    "a set": {1},
    "a date": date(2024, 1, 1),
    "bytes": b"x",
    "an object": object(),
    "a number beyond doubles": 10**310,
    "a string above 10 MB": "x" * (10 * 1024 * 1024 + 1),
    "an unpaired surrogate": "a\udc00",
    "33 levels": deep(33),
    "itself": CYCLE,
    "an unknown server value": {".sv": "now"},
    "an increment by text": {".sv": {"increment": "1"}},
    ".value with children": {".value": 1, "a": 2},
    "an object as .value": {".value": {"a": 1}},
    "a bool as priority": {".value": 1, ".priority": True},
    "an object as priority": {"a": 1, ".priority": {"b": 1}},
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("write", ["set", "push", "update", "conditional_set"])
def test_invalid_value_raises_one_sentence(write: str, value: Any) -> None:
    arguments = ({"ok": value}, "etag") if write == "conditional_set" else ({"ok": value},)
    with pytest.raises(UsageError, match="/users") as caught:
        getattr(PLACE, write)(*arguments)
    assert_one_sentence(caught.value)


@pytest.mark.parametrize("data", [{"at": date(2024, 1, 1)}, {"a": {1}}, b"x", {(1, 2): 3}])
@pytest.mark.parametrize("json_kwargs", [None, {"indent": 2}])
def test_unsupported_types_raise_a_type_error(data: Any, json_kwargs: Any) -> None:
    with pytest.raises(TypeError) as caught:
        PLACE.set(data, json_kwargs=json_kwargs)
    assert isinstance(caught.value, UsageError)
    with pytest.raises(UsageError) as caught:
        PLACE.set(float("nan"))
    assert not isinstance(caught.value, TypeError)


UPDATES = {
    "a list": [1],
    "a string": "text",
    "a number": 5,
    "None": None,
    "an empty path": {"": 1},
    "only slashes": {"//": 1},
    "a forbidden character in a path": {"ok/a.b": 1},
    "the same path twice": {"a": 1, "/a/": 2},
    "a path above another": {"a": {"b": 1}, "a/c": 2},
    "a priority inside an updated path": {"a": 1, "a/.priority": 2},
    "a priority in the middle": {"a/.priority/b": 1},
    ".value as a segment": {"a/.value": 1},
    ".sv as a segment": {"a/.sv": "timestamp"},
    "an invalid priority": {"a/.priority": [1]},
    "too many levels": {"/".join("a" * 32): 1},
    "a path too long": {"a" * 400 + "/" + "b" * 400: 1},
}


@pytest.mark.parametrize("data", UPDATES.values(), ids=UPDATES)
def test_invalid_update_raises_one_sentence(data: Any) -> None:
    with pytest.raises(UsageError, match=r"/users|update") as caught:
        PLACE.update(data)
    assert_one_sentence(caught.value)


PATHS: dict[str, tuple[Any, ...]] = {
    "dot": ("a.b",),
    "dollar": ("$a",),
    "hash": ("a", "#"),
    "brackets": ("a[0]",),
    "control character": ("a\n",),
    "None": ("a", None),
    "a float": (1.5,),
    "33 levels": tuple("a" * 33),
    "769 bytes": ("a" * 769,),
    "769 bytes in all": ("a" * 400, "b" * 400),
    "an unpaired surrogate": ("\ud83d",),
}


@pytest.mark.parametrize("parts", PATHS.values(), ids=PATHS)
def test_invalid_path_raises_one_sentence(parts: tuple[Any, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        DB.child(*parts).get()
    assert_one_sentence(caught.value)


QUERIES: dict[str, Any] = {
    "an order that is not a string": lambda q: q.order_by_child(5),
    "an empty order": lambda q: q.order_by_child(""),
    "an order with a forbidden character": lambda q: q.order_by_child("a.b"),
    "start_at without an order": lambda q: q.start_at(1),
    "start_after without an order": lambda q: q.start_after(1),
    "end_at without an order": lambda q: q.end_at(1),
    "end_before without an order": lambda q: q.end_before(1),
    "equal_to without an order": lambda q: q.equal_to(None),
    "a limit without an order": lambda q: q.limit_to_last(1),
    "limit_to_first of text": lambda q: q.order_by_key().limit_to_first("3"),
    "limit_to_last of a float": lambda q: q.order_by_key().limit_to_last(1.5),
    "limit_to_first of a bool": lambda q: q.order_by_key().limit_to_first(True),
    "limit_to_first of 0": lambda q: q.order_by_key().limit_to_first(0),
    "a negative limit_to_last": lambda q: q.order_by_key().limit_to_last(-1),
    "both limits": lambda q: q.order_by_key().limit_to_first(1).limit_to_last(1),
    "equal_to and start_at": lambda q: q.order_by_value().equal_to(1).start_at(1),
    "equal_to and start_after": lambda q: q.order_by_value().equal_to(1).start_after(1),
    "equal_to and end_at": lambda q: q.order_by_value().equal_to(1).end_at(1),
    "equal_to and end_before": lambda q: q.order_by_value().equal_to(1).end_before(1),
    "start_at and start_after": lambda q: q.order_by_value().start_after(1).start_at(1),
    "end_at and end_before": lambda q: q.order_by_value().end_before(1).end_at(1),
    "a list as bound": lambda q: q.order_by_value().start_at([1]),
    "an object as bound": lambda q: q.order_by_value().equal_to({"a": 1}),
    "NaN as bound": lambda q: q.order_by_value().end_at(float("nan")),
    "an unpaired surrogate as bound": lambda q: q.order_by_value().end_at("\ud83d"),
    "a number as bound of keys": lambda q: q.order_by_key().start_at(5),
    "None as bound of keys": lambda q: q.order_by_key().equal_to(None),
    "a key with a bound of keys": lambda q: q.order_by_key().start_at("a", key="b"),
    "a bool as bound of priorities": lambda q: q.order_by_priority().equal_to(True),
    "a key of a bound that is not a string": lambda q: q.order_by_value().start_at(1, key=5),
    "an invalid key of a bound": lambda q: q.order_by_value().start_at(1, key="a.b"),
    "an empty key of a bound": lambda q: q.order_by_value().start_at(1, key=""),
    "shallow and an order": lambda q: q.order_by_key().shallow(),
    "shallow and a limit": lambda q: q.shallow().limit_to_first(1),
}


@pytest.mark.parametrize("build", QUERIES.values(), ids=QUERIES)
def test_invalid_query_raises_one_sentence(build: Any) -> None:
    for read in (lambda: build(PLACE).get(), lambda: build(PLACE).stream(print)):
        with pytest.raises(UsageError) as caught:
            read()
        assert_one_sentence(caught.value)


def assert_one_sentence(error: UsageError) -> None:
    text = str(error)
    assert text.endswith(".")
    assert "\n" not in text
    assert len(text) < 400
    assert error.__cause__ is None
    assert error.__context__ is None
