"""Create and sign custom tokens, with which an app signs in as any uid.

https://firebase.google.com/docs/auth/admin/create-custom-tokens
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from firebase_rest.auth import jwt
from firebase_rest.auth.arguments import optional, validate_email, validate_uid
from firebase_rest.errors import ConfigError, NetworkError
from firebase_rest.transport import google
from firebase_rest.transport.arguments import validate_int
from firebase_rest.transport.credentials import ServiceAccount
from firebase_rest.transport.requestor import Requestor

AUDIENCE = "https://identitytoolkit.googleapis.com/google.identity.identitytoolkit.v1.IdentityToolkit"
MAX_MINUTES = 60

_EMULATED_ISSUER = "firebase-auth-emulator@example.com"


@dataclass(frozen=True, slots=True)
class CustomTokenSigner:
    """Signs with the service account's private key, or with Google IAM for the service account `email`.

    Tokens for an emulator are unsigned, as in the official SDKs. `requestor` sends without credentials.
    """

    requestor: Requestor
    account: ServiceAccount | None
    email: str | None
    emulated: bool

    def sign(self, uid: str, claims: Mapping[str, Any] | None, minutes: int, tenant_id: str | None) -> str:
        """Return a token for `uid`."""
        payload = _payload(uid, claims, minutes, tenant_id)
        if self.emulated:
            return jwt.encode_unsigned({"alg": "none", "typ": "JWT"}, _issued_by(_EMULATED_ISSUER, payload)) + "."
        if self.account is None:
            raise ConfigError(
                "create_custom_token() requires a service account: add 'serviceAccount' to the configuration, the path "
                "of a key file or its content."
            )
        source = self.account.google
        if _has_private_key(source):
            from google.auth import jwt as google_jwt

            signed = google_jwt.encode(source.signer, _issued_by(source.signer_email, payload))  # type: ignore[no-untyped-call]
            return bytes(signed).decode()
        configured = optional(validate_email, "serviceAccountId", self.email)
        email = configured or _email_of(source) or self._machine_email()
        text = jwt.encode_unsigned({"alg": "RS256", "typ": "JWT"}, _issued_by(email, payload))
        signature = self.requestor.with_credentials(self.account).run(google.sign_blob(email, text.encode()))
        return f"{text}.{jwt.base64url(signature)}"

    def _machine_email(self) -> str:
        try:
            return self.requestor.run(google.own_email())
        except NetworkError:
            pass
        raise ConfigError(
            "create_custom_token() requires a private key or the service account's email address, and the credentials "
            "have neither; add the address as 'serviceAccountId' to the configuration, or use a key file."
        )


def _payload(uid: object, claims: Mapping[str, Any] | None, minutes: object, tenant_id: str | None) -> dict[str, Any]:
    uid = validate_uid("uid", uid)
    lifetime = 60 * validate_int("expiry_minutes", minutes, 1, MAX_MINUTES)
    additional = json.loads(jwt.encode_custom_claims("additional_claims", claims))
    now = int(time.time())
    payload: dict[str, Any] = {"aud": AUDIENCE, "iat": now, "exp": now + lifetime, "uid": uid}
    if additional:
        payload["claims"] = additional
    if tenant_id is not None:
        payload["tenant_id"] = tenant_id
    return payload


def _issued_by(email: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    return {**payload, "iss": email, "sub": email}


def _has_private_key(source: Any) -> bool:
    """Return whether the credentials sign locally. Others would send a request, over a connection of google-auth."""
    from google.auth import crypt

    return isinstance(getattr(source, "signer", None), crypt.RSASigner)


def _email_of(source: Any) -> str | None:
    email = getattr(source, "service_account_email", None)  # "default" until a machine's credentials are used
    return email if isinstance(email, str) and "@" in email else None
