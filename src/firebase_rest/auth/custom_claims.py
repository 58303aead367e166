"""Claims of your own: in a custom token, or kept with a user.

https://firebase.google.com/docs/auth/admin/custom-claims
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from firebase_rest.errors import UsageError

MAX_CLAIMS = 1000
"""Characters of JSON."""

RESERVED = frozenset(
    "acr amr at_hash aud auth_time azp c_hash cnf exp firebase iat iss jti nbf nonce sub".split()  # noqa: SIM905
)


def claims_json(claims: object, what: str) -> str:
    """A mapping of claims as JSON text; None is none. Raises `UsageError`, which calls them `what`."""
    if claims is None:
        return "{}"
    if not isinstance(claims, Mapping):
        raise UsageError(f"The {what} are a dict, not {type(claims).__name__}.")
    named = dict(cast("Mapping[str, Any]", claims))
    reserved = sorted(RESERVED & set(named))
    if reserved:
        raise UsageError(f"The claim {reserved[0]!r} is reserved by Firebase; choose another name.")
    try:
        text = json.dumps(named, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        text, problem = "", str(error)
    else:
        problem = "" if len(text) <= MAX_CLAIMS else f"{len(text)} characters of JSON, and {MAX_CLAIMS} are allowed"
    if problem:
        raise UsageError(f"The {what} cannot be sent: {problem}.")
    return text
