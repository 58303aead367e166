"""Flows of an administrator without I/O: requests and the results of responses."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from firebase_rest import InvalidResponse, NetworkError, UserNotFound, UserRecord
from firebase_rest.auth.protocol import admin
from firebase_rest.auth.protocol.admin import ProjectEndpoint
from firebase_rest.auth.protocol.endpoint import Endpoint
from firebase_rest.auth.users import UserIdentifiers
from firebase_rest.transport.wire import RetryPolicy
from support.flow_driver import drive, json_response, sent_json

AT = ProjectEndpoint(Endpoint("api-key", None), "demo-project")
BASE = "https://identitytoolkit.googleapis.com/v1/projects/demo-project"
ADA = {"localId": "ada", "email": "ada@example.com"}


def test_admin_request_contains_project_and_no_api_key():
    requests, _ = drive(admin.delete_user(AT, "ada"), json_response({"kind": "x"}))
    (request,) = requests
    assert request.url == f"{BASE}/accounts:delete"
    assert request.params == ()
    assert not [name for name in request.headers if name.lower() in {"authorization", "x-goog-api-key"}]
    assert sent_json(request) == {"localId": "ada"}
    assert request.retry_policy is RetryPolicy.IF_NOT_SENT


def test_project_and_tenant_are_escaped_in_url():
    at = ProjectEndpoint(Endpoint(None, "127.0.0.1:9099"), "a/b", "t 1")
    (request,), _ = drive(admin.delete_user(at, "ada"), json_response({}))
    expected = "http://127.0.0.1:9099/identitytoolkit.googleapis.com/v1/projects/a%2Fb/tenants/t%201/accounts:delete"
    assert request.url == expected


def test_quota_project_is_sent_if_known():
    (request,), _ = drive(
        admin.list_users(ProjectEndpoint(AT.endpoint, "p", quota_project="payer"), 10, None), json_response({})
    )
    assert request.headers["X-Goog-User-Project"] == "payer"


def test_lookup_sends_given_identifiers_and_is_idempotent():
    identifiers = UserIdentifiers(("ada",), providers=(("google.com", "g1"),))
    (request,), result = drive(admin.get_users(AT, identifiers), json_response({"users": [ADA]}))
    assert sent_json(request) == {
        "localId": ["ada"],
        "federatedUserId": [{"providerId": "google.com", "rawId": "g1"}],
    }
    assert request.retry_policy is RetryPolicy.IDEMPOTENT
    assert [user.uid for user in result.users] == ["ada"]
    assert result.not_found == UserIdentifiers(providers=(("google.com", "g1"),))


def test_lookup_without_identifiers_sends_nothing():
    requests, result = drive(admin.get_users(AT, UserIdentifiers()))
    assert requests == []
    assert result.users == ()


def test_response_without_users_raises_user_not_found():
    with pytest.raises(UserNotFound, match="the uid 'ada'") as caught:
        drive(admin.get_user(AT, UserIdentifiers(("ada",)), "the uid 'ada'"), json_response({"kind": "x"}))
    assert caught.value.code == "USER_NOT_FOUND"


def test_create_user_reads_the_new_account():
    requests, user = drive(
        admin.create_user(AT, {"email": "ada@example.com"}), json_response(ADA), json_response({"users": [ADA]})
    )
    assert [request.url.rpartition("/")[2] for request in requests] == ["accounts", "accounts:lookup"]
    assert requests[0].retry_policy is RetryPolicy.IF_NOT_SENT
    assert user.email == "ada@example.com"


def test_failed_lookup_after_write_has_unknown_outcome():
    flow = admin.update_user(AT, {"localId": "ada"})
    next(flow)
    flow.send(json_response(ADA))
    with pytest.raises(NetworkError) as caught:
        flow.throw(NetworkError("gone"))
    assert caught.value.outcome_unknown


def test_next_page_is_requested_with_page_token():
    (request,), (users, token) = drive(
        admin.list_users(AT, 2, "after"), json_response({"users": [ADA], "nextPageToken": "more"})
    )
    assert request.method == "GET"
    assert request.params == (("maxResults", "2"), ("nextPageToken", "after"))
    assert (len(users), token) == (1, "more")


@pytest.mark.parametrize(
    "payload",
    [
        {"users": [], "nextPageToken": "more"},
        {"users": [ADA], "nextPageToken": ""},
        {"users": [ADA]},
        {"users": [ADA], "nextPageToken": "after"},
        {},
    ],
)
def test_repeated_page_token_ends_the_list(payload):
    _, (_, token) = drive(admin.list_users(AT, 2, "after"), json_response(payload))
    assert token is None


def test_batch_errors_have_index_and_uid():
    errors = [{"localId": "a", "message": "NOT_DISABLED : x"}, {"index": 2, "message": "NOT_DISABLED : y"}]
    (request,), result = drive(admin.delete_users(AT, ["a", "b", "c"], force=False), json_response({"errors": errors}))
    assert sent_json(request) == {"localIds": ["a", "b", "c"], "force": False}
    assert [(error.index, error.uid) for error in result.errors] == [(0, "a"), (2, "c")]
    assert (result.success_count, result.failure_count) == (1, 2)


def test_import_errors_are_read_from_error_field():
    flow = admin.import_users(AT, [{"localId": "a"}, {"localId": "b"}], {"hashAlgorithm": "BCRYPT"}, overwrite=False)
    (request,), result = drive(flow, json_response({"error": [{"index": 1, "message": "email is invalid"}]}))
    assert sent_json(request) == {"users": [{"localId": "a"}, {"localId": "b"}], "hashAlgorithm": "BCRYPT"}
    assert [(error.uid, error.message) for error in result.errors] == [("b", "email is invalid")]


def test_empty_batch_sends_nothing():
    assert drive(admin.delete_users(AT, [], force=True))[0] == []
    assert drive(admin.import_users(AT, [], {}, overwrite=True))[0] == []


def test_action_link_is_returned_without_email():
    flow = admin.action_link(AT, "PASSWORD_RESET", "ada@example.com", {"continueUrl": "https://example.com/"})
    (request,), link = drive(
        flow, json_response({"oobLink": "https://link", "oobCode": "x", "email": "ada@example.com"})
    )
    assert sent_json(request)["returnOobLink"] is True
    assert link == "https://link"
    assert request.retry_policy is RetryPolicy.IF_NOT_SENT


def test_session_cookie_is_requested_from_project():
    (request,), cookie = drive(admin.create_session_cookie(AT, "token", 300), json_response({"sessionCookie": "c"}))
    assert request.url == f"{BASE}:createSessionCookie"
    assert sent_json(request) == {"idToken": "token", "validDuration": "300"}
    assert cookie == "c"


@pytest.mark.parametrize(
    "flow",
    [
        lambda: admin.create_session_cookie(AT, "token", 300),
        lambda: admin.action_link(AT, "PASSWORD_RESET", "a@b.c", {}),
        lambda: admin.create_user(AT, {}),
    ],
)
def test_response_without_required_field_is_invalid(flow):
    with pytest.raises(InvalidResponse):
        drive(flow(), json_response({"kind": "x"}))


@pytest.mark.parametrize("kind", ["PASSWORD_RESET", "VERIFY_EMAIL", "VERIFY_AND_CHANGE_EMAIL"])
def test_link_for_unknown_email_raises_user_not_found(kind):
    response = json_response({"kind": "identitytoolkit#GetOobConfirmationCodeResponse", "email": "ada@example.com"})
    with pytest.raises(UserNotFound, match="ada@example") as caught:
        drive(admin.action_link(AT, kind, "ada@example.com", {}), response)
    assert (caught.value.code, caught.value.status) == ("USER_NOT_FOUND", 404)


# --- records --------------------------------------------------------------------------------------------------------


def test_times_become_aware_datetimes():
    user = UserRecord.from_json(
        {
            "localId": "ada",
            "createdAt": "1000",
            "lastLoginAt": 2500,
            "passwordUpdatedAt": 1500.5,
            "validSince": "3",
            "lastRefreshAt": "2026-01-02T03:04:05.678901234Z",
        }
    )
    utc = timezone.utc
    assert user.created_at == datetime(1970, 1, 1, 0, 0, 1, tzinfo=utc)
    assert user.last_sign_in_at == datetime(1970, 1, 1, 0, 0, 2, 500_000, tzinfo=utc)
    assert user.password_updated_at == datetime(1970, 1, 1, 0, 0, 1, 500_500, tzinfo=utc)
    assert user.tokens_valid_after == datetime(1970, 1, 1, 0, 0, 3, tzinfo=utc)
    assert user.last_refresh_at == datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=utc)


@pytest.mark.parametrize("value", ["0", "", None, "soon", "1e400"])
def test_invalid_time_is_none(value):
    assert UserRecord.from_json({"localId": "ada", "createdAt": value, "lastRefreshAt": value}).created_at is None


def test_missing_fields_are_none_or_false():
    user = UserRecord.from_json({"localId": "ada"})
    assert (user.email, user.email_verified, user.disabled, user.providers, user.custom_claims) == (
        None, False, False, (), {},
    )  # fmt: skip


def test_redacted_hash_means_has_password():
    user = UserRecord.from_json({"localId": "ada", "passwordHash": "UkVEQUNURUQ=", "salt": "c2FsdA=="})
    assert (user.password_hash, user.password_salt, user.has_password) == (None, None, True)


def test_records_are_comparable_and_hashable():
    assert (
        len(
            {
                UserRecord.from_json({**ADA, "customAttributes": '{"a": 1}'}),
                UserRecord.from_json(ADA),
                UserRecord.from_json(ADA),
            }
        )
        == 2
    )
