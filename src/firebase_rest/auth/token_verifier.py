"""Verify ID tokens and session cookies on a server, with Google's public keys.

https://firebase.google.com/docs/auth/admin/verify-id-tokens
https://firebase.google.com/docs/auth/admin/manage-cookies
"""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from firebase_rest.auth import jwt
from firebase_rest.auth.protocol.responses import check
from firebase_rest.errors import InvalidResponse, InvalidToken, TokenExpired
from firebase_rest.transport.arguments import as_float, describe, is_encodable, validate_seconds
from firebase_rest.transport.json_fields import dict_or_empty
from firebase_rest.transport.requestor import Requestor
from firebase_rest.transport.single_flight import SingleFlight
from firebase_rest.transport.wire import Flow, Request, Response, RetryPolicy

MAX_SKEW = 60
"""Maximum difference in seconds between the clocks of client and server."""
MIN_SEARCH_INTERVAL = 10.0
"""Minimum seconds between two fetches that search for an unknown key ID, so that forged tokens cannot cause many."""
DEFAULT_MAX_AGE = 300.0
"""Seconds for which certificates are cached if the response has no max-age. In Google's responses it is some hours."""

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_NO_CACHE = re.compile(r"(?:^|[\s,])no-(?:store|cache)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Certificates:
    """X.509 certificates (PEM) by key ID, and the seconds for which they may be cached."""

    pem: Mapping[str, str] = field(repr=False)
    age: float


def fetch_certificates(url: str) -> Flow[Certificates]:
    """Fetch the certificates at a URL."""
    response = check((yield Request("GET", url, retry_policy=RetryPolicy.IDEMPOTENT)))
    pem = {key_id: text for key_id, text in response.json_object().items() if isinstance(text, str)}
    if not pem:
        raise InvalidResponse("Invalid response of Google's certificate server: it contains no certificates.")
    return Certificates(pem, _seconds_fresh(response))


def _seconds_fresh(response: Response) -> float:
    control = response.headers.get("cache-control", "")
    if _NO_CACHE.search(control):
        return 0.0
    match = _MAX_AGE.search(control)
    max_age = float(match[1]) if match else DEFAULT_MAX_AGE
    age = response.headers.get("age", "")
    return max(0.0, max_age - (float(age) if age.isdecimal() else 0.0))


@dataclass(frozen=True, slots=True)
class _CachedKeys:
    keys: Mapping[str, Any] = field(default_factory=dict[str, Any])  # google-auth's verifiers, which have no types
    expires: float = float("-inf")


class KeySet:
    """The public keys at one URL. Thread-safe: at most one fetch runs at a time."""

    def __init__(self) -> None:
        self._cached = _CachedKeys()
        self._next_search = float("-inf")
        self._single_flight = SingleFlight()

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), ()  # the other process fetches the keys again

    def __repr__(self) -> str:
        return f"<KeySet of {len(self._cached.keys)}>"

    def find(self, key_id: str, fetch: Callable[[], Certificates]) -> Any:
        """Return google-auth's verifier for a key ID, or None. Calls `fetch` if necessary.

        An unknown key ID causes another fetch even if the cached keys are fresh, because Google may have rotated them.
        """
        seen = self._cached

        def is_needed() -> bool:
            if self._cached is not seen:  # another thread has fetched the keys in the meantime
                return False
            now = time.monotonic()
            return now >= seen.expires or (key_id not in seen.keys and now >= self._next_search)

        def update() -> None:
            certificates = fetch()
            now = time.monotonic()
            if now < seen.expires:
                self._next_search = now + MIN_SEARCH_INTERVAL
            self._cached = _CachedKeys(_verifiers(certificates.pem), now + certificates.age)

        self._single_flight.ensure(is_needed, lambda: False, update)
        return self._cached.keys.get(key_id)


def _verifiers(pem: Mapping[str, str]) -> dict[str, Any]:
    from google.auth import crypt

    with contextlib.suppress(Exception):  # google-auth and cryptography raise exceptions of many classes
        return {key_id: crypt.RSAVerifier.from_string(text) for key_id, text in pem.items()}  # type: ignore[no-untyped-call]
    raise InvalidResponse("Invalid response of Google's certificate server: a certificate is malformed.")


@dataclass(frozen=True, slots=True)
class TokenType:
    """The issuer and the URL of the certificates of ID tokens, or of session cookies."""

    name: str
    issuer: str
    certificates: str


ID_TOKEN = TokenType(
    "an ID token",
    "https://securetoken.google.com/",
    "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com",
)
SESSION_COOKIE = TokenType(
    "a session cookie",
    "https://session.firebase.google.com/",
    "https://www.googleapis.com/identitytoolkit/v3/relyingparty/publicKeys",
)


