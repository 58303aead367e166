"""The flows of the database: their requests, results and errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from firebase_rest import errors
from firebase_rest.database import protocol
from firebase_rest.database.encoding import increment
from firebase_rest.database.filter import Bound, Filter
from firebase_rest.database.location import Location
from firebase_rest.transport.wire import Response, RetryPolicy
from support.flow_driver import drive, json_response, sent_json

ROOT = Location("https://x.firebaseio.com")
USERS = ROOT.child("users")
BEHIND_AN_EMULATOR = Location("http://127.0.0.1:9000", "x").child("users")
ETAG = "ViJFJowpbyRvgGNPzPJdGeN+mCY="


def error_response(status: int, message: str) -> Response:
    return json_response({"error": message}, status)


def test_get_returns_a_snapshot_with_its_key() -> None:
    [request], snapshot = drive(protocol.get(USERS, Filter()), json_response({"b": 1, "a": 2}))
    assert (request.method, request.url, request.params) == ("GET", "https://x.firebaseio.com/users.json", ())
    assert request.retry_policy is RetryPolicy.IDEMPOTENT
    assert snapshot.key() == "users"
    assert list(snapshot.val()) == ["a", "b"]


def test_get_at_the_root_has_an_empty_key() -> None:
    [request], snapshot = drive(protocol.get(ROOT, Filter()), json_response(None))
    assert request.url == "https://x.firebaseio.com/.json"
    assert snapshot.key() == ""


def test_get_sends_namespace_and_filter() -> None:
    filter = Filter("age", start_at=Bound("é"), limit_to_last=2)
    [request], snapshot = drive(protocol.get(BEHIND_AN_EMULATOR, filter), json_response({}))
    assert request.url == "http://127.0.0.1:9000/users.json"
    assert request.params == (("ns", "x"), ("orderBy", '"age"'), ("startAt", '"é"'), ("limitToLast", "2"))
    assert snapshot.each() == []


def test_get_by_priority_requests_an_export() -> None:
    exported = {"a": {".value": 1, ".priority": 2}, "b": {".value": 2, ".priority": 1}, "c": 3}
    [request], snapshot = drive(protocol.get(USERS, Filter("$priority")), json_response(exported))
    assert request.params == (("orderBy", '"$priority"'), ("format", "export"))
    assert list(snapshot.val().items()) == [("c", 3), ("b", 2), ("a", 1)]


def test_get_passes_json_kwargs_to_the_parser() -> None:
    flow = protocol.get(USERS, Filter(), {"parse_float": str})
    assert drive(flow, Response(200, {}, b'{"a":1.10}'))[1].val() == {"a": "1.10"}


@pytest.mark.parametrize(
    ("data", "retry_policy"), [({"a": 1}, RetryPolicy.IDEMPOTENT), ({"a": increment(1)}, RetryPolicy.IF_NOT_PROCESSED)]
)
def test_writes_are_idempotent_unless_they_increment(data: Any, retry_policy: RetryPolicy) -> None:
    for make, method in ((protocol.set_, "PUT"), (protocol.update, "PATCH")):
        [request], value = drive(make(USERS, data), json_response({"a": 5}))
        assert (request.method, request.retry_policy) == (method, retry_policy)
        assert request.headers["Content-Type"] == "application/json; charset=UTF-8"
        assert sent_json(request) == data
        assert value == {"a": 5}


def test_push_returns_the_name_and_is_not_idempotent() -> None:
    [request], value = drive(protocol.push(USERS, {"a": 1}), json_response({"name": "-N1"}))
    assert (request.method, request.retry_policy) == ("POST", RetryPolicy.IF_NOT_PROCESSED)
    assert value == {"name": "-N1"}


def test_push_counts_the_new_key_as_a_level() -> None:
    deep = ROOT.child(*"a" * 31)
    assert drive(protocol.push(deep, 1), json_response({"name": "-N1"}))[1] == {"name": "-N1"}
    with pytest.raises(errors.UsageError, match="at most 32 levels"):
        drive(protocol.push(deep, {"b": 1}))


def test_remove_returns_none() -> None:
    [request], value = drive(protocol.remove(USERS), json_response(None))
    assert (request.method, request.body, request.retry_policy) == ("DELETE", None, RetryPolicy.IDEMPOTENT)
    assert value is None


@pytest.mark.parametrize(
    ("body", "expected"), [(None, False), ({"a": True}, True), (0, True), (False, True), ("", True)]
)
def test_exists_is_a_shallow_read(body: Any, expected: bool) -> None:
    [request], value = drive(protocol.exists(BEHIND_AN_EMULATOR), json_response(body))
    assert request.params == (("ns", "x"), ("shallow", "true"))
    assert value is expected


def test_response_without_etag_raises() -> None:
    with pytest.raises(errors.InvalidResponse, match="ETag"):
        drive(protocol.read_with_etag(USERS), json_response(10))
    with pytest.raises(errors.InvalidResponse, match="ETag"):
        drive(protocol.conditional_set(USERS, 11, ETAG), json_response(12, 412))


def test_read_with_etag_returns_value_and_etag() -> None:
    [request], tagged = drive(protocol.read_with_etag(USERS), json_response(10, headers={"etag": ETAG}))
    assert request.headers == {"X-Firebase-ETag": "true"}
    assert tagged == protocol.ConditionalResult(10, ETAG)


def test_conditional_set_returns_whether_it_was_committed() -> None:
    flow = protocol.conditional_set(USERS, 11, ETAG)
    [request], tagged = drive(flow, json_response(11, headers={"etag": "new"}))
    assert (request.headers["if-match"], request.headers["X-Firebase-ETag"]) == (ETAG, "true")
    assert request.retry_policy is RetryPolicy.IF_NOT_PROCESSED
    assert tagged == protocol.ConditionalResult(11, "new", committed=True)
    _, tagged = drive(protocol.conditional_set(USERS, 11, ETAG), json_response(12, 412, {"etag": "theirs"}))
    assert tagged == protocol.ConditionalResult(12, "theirs", committed=False)


def test_conditional_remove_returns_whether_it_was_committed() -> None:
    [request], tagged = drive(protocol.conditional_remove(USERS, ETAG), json_response(None))
    assert (request.method, request.headers["if-match"], request.body) == ("DELETE", ETAG, None)
    assert tagged.committed
    assert not drive(protocol.conditional_remove(USERS, ETAG), json_response(12, 412, {"etag": "theirs"}))[1].committed


def test_conditional_set_without_permission_raises() -> None:
    with pytest.raises(errors.PermissionDenied):
        drive(protocol.conditional_set(USERS, 11, ETAG), error_response(401, "Permission denied"))


def test_transaction_reads_and_writes_with_etag() -> None:
    flow = protocol.transaction(USERS, lambda value: (value or 0) + 1)
    [read, write], value = drive(
        flow, json_response(4, headers={"etag": "e4"}), json_response(5, headers={"etag": "e5"})
    )
    assert (read.method, read.headers) == ("GET", {"X-Firebase-ETag": "true"})
    assert (write.method, write.headers["if-match"], sent_json(write)) == ("PUT", "e4", 5)
    assert value == 5


def test_transaction_retries_with_value_from_412_response() -> None:
    flow = protocol.transaction(USERS, lambda value: [*(value or []), "me"])
    responses = [
        json_response(None, headers={"etag": "null_etag"}),
        json_response(["you"], 412, {"etag": "e1"}),
        json_response(["you", "her"], 412, {"etag": "e2"}),
        json_response(["you", "her", "me"]),
    ]
    requests, value = drive(flow, *responses)
    assert [request.method for request in requests] == ["GET", "PUT", "PUT", "PUT"]
    assert [request.headers["if-match"] for request in requests[1:]] == ["null_etag", "e1", "e2"]
    assert sent_json(requests[3]) == ["you", "her", "me"]
    assert value == ["you", "her", "me"]


def test_transaction_raises_after_25_attempts() -> None:
    calls: list[Any] = []
    flow = protocol.transaction(USERS, lambda value: calls.append(value) or 0)
    responses = [
        json_response(0, headers={"etag": "e0"}),
        *(json_response(n, 412, {"etag": f"e{n}"}) for n in range(1, 26)),
    ]
    with pytest.raises(errors.TransactionConflict, match="/users failed after 25 attempts") as caught:
        drive(flow, *responses)
    assert (caught.value.value, caught.value.etag) == (25, "e25")
    assert calls == list(range(25))


def test_transaction_function_without_result_raises() -> None:
    def forgetful(value: dict[str, int]) -> None:
        value["a"] = 2

    with pytest.raises(errors.UsageError, match=r"got None; return \{\} to delete"):
        drive(protocol.transaction(USERS, forgetful), json_response({"a": 1}, headers={"etag": "e"}))


def test_transaction_without_data_and_result_writes_nothing() -> None:
    [read], value = drive(
        protocol.transaction(USERS, lambda value: value), json_response(None, headers={"etag": "null_etag"})
    )
    assert read.method == "GET"
    assert value is None


def test_exception_in_transaction_function_writes_nothing() -> None:
    def stop(_: Any) -> Any:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough"):
        drive(protocol.transaction(USERS, stop), json_response(1, headers={"etag": "e"}))


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (400, "Error: No data supplied.", errors.ApiError),
        (400, 'Index not defined, add ".indexOn": "age", for path "/users", to the rules', errors.IndexNotDefined),
        (
            400,
            "Data to write exceeds the maximum size that can be modified with a single request.",
            errors.PayloadTooLarge,
        ),
        (401, "Permission denied", errors.PermissionDenied),
        (401, "Auth token is expired", errors.TokenExpired),
        (401, "Could not parse auth token.", errors.Unauthenticated),
        (401, "Unauthorized request.", errors.Unauthenticated),
        (402, "Payment required", errors.QuotaExceeded),
        (403, "Forbidden", errors.PermissionDenied),
        (403, "Invalid Firebase database name", errors.NotFound),
        (404, "404 Not Found", errors.NotFound),
        (412, "no", errors.PreconditionFailed),
        (413, "too large", errors.PayloadTooLarge),
        (418, "teapot", errors.ApiError),
        (423, "The Firebase database 'x' has been disabled by a database owner.", errors.QuotaExceeded),
        (429, "slow down", errors.RateLimited),
        (500, "Internal server error.", errors.ServerError),
        (503, "try later", errors.ServerError),
    ],
)
def test_error_class_follows_status_and_message(status: int, message: str, kind: type) -> None:
    with pytest.raises(errors.ApiError) as caught:
        drive(protocol.get(USERS, Filter()), error_response(status, message))
    assert type(caught.value) is kind
    assert (caught.value.status, caught.value.message) == (status, message)
    assert json.loads(str(caught.value.args[1])) == {"error": message}


def test_plain_text_error_keeps_its_message() -> None:
    with pytest.raises(errors.ServerError) as caught:
        drive(protocol.get(USERS, Filter()), Response(502, {}, b"<html>Bad gateway</html>\n"))
    assert caught.value.message == "<html>Bad gateway</html>"


def test_html_page_raises_for_every_operation() -> None:
    page = Response(200, {"content-type": "text/html"}, b"<html>Sign in to the hotel's network</html>")
    for flow in (
        protocol.get(USERS, Filter()),
        protocol.set_(USERS, 1),
        protocol.update(USERS, {"a": 1}),
        protocol.push(USERS, 1),
        protocol.remove(USERS),
        protocol.exists(USERS),
        protocol.read_with_etag(USERS),
        protocol.conditional_set(USERS, 1, ETAG),
        protocol.conditional_remove(USERS, ETAG),
    ):
        with pytest.raises(errors.InvalidResponse, match="not JSON"):
            drive(flow, page)


def test_precondition_failed_has_value_and_etag() -> None:
    with pytest.raises(errors.PreconditionFailed) as caught:
        drive(protocol.get(USERS, Filter()), json_response({"a": 1}, 412, {"etag": ETAG}))
    assert (caught.value.value, caught.value.etag) == ({"a": 1}, ETAG)


def test_set_if_match_returns_the_new_etag() -> None:
    [request], etag = drive(
        protocol.set_if_match(USERS, {"a": 1}, "old"), json_response({"a": 1}, headers={"etag": "new"})
    )
    assert (request.method, request.headers["if-match"], sent_json(request)) == ("PUT", "old", {"a": 1})
    assert request.retry_policy is RetryPolicy.IF_NOT_PROCESSED
    assert etag == "new"


@pytest.mark.parametrize("flow", [protocol.set_if_match(USERS, 1, "old"), protocol.remove_if_match(USERS, "old")])
def test_if_match_with_changed_data_raises(flow: Any) -> None:
    with pytest.raises(errors.PreconditionFailed) as caught:
        drive(flow, json_response({"b": 2}, 412, headers={"etag": "new"}))
    assert (caught.value.value, caught.value.etag) == ({"b": 2}, "new")


def test_remove_if_match_deletes() -> None:
    [request], result = drive(protocol.remove_if_match(USERS, "old"), json_response(None))
    assert (request.method, request.headers["if-match"], result) == ("DELETE", "old", None)
