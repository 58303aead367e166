"""Authentication of requests to the database, and the protocol of their authorization.

https://firebase.google.com/docs/database/rest/auth
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from firebase_rest.emulator.credentials import (
    ADMIN,
    UNAUTHENTICATED,
    Caller,
    RejectedTokenError,
    parse_timestamp,
    read_unverified,
)
from firebase_rest.emulator.database.responses import DatabaseHTTPError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from firebase_rest.database.filter import Filter
    from firebase_rest.emulator.credentials import CheckIdToken
    from firebase_rest.emulator.database.tree import Node, Path
    from firebase_rest.transport.wire import Json


class DatabaseAuthorizer(Protocol):
    """Decides which callers may read and write. Is not used for administrators.

    Paths are segments from the root. `now` is in milliseconds since the epoch.
    """

    def may_read(self, caller: Caller, root: Node, path: Sequence[str], filter: Filter, now: int, /) -> bool:
        """Return whether `caller` may read everything at `path`."""
        ...

    def may_write(self, caller: Caller, before: Node, after: Node, paths: Iterable[Path], now: int, /) -> bool:
        """Return whether `caller` may change the root from `before` to `after` by writing to each of `paths`."""
        ...

    def is_indexed(self, path: Sequence[str], order: str, /) -> bool:
        """Return whether the children of `path` may be ordered by `order`. Applies to administrators too."""
        ...


@dataclass(frozen=True, slots=True)
class OpenDatabaseRules:
    """Allows everything to everyone, or with `require_auth` to users with a valid token."""

    require_auth: bool = False

    def may_read(self, caller: Caller, *_: object) -> bool:
        """See `DatabaseAuthorizer`."""
        return not self.require_auth or caller.auth is not None

    may_write = may_read

    def is_indexed(self, *_: object) -> bool:
        """See `DatabaseAuthorizer`."""
        return True


NO_RULES = OpenDatabaseRules()
"""Allows everything."""


def permission_key(caller: Caller, path: Sequence[str], filter: Filter) -> Hashable:
    """Return a key for a cache of `may_read`: with the same rules, data and time, equal keys have equal results."""
    user = "" if caller.admin else json.dumps(caller.auth, sort_keys=True)
    return user, path, filter


def authenticate(
    headers: Mapping[str, str], params: Mapping[str, str], check_id_token: CheckIdToken, now: float
) -> Caller:
    """Return the caller of a request. Raises `DatabaseHTTPError` 401 for an invalid token.

    `now` is in seconds since the epoch.
    """
    if "access_token" in params or headers.get("authorization", "")[:7].lower() == "bearer ":
        return _impersonated(params["auth_variable_override"]) if "auth_variable_override" in params else ADMIN
    token = params.get("auth")
    return authenticate_token(token, check_id_token, now) if token else UNAUTHENTICATED


def authenticate_token(token: str, check_id_token: CheckIdToken, now: float) -> Caller:
    """Return the user of a token. Raises `DatabaseHTTPError` 401 if it is invalid."""
    try:
        claims = check_id_token(token) or read_unverified(token, now)
    except RejectedTokenError as error:
        raise DatabaseHTTPError(401, str(error)) from None
    firebase = claims.get("firebase")
    return Caller(
        admin=False,
        expires=parse_timestamp(claims.get("exp")) if claims.get("iat") else None,
        auth={
            "uid": claims.get("sub") or claims.get("user_id"),
            "provider": firebase.get("sign_in_provider") if isinstance(firebase, dict) else None,
            "token": dict(claims),
        },
    )


def _impersonated(text: str) -> Caller:
    """Return the caller that an administrator impersonates; `text` is the parameter `auth_variable_override`."""
    try:
        auth = json.loads(text)
    except (ValueError, RecursionError):
        auth = text
    if auth is None or isinstance(auth, dict):
        return Caller(admin=False, auth=cast("dict[str, Json] | None", auth))
    raise DatabaseHTTPError(400, "auth_variable_override must be a JSON object or null")
