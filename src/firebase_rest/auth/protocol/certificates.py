"""Google's public keys: the certificates that ID tokens and session cookies are verified with."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from firebase_rest.auth.protocol.refusals import check
from firebase_rest.errors import InvalidResponse
from firebase_rest.transport.wire import Flow, Request, Response, RetryPolicy

FALLBACK_AGE = 300.0
"""Seconds for which certificates are kept where the server says nothing. Google says some hours."""

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
_NEVER = re.compile(r"(?:^|[\s,])no-(?:store|cache)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Certificates:
    """X.509 certificates (PEM) by key id, and for how many seconds they may be kept."""

    pem: Mapping[str, str] = field(repr=False)
    age: float


def fetch(url: str) -> Flow[Certificates]:
    """What is at `url` now. Raises `InvalidResponse` where that is no object of certificates."""
    response = check((yield Request("GET", url, retry_policy=RetryPolicy.IDEMPOTENT)))
    pem = {key_id: text for key_id, text in response.json_object().items() if isinstance(text, str)}
    if not pem:
        raise InvalidResponse("What answered in place of Google's certificates sent none.")
    return Certificates(pem, _age(response))


def _age(response: Response) -> float:
    """Seconds that are left of the answer's freshness."""
    control = response.headers.get("cache-control", "")
    if _NEVER.search(control):
        return 0.0
    limit = _MAX_AGE.search(control)
    spent = response.headers.get("age", "")
    return max(0.0, (float(limit[1]) if limit else FALLBACK_AGE) - (float(spent) if spent.isdecimal() else 0.0))
