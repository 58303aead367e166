"""Public keys, kept for as long as the server allows.

The law of this file: however many threads ask, one fetch is under way, and a stranger's tokens cannot cause many.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from firebase_rest.auth.protocol.certificates import Certificates
from firebase_rest.errors import InvalidResponse
from firebase_rest.transport.single_flight import SingleFlight

SEARCH_REST = 10.0
"""Seconds after a fetch for an unknown key id in which another one is not worth one more."""


@dataclass(frozen=True, slots=True)
class _Kept:
    keys: Mapping[str, Any] = field(default_factory=dict[str, Any])  # google-auth's verifiers, which ship no types
    ends: float = float("-inf")


class KeySet:
    """The public keys behind one URL. Safe to share between threads."""

    def __init__(self) -> None:
        self._kept = _Kept()
        self._next_search = float("-inf")
        self._single_flight = SingleFlight()

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), ()  # the other process fetches the keys again

    def __repr__(self) -> str:
        return f"<KeySet of {len(self._kept.keys)}>"

    def find(self, key_id: str, fetch: Callable[[], Certificates]) -> Any:
        """google-auth's verifier for `key_id`, None if there is no such key. Fetches where it must.

        A key id that is not among keys that are still fresh is looked for once more: Google may have changed them.
        """
        seen = self._kept

        def is_needed() -> bool:
            if self._kept is not seen:  # fetched since we asked: fresh enough, however short that may be kept
                return False
            now = time.monotonic()
            return now >= seen.ends or (key_id not in seen.keys and now >= self._next_search)

        def renew() -> None:
            certificates = fetch()
            now = time.monotonic()
            if now < seen.ends:
                self._next_search = now + SEARCH_REST
            self._kept = _Kept(_verifiers(certificates.pem), now + certificates.age)

        self._single_flight.ensure(is_needed, lambda: False, renew)
        return self._kept.keys.get(key_id)


def _verifiers(pem: Mapping[str, str]) -> dict[str, Any]:
    from google.auth import crypt

    with contextlib.suppress(Exception):  # of google-auth and cryptography, which differ
        return {key_id: crypt.RSAVerifier.from_string(text) for key_id, text in pem.items()}  # type: ignore[no-untyped-call]
    raise InvalidResponse("What answered in place of Google's certificates sent something that is no certificate.")
