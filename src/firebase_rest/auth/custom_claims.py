"""Claims of your own: in a custom token, or kept with a user.

https://firebase.google.com/docs/auth/admin/custom-claims
"""

from __future__ import annotations

import json

from firebase_rest.errors import UsageError
from firebase_rest.transport.arguments import validate_dict, validate_str

MAX_CLAIMS = 1000
"""Characters of JSON."""

RESERVED = frozenset(
    "acr amr at_hash aud auth_time azp c_hash cnf exp firebase iat iss jti nbf nonce sub".split()  # noqa: SIM905
)


def claims_json(claims: object, what: str) -> str:
    """A mapping of claims as JSON text; None is none. Raises `UsageError`; `what` is the argument's name."""
    if claims is None:
        return "{}"
    named = validate_dict(what, claims)
    for name in named:
        if validate_str(f"each key of {what}", name) in RESERVED:
            raise UsageError(f"The claim {name!r} is reserved by Firebase; choose another name.")
    try:
        text = json.dumps(named, allow_nan=False, separators=(",", ":"))
        json.dumps(named, ensure_ascii=False).encode()
    except Exception as error:  # noqa: BLE001 - of values of foreign classes
        text, problem = "", type(error).__name__
    else:
        problem = ""
    if problem:
        raise UsageError(f"{what} must be JSON: dict, list, str, finite numbers, bool and None ({problem}).")
    if len(text) > MAX_CLAIMS:
        raise UsageError(f"{what} must have at most {MAX_CLAIMS} characters as JSON, got {len(text)}.")
    return text
