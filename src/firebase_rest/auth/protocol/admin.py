"""Flows of an administrator's requests to Identity Toolkit.

The URL contains the project ID and no API key. The transport adds the administrator's credentials.
https://cloud.google.com/identity-platform/docs/reference/rest/v1/projects.accounts
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from firebase_rest.auth.protocol.endpoint import IDENTITY_TOOLKIT, JSON_HEADERS, Endpoint, send
from firebase_rest.auth.protocol.responses import validate_field
from firebase_rest.auth.users import BatchResult, ErrorInfo, GetUsersResult, UserIdentifiers, UserRecord
from firebase_rest.errors import InvalidResponse, NetworkError, UserNotFound
from firebase_rest.transport.arguments import as_int
from firebase_rest.transport.json_fields import object_list, str_or_none
from firebase_rest.transport.wire import Flow, Request, RetryPolicy


@dataclass(frozen=True, slots=True)
class ProjectEndpoint:
    """The URLs and headers of an administrator's requests to a project, or to one of its tenants.

    `quota_project` is the project that is billed if the credentials are those of a Google user, not of a project.
    """

    endpoint: Endpoint
    project: str
    tenant_id: str | None = None
    quota_project: str | None = None

    def post(
        self, operation: str, body: Mapping[str, Any], retry_policy: RetryPolicy = RetryPolicy.IF_NOT_SENT
    ) -> Request:
        """Return a request to an operation such as "/accounts:lookup". Fields with the value `None` are left out."""
        content = json.dumps({name: value for name, value in body.items() if value is not None}).encode()
        headers = self._headers(JSON_HEADERS)
        return Request("POST", self._url(operation), (), headers, content, retry_policy, reauth_on_401=True)

    def get(self, operation: str, params: tuple[tuple[str, str], ...]) -> Request:
        """Return a request that reads from an operation such as "/accounts:batchGet"."""
        url, headers = self._url(operation), self._headers({})
        return Request("GET", url, params, headers, retry_policy=RetryPolicy.IDEMPOTENT, reauth_on_401=True)

    def _headers(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        return headers if self.quota_project is None else {**headers, "X-Goog-User-Project": self.quota_project}

    def _url(self, operation: str) -> str:
        tenant = "" if self.tenant_id is None else f"/tenants/{quote(self.tenant_id, safe='')}"
        return self.endpoint.url(IDENTITY_TOOLKIT, f"v1/projects/{quote(self.project, safe='')}{tenant}{operation}")


def get_users(endpoint: ProjectEndpoint, identifiers: UserIdentifiers) -> Flow[GetUsersResult]:
    """Return the accounts that match any identifier, and the identifiers without an account."""
    if not identifiers:
        return GetUsersResult((), identifiers)
    body = {
        "localId": identifiers.uids or None,
        "email": identifiers.emails or None,
        "phoneNumber": identifiers.phone_numbers or None,
        "federatedUserId": [{"providerId": provider, "rawId": uid} for provider, uid in identifiers.providers] or None,
    }
    payload = yield from send(endpoint.post("/accounts:lookup", body, RetryPolicy.IDEMPOTENT))
    users = tuple(map(UserRecord.from_json, object_list(payload, "users")))
    return GetUsersResult(users, identifiers.unmatched(users))


def get_user(endpoint: ProjectEndpoint, identifier: UserIdentifiers, description: str) -> Flow[UserRecord]:
    """Return the account of one identifier. Raises `UserNotFound` with the `description` of the identifier."""
    result = yield from get_users(endpoint, identifier)
    if result.users:
        return result.users[0]
    raise _not_found(description)


def create_user(endpoint: ProjectEndpoint, fields: Mapping[str, Any]) -> Flow[UserRecord]:
    """Create an account, and return it."""
    return (yield from _write(endpoint, "/accounts", fields))


def update_user(endpoint: ProjectEndpoint, fields: Mapping[str, Any]) -> Flow[UserRecord]:
    """Change an account, and return it."""
    return (yield from _write(endpoint, "/accounts:update", fields))


def _write(endpoint: ProjectEndpoint, operation: str, fields: Mapping[str, Any]) -> Flow[UserRecord]:
    payload = yield from send(endpoint.post(operation, fields))
    uid = validate_field(payload, "localId")
    with _after_write():
        return (yield from get_user(endpoint, UserIdentifiers(uids=(uid,)), f"the uid {uid!r}"))


def delete_user(endpoint: ProjectEndpoint, uid: str) -> Flow[None]:
    """Delete an account."""
    yield from send(endpoint.post("/accounts:delete", {"localId": uid}))


def delete_users(endpoint: ProjectEndpoint, uids: Sequence[str], *, force: bool) -> Flow[BatchResult]:
    """Delete up to 1,000 accounts; without `force` only disabled ones. Unknown uids count as deleted."""
    if not uids:
        return BatchResult(0)
    payload = yield from send(endpoint.post("/accounts:batchDelete", {"localIds": uids, "force": force}))
    return _batch_result(uids, object_list(payload, "errors"))


def import_users(
    endpoint: ProjectEndpoint, users: Sequence[Mapping[str, Any]], hashing: Mapping[str, Any], *, overwrite: bool
) -> Flow[BatchResult]:
    """Import up to 1,000 accounts."""
    if not users:
        return BatchResult(0)
    body = {"users": users, "allowOverwrite": overwrite or None, **hashing}
    payload = yield from send(endpoint.post("/accounts:batchCreate", body))
    return _batch_result([user["localId"] for user in users], object_list(payload, "error"))


def list_users(
    endpoint: ProjectEndpoint, page_size: int, page_token: str | None
) -> Flow[tuple[list[UserRecord], str | None]]:
    """Return a page of accounts and the token of the next page. The token is None on the last page."""
    params = (("maxResults", str(page_size)), *((("nextPageToken", page_token),) if page_token else ()))
    payload = yield from send(endpoint.get("/accounts:batchGet", params))
    users = list(map(UserRecord.from_json, object_list(payload, "users")))
    next_token = payload.get("nextPageToken")
    # The token of the same page again would cause an endless loop.
    has_next_page = isinstance(next_token, str) and next_token not in ("", page_token)
    return users, next_token if users and has_next_page else None


def action_link(endpoint: ProjectEndpoint, kind: str, email: str, fields: Mapping[str, Any]) -> Flow[str]:
    """Return the link of an action email without sending it."""
    body = {"requestType": kind, "email": email, "returnOobLink": True, **fields}
    payload = yield from send(endpoint.post("/accounts:sendOobCode", body))
    if "oobLink" not in payload and "email" in payload and kind != "EMAIL_SIGNIN":
        # With email enumeration protection, Firebase reports success for an unknown address.
        raise _not_found(f"the email address {email!r}")
    return validate_field(payload, "oobLink")


def create_session_cookie(endpoint: ProjectEndpoint, id_token: str, seconds: int) -> Flow[str]:
    """Return a session cookie with the claims of an ID token."""
    body = {"idToken": id_token, "validDuration": str(seconds)}
    payload = yield from send(endpoint.post(":createSessionCookie", body, RetryPolicy.IDEMPOTENT))
    return validate_field(payload, "sessionCookie")


def _not_found(description: str) -> UserNotFound:
    message = f"There is no user with {description}."
    return UserNotFound(message, status=404, code="USER_NOT_FOUND", message=message)


def _batch_result(uids: Sequence[str], errors: Sequence[Mapping[str, Any]]) -> BatchResult:
    infos: list[ErrorInfo] = []
    for error in errors:
        index = as_int(error.get("index", 0))  # the response leaves out 0
        if index is None or not 0 <= index < len(uids):
            raise InvalidResponse("Invalid response: 'index' is outside of the batch.", outcome_unknown=True)
        infos.append(ErrorInfo(index, uids[index], str_or_none(error.get("message")) or ""))
    return BatchResult(len(uids) - len(infos), tuple(infos))


@contextmanager
def _after_write() -> Generator[None, None, None]:
    """Set `outcome_unknown` on network errors, because the account has already been created or changed."""
    try:
        yield
    except NetworkError as error:
        error.outcome_unknown = True
        raise
