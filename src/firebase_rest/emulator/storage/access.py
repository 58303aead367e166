"""Who calls Storage, and what they may do.

https://firebase.google.com/docs/storage/security
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from firebase_rest.emulator.database.access import ADMIN, NOBODY, Caller, unverified
from firebase_rest.emulator.database.responses import RefusedError
from firebase_rest.emulator.storage.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firebase_rest.emulator.storage.metadata import Metadata
    from firebase_rest.transport.wire import Json

Operation: TypeAlias = Literal["get", "list", "create", "update", "delete"]
"""What rules are asked for. Replacing an object's bytes is `create`; `update` is of metadata."""


class Rules(Protocol):
    """What decides for everybody but administrators."""

    def allows(
        self,
        caller: Caller,
        operation: Operation,
        bucket: str,
        path: str,
        before: Metadata | None,
        after: Metadata | None,
        now: float,
    ) -> bool:
        """Whether `caller` may do that at `path`: an object's name, or the prefix of a listing without its last slash.

        `before` is what is there, `after` what would be; `now` is seconds since the epoch.
        """
        ...


@dataclass(frozen=True, slots=True)
class OpenRules:
    """No rules: everything is allowed to everybody, or, with `require_auth`, to everybody who is signed in."""

    require_auth: bool = False

    def allows(
        self,
        caller: Caller,
        operation: Operation,  # noqa: ARG002
        bucket: str,  # noqa: ARG002
        path: str,  # noqa: ARG002
        before: Metadata | None,  # noqa: ARG002
        after: Metadata | None,  # noqa: ARG002
        now: float,  # noqa: ARG002
    ) -> bool:
        """See `Rules`."""
        return not self.require_auth or caller.auth is not None


def identify(
    headers: Mapping[str, str], check_id_token: Callable[[str], Mapping[str, Json] | None], now: float
) -> Caller:
    """The caller of a request. `now` is seconds since the epoch. Raises `Refusal` 401 for a bad token.

    An ID token comes as `Firebase TOKEN` or `Bearer TOKEN`; `owner` in its place is an administrator, and so is the
    OAuth token of a service account (`Bearer ya29. ...`).
    """
    scheme, _, token = headers.get("authorization", "").strip().partition(" ")
    if not scheme:
        return NOBODY
    if scheme.lower() not in {"firebase", "bearer"}:
        raise Refusal(401, "Invalid Authorization header: use Firebase or Bearer, and a token.")
    if token == "owner" or (scheme.lower() == "bearer" and token.startswith("ya29.")):
        return ADMIN
    try:
        claims = check_id_token(token) or unverified(token, now)
    except RefusedError as refused:
        raise Refusal(401, refused.message) from None
    return Caller(admin=False, auth={"uid": claims.get("sub") or claims.get("user_id"), "token": dict(claims)})
