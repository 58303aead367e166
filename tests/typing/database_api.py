"""Types of every call on a database. mypy and pyright check this file; it never runs."""

from __future__ import annotations

from typing import Any

from typing_extensions import assert_type

import firebase_rest
from firebase_rest import SERVER_TIMESTAMP, Database, Query, Reference, Snapshot, UserSession, increment, types


def builders_of_a_query_give_queries(reference: Reference) -> None:
    assert_type(reference.order_by_key(), Query)
    assert_type(reference.order_by_value(), Query)
    assert_type(reference.order_by_priority(), Query)
    assert_type(reference.order_by_child("address/city"), Query)
    assert_type(reference.shallow(), Query)
    query = reference.order_by_child("age")
    assert_type(query.start_at(1), Query)
    assert_type(query.start_at(None, key="k"), Query)
    assert_type(query.start_after("x", key="k"), Query)
    assert_type(query.end_at(True), Query)
    assert_type(query.end_before(1.5), Query)
    assert_type(query.equal_to(None), Query)
    assert_type(query.limit_to_first(1), Query)
    assert_type(query.limit_to_last(1), Query)
    assert_type(query.child("below"), Query)


def copies_keep_their_class(db: Database, reference: Reference, query: Query, session: UserSession) -> None:
    assert_type(db.as_user(session), Database)
    assert_type(reference.as_user("token"), Reference)
    assert_type(query.as_user("token"), Query)
    assert_type(query.with_options(timeout=(1, 2.5), deadline=9, retries=0), Query)
    assert_type(reference.with_options(timeout=1), Reference)


def references_have_keys_and_paths(reference: Reference) -> None:
    assert_type(reference.key, "str | None")
    assert_type(reference.path, str)
    assert_type(reference.database_url, str)
    assert_type(reference.api_key, "str | None")
    assert_type(reference.root, Database)


def reading(query: Query, session: UserSession) -> None:
    assert_type(query.get(), Snapshot)
    assert_type(query.get("token", {"parse_float": str}), Snapshot)
    assert_type(query.get(token=session), Snapshot)
    snapshot = query.get()
    assert_type(len(snapshot), int)
    assert_type(snapshot.exists(), bool)
    assert_type(snapshot.has_child("a/b"), bool)
    for item in snapshot.each() or []:
        assert_type(item, firebase_rest.Item)
        assert_type(item.val(), Any)


def writing(reference: Reference, session: UserSession) -> None:
    reference.set({"at": SERVER_TIMESTAMP, "count": increment(1)})
    reference.set([1, None, "x"], session, {"default": str})
    reference.update({"a/b": None}, token="token")
    assert_type(reference.set_if_match({"a": 1}, reference.get_etag(), session), str)
    reference.remove_if_match("etag", token="token")
    assert_type(reference.push({"a": 1}), types.PushResult)
    reference.remove(session)
    assert_type(reference.exists(), bool)
    assert_type(reference.get_etag(), types.ETaggedValue)
    assert_type(reference.transaction(lambda value: (value or 0) + 1), Any)
    assert_type(reference.sort(reference.get(), "age", reverse=True), Snapshot)


def what_cannot_be_passed(reference: Reference) -> None:
    reference.limit_to_first("3")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    reference.order_by_child(5)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    reference.get(5)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    reference.start_at(1, "k")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue] - the tie-breaking key has a name


def errors_say_what_happened(reference: Reference) -> None:
    try:
        reference.conditional_set(1, "etag")
        reference.conditional_set(1, reference.get_etag())
    except firebase_rest.TransactionConflict as error:
        assert_type(error.etag, "str | None")
    except firebase_rest.PermissionDenied as error:
        assert_type(error.message, str)
    except firebase_rest.UsageError as error:
        assert_type(error.args, tuple[Any, ...])
