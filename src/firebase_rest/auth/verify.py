"""Verifying ID tokens and session cookies on a server.

The law of this file: a token is refused unless everything about it is right, and no message holds it or what it says.
https://firebase.google.com/docs/auth/admin/verify-id-tokens
https://firebase.google.com/docs/auth/admin/manage-cookies
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from firebase_rest.auth import jwt
from firebase_rest.auth.keys import KeySet
from firebase_rest.auth.protocol import certificates
from firebase_rest.auth.tokens import AUDIENCE
from firebase_rest.errors import InvalidToken, TokenExpired
from firebase_rest.transport._json import dict_or_empty
from firebase_rest.transport.arguments import as_float, describe, is_encodable, validate_seconds
from firebase_rest.transport.requestor import Requestor

MAX_SKEW = 60


@dataclass(frozen=True, slots=True)
class Kind:
    """What can be verified: who issues it, and where the certificates are."""

    name: str
    issuer: str
    certificates: str


ID_TOKEN = Kind(
    "an ID token",
    "https://securetoken.google.com/",
    "https://www.googleapis.com/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com",
)
SESSION_COOKIE = Kind(
    "a session cookie",
    "https://session.firebase.google.com/",
    "https://www.googleapis.com/identitytoolkit/v3/relyingparty/publicKeys",
)


@dataclass(frozen=True, slots=True)
class Verifier:
    """Verifies one kind of token for one project. `keys` are shared by all verifiers of an App, by their URL."""

    kind: Kind
    project: str
    emulated: bool
    channel: Requestor
    keys: dict[str, KeySet]

    def verify(self, token: str, skew: float = 0, tenant_id: str | None = None) -> dict[str, Any]:
        """The claims of a genuine token, and "uid". Raises `InvalidToken` or `TokenExpired`.

        `skew` is how many seconds the clocks may differ. Raises `NetworkError` where the certificates cannot be had.
        """
        skew = validate_seconds("clock_skew_seconds", skew, 0, MAX_SKEW)
        parts = jwt.parse(token)
        if parts is None or not parts.claims:
            raise _invalid(
                "MALFORMED",
                f"What was given as {self.kind.name} is no JSON Web Token{_hint(token)}.",
            )
        self._check_header(parts)
        self._check_claims(parts.claims, tenant_id)
        _check_times(parts.claims, self.kind, skew, emulated=self.emulated)
        if not self.emulated:
            self._check_signature(parts)
        return {**parts.claims, "uid": parts.claims["sub"]}

    def _check_header(self, parts: jwt.Jwt) -> None:
        header, claims = parts.header, parts.claims
        if claims.get("aud") == AUDIENCE:
            raise _invalid("CUSTOM_TOKEN", f"This is a custom token, not {self.kind.name}: sign in with it first.")
        algorithm = header.get("alg")
        if self.emulated:
            if algorithm != "none" or parts.signature:
                raise _invalid("WRONG_ALGORITHM", "This token is signed; the Auth emulator's tokens are not.")
            return
        if algorithm == "none":
            raise _invalid(
                "UNSIGNED",
                "This token is not signed: it is an emulator's (accepted where FIREBASE_AUTH_EMULATOR_HOST is set), "
                "or forged.",
            )
        if algorithm == "HS256" and claims.get("v") == 0 and "d" in claims:
            raise _invalid("LEGACY_TOKEN", f"This is a custom token of the old kind, not {self.kind.name}.")
        if algorithm != "RS256":
            raise _invalid("WRONG_ALGORITHM", f"This is not {self.kind.name}: it is not signed with RS256.")
        if not isinstance(header.get("kid"), str) or not header["kid"]:
            raise _invalid("NO_KEY_ID", f'This is not {self.kind.name}: its header has no "kid".')

    def _check_claims(self, claims: Mapping[str, Any], tenant_id: str | None) -> None:
        if claims.get("aud") != self.project:
            hint = " (python -m firebase_rest.emulator --project ...)" if self.emulated else ""
            raise _invalid(
                "WRONG_AUDIENCE",
                f"The token is not meant for the project {self.project!r} but for {describe(claims.get('aud'))}: "
                f"client and server must use the same one{hint}.",
            )
        if claims.get("iss") != self.kind.issuer + self.project:
            others = (
                kind.name for kind in (ID_TOKEN, SESSION_COOKIE) if claims.get("iss") == kind.issuer + self.project
            )
            hint = "".join(f": it is {name}" for name in others)
            raise _invalid("WRONG_ISSUER", f'This is not {self.kind.name} of Firebase by its "iss"{hint}.')
        subject = claims.get("sub")
        if not isinstance(subject, str) or not 1 <= len(subject) <= 128 or not is_encodable(subject):
            raise _invalid(
                "NO_SUBJECT", 'The token does not say whose it is: "sub" is no string of 1 to 128 characters.'
            )
        tenant = dict_or_empty(claims.get("firebase")).get("tenant", "")
        if not isinstance(tenant, str) or not is_encodable(tenant):
            raise _invalid("TENANT_ID_MISMATCH", "The token's tenant is no string.")
        if tenant_id is not None and tenant != tenant_id:
            raise _invalid("TENANT_ID_MISMATCH", f"The token is not one of the tenant {describe(tenant_id)}.")

    def _check_signature(self, parts: jwt.Jwt) -> None:
        url = self.kind.certificates
        # setdefault is one step for all threads.
        key_set = self.keys.setdefault(url, KeySet())
        key = key_set.find(parts.header["kid"], lambda: self.channel.run(certificates.fetch(url)))
        if key is None:
            raise _invalid(
                "UNKNOWN_KEY", "The token is signed with a key that Google does not use (any more): old, or forged."
            )
        try:
            is_genuine = key.verify(parts.signed, parts.signature)
        except Exception:  # noqa: BLE001 - google-auth's, of a key that is not RSA
            is_genuine = False
        if not is_genuine:
            raise _invalid("BAD_SIGNATURE", "The token's signature is wrong: it was changed, or forged.")


def _hint(token: str) -> str:
    return ": take 'Bearer ' off its beginning" if token[:7].lower() == "bearer " else ""


def _check_times(claims: Mapping[str, Any], kind: Kind, skew: float, *, emulated: bool) -> None:
    now = time.time()
    expires = _seconds(claims, "exp")
    if expires is None:
        raise _invalid("NO_TIME", 'The token does not say until when it is good: "exp" is missing.')
    if now >= expires + skew:
        raise TokenExpired(
            words := f"The time of what was given as {kind.name} is over.", status=401, code="EXPIRED", message=words
        )
    if emulated:
        return  # an emulator's clock may be set to another time
    for name in ("iat", "auth_time"):
        began = _seconds(claims, name)
        if began is None:
            raise _invalid("NO_TIME", f'The token does not say since when it is good: "{name}" is missing.')
        if began > now + skew:
            raise _invalid(
                "NOT_YET_VALID", f'The token is from the future by its "{name}": a clock is wrong (clock_skew_seconds).'
            )


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    return as_float(claims.get(name))


def _invalid(code: str, words: str) -> InvalidToken:
    return InvalidToken(words, status=401, code=code, message=words)
