"""The sender of a request (`Caller`), and the claims of tokens that are read without verification.

As in the official emulator, a request with any `Authorization: Bearer` access token is an administrator's.
https://firebase.google.com/docs/database/rest/auth
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from firebase_rest.auth import jwt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firebase_rest.transport.wire import Json

CheckIdToken: TypeAlias = "Callable[[str], Mapping[str, Json] | None]"
"""Returns the claims of a valid ID token of the Auth emulator, or None. May raise `RejectedTokenError`."""

_CUSTOM_TOKEN_AUDIENCE = "identitytoolkit.googleapis.com/google.identity"
_ISSUER = "https://securetoken.google.com/"
SESSION_ISSUER = "https://session.firebase.google.com/"
"""The beginning of the issuer of session cookies, which are not ID tokens."""


def parse_timestamp(value: Json) -> float | None:
    """Return a claim such as `exp` as a float, or None if it is not a number. A number beyond floats is infinite."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request.

    Attributes:
        admin: Whether the sender is an administrator, to whom no rules apply.
        auth: The variable `auth` of security rules; None if no user is signed in.
        expires: When the token expires, in seconds since the epoch; None for never.
    """

    admin: bool
    auth: dict[str, Json] | None = None
    expires: float | None = None


ADMIN = Caller(admin=True)
UNAUTHENTICATED = Caller(admin=False)


class RejectedTokenError(Exception):
    """A token is malformed, has expired, or is not an ID token of this project."""


def read_unverified(token: str, now: float) -> Mapping[str, Json]:
    """Return the claims of a token that the Auth emulator did not issue, such as a mock token of an SDK.

    `now` is in seconds since the epoch. Raises `RejectedTokenError`.
    """
    parsed = jwt.parse(token)
    if parsed is None or str(parsed.claims.get("iss")).startswith(SESSION_ISSUER):
        raise RejectedTokenError("Could not parse auth token.")
    header, claims = parsed.header, parsed.claims
    if _CUSTOM_TOKEN_AUDIENCE in str(claims.get("aud")) or (header.get("alg") != "none" and not header.get("kid")):
        # A custom token, or a legacy one: the client did not exchange it for an ID token.
        raise RejectedTokenError("Missing claim 'kid' in auth header.")
    # createMockUserToken of the SDKs sets iat to 0 and exp to 3600 by default, an hour in 1970. Such a token has no
    # meaningful times; rejecting it as expired would reject every default mock token.
    expires = parse_timestamp(claims.get("exp"))
    if claims.get("iat") and expires is not None and expires <= now:
        raise RejectedTokenError("Auth token is expired")
    return claims


def require_project(check_id_token: CheckIdToken, project: str) -> CheckIdToken:
    """Return a `check_id_token` that raises `RejectedTokenError` for tokens of other projects, as Firebase does."""

    def check(token: str) -> Mapping[str, Json] | None:
        claims = check_id_token(token)
        if claims is None:
            token_project = _token_project(jwt.decode_unverified(token))
            if token_project not in (None, project):
                raise RejectedTokenError(
                    f"Could not parse auth token. The token is for project {token_project!r}, but this emulator is "
                    f"{project!r}: use the same name for both (projectId, --project)."
                )
        return claims

    return check


def _token_project(claims: Mapping[str, Json]) -> str | None:
    """Return the project that an ID token is for, if it names one."""
    audience, issuer = claims.get("aud"), str(claims.get("iss", ""))
    if isinstance(audience, str) and _CUSTOM_TOKEN_AUDIENCE not in audience:
        return audience
    return issuer.removeprefix(_ISSUER) if issuer.startswith(_ISSUER) else None
