"""Which requests are retried after which failures, and after what delay.

Invariant: a request is retried only if it is idempotent, or if the server did not process it.
https://firebase.google.com/docs/reference/rest/database#section-error-conditions
"""

from __future__ import annotations

import random
from enum import Enum

from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from firebase_rest.transport.wire import RetryPolicy

BASE, CAP = 0.5, 20.0
"""Seconds: the longest first delay, which doubles with each retry, and the longest delay."""

MAX_RETRY_AFTER = 60.0
"""Seconds: longer values of the `Retry-After` header are reduced to this."""


class Failure(Enum):
    """How an attempt without a response failed."""

    NEVER_CONNECTED = "no connection"
    LOST = "the connection was lost after the request was sent"
    READ_TIMEOUT = "the server sent nothing within the read timeout"
    PERMANENT = "a retry would fail in the same way"


def should_retry(policy: RetryPolicy, outcome: Failure | int) -> bool:
    """Return whether to retry after a failure or after a response with this HTTP status."""
    if isinstance(outcome, Failure):
        if outcome is Failure.NEVER_CONNECTED:
            return True
        return outcome is Failure.LOST and policy is RetryPolicy.IDEMPOTENT
    if outcome == 429:
        return True
    if outcome == 503:  # documented as "not attempted" for the database
        return policy is not RetryPolicy.IF_NOT_SENT
    return outcome in (408, 500, 502, 504) and policy is RetryPolicy.IDEMPOTENT


def backoff_delay(attempt: int, retry_after: str | None = None) -> float:
    """Return the seconds to wait before retry number `attempt` (from 1): those of `Retry-After`, or random ones."""
    if retry_after:
        try:
            return min(Retry().parse_retry_after(retry_after), MAX_RETRY_AFTER)
        except (InvalidHeader, ValueError, OverflowError):
            pass  # neither a number nor a date: ignore the header
    return random.uniform(0, min(CAP, BASE * 2 ** min(attempt - 1, 30)))  # noqa: S311 - not for security
