"""push, set, update, remove and their conditional forms, with odd data."""

from __future__ import annotations

import time
from collections import OrderedDict, defaultdict
from datetime import date
from decimal import Decimal
from enum import Enum, IntEnum
from types import MappingProxyType
from typing import Any, NamedTuple

from wire.case import ID_TOKEN, CaseContext, Response, WireCase, case

NAME = '{"name": "-Kabc"}'
TAKEN = Response('{"a": 1}', 412, {"ETag": "newer"})


class Point(NamedTuple):
    x: int
    y: int


class Weekday(IntEnum):
    MONDAY = 1


DATA: dict[str, Any] = {
    "a dict": {"name": "Ada", "age": 36},
    "a text": "x",
    "an empty text": "",
    "an int": 7,
    "a float": 1.5,
    "true": True,
    "None": None,
    "a list": [1, "b", None],
    "a tuple": (1, 2),
    "an empty dict": {},
    "an empty list": [],
    "letters of all kinds": {"é": "日本", "smile": "😀", "lines": 'a\nb\t"c" \\'},
    "nested data": {"a": {"b": {"c": [{"d": None}, {"e": False}]}}},
    "int keys": {1: "a", -2: "b"},
    "a float key": {1.5: "a"},
    "a key of None": {None: "a"},
    "a key of True": {True: "a"},
    "a server's time": {"at": {".sv": "timestamp"}},
    "a priority": {".value": 1, ".priority": 2},
    "a key with a dot": {"a.b": 1},
    "an empty key": {"": 1},
    "not a number": float("nan"),
    "a large int": 2**60,
    "a set": {1},
    "a date": date(2024, 1, 2),
    "bytes": b"x",
}

DATA.update(
    {
        "an OrderedDict": OrderedDict(b=1, a=2),
        "a defaultdict": defaultdict(int, a=1),
        "a named tuple": Point(1, 2),
        "an IntEnum": Weekday.MONDAY,
        "a Decimal": Decimal("1.5"),
        "a read-only mapping": MappingProxyType({"a": 1}),
        "a view of keys": {"a": 1}.keys(),
        "half of a letter": "\ud83d",
        "a key with a slash": {"a/b": 1},
        "an object": object(),
    }
)


class Color(str, Enum):
    RED = "red"


DATA["an enum of texts"] = {"color": Color.RED}


def written(method: str, value: object, body: str) -> WireCase:
    return case(lambda at: getattr(at.db.child("users"), method)(value), body)


def keys(at: CaseContext) -> object:
    """Return whether keys are ascending and unique at a fixed time."""
    real, now = time.time, time.time()
    time.time = lambda: now
    try:
        made = [at.db.generate_key() for _ in range(200)]
    finally:
        time.time = real
    return {
        "lengths": sorted({len(key) for key in made}),
        "rise": made == sorted(made),
        "differ": len(set(made)) == 200,
    }


def conditional(call: Any, *responses: Response | str) -> WireCase:
    return case(lambda at: call(at.db.child("x")), *responses)


WRITES = {
    **{f"push {name}": written("push", value, NAME) for name, value in DATA.items()},
    **{f"set {name}": written("set", value, "null") for name, value in DATA.items()},
    "set and its return value": written("set", {"a": {".sv": "timestamp"}}, '{"a": 1700000000000}'),
    "set at the root": case(lambda at: at.db.set({"a": 1}), '{"a": 1}'),
    "set with a token": case(lambda at: at.db.child("x").set(1, ID_TOKEN), "1"),
    "set with json_kwargs": case(
        lambda at: at.db.child("x").set({"d": date(2024, 1, 2)}, json_kwargs={"default": str})
    ),
    "set with sorted keys": case(lambda at: at.db.child("x").set({"b": 1, "a": 2}, None, {"sort_keys": True})),
    "set with not a number, made text": case(
        lambda at: at.db.child("x").set(float("inf"), json_kwargs={"default": str})
    ),
    "set with its letters as they are": case(
        lambda at: at.db.child("x").set({"é": "日本"}, json_kwargs={"ensure_ascii": False}), "1"
    ),
    "push with a token": case(lambda at: at.db.child("x").push(1, ID_TOKEN), NAME),
    "push by keyword": case(lambda at: at.db.child("x").push(data=1, token=ID_TOKEN, json_kwargs={}), NAME),
    "push at the root": case(lambda at: at.db.push(1), NAME),
    "push with json_kwargs": case(lambda at: at.db.child("x").push({1}, json_kwargs={"default": list}), NAME),
    "update": written("update", {"age": 37, "é": None}, '{"age": 37}'),
    "update at paths": written("update", {"ada/age": 37, "bob/name": "Bob"}, '{"ada/age": 37}'),
    "update at the root": case(lambda at: at.db.update({"users/ada": 1, "posts/1": {"a": 2}}), '{"users/ada": 1}'),
    "update at paths with a slash in front": written("update", {"/ada/age": 37}, "{}"),
    "update with int keys": written("update", {1: 2}, "{}"),
    "update of an empty dict": written("update", {}, "{}"),
    "update with a list": written("update", [1], "{}"),
    "update with a token": case(lambda at: at.db.child("x").update({"a": 1}, ID_TOKEN), "{}"),
    "update with json_kwargs": case(
        lambda at: at.db.child("x").update({"a": {1}}, json_kwargs={"default": list}), "{}"
    ),
    "update with overlapping paths": written("update", {"a": 1, "a/b": 2}, "{}"),
    "remove": case(lambda at: at.db.child("x").remove()),
    "remove with a token": case(lambda at: at.db.child("x").remove(ID_TOKEN)),
    "remove by keyword": case(lambda at: at.db.child("x").remove(token=ID_TOKEN)),
    "remove at the root": case(lambda at: at.db.remove()),
    "remove of a query": case(lambda at: at.db.child("x").order_by_key().remove()),
    "generated keys": case(keys),
    "conditional_set": conditional(
        lambda reference: reference.conditional_set({"b": 1}, "tag"), Response("7", headers={"ETag": "t"})
    ),
    "failed conditional_set": conditional(lambda reference: reference.conditional_set(1, "tag"), TAKEN),
    "conditional_set with a token": conditional(lambda reference: reference.conditional_set(1, "tag", ID_TOKEN), "1"),
    "conditional_set by keyword": conditional(
        lambda reference: reference.conditional_set(data={1}, etag="tag", token="T", json_kwargs={"default": list}), "1"
    ),
    "conditional_remove": conditional(lambda reference: reference.conditional_remove("tag"), "null"),
    "failed conditional_remove": conditional(lambda reference: reference.conditional_remove("tag"), TAKEN),
    "conditional_remove with a token": conditional(
        lambda reference: reference.conditional_remove(etag="tag", token="T"), "null"
    ),
    "conditional_set of a service account": case(
        lambda at: at.admin.database().child("x").conditional_set(1, "tag"), "1"
    ),
}
