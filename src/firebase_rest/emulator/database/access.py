"""Who is asking, and what they may do.

Tokens are read, never verified, as in the official emulator: any `Authorization: Bearer` is an administrator.
https://firebase.google.com/docs/database/rest/auth
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, cast

from firebase_rest.emulator.database.responses import RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from firebase_rest.database.filter import Filter
    from firebase_rest.emulator.database.tree import Node
    from firebase_rest.transport.wire import Json

_CUSTOM_TOKEN_AUDIENCE = "identitytoolkit.googleapis.com/google.identity"
_ISSUER = "https://securetoken.google.com/"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: an administrator, whom no rule concerns, or somebody with the rule variable `auth` (`None`: nobody).

    `expires` is when his token does, in seconds since the epoch; None for never.
    """

    admin: bool
    auth: dict[str, Json] | None = None
    expires: float | None = None


ADMIN = Caller(admin=True)
NOBODY = Caller(admin=False)


class Rules(Protocol):
    """What decides for everybody but administrators. Paths are segments from the root; `now` is milliseconds."""

    def may_read(self, caller: Caller, root: Node, path: Sequence[str], filter: Filter, now: int) -> bool:
        """Whether `caller` may read all of `path`."""
        ...

    def may_write(self, caller: Caller, before: Node, after: Node, paths: Sequence[Sequence[str]], now: int) -> bool:
        """Whether `caller` may turn the root `before` into `after` by writing at each of `paths`."""
        ...

    def is_indexed(self, path: Sequence[str], order: str) -> bool:
        """Whether the children of `path` may be ordered by `order`. This concerns administrators too."""
        ...


@dataclass(frozen=True, slots=True)
class OpenRules:
    """No rules: everything is allowed to everybody, or, with `require_auth`, to everybody who is signed in."""

    require_auth: bool = False

    def may_read(self, caller: Caller, root: Node, path: Sequence[str], filter: Filter, now: int) -> bool:  # noqa: ARG002
        """See `Rules`."""
        return not self.require_auth or caller.auth is not None

    def may_write(
        self,
        caller: Caller,
        before: Node,  # noqa: ARG002
        after: Node,  # noqa: ARG002
        paths: Sequence[Sequence[str]],  # noqa: ARG002
        now: int,  # noqa: ARG002
    ) -> bool:
        """See `Rules`."""
        return not self.require_auth or caller.auth is not None

    def is_indexed(self, path: Sequence[str], order: str) -> bool:  # noqa: ARG002
        return True


def identify(
    headers: Mapping[str, str],
    params: Mapping[str, str],
    check_id_token: Callable[[str], Mapping[str, Json] | None],
    now: float,
) -> Caller:
    """The caller of a request. `now` is seconds since the epoch. Raises `RefusedError` 401 for a bad token."""
    if "access_token" in params or headers.get("authorization", "")[:7].lower() == "bearer ":
        return _override(params["auth_variable_override"]) if "auth_variable_override" in params else ADMIN
    token = params.get("auth")
    if not token:
        return NOBODY
    claims = check_id_token(token) or unverified(token, now)
    firebase, expires = claims.get("firebase"), claims.get("exp")
    return Caller(
        admin=False,
        expires=float(expires) if claims.get("iat") and isinstance(expires, (int, float)) else None,
        auth={
            "uid": claims.get("sub") or claims.get("user_id"),
            "provider": firebase.get("sign_in_provider") if isinstance(firebase, dict) else None,
            "token": dict(claims),
        },
    )


def for_project(
    check_id_token: Callable[[str], Mapping[str, Json] | None], project: str
) -> Callable[[str], Mapping[str, Json] | None]:
    """`check_id_token` that raises `RefusedError` 401 for a token that names another project, as Firebase does."""

    def check(token: str) -> Mapping[str, Json] | None:
        claims = check_id_token(token)
        parts = token.split(".")
        named = None if claims is not None or len(parts) != 3 else _project_in(_decoded(parts[1]) or {})
        if named not in (None, project):
            raise RefusedError(
                401,
                f"Could not parse auth token. It is one of the project {named!r}, and this emulator is {project!r}: "
                "give both the same name (projectId, --project).",
            )
        return claims

    return check


def _project_in(claims: Mapping[str, Json]) -> str | None:
    """The project that an ID token says it is of, if any."""
    audience, issuer = claims.get("aud"), str(claims.get("iss", ""))
    if isinstance(audience, str) and _CUSTOM_TOKEN_AUDIENCE not in audience:
        return audience
    return issuer.removeprefix(_ISSUER) if issuer.startswith(_ISSUER) else None


def _override(text: str) -> Caller:
    """The caller that an administrator asks to be taken for."""
    try:
        auth = json.loads(text)
    except (ValueError, RecursionError):
        auth = text
    if auth is None or isinstance(auth, dict):
        return Caller(admin=False, auth=cast("dict[str, Json] | None", auth))
    raise RefusedError(400, "auth_variable_override must be a JSON object or null")


def unverified(token: str, now: float) -> Mapping[str, Json]:
    """The claims of a token that our Auth emulator does not vouch for: a mock token of an SDK, or another issuer's."""
    parts = token.split(".")
    header, claims = (_decoded(part) for part in parts[:2]) if len(parts) == 3 else (None, None)
    if header is None or claims is None:
        raise RefusedError(401, "Could not parse auth token.")
    if _CUSTOM_TOKEN_AUDIENCE in str(claims.get("aud")) or (header.get("alg") != "none" and not header.get("kid")):
        # A custom token, or a legacy one: what a program sends that forgot to exchange it for an ID token.
        raise RefusedError(401, "Missing claim 'kid' in auth header.")
    issued, expires = claims.get("iat"), claims.get("exp")
    # The SDKs' createMockUserToken sets iat to 0 and exp to 3600 unless told otherwise, an hour in 1970: such a token
    # says nothing about time, and refusing it as expired would refuse every default mock token. Any other iat is meant.
    if issued and isinstance(expires, (int, float)) and expires <= now:
        raise RefusedError(401, "Auth token is expired")
    return claims


def _decoded(part: str) -> dict[str, Json] | None:
    try:
        value = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Json]", value) if isinstance(value, dict) else None
