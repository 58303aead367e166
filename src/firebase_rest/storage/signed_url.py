"""V4 signed URLs: anyone who has one may use one method on one object until it expires.

https://cloud.google.com/storage/docs/authentication/signatures
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib import import_module
from typing import Any
from urllib.parse import quote, urlsplit

from firebase_rest.errors import UsageError
from firebase_rest.storage.location import PRODUCTION, ObjectLocation

HOST = "storage.googleapis.com"
_ALGORITHM = "GOOG4-RSA-SHA256"


@dataclass(frozen=True, slots=True)
class V4SigningRequest:
    """A URL to sign.

    Args:
        location: The object.
        email: The address of the service account that signs.
        expires: Seconds until the URL expires.
        now: The time of signing.
        method: The HTTP method that the URL allows.
        headers: Headers that the user of the URL must send.
        params: Additional query parameters.
    """

    location: ObjectLocation
    email: str
    expires: int
    now: datetime
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    params: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def _base(self) -> str:
        return f"https://{HOST}" if self.location.base == PRODUCTION else self.location.base

    @property
    def _path(self) -> str:
        return f"/{self.location.bucket}/{quote(self.location.name, safe='/~')}"

    @property
    def _date(self) -> str:
        return self.now.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ")

    @property
    def _scope(self) -> str:
        return f"{self._date[:8]}/auto/storage/goog4_request"

    @property
    def _signed_headers(self) -> dict[str, str]:
        headers = {name.lower(): re.sub(r"\s+", " ", value.strip()) for name, value in self.headers.items()}
        return dict(sorted({**headers, "host": urlsplit(self._base).netloc}.items()))

    @property
    def _query(self) -> str:
        pairs = {
            "X-Goog-Algorithm": _ALGORITHM,
            "X-Goog-Credential": f"{self.email}/{self._scope}",
            "X-Goog-Date": self._date,
            "X-Goog-Expires": str(self.expires),
            "X-Goog-SignedHeaders": ";".join(self._signed_headers),
            **self.params,
        }
        encoded = sorted((quote(name, safe="~"), quote(value, safe="~")) for name, value in pairs.items())
        return "&".join(f"{name}={value}" for name, value in encoded)

    @property
    def canonical_hash(self) -> str:
        """The SHA-256 of the canonical request, in hexadecimal."""
        headers = self._signed_headers
        lines = [
            self.method,
            self._path,
            self._query,
            *(f"{name}:{value}" for name, value in headers.items()),
            "",
            ";".join(headers),
            headers.get("x-goog-content-sha256", "UNSIGNED-PAYLOAD"),
        ]
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @property
    def message(self) -> bytes:
        """The string to sign."""
        return f"{_ALGORITHM}\n{self._date}\n{self._scope}\n{self.canonical_hash}".encode()

    def url(self, signature: bytes) -> str:
        """Return the signed URL."""
        return f"{self._base}{self._path}?{self._query}&X-Goog-Signature={signature.hex()}"


def service_account_email(credentials: Any) -> str:
    """Return the address in google-auth credentials of a service account. Raises `UsageError` for other credentials."""
    email = getattr(credentials, "service_account_email", None) or getattr(credentials, "signer_email", None)
    if isinstance(email, str) and "@" in email:
        return email
    raise UsageError(
        "Only the credentials of a service account can sign URLs; configure 'serviceAccount' with its key file."
    )


def sign_locally(credentials: Any, message: bytes) -> bytes | None:
    """Return the signature with the private key, or None if the credentials have no private key."""
    service_account: Any = import_module("google.oauth2.service_account")
    if not isinstance(credentials, service_account.Credentials):
        return None
    return bytes(credentials.sign_bytes(message))
