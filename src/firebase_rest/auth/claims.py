"""The claims inside a token, read without verifying it: for what the server itself has just sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firebase_rest.auth import jwt
from firebase_rest.transport.arguments import as_float

HOUR = 3600.0


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT; {} for what is none. Never a proof of anything: no signature is looked at."""
    parts = jwt.parse(token)
    return {} if parts is None else dict(parts.claims)


def lifetime_of(reply: Mapping[str, Any], claims: Mapping[str, Any]) -> float:
    """Seconds that the tokens of a sign-in's answer last; an hour where neither the answer nor the token says it."""
    issued, expires = as_float(claims.get("iat")), as_float(claims.get("exp"))
    said = reply.get("expiresIn")
    try:
        first = float(said) if isinstance(said, (str, int, float)) else 0.0
    except (ValueError, OverflowError):
        first = 0.0
    for seconds in (first, 0.0 if issued is None or expires is None else expires - issued):
        if 0 < seconds < HOUR * 24 * 365:
            return seconds
    return HOUR