@dataclass(frozen=True, slots=True)
class TokenVerifier:
    """Verifies tokens of one type for one project. `keys` contains the keys of the App by URL."""

    token_type: TokenType
    project: str
    emulated: bool
    requestor: Requestor
    keys: dict[str, KeySet]

    def verify(self, token: str, skew: float = 0, tenant_id: str | None = None) -> dict[str, Any]:
        """Return the claims and "uid". `skew` is the difference of clocks to tolerate, in seconds.

        Raises `InvalidToken`, `TokenExpired`, and `NetworkError` if the certificates cannot be fetched.
        """
        # Invariant: no message contains the token.
        skew = validate_seconds("clock_skew_seconds", skew, 0, MAX_SKEW)
        parts = jwt.parse(token)
        if parts is None or not parts.claims:
            hint = "; remove 'Bearer ' from its beginning" if token[:7].lower() == "bearer " else ""
            raise _invalid("MALFORMED", f"The token must be a JSON Web Token{hint}.")
        self._check_header(parts)
        self._check_claims(parts.claims, tenant_id)
        self._check_times(parts.claims, skew)
        if not self.emulated:
            self._check_signature(parts)
        return {**parts.claims, "uid": parts.claims["sub"]}

    def _check_header(self, parts: jwt.Jwt) -> None:
        header, claims, name = parts.header, parts.claims, self.token_type.name
        if claims.get("aud") == jwt.CUSTOM_TOKEN_AUDIENCE:
            raise _invalid("CUSTOM_TOKEN", f"The token must be {name}, got a custom token; sign in with it first.")
        algorithm = header.get("alg")
        if self.emulated:
            if algorithm != "none" or parts.signature:
                raise _invalid("WRONG_ALGORITHM", "The token is signed, but tokens of the Auth emulator are unsigned.")
            return
        if algorithm == "none":
            message = "The token is unsigned; set FIREBASE_AUTH_EMULATOR_HOST to accept the tokens of an emulator."
            raise _invalid("UNSIGNED", message)
        if algorithm == "HS256" and claims.get("v") == 0 and "d" in claims:
            raise _invalid("LEGACY_TOKEN", f"The token must be {name}, got a legacy custom token.")
        if algorithm != "RS256":
            raise _invalid("WRONG_ALGORITHM", f"The algorithm of {name} must be RS256, got {describe(algorithm)}.")
        if not isinstance(header.get("kid"), str) or not header["kid"]:
            raise _invalid("NO_KEY_ID", f'The header of {name} must contain "kid".')

    def _check_claims(self, claims: Mapping[str, Any], tenant_id: str | None) -> None:
        if claims.get("aud") != self.project:
            hint = " (python -m firebase_rest.emulator --project ...)" if self.emulated else ""
            message = (
                f"The token must belong to the project {self.project!r}, got {describe(claims.get('aud'))}. "
                f"Client and server must use the same project{hint}."
            )
            raise _invalid("WRONG_AUDIENCE", message)
        if claims.get("iss") != self.token_type.issuer + self.project:
            hint = ""
            for token_type in (ID_TOKEN, SESSION_COOKIE):
                if claims.get("iss") == token_type.issuer + self.project:
                    hint = f"; this is {token_type.name}"
            raise _invalid("WRONG_ISSUER", f'The issuer ("iss") must be that of {self.token_type.name}{hint}.')
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 1 <= len(subject) <= 128 or not is_encodable(subject):
            raise _invalid("NO_SUBJECT", 'The token\'s "sub" must be a string of 1 to 128 characters.')
        tenant = dict_or_empty(claims.get("firebase")).get("tenant", "")
        if not isinstance(tenant, str) or not is_encodable(tenant) or (tenant_id is not None and tenant != tenant_id):
            raise _invalid("TENANT_ID_MISMATCH", f"The token must belong to the tenant {describe(tenant_id)}.")

    def _check_times(self, claims: Mapping[str, Any], skew: float) -> None:
        now = time.time()
        expires = as_float(claims.get("exp"))
        if expires is None:
            raise _invalid("NO_TIME", 'The token must contain "exp".')
        if now >= expires + skew:
            message = f"The token ({self.token_type.name}) has expired."
            raise TokenExpired(message, status=401, code="EXPIRED", message=message)
        if self.emulated:
            return  # an emulator's clock may be set to another time
        for name in ("iat", "auth_time"):
            start = as_float(claims.get(name))
            if start is None:
                raise _invalid("NO_TIME", f'The token must contain "{name}".')
            if start > now + skew:
                message = f'The token\'s "{name}" is in the future; correct the clock, or set clock_skew_seconds.'
                raise _invalid("NOT_YET_VALID", message)

    def _check_signature(self, parts: jwt.Jwt) -> None:
        url = self.token_type.certificates
        key_set = self.keys.setdefault(url, KeySet())  # setdefault is atomic
        key = key_set.find(parts.header["kid"], lambda: self.requestor.run(fetch_certificates(url)))
        if key is None:
            raise _invalid("UNKNOWN_KEY", "The token is signed with an unknown key; the token is old or forged.")
        try:
            is_valid = key.verify(parts.signed, jwt.decode_base64url(parts.signature))
        except Exception:  # noqa: BLE001 - malformed base64url, or any of google-auth for a key other than RSA
            is_valid = False
        if not is_valid:
            raise _invalid("BAD_SIGNATURE", "The token's signature is invalid; the token was changed or forged.")


def _invalid(code: str, message: str) -> InvalidToken:
    return InvalidToken(message, status=401, code=code, message=message)
