"""Errors of rules: a file that cannot be published, and an expression that fails while it is evaluated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice

_MOST_NAMES = 100
"""How many names `suggestion` compares, so that rules with many unknown names are published quickly."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason why rules cannot be published. `line` and `column` start at 1."""

    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.message}"


def suggestion(name: str, valid: Iterable[str]) -> str:
    """Return " Did you mean ...?" with the valid name that is most similar, or ""."""
    names = {other.lower(): other for other in islice(valid, _MOST_NAMES)}
    found = get_close_matches(name.lower(), names, n=1, cutoff=0.75)
    return f" Did you mean '{names[found[0]]}'?" if found else ""


class RulesSyntaxError(ValueError):
    """The rules cannot be published. `problems` lists every reason found."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class ExpressionError(ValueError):
    """An expression is invalid at `offset`, counted in characters from its start."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class EvaluationError(Exception):
    """The evaluation of an expression failed, so the rule counts as false."""
