"""What `get` gives for every kind of answer, and what programs do with that."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from wire.page import ID_TOKEN, Desk, Page, Reply, page

OBJECT = '{"ada": {"age": 36}, "bob": {"age": 7}}'
ARRAY = '["a", "b"]'


def answer(body: str) -> Page:
    return page(lambda at: at.db.child("users").get(), body)


def got(at: Desk) -> Any:
    return at.db.child("users").get()


def iterated(at: Desk) -> object:
    return [item.val() for item in got(at)]


def mutated(at: Desk) -> object:
    found = got(at)
    found.val()["new"] = 1
    return found.val()


def in_each(at: Desk) -> object:
    return [(child.key(), child.val(), child.item) for child in got(at).each()]


def sort(at: Desk) -> object:
    return at.db.sort(got(at), "age")


def sort_reversed(at: Desk) -> object:
    return [at.db.sort(got(at), "age", True), at.db.sort(got(at), "age", reverse=True)]


MIXED = '{"ada": {"age": 36}, "bob": {"age": "7"}, "cy": {}}'

ANSWERS = {
    "null": answer("null"),
    "a number": answer("7"),
    "a float": answer("7.5"),
    "a text": answer('"x"'),
    "an empty text": answer('""'),
    "true": answer("true"),
    "false": answer("false"),
    "zero": answer("0"),
    "an object": answer(OBJECT),
    "an object in another order": answer('{"b": 1, "a": 2}'),
    "an object with keys that are numbers": answer('{"10": 1, "9": 2}'),
    "an empty object": answer("{}"),
    "an array": answer(ARRAY),
    "an array with holes": answer('[null, "a", null, "b"]'),
    "an array with equal members": answer('["a", "b", "a"]'),
    "an array of objects": answer('[{"a": 1}, {"a": 1}]'),
    "an empty array": answer("[]"),
    "letters of all kinds": answer('{"é": "日本", "e\\u0301": "\\ud83d\\ude00"}'),
    "an answer is true": page(lambda at: bool(got(at))),
    "an answer over null is true": page(lambda at: bool(got(at)), "null"),
    "each over null, iterated": page(lambda at: [x.key() for x in got(at).each()], "null"),
    "each over a value, iterated": page(lambda at: [x.key() for x in got(at).each()], "7"),
    "each over an object, iterated": page(in_each, OBJECT),
    "the first member": page(lambda at: (got(at)[0].key(), got(at)[0].val()), OBJECT),
    "the last member of an array": page(lambda at: got(at)[-1].val(), ARRAY),
    "a member that is not there": page(lambda at: got(at)[7], OBJECT),
    "a slice": page(lambda at: [item.key() for item in got(at)[:1]], OBJECT),
    "the members": page(lambda at: [item.item for item in got(at).pyres], OBJECT),
    "the members of an array": page(lambda at: [tuple(item.item) for item in got(at).pyres], ARRAY),
    "how many": page(lambda at: (len(got(at).each()), len(got(at).val()), len(got(at).pyres)), OBJECT),
    "a value by its key": page(lambda at: got(at).val()["ada"]["age"], OBJECT),
    "a value is a dict": page(lambda at: isinstance(got(at).val(), dict), OBJECT),
    "the first child is popped": page(lambda at: got(at).val().popitem(last=False), OBJECT),
    "a value is compared": page(lambda at: got(at).val() == {"b": 1, "a": 2}, '{"b": 1, "a": 2}'),
    "a list of the values": page(lambda at: list(got(at).val().values()), OBJECT),
    "a value is reversed": page(lambda at: list(reversed(got(at).val())), OBJECT),
    "a value is unpacked": page(lambda at: {**got(at).val(), "more": 1}, OBJECT),
    "the members are reversed": page(lambda at: [item.key() for item in reversed(got(at).each())], OBJECT),
    "a value as JSON": page(lambda at: json.dumps(got(at).val()), OBJECT),
    "get with json_kwargs by position": page(lambda at: at.db.child("x").get(None, {"parse_int": str}), "7"),
    "a member of null": page(lambda at: got(at)[0], "null"),
    "iterating an object": page(iterated, OBJECT),
    "iterating an array": page(iterated, ARRAY),
    "iterating null": page(iterated, "null"),
    "a list of it": page(lambda at: len(list(got(at))), OBJECT),
    "the value is the program's own": page(mutated, '{"a": 1}'),
    "the key at the root": page(lambda at: at.db.get().key(), OBJECT),
    "the key of a path": page(lambda at: at.db.child("users/ada").get().key(), "1"),
    "sort": page(sort, OBJECT),
    "sort reversed": page(sort_reversed, OBJECT),
    "sort of an array": page(sort, '[{"age": 2}, {"age": 1}]'),
    "sort of a mixture": page(sort, MIXED),
    "sort of null": page(sort, "null"),
    "sort by keyword": page(lambda at: at.db.sort(origin=got(at), by_key="age", reverse=False), OBJECT),
    "get with a token": page(lambda at: at.db.child("x").get(ID_TOKEN), "1"),
    "get with a token by keyword": page(lambda at: at.db.child("x").get(token=ID_TOKEN), "1"),
    "get with an empty token": page(lambda at: at.db.child("x").get(""), "1"),
    "get with json_kwargs": page(
        lambda at: at.db.child("x").get(json_kwargs={"parse_float": Decimal}).val() == Decimal("0.1"), "0.1"
    ),
    "get redirected": page(
        lambda at: at.db.child("x").get(ID_TOKEN),
        Reply("", 307, {"Location": "https://other.firebaseio.com/x.json?auth=" + ID_TOKEN}),
        Reply("1"),
    ),
    "get_etag": page(lambda at: at.db.child("x").get_etag(), Reply("7", headers={"ETag": "tag"})),
    "get_etag over null": page(lambda at: at.db.child("x").get_etag(), Reply("null", headers={"ETag": "null_etag"})),
    "get_etag with a token": page(lambda at: at.db.child("x").get_etag("T"), Reply("7", headers={"ETag": "tag"})),
    "get_etag with json_kwargs": page(
        lambda at: at.db.child("x").get_etag(json_kwargs={"parse_int": str})["value"], Reply("7", headers={"ETag": "t"})
    ),
    "an answer of another kind": page(lambda at: got(at).val(), "<html>"),
}
