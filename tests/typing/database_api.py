"""Types of every call on a database. mypy and pyright check this file; it never runs."""

from __future__ import annotations

from typing import Any

from typing_extensions import assert_type

import firebase_rest
from firebase_rest import SERVER_TIMESTAMP, Database, Query, Reference, Snapshot, UserSession, increment, types


def builders_of_a_query_give_queries(place: Reference) -> None:
    assert_type(place.order_by_key(), Query)
    assert_type(place.order_by_value(), Query)
    assert_type(place.order_by_priority(), Query)
    assert_type(place.order_by_child("address/city"), Query)
    assert_type(place.shallow(), Query)
    query = place.order_by_child("age")
    assert_type(query.start_at(1), Query)
    assert_type(query.start_at(None, key="k"), Query)
    assert_type(query.start_after("x", key="k"), Query)
    assert_type(query.end_at(True), Query)
    assert_type(query.end_before(1.5), Query)
    assert_type(query.equal_to(None), Query)
    assert_type(query.limit_to_first(1), Query)
    assert_type(query.limit_to_last(1), Query)
    assert_type(query.child("below"), Query)


def copies_keep_their_class(db: Database, place: Reference, query: Query, session: UserSession) -> None:
    assert_type(db.as_user(session), Database)
    assert_type(place.as_user("token"), Reference)
    assert_type(query.as_user("token"), Query)
    assert_type(query.with_options(timeout=(1, 2.5), deadline=9, retries=0), Query)
    assert_type(place.with_options(timeout=1), Reference)


def places_say_where_they_are(place: Reference) -> None:
    assert_type(place.key, "str | None")
    assert_type(place.path, str)
    assert_type(place.database_url, str)
    assert_type(place.api_key, "str | None")
    assert_type(place.root, Database)


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


def writing(place: Reference, session: UserSession) -> None:
    place.set({"at": SERVER_TIMESTAMP, "count": increment(1)})
    place.set([1, None, "x"], session, {"default": str})
    place.update({"a/b": None}, token="token")
    assert_type(place.set_if_match({"a": 1}, place.get_etag(), session), str)
    place.remove_if_match("etag", token="token")
    assert_type(place.push({"a": 1}), types.PushResult)
    place.remove(session)
    assert_type(place.exists(), bool)
    assert_type(place.get_etag(), types.ETaggedValue)
    assert_type(place.transaction(lambda value: (value or 0) + 1), Any)
    assert_type(place.sort(place.get(), "age", reverse=True), Snapshot)


def what_cannot_be_passed(place: Reference) -> None:
    place.limit_to_first("3")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    place.order_by_child(5)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    place.get(5)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
    place.start_at(1, "k")  # type: ignore[call-arg] # pyright: ignore[reportCallIssue] - the tie-breaking key has a name


def errors_say_what_happened(place: Reference) -> None:
    try:
        place.conditional_set(1, "etag")
        place.conditional_set(1, place.get_etag())
    except firebase_rest.TransactionConflict as error:
        assert_type(error.etag, "str | None")
    except firebase_rest.PermissionDenied as error:
        assert_type(error.message, str)
    except firebase_rest.UsageError as error:
        assert_type(error.args, tuple[Any, ...])
