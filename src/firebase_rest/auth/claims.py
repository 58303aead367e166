"""The claims inside a token, read without verifying it: for what the server itself has just sent."""

from __future__ import annotations

from typing import Any

from firebase_rest.auth import jwt


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT; {} for what is none. Never a proof of anything: no signature is looked at."""
    parts = jwt.parse(token)
    return {} if parts is None else dict(parts.claims)
