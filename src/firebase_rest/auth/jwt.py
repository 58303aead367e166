"""Decode and encode JSON Web Tokens and their claims. Pure: no I/O, and no signature is verified here.

https://firebase.google.com/docs/auth/admin/verify-id-tokens
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from firebase_rest.errors import UsageError
from firebase_rest.transport.arguments import as_float, validate_dict, validate_str

HOUR = 3600.0
YEAR = HOUR * 24 * 365
CUSTOM_TOKEN_AUDIENCE = "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit"  # noqa: S105 - a URL
MAX_CLAIMS = 1000
"""Maximum length of custom claims, in characters of JSON."""
RESERVED_CLAIMS = frozenset(
    "acr amr at_hash aud auth_time azp c_hash cnf exp firebase iat iss jti nbf nonce sub".split()  # noqa: SIM905
)

_FORMAT = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]*)")


@dataclass(frozen=True, slots=True)
class Jwt:
    """The parts of a token. `signature` is base64url text; `signed` contains the bytes that the signature covers."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any] = field(repr=False)
    signed: bytes = field(repr=False)
    signature: str = field(repr=False)


def parse(token: str) -> Jwt | None:
    """Return the parts of a token, or None if it is malformed."""
    parts = _FORMAT.fullmatch(token)
    if parts is None:
        return None
    try:
        header, claims = (json.loads(decode_base64url(part)) for part in parts.groups()[:2])
    except (ValueError, RecursionError):
        return None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        return None
    signed = f"{parts[1]}.{parts[2]}".encode()
    return Jwt(cast("dict[str, Any]", header), cast("dict[str, Any]", claims), signed, parts[3])


def decode_unverified(token: str) -> dict[str, Any]:
    """Return the claims of a token without verifying the token. Return {} if it is malformed."""
    parts = parse(token)
    return {} if parts is None else dict(parts.claims)


def token_lifetime(payload: Mapping[str, Any], claims: Mapping[str, Any]) -> float:
    """Return the lifetime in seconds of the tokens of a sign-in; an hour if neither payload nor claims contain it."""
    expires_in, issued_at, expires_at = (
        payload.get("expiresIn"),
        as_float(claims.get("iat")),
        as_float(claims.get("exp")),
    )
    try:
        seconds = float(expires_in) if isinstance(expires_in, (str, int, float)) else 0.0
    except (ValueError, OverflowError):
        seconds = 0.0
    if 0 < seconds < YEAR:
        return seconds
    if issued_at is None or expires_at is None:
        return HOUR
    seconds = expires_at - issued_at
    return seconds if 0 < seconds < YEAR else HOUR


def signing_input(algorithm: str, claims: Mapping[str, Any]) -> str:
    """Return the first two parts of a token, which the signature covers."""
    parts = {"alg": algorithm, "typ": "JWT"}, claims
    return ".".join(base64url(json.dumps(part, separators=(",", ":")).encode()) for part in parts)


def encode_unsigned(claims: Mapping[str, Any]) -> str:
    """Return a token without a signature, which only emulators accept."""
    return signing_input("none", claims) + "."


def base64url(value: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode_base64url(text: str) -> bytes:
    """Return the bytes of base64url without padding. Raises `ValueError`."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encode_custom_claims(name: str, claims: object) -> str:
    """Return custom claims (a dict or None) as JSON text. Raises `UsageError` that calls the argument `name`.

    https://firebase.google.com/docs/auth/admin/custom-claims
    """
    if claims is None:
        return "{}"
    items = validate_dict(name, claims)
    for key in items:
        if validate_str(f"each key of {name}", key) in RESERVED_CLAIMS:
            raise UsageError(f"The claim {key!r} is reserved by Firebase; choose another name.")
    text, problem = "", ""
    try:
        text = json.dumps(items, allow_nan=False, separators=(",", ":"))
        json.dumps(items, ensure_ascii=False).encode()
    except Exception as error:  # noqa: BLE001 - values may be of any class
        problem = type(error).__name__
    if problem:
        raise UsageError(
            f"{name} must be JSON with only dict, list, str, finite numbers, bool and None; encoding raised {problem}."
        )
    if len(text) > MAX_CLAIMS:
        raise UsageError(f"{name} must have at most {MAX_CLAIMS} characters as JSON, got {len(text)}.")
    return text
