"""Databases, references and queries: builders, equality, immutability."""

from __future__ import annotations

import copy
import itertools
import weakref
from typing import Any

import pytest

import firebase_rest
from firebase_rest import UsageError
from support.silent_progress import silent_app

APP = silent_app()


@pytest.fixture
def db() -> firebase_rest.Database:
    return APP.database()


@pytest.mark.parametrize(
    ("build", "cls"),
    [
        (lambda db: db, "Database"),
        (lambda db: db.child("a"), "Reference"),
        (lambda db: db.child(), "Reference"),
        (lambda db: db.child("a").root, "Database"),
        (lambda db: db.child("a/b").parent, "Reference"),
        (lambda db: db.order_by_key(), "Query"),
        (lambda db: db.child("a").order_by_key().child("b"), "Query"),
        (lambda db: db.with_options(retries=0), "Database"),
        (lambda db: db.child("a").as_user("token"), "Reference"),
        (lambda db: db.order_by_key().with_options(timeout=5), "Query"),
    ],
)
def test_builders_return_references_or_queries(db: firebase_rest.Database, build: Any, cls: str) -> None:
    assert type(build(db)).__name__ == cls


def test_builders_do_not_change_their_reference(db: firebase_rest.Database) -> None:
    users = db.child("users")
    before = repr(users)
    users.child("ada", "name")
    users.order_by_child("age").start_at(5).limit_to_first(3)
    users.shallow()
    users.as_user("token").with_options(timeout=1)
    assert repr(users) == before
    assert users.path == "users"
    assert db.path == ""


@pytest.mark.parametrize("name", ["path", "_location", "_filter", "anything"])
def test_references_are_immutable(db: firebase_rest.Database, name: str) -> None:
    for reference in (db, db.child("a"), db.order_by_key()):
        with pytest.raises(AttributeError, match="immutable"):
            setattr(reference, name, 1)
        with pytest.raises(AttributeError, match="immutable"):
            delattr(reference, name)


def test_reference_has_key_path_parent_and_root(db: firebase_rest.Database) -> None:
    reference = db.child("users", "ada lovelace/é")
    assert (reference.key, reference.path) == ("é", "users/ada lovelace/é")
    assert reference.parent is not None
    assert (reference.parent.key, reference.parent.path) == ("ada lovelace", "users/ada lovelace")
    assert reference.root == db
    assert (db.key, db.path, db.parent) == (None, "", None)
    assert reference.database_url + reference.path == "https://x.firebaseio.com/users/ada lovelace/é"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda db: db.child("a"), lambda db: db.child("/a/")),
        (lambda db: db.child("a", "b"), lambda db: db.child("a").child("b")),
        (lambda db: db.child("a").root, lambda db: db),
        (lambda db: db.child(), lambda db: db),
        (lambda db: db.child("a/b").parent, lambda db: db.child("a")),
        (lambda db: db.child("a").order_by_key(), lambda db: db.order_by_key().child("a")),
        (
            lambda db: db.order_by_child("x").start_at(1).limit_to_last(2),
            lambda db: db.limit_to_last(2).start_at(1).order_by_child("x"),
        ),
        (lambda db: db.order_by_child("x").start_at(9).start_at(1), lambda db: db.order_by_child("x").start_at(1)),
        (lambda db: db.as_user("t"), lambda db: db.as_user("t")),
        (lambda db: db.with_options(timeout=1), lambda db: db),
    ],
)
def test_equal_references_and_queries_have_equal_hashes(db: firebase_rest.Database, one: Any, other: Any) -> None:
    assert one(db) == other(db)
    assert hash(one(db)) == hash(other(db))
    assert len({one(db), other(db)}) == 1


def test_references_that_send_other_requests_differ(db: firebase_rest.Database) -> None:
    by_x = db.order_by_child("x")
    different = [
        db,
        db.child("a"),
        db.child("A"),
        db.shallow(),
        db.order_by_key(),
        db.order_by_value(),
        db.order_by_priority(),
        by_x,
        by_x.equal_to(1),
        by_x.equal_to(True),
        by_x.equal_to(1.0),
        by_x.equal_to("1"),
        by_x.equal_to(None),
        by_x.equal_to(1, key="k"),
        by_x.start_at(1),
        by_x.start_after(1),
        by_x.limit_to_first(1),
        by_x.limit_to_last(1),
        db.as_user("t"),
        db.as_user("u"),
        APP.database("https://y.firebaseio.com"),
        APP.database("https://x.firebaseio.com?ns=z"),
    ]
    assert len(set(different)) == len(different)
    for one, other in itertools.combinations(different, 2):
        assert one != other


