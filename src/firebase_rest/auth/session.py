"""`UserSession`: a signed-in user whose tokens stay fresh.

The law of this file: however many threads ask, one refresh is under way, and a token that can still be used is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from firebase_rest.auth.claims import claims_of
from firebase_rest.errors import UsageError
from firebase_rest.transport.renewal import Renewal

MARGIN = 300.0
"""Seconds before its end from which on a token is renewed, or a tenth of its life if that is less."""


@dataclass(frozen=True, slots=True)
class _Tokens:
    id_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    lifetime: float
    monotonic_end: float
    wall_end: float

    @classmethod
    def of(cls, reply: Mapping[str, Any], *, just_issued: bool) -> _Tokens:
        claims = claims_of(reply["idToken"])
        lifetime = float(reply.get("expiresIn") or claims.get("exp", 0) - claims.get("iat", 0) or 3600)
        left = lifetime
        if not just_issued and isinstance(claims.get("iat"), (int, float)):
            # The reply may have lain in a web session for a while. A clock that is wrong costs one refresh at most.
            left = lifetime - max(0.0, time.time() - claims["iat"])
        return cls(reply["idToken"], reply["refreshToken"], lifetime, time.monotonic() + left, time.time() + left)

    def seconds_left(self) -> float:
        """By the clock that says less: one stands still in sleep, the other may be set back."""
        return min(self.monotonic_end - time.monotonic(), self.wall_end - time.time())

    @property
    def margin(self) -> float:
        return min(MARGIN, self.lifetime / 10)


class UserSession:
    """A signed-in user. Goes wherever a `token` goes, and renews itself before its hour is over.

    Made by `Auth.session(user)` from the answer of a sign-in. Safe to share between threads.
    """

    def __init__(self, refresh: Callable[[str], Mapping[str, Any]], user: Mapping[str, Any]) -> None:
        if not isinstance(cast(object, user), Mapping) or not user.get("idToken") or not user.get("refreshToken"):
            raise UsageError("session() takes the answer of a sign-in, a dict with 'idToken' and 'refreshToken'.")
        self._refresh = refresh
        self._renewal = Renewal()
        self._tokens = _Tokens.of(user, just_issued=False)
        self._uid = str(user.get("localId") or user.get("userId") or claims_of(self._tokens.id_token).get("sub", ""))

    def __repr__(self) -> str:
        return f"<UserSession of {self._uid}>"

    @property
    def uid(self) -> str:
        """The user's id."""
        return self._uid

    @property
    def id_token(self) -> str:
        """An ID token that is good now; asking for it may renew it, with the errors of `Auth.refresh`."""
        return self.current_token()

    @property
    def refresh_token(self) -> str:
        """The current refresh token. Keep it as you would a password."""
        return self._tokens.refresh_token

    @property
    def claims(self) -> dict[str, Any]:
        """The claims of the current ID token."""
        return claims_of(self.current_token())

    def current_token(self, *, refused: str | None = None) -> str:
        """A token that is good now. `refused` is one that a server would not take: not that one again.

        Raises `SessionExpired`, `UserDisabled` or `UserNotFound` where Firebase gives no new one, and `NetworkError`
        where it cannot be reached and the old one is over.
        """

        def is_needed() -> bool:
            tokens = self._tokens
            return tokens.id_token == refused or tokens.seconds_left() < tokens.margin

        def is_usable() -> bool:
            tokens = self._tokens
            return tokens.id_token != refused and tokens.seconds_left() > 0

        self._renewal.ensure(is_needed, is_usable, self._renew)
        return self._tokens.id_token

    def _renew(self) -> None:
        self._tokens = _Tokens.of(self._refresh(self._tokens.refresh_token), just_issued=True)
