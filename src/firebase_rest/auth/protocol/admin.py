"""Flows of an administrator: accounts looked up, made, changed and deleted, one by one or in batches.

The law of this file: a project's path and never an API key; the transport adds the administrator's credential.
https://cloud.google.com/identity-platform/docs/reference/rest/v1/projects.accounts
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from firebase_rest.auth.protocol.endpoint import Endpoint, call, validate_field
from firebase_rest.auth.users import BatchError, BatchResult, Identifiers, UserRecord, UsersFound
from firebase_rest.errors import InvalidResponse, NetworkError, UserNotFound
from firebase_rest.transport._json import object_list, str_or_none
from firebase_rest.transport.arguments import as_int
from firebase_rest.transport.wire import Flow, Request, RetryPolicy

_JSON = {"Content-Type": "application/json"}
_IDENTITY = "identitytoolkit.googleapis.com"


@dataclass(frozen=True, slots=True)
class ProjectEndpoint:
    """A project's accounts, or those of one of its tenants, as administrators reach them.

    `quota_project` pays for the calls of people's own credentials, which belong to no project.
    """

    endpoint: Endpoint
    project: str
    tenant_id: str | None = None
    quota_project: str | None = None

    def post(self, operation: str, body: Mapping[str, Any], repeat: RetryPolicy = RetryPolicy.IF_NOT_SENT) -> Request:
        """`operation` on the project ("/accounts:lookup") with `body`, whose None members are left out."""
        present = {name: value for name, value in body.items() if value is not None}
        headers, text = self._headers(_JSON), json.dumps(present).encode()
        return Request("POST", self._url(operation), (), headers, text, repeat, reauth_on_401=True)

    def get(self, operation: str, params: tuple[tuple[str, str], ...]) -> Request:
        """A read."""
        url, headers = self._url(operation), self._headers({})
        return Request("GET", url, params, headers, retry_policy=RetryPolicy.IDEMPOTENT, reauth_on_401=True)

    def _headers(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        return headers if self.quota_project is None else {**headers, "X-Goog-User-Project": self.quota_project}

    def _url(self, operation: str) -> str:
        tenant = "" if self.tenant_id is None else f"/tenants/{quote(self.tenant_id, safe='')}"
        return self.endpoint.url(_IDENTITY, f"v1/projects/{quote(self.project, safe='')}{tenant}{operation}")


def get_users(at: ProjectEndpoint, wanted: Identifiers) -> Flow[UsersFound]:
    """Whom any of the identifiers names. Firebase leaves out those that it does not find."""
    if not wanted:
        return UsersFound((), wanted)
    body = {
        "localId": wanted.uids or None,
        "email": wanted.emails or None,
        "phoneNumber": wanted.phone_numbers or None,
        "federatedUserId": [{"providerId": provider, "rawId": uid} for provider, uid in wanted.providers] or None,
    }
    reply = yield from call(at.post("/accounts:lookup", body, RetryPolicy.IDEMPOTENT))
    users = tuple(map(UserRecord.of, object_list(reply, "users")))
    return UsersFound(users, wanted.unmatched(users))


def get_user(at: ProjectEndpoint, wanted: Identifiers, who: str) -> Flow[UserRecord]:
    """The one account that `wanted` names. Raises `UserNotFound`, which calls it `who`."""
    found = yield from get_users(at, wanted)
    if found.users:
        return found.users[0]
    raise _not_found(who)


def create_user(at: ProjectEndpoint, fields: Mapping[str, Any]) -> Flow[UserRecord]:
    """Make an account, and look at it."""
    uid = validate_field((yield from call(at.post("/accounts", fields))), "localId")
    with _done_already():
        return (yield from get_user(at, Identifiers(uids=(uid,)), f"the uid {uid!r}"))


def update_user(at: ProjectEndpoint, fields: Mapping[str, Any]) -> Flow[UserRecord]:
    """Change an account, and look at it. Raises `UserNotFound`."""
    uid = validate_field((yield from call(at.post("/accounts:update", fields))), "localId")
    with _done_already():
        return (yield from get_user(at, Identifiers(uids=(uid,)), f"the uid {uid!r}"))


def delete_user(at: ProjectEndpoint, uid: str) -> Flow[None]:
    """Delete an account. Raises `UserNotFound`."""
    yield from call(at.post("/accounts:delete", {"localId": uid}))


def delete_users(at: ProjectEndpoint, uids: Sequence[str], *, force: bool) -> Flow[BatchResult]:
    """Delete up to 1,000 accounts; without `force` only the disabled ones. Unknown uids count as deleted."""
    if not uids:
        return BatchResult(0)
    reply = yield from call(at.post("/accounts:batchDelete", {"localIds": uids, "force": force}))
    return _batch(uids, object_list(reply, "errors"))


def import_users(
    at: ProjectEndpoint, users: Sequence[Mapping[str, Any]], hashing: Mapping[str, Any], *, overwrite: bool
) -> Flow[BatchResult]:
    """Take over up to 1,000 accounts."""
    if not users:
        return BatchResult(0)
    body = {"users": users, "allowOverwrite": overwrite or None, **hashing}
    reply = yield from call(at.post("/accounts:batchCreate", body))
    return _batch([user["localId"] for user in users], object_list(reply, "error"))


def list_users(at: ProjectEndpoint, page_size: int, token: str | None) -> Flow[tuple[list[UserRecord], str | None]]:
    """One page of all accounts, and the token of the next one; None at the end."""
    params = (("maxResults", str(page_size)), *((("nextPageToken", token),) if token else ()))
    reply = yield from call(at.get("/accounts:batchGet", params))
    users = list(map(UserRecord.of, object_list(reply, "users")))
    following = reply.get("nextPageToken")
    # A server that repeats itself would be asked for ever.
    return users, following if isinstance(following, str) and following and users and following != token else None


def action_link(at: ProjectEndpoint, kind: str, email: str, fields: Mapping[str, Any]) -> Flow[str]:
    """The link that a mail of this kind would hold; no mail is sent."""
    body = {"requestType": kind, "email": email, "returnOobLink": True, **fields}
    reply = yield from call(at.post("/accounts:sendOobCode", body))
    if "oobLink" not in reply and "email" in reply and kind != "EMAIL_SIGNIN":
        # With email enumeration protection, Firebase reports success for an unknown address.
        raise _not_found(f"the email address {email!r}")
    return validate_field(reply, "oobLink")


def create_session_cookie(at: ProjectEndpoint, id_token: str, seconds: int) -> Flow[str]:
    """A session cookie with the claims of an ID token."""
    body = {"idToken": id_token, "validDuration": str(seconds)}
    reply = yield from call(at.post(":createSessionCookie", body, RetryPolicy.IDEMPOTENT))
    return validate_field(reply, "sessionCookie")


def _not_found(who: str) -> UserNotFound:
    message = f"There is no user with {who}."
    return UserNotFound(message, status=404, code="USER_NOT_FOUND", message=message)


def _batch(uids: Sequence[str], errors: Iterable[Mapping[str, Any]]) -> BatchResult:
    found: list[BatchError] = []
    for error in errors:
        index = as_int(error.get("index", 0))  # 0 is left out, as a default is
        if index is None or not 0 <= index < len(uids):
            raise InvalidResponse("Invalid response: 'index' is outside of the batch.", outcome_unknown=True)
        found.append(BatchError(index, uids[index], str_or_none(error.get("message")) or ""))
    return BatchResult(len(uids) - len(found), tuple(found))


@contextmanager
def _done_already() -> Generator[None, None, None]:
    """What fails in here fails after the account was made or changed."""
    try:
        yield
    except NetworkError as error:
        error.outcome_unknown = True
        raise
