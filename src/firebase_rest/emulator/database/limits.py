"""The limits of a request: `timeout` for reads and `writeSizeLimit` for writes.

https://firebase.google.com/docs/reference/rest/database#section-param-timeout
"""

from __future__ import annotations

import math
import re
import time
from typing import TYPE_CHECKING, TypeVar

from firebase_rest.emulator.database.responses import DatabaseHTTPError
from firebase_rest.emulator.database.tree import at, weight_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.database.commits import Plan
    from firebase_rest.emulator.database.request import DatabaseRequest
    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.tree import Change, Node

Result = TypeVar("Result")

WRITE_SECONDS = {"tiny": 1, "small": 10, "medium": 30, "large": 60, "unlimited": math.inf}
"""The time that a write may take, for each `writeSizeLimit`."""

NODES_PER_SECOND = 100_000
BYTES_PER_SECOND = 10_000_000
"""The assumed speed of a write. Firebase does not publish how it estimates the time."""

_TIMEOUT = re.compile(r"([0-9]{1,12})(ms|s|min)")
_SECONDS = {"ms": 0.001, "s": 1, "min": 60}
_MAX_TIMEOUT = 15 * 60

_TOO_LARGE = "Data to write exceeds the maximum size that can be modified with a single request."


def validate_limits(params: Mapping[str, str]) -> None:
    """Raise `DatabaseHTTPError` 400 for an invalid `timeout` or `writeSizeLimit`."""
    if "timeout" in params:
        _parse_timeout(params["timeout"])
    if "writeSizeLimit" in params and params["writeSizeLimit"] not in WRITE_SECONDS:
        raise DatabaseHTTPError(400, "writeSizeLimit must be one of tiny, small, medium, large and unlimited")


def _parse_timeout(text: str) -> float:
    """Return the seconds of a `timeout` such as "3s". Raises `DatabaseHTTPError` 400."""
    match = _TIMEOUT.fullmatch(text)
    if match is None:
        raise DatabaseHTTPError(400, "timeout must be a whole number followed by ms, s or min")
    seconds = int(match[1]) * _SECONDS[match[2]]
    if not 0 < seconds <= _MAX_TIMEOUT:
        raise DatabaseHTTPError(400, "timeout must be greater than 0 and at most 15min")
    return seconds


def with_timeout(request: DatabaseRequest, work: Work[Result]) -> Work[Result]:
    """Run the work of a read. Raises `DatabaseHTTPError` 400 if it takes longer than the parameter `timeout`."""
    deadline = time.monotonic() + _parse_timeout(request.params["timeout"])
    while True:
        try:
            next(work)
        except StopIteration as stop:
            result: Result = stop.value
            return result
        if time.monotonic() > deadline:
            work.close()
            text = request.params["timeout"]
            raise DatabaseHTTPError(400, f"The read did not finish within the timeout of {text}; request less data.")
        yield


def with_write_limit(request: DatabaseRequest, plan: Plan) -> Plan:
    """Return a plan that raises `DatabaseHTTPError` 400 if the change exceeds the limit of the request or database."""
    default = str(request.namespace.settings.get("defaultWriteSizeLimit", "large"))
    seconds = WRITE_SECONDS[request.params.get("writeSizeLimit") or default]
    seconds -= len(request.body) / BYTES_PER_SECOND

    def limited_plan(before: Node) -> Work[Change]:
        change = yield from plan(before)
        max_nodes = seconds * NODES_PER_SECOND
        # The nodes at the written paths need to be counted only if the whole database has more nodes than allowed.
        is_countable = max(weight_of(before), weight_of(change.after)) > max_nodes
        if max_nodes < 0 or (is_countable and _written_nodes(change) > max_nodes):
            raise DatabaseHTTPError(400, _TOO_LARGE)
        return change

    return limited_plan if seconds < math.inf else plan


def _written_nodes(change: Change) -> int:
    """Return the greater of the number of nodes that a write replaces and the number that it creates."""
    return sum(max(weight_of(at(change.before, path)), weight_of(at(change.after, path))) for path in change.paths())
