"""Which failures are worth another try, and when.

The law of this file: a request is sent again only where twice is the same as once, or where it certainly was not
carried out the first time. https://firebase.google.com/docs/reference/rest/database#section-error-conditions
"""

from __future__ import annotations

import random
from enum import Enum

from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from firebase_rest.transport.wire import RetryPolicy

BASE, CAP = 0.5, 20.0
"""Seconds: the first pause is at most BASE, each further one at most twice the one before, none above CAP."""

MAX_RETRY_AFTER = 60.0
"""Seconds: a server may not make us wait longer than this."""


class Failure(Enum):
    """How an attempt ended that brought no answer."""

    NEVER_CONNECTED = "no connection"
    LOST = "the connection broke after the request was sent"
    READ_TIMEOUT = "the server fell silent"
    PERMANENT = "another try would end the same way"


def should_retry(repeat: RetryPolicy, outcome: Failure | int) -> bool:
    """Whether to send again after a failure, or after an answer with this HTTP status."""
    if isinstance(outcome, Failure):
        if outcome is Failure.NEVER_CONNECTED:
            return True
        return outcome is Failure.LOST and repeat is RetryPolicy.IDEMPOTENT
    if outcome == 429:
        return True
    if outcome == 503:  # documented as "not attempted" for the database
        return repeat is not RetryPolicy.IF_NOT_SENT
    return outcome in (408, 500, 502, 504) and repeat is RetryPolicy.IDEMPOTENT


def backoff_delay(attempt: int, retry_after: str | None = None) -> float:
    """Seconds before repeat number `attempt` (the first is 1): full jitter, or what the server asked for."""
    if retry_after:
        try:
            return min(Retry().parse_retry_after(retry_after), MAX_RETRY_AFTER)
        except (InvalidHeader, ValueError, OverflowError):
            pass  # not a number and not a date, or none that a calendar has: as if it were not there
    return random.uniform(0, min(CAP, BASE * 2 ** min(attempt - 1, 30)))  # noqa: S311 - spreads load, guards nothing