def test_reference_differs_from_other_types(db: firebase_rest.Database) -> None:
    assert db.child("a") != "a"
    assert db.child("a") is not None


def test_builders_accept_any_order(db: firebase_rest.Database) -> None:
    steps: list[Any] = [
        lambda query: query.order_by_child("age"),
        lambda query: query.start_at(3, key="k"),
        lambda query: query.end_before("z"),
        lambda query: query.limit_to_first(2),
    ]
    built = set()
    for order in itertools.permutations(steps):
        query = db.child("users")
        for step in order:
            query = step(query)
        built.add(query)
    assert len(built) == 1


@pytest.mark.parametrize(
    ("build", "shown"),
    [
        (lambda q: q.order_by_key().order_by_child("age"), 'orderBy="age"'),
        (lambda q: q.order_by_child("a").order_by_value(), 'orderBy="$value"'),
        (lambda q: q.order_by_priority(), 'orderBy="$priority"'),
        (lambda q: q.order_by_value().start_at(1).start_at(2), 'orderBy="$value"&startAt=2'),
        (lambda q: q.order_by_value().start_after(1).start_after(2), 'orderBy="$value"&startAfter=2'),
        (lambda q: q.order_by_value().end_at(1).end_at(2, key="k"), 'orderBy="$value"&endAt=2,"k"'),
        (lambda q: q.order_by_value().end_before(1).end_before(2), 'orderBy="$value"&endBefore=2'),
        (lambda q: q.order_by_value().equal_to(1).equal_to("1"), 'orderBy="$value"&equalTo="1"'),
        (lambda q: q.order_by_key().limit_to_first(1).limit_to_first(2), 'orderBy="$key"&limitToFirst=2'),
        (lambda q: q.order_by_key().limit_to_last(1).limit_to_last(2), 'orderBy="$key"&limitToLast=2'),
    ],
)
def test_last_call_of_a_builder_wins(db: firebase_rest.Database, build: Any, shown: str) -> None:
    assert repr(build(db.child("users"))) == f"<Query https://x.firebaseio.com/users?{shown}>"


def test_copy_returns_the_same_object(db: firebase_rest.Database) -> None:
    originals = {"users": db.child("users"), "last": db.order_by_key().limit_to_last(1)}
    assert copy.deepcopy(originals) == originals
    assert copy.copy(originals["users"]) is originals["users"]


def test_references_support_weakref(db: firebase_rest.Database) -> None:
    reference = db.child("a")
    assert weakref.ref(reference)() is reference


def test_repr_shows_the_path_and_no_token(db: firebase_rest.Database) -> None:
    assert repr(db) == "<Database https://x.firebaseio.com/>"
    assert repr(db.child("a b").as_user("very-secret-token")) == "<Reference https://x.firebaseio.com/a b>"


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda q: q.start_at(1), "needs an order"),
        (lambda q: q.limit_to_first(1), "needs an order"),
        (lambda q: q.order_by_key().shallow(), "cannot be combined"),
        (lambda q: q.order_by_value().start_at(1).start_after(1), "cannot be combined"),
        (lambda q: q.order_by_value().equal_to(1).end_at(1), "cannot be combined"),
        (lambda q: q.order_by_key().limit_to_first(1).limit_to_last(1), "cannot be combined"),
        (lambda q: q.order_by_key().start_at(1), "must be a string"),
    ],
)
def test_invalid_query_raises_when_it_is_sent(db: firebase_rest.Database, build: Any, says: str) -> None:
    query = build(db.child("users"))
    with pytest.raises(UsageError, match=says):
        query.get()
    with pytest.raises(UsageError, match=says):
        query.stream(print)


@pytest.mark.parametrize("token", [5, ["t"], {"idToken": "t"}, "two words", "ü"])
def test_invalid_token_raises(db: firebase_rest.Database, token: Any) -> None:
    with pytest.raises(UsageError, match="token"):
        db.get(token)
    with pytest.raises(UsageError, match="token"):
        db.as_user(token)


@pytest.mark.parametrize("etag", [None, "", 5, "a\nb", "é", {}, {"ETag": None}, ["tag"]])
def test_invalid_etag_raises(db: firebase_rest.Database, etag: Any) -> None:
    for call in (lambda: db.conditional_set(1, etag), lambda: db.conditional_remove(etag)):
        with pytest.raises(UsageError, match="etag must be"):
            call()


def test_missing_database_url_raises_at_first_use() -> None:
    db = silent_app(databaseURL=None).database().child("a").order_by_key()
    with pytest.raises(firebase_rest.ConfigError, match="databaseURL"):
        db.get()
