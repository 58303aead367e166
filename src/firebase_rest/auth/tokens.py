"""Custom tokens: a server of yours vouches for a uid, and the app signs in with that.

https://firebase.google.com/docs/auth/admin/create-custom-tokens
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from typing import Any

from firebase_rest.errors import ConfigError, UsageError
from firebase_rest.transport.credentials import ServiceAccount

AUDIENCE = "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit"
MAX_MINUTES = 60
MAX_CLAIMS = 1000
"""Characters of JSON."""

RESERVED = frozenset(
    "acr amr at_hash aud auth_time azp c_hash cnf exp firebase iat iss jti nbf nonce sub".split()  # noqa: SIM905
)

_EMULATED_ISSUER = "firebase-auth-emulator@example.com"


def custom_token(
    account: ServiceAccount | None,
    uid: str,
    claims: Mapping[str, Any] | None,
    minutes: int,
    *,
    emulated: bool,
) -> str:
    """A JWT for `uid`, signed by the service account; in front of an emulator unsigned, as official SDKs do."""
    _check(uid, claims, minutes)
    now = int(time.time())
    payload: dict[str, Any] = {"aud": AUDIENCE, "iat": now, "exp": now + 60 * minutes, "uid": uid}
    if claims:
        payload["claims"] = dict(claims)
    if emulated:
        payload["iss"] = payload["sub"] = _EMULATED_ISSUER
        return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(payload)}."
    if account is None:
        raise ConfigError(
            "create_custom_token() signs with a service account: add 'serviceAccount' to the configuration, "
            "the path of a key file or its content."
        )
    google = account.google
    if not hasattr(google, "signer"):
        raise ConfigError(
            "The configured credentials have no private key to sign with; use a service account's key file."
        )
    from google.auth import jwt

    payload["iss"] = payload["sub"] = google.signer_email
    return bytes(jwt.encode(google.signer, payload)).decode()  # type: ignore[no-untyped-call]


def _check(uid: object, claims: Mapping[str, Any] | None, minutes: object) -> None:
    if not isinstance(uid, str) or not 1 <= len(uid) <= 128:
        raise UsageError(f"create_custom_token(): the uid is a string of 1 to 128 characters, not {uid!r}.")
    if isinstance(minutes, bool) or not isinstance(minutes, int) or not 1 <= minutes <= MAX_MINUTES:
        raise UsageError(f"expiry_minutes={minutes!r}: a custom token lives 1 to {MAX_MINUTES} minutes.")
    reserved = sorted(RESERVED & set(claims or ()))
    if reserved:
        raise UsageError(f"The claim {reserved[0]!r} is reserved by Firebase; choose another name.")
    try:
        text = json.dumps(claims or {}, allow_nan=False)
    except (TypeError, ValueError) as error:
        text, problem = "", str(error)
    else:
        problem = "" if len(text) <= MAX_CLAIMS else f"{len(text)} characters of JSON, and {MAX_CLAIMS} are allowed"
    if problem:
        raise UsageError(f"The additional claims cannot be sent: {problem}.")


def _part(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()
