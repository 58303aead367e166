"""What `get` returns for every kind of response, and how programs use it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from wire.case import ID_TOKEN, CaseContext, Response, WireCase, case

OBJECT = '{"ada": {"age": 36}, "bob": {"age": 7}}'
ARRAY = '["a", "b"]'


def read(body: str) -> WireCase:
    return case(lambda at: at.db.child("users").get(), body)


def read_value(at: CaseContext) -> Any:
    return at.db.child("users").get()


def iterated(at: CaseContext) -> object:
    return [item.val() for item in read_value(at)]


def mutated(at: CaseContext) -> object:
    found = read_value(at)
    found.val()["new"] = 1
    return found.val()


def in_each(at: CaseContext) -> object:
    return [(child.key(), child.val(), child.item) for child in read_value(at).each()]


def sort(at: CaseContext) -> object:
    return at.db.sort(read_value(at), "age")


def sort_reversed(at: CaseContext) -> object:
    return [at.db.sort(read_value(at), "age", True), at.db.sort(read_value(at), "age", reverse=True)]


MIXED = '{"ada": {"age": 36}, "bob": {"age": "7"}, "cy": {}}'

RESPONSES = {
    "null": read("null"),
    "a number": read("7"),
    "a float": read("7.5"),
    "a text": read('"x"'),
    "an empty text": read('""'),
    "true": read("true"),
    "false": read("false"),
    "zero": read("0"),
    "an object": read(OBJECT),
    "an object in another order": read('{"b": 1, "a": 2}'),
    "an object with keys that are numbers": read('{"10": 1, "9": 2}'),
    "an empty object": read("{}"),
    "an array": read(ARRAY),
    "an array with holes": read('[null, "a", null, "b"]'),
    "an array with equal members": read('["a", "b", "a"]'),
    "an array of objects": read('[{"a": 1}, {"a": 1}]'),
    "an empty array": read("[]"),
    "letters of all kinds": read('{"é": "日本", "e\\u0301": "\\ud83d\\ude00"}'),
    "a snapshot is true": case(lambda at: bool(read_value(at))),
    "a snapshot of null is true": case(lambda at: bool(read_value(at)), "null"),
    "each over null, iterated": case(lambda at: [x.key() for x in read_value(at).each()], "null"),
    "each over a value, iterated": case(lambda at: [x.key() for x in read_value(at).each()], "7"),
    "each over an object, iterated": case(in_each, OBJECT),
    "the first member": case(lambda at: (read_value(at)[0].key(), read_value(at)[0].val()), OBJECT),
    "the last member of an array": case(lambda at: read_value(at)[-1].val(), ARRAY),
    "a missing member": case(lambda at: read_value(at)[7], OBJECT),
    "a slice": case(lambda at: [item.key() for item in read_value(at)[:1]], OBJECT),
    "the members": case(lambda at: [item.item for item in read_value(at).pyres], OBJECT),
    "the members of an array": case(lambda at: [tuple(item.item) for item in read_value(at).pyres], ARRAY),
    "how many": case(
        lambda at: (len(read_value(at).each()), len(read_value(at).val()), len(read_value(at).pyres)), OBJECT
    ),
    "a value by its key": case(lambda at: read_value(at).val()["ada"]["age"], OBJECT),
    "a value is a dict": case(lambda at: isinstance(read_value(at).val(), dict), OBJECT),
    "the first child is popped": case(lambda at: read_value(at).val().popitem(last=False), OBJECT),
    "a value is compared": case(lambda at: read_value(at).val() == {"b": 1, "a": 2}, '{"b": 1, "a": 2}'),
    "a list of the values": case(lambda at: list(read_value(at).val().values()), OBJECT),
    "a value is reversed": case(lambda at: list(reversed(read_value(at).val())), OBJECT),
    "a value is unpacked": case(lambda at: {**read_value(at).val(), "more": 1}, OBJECT),
    "the members are reversed": case(lambda at: [item.key() for item in reversed(read_value(at).each())], OBJECT),
    "a value as JSON": case(lambda at: json.dumps(read_value(at).val()), OBJECT),
    "get with json_kwargs by position": case(lambda at: at.db.child("x").get(None, {"parse_int": str}), "7"),
    "a member of null": case(lambda at: read_value(at)[0], "null"),
    "iterating an object": case(iterated, OBJECT),
    "iterating an array": case(iterated, ARRAY),
    "iterating null": case(iterated, "null"),
    "a list of it": case(lambda at: len(list(read_value(at))), OBJECT),
    "the value is the program's own": case(mutated, '{"a": 1}'),
    "the key at the root": case(lambda at: at.db.get().key(), OBJECT),
    "the key of a path": case(lambda at: at.db.child("users/ada").get().key(), "1"),
    "sort": case(sort, OBJECT),
    "sort reversed": case(sort_reversed, OBJECT),
    "sort of an array": case(sort, '[{"age": 2}, {"age": 1}]'),
    "sort of a mixture": case(sort, MIXED),
    "sort of null": case(sort, "null"),
    "sort by keyword": case(lambda at: at.db.sort(origin=read_value(at), by_key="age", reverse=False), OBJECT),
    "get with a token": case(lambda at: at.db.child("x").get(ID_TOKEN), "1"),
    "get with a token by keyword": case(lambda at: at.db.child("x").get(token=ID_TOKEN), "1"),
    "get with an empty token": case(lambda at: at.db.child("x").get(""), "1"),
    "get with json_kwargs": case(
        lambda at: at.db.child("x").get(json_kwargs={"parse_float": Decimal}).val() == Decimal("0.1"), "0.1"
    ),
    "get redirected": case(
        lambda at: at.db.child("x").get(ID_TOKEN),
        Response("", 307, {"Location": "https://other.firebaseio.com/x.json?auth=" + ID_TOKEN}),
        Response("1"),
    ),
    "get_etag": case(lambda at: at.db.child("x").get_etag(), Response("7", headers={"ETag": "tag"})),
    "get_etag over null": case(lambda at: at.db.child("x").get_etag(), Response("null", headers={"ETag": "null_etag"})),
    "get_etag with a token": case(lambda at: at.db.child("x").get_etag("T"), Response("7", headers={"ETag": "tag"})),
    "get_etag with json_kwargs": case(
        lambda at: at.db.child("x").get_etag(json_kwargs={"parse_int": str})["value"],
        Response("7", headers={"ETag": "t"}),
    ),
    "a response of another kind": case(lambda at: read_value(at).val(), "<html>"),
}
