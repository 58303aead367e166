"""The claims inside a token, read without verifying it: for what the server itself has just sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from firebase_rest.auth import jwt

HOUR = 3600.0


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT; {} for what is none. Never a proof of anything: no signature is looked at."""
    parts = jwt.parse(token)
    return {} if parts is None else dict(parts.claims)


def lifetime_of(reply: Mapping[str, Any], claims: Mapping[str, Any]) -> float:
    """Seconds that the tokens of a sign-in's answer last; an hour where neither the answer nor the token says it."""
    for said in (reply.get("expiresIn"), _between(claims.get("iat"), claims.get("exp"))):
        try:
            seconds = float(cast(Any, said))
        except (TypeError, ValueError, OverflowError):
            continue
        if 0 < seconds < HOUR * 24 * 365:
            return seconds
    return HOUR


def _between(start: object, end: object) -> object:
    return end - start if isinstance(start, (int, float)) and isinstance(end, (int, float)) else None
