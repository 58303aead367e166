"""Authentication of requests to Storage, and the protocol of their authorization.

https://firebase.google.com/docs/storage/security
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from firebase_rest.emulator.credentials import ADMIN, UNAUTHENTICATED, Caller, RejectedTokenError, read_unverified
from firebase_rest.emulator.storage.errors import StorageHTTPError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.credentials import CheckIdToken
    from firebase_rest.emulator.storage.metadata import Metadata

RulesOperation: TypeAlias = Literal["get", "list", "create", "update", "delete"]
"""An operation in security rules. Replacing the content of an object is `create`; `update` changes its metadata."""


@dataclass(frozen=True, slots=True)
class ObjectAccess:
    """An operation on an object that the rules allow or deny.

    Attributes:
        operation: The operation.
        bucket: The name of the bucket.
        path: The name of the object, or the prefix of a listing without its last slash.
        before: The metadata of the existing object, or None.
        after: The metadata after a write, or None.
        now: The time in seconds since the epoch.
    """

    operation: RulesOperation
    bucket: str
    path: str
    before: Metadata | None
    after: Metadata | None
    now: float


class StorageAuthorizer(Protocol):
    """Decides what callers may do. Is not used for administrators."""

    def allows(self, caller: Caller, access: ObjectAccess, /) -> bool:
        """Return whether `caller`, the sender of a request, may access an object."""
        ...


@dataclass(frozen=True, slots=True)
class OpenStorageRules:
    """Allows everything to everyone, or with `require_auth` to users with a valid token."""

    require_auth: bool = False

    def allows(self, caller: Caller, _: ObjectAccess) -> bool:
        """See `StorageAuthorizer`."""
        return not self.require_auth or caller.auth is not None


def authenticate(headers: Mapping[str, str], check_id_token: CheckIdToken, now: float) -> Caller:
    """Return the caller of a request. Raises `StorageHTTPError` 401 for an invalid token.

    An ID token is sent as `Firebase TOKEN` or `Bearer TOKEN`. The token `owner` and OAuth tokens of service accounts
    (`Bearer ya29...`) authenticate an administrator. `now` is in seconds since the epoch.
    """
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    if not scheme:
        return UNAUTHENTICATED
    if scheme.lower() not in {"firebase", "bearer"}:
        raise StorageHTTPError(401, "Invalid Authorization header: expected Firebase TOKEN or Bearer TOKEN.")
    if token == "owner" or (scheme.lower() == "bearer" and token.startswith("ya29.")):
        return ADMIN
    try:
        claims = check_id_token(token) or read_unverified(token, now)
    except RejectedTokenError as error:
        raise StorageHTTPError(401, str(error)) from None
    return Caller(admin=False, auth={"uid": claims.get("sub") or claims.get("user_id"), "token": dict(claims)})
