from __future__ import annotations

import pytest

from firebase_rest.transport import retries
from firebase_rest.transport.retries import Failure, backoff_delay, should_retry
from firebase_rest.transport.wire import RetryPolicy

IDEMPOTENT, IF_NOT_PROCESSED, IF_NOT_SENT = (
    RetryPolicy.IDEMPOTENT,
    RetryPolicy.IF_NOT_PROCESSED,
    RetryPolicy.IF_NOT_SENT,
)

# The retry table: each failure, and the retry policies whose requests are sent again.
TABLE = [
    (Failure.NEVER_CONNECTED, {IDEMPOTENT, IF_NOT_PROCESSED, IF_NOT_SENT}),
    (Failure.LOST, {IDEMPOTENT}),
    (Failure.READ_TIMEOUT, set()),
    (Failure.PERMANENT, set()),
    (408, {IDEMPOTENT}),
    (429, {IDEMPOTENT, IF_NOT_PROCESSED, IF_NOT_SENT}),
    (500, {IDEMPOTENT}),
    (502, {IDEMPOTENT}),
    (503, {IDEMPOTENT, IF_NOT_PROCESSED}),
    (504, {IDEMPOTENT}),
    *((status, set()) for status in (200, 204, 301, 307, 400, 401, 402, 403, 404, 409, 412, 413, 423, 501, 505, 599)),
]


@pytest.mark.parametrize(("outcome", "repeated"), TABLE)
@pytest.mark.parametrize("policy", RetryPolicy)
def test_should_retry(policy, outcome, repeated):
    assert should_retry(policy, outcome) is (policy in repeated)


@pytest.mark.parametrize(
    ("attempt", "most"), [(1, 0.5), (2, 1), (3, 2), (4, 4), (6, 16), (7, 20), (60, 20), (5000, 20)]
)
def test_delay_doubles_up_to_twenty_seconds_with_jitter(monkeypatch, attempt, most):
    monkeypatch.setattr(retries.random, "uniform", lambda low, high: (low, high))
    assert backoff_delay(attempt) == (0, most)


@pytest.mark.parametrize(
    ("retry_after", "pause"), [("0", 0), ("3", 3), (" 7 ", 7), ("60", 60), ("61", 60), ("9" * 30, 60)]
)
def test_retry_after_sets_the_delay_up_to_a_minute(retry_after, pause):
    assert backoff_delay(1, retry_after) == pause


def test_retry_after_dates_are_bounded():
    assert backoff_delay(1, "Mon, 01 Jan 2001 00:00:00 GMT") == 0
    assert backoff_delay(1, "Fri, 01 Jan 2100 00:00:00 GMT") == 60


@pytest.mark.parametrize(
    "retry_after", [None, "", "soon", "-1", "1.5", "Mon, 99 Jan 2024 00:00:00 GMT", "Mon, 1 Jan 99999 0:0:0", "\u0663"]
)
def test_invalid_retry_after_is_ignored(retry_after):
    assert 0 <= backoff_delay(1, retry_after) <= 0.5
