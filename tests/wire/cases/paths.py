"""`child` in all its forms, and stored references."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from wire.case import CaseContext, WireCase, case


def at_child(*parts: object) -> WireCase:
    return case(lambda at: at.db.child(*parts).get().key(), "1")


def twice(at: CaseContext) -> object:
    """Two calls on one stored reference."""
    users = at.db.child("users")
    users.push({"n": 1})
    return users.get().val()


def branches(at: CaseContext) -> object:
    """Two children of one stored reference."""
    users = at.db.child("users")
    ada, bob = users.child("ada"), users.child("bob")
    return [ada.get().key(), bob.get().key()]


def bare(at: CaseContext) -> object:
    at.db.child("users")
    return at.db.child("posts").get().key()


def bare_and_set(at: CaseContext) -> object:
    at.db.child("users")
    return at.db.set({"a": 1})


def query_twice(at: CaseContext) -> object:
    query = at.db.child("users").order_by_key().limit_to_first(1)
    return [list(query.get().val()), list(query.get().val())]


PATHS = {
    "the root": case(lambda at: at.db.get().key(), "1"),
    "child without arguments": at_child(),
    "child": at_child("users"),
    "child of a child": case(lambda at: at.db.child("users").child("ada").get().key(), "1"),
    "child of two": at_child("users", "ada"),
    "child with a slash within": at_child("users/ada"),
    "child with a slash in front": at_child("/users"),
    "child with a slash at the end": at_child("users/"),
    "second child with a slash in front": case(lambda at: at.db.child("users").child("/ada").get().key(), "1"),
    "second argument with a slash in front": at_child("users", "/ada"),
    "child of an empty text": at_child(""),
    "child with an empty text in the middle": case(lambda at: at.db.child("a").child("").child("b").get().key(), "1"),
    "child of an int": at_child(7),
    "child of an int below": at_child("users", 7),
    "child of a float": at_child("x", 15),
    "child of a bool": at_child(True),
    "child of None": at_child(None),
    "child of a date": at_child(date(2024, 1, 2)),
    "child of a UUID": at_child(UUID(int=1)),
    "child of a numeric text": at_child("007"),
    "child with letters of two parts": at_child("e\u0301"),
    "child with a smile": at_child("😀"),
    "child with a colon and a space": at_child("2024-01-02 10:11:12"),
    "child of an address": at_child("ada@example,com"),
    "child with spaces around": at_child(" a "),
    "child with two slashes within": at_child("a//b"),
    "child with a space": at_child("a b"),
    "child with an accent": at_child("é"),
    "child with another script": at_child("日本/値"),
    "child with an ampersand": at_child("a&b=c"),
    "child with a comma and more": at_child("a,b;c:d@e!f'g(h)*~"),
    "child with a plus": at_child("a+b"),
    "child with a percent sign": at_child("100%"),
    "child with a percent code": at_child("%41"),
    "child with a question mark": at_child("what?"),
    "child with a hash": at_child("a#b"),
    "child with a dot": at_child("a.b"),
    "child with two dots": at_child("a", "..", "b"),
    "child with a bracket": at_child("a[b"),
    "child with a quote": at_child('a"b'),
    "child with a backslash": at_child("a\\b"),
    "child with a control character": at_child("a\tb"),
    "a reference used twice": case(twice, '{"name": "-K"}', '{"a": 1}'),
    "two children of one reference": case(branches, "1"),
    "child as a bare statement": case(bare, "1"),
    "child as a bare statement and a set": case(bare_and_set, '{"a": 1}'),
    "a query used twice": case(query_twice, '{"a": 1}'),
    "database_url and path joined": case(lambda at: at.db.database_url + at.db.child("/a").child("b").path),
}
