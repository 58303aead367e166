"""Orders, bounds and limits with every type of value, and the order of results."""

from __future__ import annotations

from typing import Any

from wire.case import ID_TOKEN, CaseContext, WireCase, case

ONE = '{"a": {"age": 1}}'
BOUNDS = {
    "a text": "ada",
    "a text of digits": "10",
    "an empty text": "",
    "a text with an accent": "é",
    "a text with spaces and signs": "a b&c=d+e%41/?#",
    "a text with a quote": 'a"b',
    "a text with a backslash": "a\\b",
    "an int": 10,
    "zero": 0,
    "a negative int": -3,
    "a large int": 1_700_000_000_123,
    "a float": 1.5,
    "an integral float": 2.0,
    "a large float": 1e21,
    "true": True,
    "false": False,
    "None": None,
}


def bounded(method: str, value: object) -> WireCase:
    return case(lambda at: getattr(at.db.child("users").order_by_child("age"), method)(value).get(), ONE)


def by_child(body: str) -> WireCase:
    return case(lambda at: at.db.child("users").order_by_child("age").get(), body)


def by_value(body: str) -> WireCase:
    return case(lambda at: at.db.child("users").order_by_value().get(), body)


def by_key(body: str) -> WireCase:
    return case(lambda at: at.db.child("users").order_by_key().get(), body)


def users(at: CaseContext) -> Any:
    return at.db.child("users")


QUERIES = {
    **{
        f"{method} {name}": bounded(method, value)
        for method in ("start_at", "end_at", "equal_to")
        for name, value in BOUNDS.items()
    },
    "order_by_key": by_key('{"b": 1, "a": 2}'),
    "order_by_value": by_value('{"b": 1, "a": 2}'),
    "order_by_child": by_child('{"b": {"age": 1}, "a": {"age": 2}}'),
    "order_by_child with a path": case(
        lambda at: users(at).order_by_child("address/city").get(), '{"b": {"address": {"city": "x"}}}'
    ),
    "order_by_child with an accent": case(lambda at: users(at).order_by_child("âge").get(), ONE),
    "order_by_child of the name of another order": case(lambda at: users(at).order_by_child("$key").get(), ONE),
    "limit_to_first of zero": case(lambda at: users(at).order_by_key().limit_to_first(0).get(), ONE),
    "order_by_key with a bound and a token": case(
        lambda at: at.admin.database().child("users").order_by_key().equal_to("a").get(ID_TOKEN), ONE
    ),
    "order_by_key of a service account": case(
        lambda at: at.admin.database().child("users").order_by_key().equal_to("a").get(), ONE
    ),
    "order_by_key with bounds": case(lambda at: users(at).order_by_key().start_at("a").end_at("c").get(), ONE),
    "order_by_key with an int": case(lambda at: users(at).order_by_key().start_at(1).get(), ONE),
    "order_by_value with bounds": case(lambda at: users(at).order_by_value().start_at(1).end_at(3.5).get(), ONE),
    "limit_to_first": case(lambda at: users(at).order_by_key().limit_to_first(2).get(), ONE),
    "limit_to_last": case(lambda at: users(at).order_by_child("age").limit_to_last(1).get(), ONE),
    "limit_to_first a text": case(lambda at: users(at).order_by_key().limit_to_first("2").get(), ONE),
    "the order before the child": case(lambda at: at.db.order_by_key().child("users").get(), ONE),
    "the limit first": case(lambda at: users(at).limit_to_last(1).order_by_child("age").get(), ONE),
    "all by keyword": case(
        lambda at: (
            users(at)
            .order_by_child(order="age")
            .start_at(start=1)
            .end_at(end=2)
            .limit_to_first(limit_first=3)
            .get(token="T", json_kwargs={})
        ),
        ONE,
    ),
    "equal_to and limit_to_last by keyword": case(
        lambda at: users(at).order_by_child("age").equal_to(equal=1).limit_to_last(limit_last=3).get(), ONE
    ),
    "the last of a kind wins": case(
        lambda at: (
            users(at)
            .order_by_key()
            .order_by_child("age")
            .start_at(1)
            .start_at(2)
            .limit_to_first(3)
            .limit_to_first(4)
            .get()
        ),
        ONE,
    ),
    "a query with a token": case(lambda at: users(at).order_by_key().limit_to_first(1).get("T"), ONE),
    "shallow": case(lambda at: list(users(at).shallow().get().val()), '{"a": true, "b": true}'),
    "shallow over null": case(lambda at: users(at).shallow().get()),
    "shallow over a value": case(lambda at: users(at).shallow().get(), "7"),
    "the keys of shallow": case(lambda at: users(at).shallow().get().val(), '{"a": true, "b": true}'),
    "shallow in an order": case(lambda at: users(at).order_by_key().shallow().get(), '{"a": true}'),
    "a query that matches nothing": case(lambda at: users(at).order_by_child("age").equal_to(1).get(), "{}"),
    "a query over null": case(lambda at: users(at).order_by_child("age").equal_to(1).get(), "null"),
    "a query over a value": case(lambda at: users(at).order_by_key().get(), "7"),
    "a query over an array": case(lambda at: users(at).order_by_key().limit_to_first(2).get(), '["a", "b"]'),
    "a query over an array with holes": case(lambda at: users(at).order_by_key().get(), '[null, "a", null, "b"]'),
    "a limit without an order": case(lambda at: users(at).limit_to_first(2).get(), '{"a": 1}'),
    "a bound without an order": case(lambda at: users(at).start_at(2).get(), '{"a": 1}'),
    "both limits": case(lambda at: users(at).order_by_key().limit_to_first(1).limit_to_last(1).get(), ONE),
    "equal_to and start_at": case(lambda at: users(at).order_by_value().equal_to(1).start_at(1).get(), ONE),
    "keys that are numbers": by_key('{"10": 1, "9": 2, "a": 3, "-1": 4}'),
    "values that are equal": by_value('{"b": 1, "a": 1}'),
    "values of one kind": by_value('{"b": "x", "a": "y", "c": "Z"}'),
    "values of all kinds": by_value('{"a": "x", "b": 1, "c": true, "d": {"e": 1}}'),
    "children without it": by_child('{"a": {"age": 1}, "b": {"name": "x"}}'),
    "children that are no objects": by_child('{"a": {"age": 1}, "b": 7}'),
    "children of all kinds": by_child('{"a": {"age": "x"}, "b": {"age": 1}, "c": {"age": true}}'),
    "children that are equal": by_child('{"b": {"age": 1}, "a": {"age": 1}}'),
    "a child at a path": case(
        lambda at: users(at).order_by_child("address/zip").get(),
        '{"a": {"address": {"zip": 2}}, "b": {"address": {"zip": 1}}}',
    ),
}
