"""Authentication and authorisation of requests to the database.

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
    read_unverified,
    seconds,
)
from firebase_rest.emulator.database.responses import DatabaseHTTPError

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from firebase_rest.database.filter import Filter
    from firebase_rest.emulator.credentials import CheckIdToken
    from firebase_rest.emulator.database.tree import Node, Path
    from firebase_rest.transport.wire import Json


class DatabaseAuthorizer(Protocol):
    """Authorises every caller except administrators. Paths are segments from the root; `now` is in milliseconds."""

    def may_read(self, caller: Caller, root: Node, path: Sequence[str], filter: Filter, now: int, /) -> bool:
        """Return whether `caller` may read everything at `path`."""
        ...

    def may_write(self, caller: Caller, before: Node, after: Node, paths: Sequence[Path], now: int, /) -> bool:
        """Return whether `caller` may change the root from `before` to `after` by writing to each of `paths`."""
        ...

    def is_indexed(self, path: Sequence[str], order: str, /) -> bool:
        """Return whether the children of `path` may be ordered by `order`. Applies to administrators too."""
        ...


@dataclass(frozen=True, slots=True)
class OpenDatabaseRules:
    """Allows everything, or with `require_auth` everything to signed-in users."""

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


def permission(caller: Caller, path: Sequence[str], filter: Filter) -> Hashable:
    """Return what the results of `may_read` depend on, besides the rules, the data and the time."""
    return "" if caller.admin else json.dumps(caller.auth, sort_keys=True), path, filter


def identify(headers: Mapping[str, str], params: Mapping[str, str], check_id_token: CheckIdToken, now: float) -> Caller:
    """Return the caller of a request. Raises `DatabaseHTTPError` 401 for an invalid token.

    `now` is in seconds since the epoch.
    """
    if "access_token" in params or headers.get("authorization", "")[:7].lower() == "bearer ":
        return _override(params["auth_variable_override"]) if "auth_variable_override" in params else ADMIN
    token = params.get("auth")
    return identify_user(token, check_id_token, now) if token else UNAUTHENTICATED


def identify_user(token: str, check_id_token: CheckIdToken, now: float) -> Caller:
    """Return the user of a token. Raises `DatabaseHTTPError` 401 if it is invalid."""
    try:
        claims = check_id_token(token) or read_unverified(token, now)
    except RejectedTokenError as error:
        raise DatabaseHTTPError(401, str(error)) from None
    firebase = claims.get("firebase")
    return Caller(
        admin=False,
        expires=seconds(claims.get("exp")) if claims.get("iat") else None,
        auth={
            "uid": claims.get("sub") or claims.get("user_id"),
            "provider": firebase.get("sign_in_provider") if isinstance(firebase, dict) else None,
            "token": dict(claims),
        },
    )


def _override(text: str) -> Caller:
    """Return the caller that an administrator impersonates with `auth_variable_override`."""
    try:
        auth = json.loads(text)
    except (ValueError, RecursionError):
        auth = text
    if auth is None or isinstance(auth, dict):
        return Caller(admin=False, auth=cast("dict[str, Json] | None", auth))
    raise DatabaseHTTPError(400, "auth_variable_override must be a JSON object or null")
