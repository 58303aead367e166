"""Decide whether a request is retried after a failure, and after which delay.

Invariant: a request is retried only if it is idempotent, or if the server did not process it.
https://firebase.google.com/docs/reference/rest/database#section-error-conditions
"""

from __future__ import annotations

import random
from enum import Enum

from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from firebase_rest.transport.wire import RetryPolicy

FIRST_DELAY = 0.5
"""Maximum of the random delay before the first retry, in seconds. It doubles with each further retry."""

MAX_DELAY = 20.0
"""Maximum of the random delay before any retry, in seconds."""

MAX_RETRY_AFTER = 60.0
"""Maximum number of seconds. Longer values of the `Retry-After` header are reduced to it."""


class Failure(Enum):
    """The kind of failure of an attempt without a response."""

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
    """Return the seconds before retry number `attempt` (from 1): the value of `Retry-After`, or a random delay."""
    if retry_after:
        try:
            return min(Retry().parse_retry_after(retry_after), MAX_RETRY_AFTER)
        except (InvalidHeader, ValueError, OverflowError):
            pass  # the header is neither a number nor a date
    return random.uniform(0, min(MAX_DELAY, FIRST_DELAY * 2 ** min(attempt - 1, 30)))  # noqa: S311 - not for security
