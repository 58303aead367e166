"""V4 signed URLs: whoever has one may do one thing with one object, for a while.

The law of this file: it computes; nothing is sent but, without a private key at hand, the question to Google to sign.
https://cloud.google.com/storage/docs/authentication/signatures
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, cast
from urllib.parse import quote, urlsplit

from firebase_rest.errors import UsageError
from firebase_rest.storage.location import PRODUCTION, ObjectLocation
from firebase_rest.storage.protocol import shown, validate_str

HOST = "storage.googleapis.com"
_ALGORITHM = "GOOG4-RSA-SHA256"
_METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "DELETE"})


@dataclass(frozen=True, slots=True)
class V4SigningRequest:
    """A signed URL but for its signature. `expires` is in seconds, `now` in UTC."""

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
        """Hexadecimal SHA-256 of the canonical request."""
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
        """What the service account signs."""
        return f"{_ALGORITHM}\n{self._date}\n{self._scope}\n{self.canonical_hash}".encode()

    def url(self, signature: bytes) -> str:
        """The whole URL."""
        return f"{self._base}{self._path}?{self._query}&X-Goog-Signature={signature.hex()}"


def validate_method(method: object) -> str:
    """Raises `UsageError` for a method that no signed URL can have."""
    if isinstance(method, str) and method.upper() in _METHODS:
        return method.upper()
    raise UsageError(f"method must be one of {', '.join(sorted(_METHODS))}, got {shown(method)}.")


def validate_str_dict(name: str, values: object) -> dict[str, str]:
    """A dict of strings; None is an empty one. Raises `UsageError`."""
    if values is None:
        return {}
    if not isinstance(values, Mapping):
        raise UsageError(f"{name} must be a dict of strings, got {type(values).__name__}.")
    entries = cast("Mapping[object, object]", values).items()
    return {
        validate_str(f"A key of {name}", key): validate_str(f"{name}[{shown(key)}]", value) for key, value in entries
    }


def email_of(google: Any) -> str:
    """The service account's address. Raises `UsageError` for credentials that are not a service account's."""
    email = getattr(google, "service_account_email", None) or getattr(google, "signer_email", None)
    if isinstance(email, str) and "@" in email:
        return email
    raise UsageError(
        "These credentials are not a service account's, and only one can sign URLs; configure 'serviceAccount' with "
        "its key file."
    )


def sign_locally(google: Any, message: bytes) -> bytes | None:
    """The signature by the private key; None where there is none at hand."""
    from google.oauth2 import service_account

    if not isinstance(google, service_account.Credentials):
        return None
    signer: Any = google
    return bytes(signer.sign_bytes(message))
