"""The recorded requests and result of a case with one library."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wire.request_line import line, short


@dataclass(frozen=True)
class Recording:
    sent: tuple[str, ...]
    """One line for each request."""
    outcome: str
    """`returns ...` or `raises ...`."""
    timeouts: tuple[str | None, ...]
    """The arguments with which each request was sent."""

    @classmethod
    def of(cls, recorded: dict[str, Any]) -> Recording:
        requests = recorded["sent"]
        lines = tuple(line(request) for request in requests)
        return cls(lines, short(recorded["outcome"]), tuple(request["timeout"] for request in requests))

    @property
    def complete(self) -> tuple[str, ...]:
        return (*self.sent, self.outcome)


def apart(one: Recording, other: Recording) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the lines that only `one` has and those that only `other` has, in order."""
    return _without(one.complete, other.complete), _without(other.complete, one.complete)


def _without(complete: tuple[str, ...], taken: tuple[str, ...]) -> tuple[str, ...]:
    left = list(taken)
    rest: list[str] = []
    for part in complete:
        if part in left:
            left.remove(part)
        else:
            rest.append(part)
    return tuple(rest)
