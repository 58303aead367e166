"""Google's public keys, which verify ID tokens and session cookies, cached as long as their response allows."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from firebase_rest.auth.protocol.error_codes import check
from firebase_rest.errors import InvalidResponse
from firebase_rest.transport.single_flight import SingleFlight
from firebase_rest.transport.wire import Flow, Request, Response, RetryPolicy

MIN_SEARCH_INTERVAL = 10.0
"""Minimum seconds between two fetches that search for an unknown key ID, so that forged tokens cannot cause many."""
DEFAULT_MAX_AGE = 300.0
"""Seconds for which certificates are cached if the response does not say. Google's responses say some hours."""

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
        raise InvalidResponse("Invalid response: it contains no certificates.")
    return Certificates(pem, _seconds_fresh(response))


def _seconds_fresh(response: Response) -> float:
    control = response.headers.get("cache-control", "")
    if _NO_CACHE.search(control):
        return 0.0
    limit = _MAX_AGE.search(control)
    spent = response.headers.get("age", "")
    return max(0.0, (float(limit[1]) if limit else DEFAULT_MAX_AGE) - (float(spent) if spent.isdecimal() else 0.0))


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

        An unknown key ID causes another fetch although the cached keys are fresh, because Google may have rotated them.
        """
        seen = self._cached

        def is_needed() -> bool:
            if self._cached is not seen:  # another thread has fetched them since
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

    with contextlib.suppress(Exception):  # google-auth and cryptography raise different ones
        return {key_id: crypt.RSAVerifier.from_string(text) for key_id, text in pem.items()}  # type: ignore[no-untyped-call]
    raise InvalidResponse("Invalid response: it contains a malformed certificate.")
