from __future__ import annotations

import math
import sys

import pytest

from firebase_rest.errors import UsageError
from firebase_rest.transport.options import LONGEST, Options


def test_every_wait_has_a_limit_from_the_start():
    assert Options() == Options(connect=10, read=60, deadline=None, retries=3)


@pytest.mark.parametrize(("timeout", "pair"), [(5, (5, 5)), (0.5, (0.5, 0.5)), ((1, 2), (1, 2))])
def test_timeout_is_a_number_or_a_pair(timeout, pair):
    options = Options().replace(timeout=timeout)
    assert (options.connect, options.read) == pair


def test_replace_keeps_other_values():
    options = Options().replace(timeout=5, deadline=7, retries=0)
    assert options.replace() == options
    assert options.replace(retries=1) == Options(5, 5, 7, 1)


def test_infinite_deadline_removes_the_limit():
    assert Options().replace(deadline=5).replace(deadline=math.inf).deadline is None


def test_long_timeouts_are_reduced():
    assert Options().replace(timeout=float(sys.maxsize)).read == LONGEST
    assert LONGEST * 1000 < 2**31  # CPython's argument of poll()


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeout": 0}, {"timeout": -1}, {"timeout": math.inf}, {"timeout": math.nan}, {"timeout": "5"},
        {"timeout": True}, {"timeout": (1,)}, {"timeout": (1, 2, 3)}, {"timeout": (None, 5)}, {"timeout": [1, 2]},
        {"deadline": 0}, {"deadline": -1}, {"deadline": "5"}, {"deadline": math.nan}, {"deadline": True},
        {"retries": -1}, {"retries": 1.5}, {"retries": True}, {"retries": "3"}, {"retries": math.inf},
    ],
)  # fmt: skip
def test_invalid_limit_is_rejected(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Options().replace(**wrong)
