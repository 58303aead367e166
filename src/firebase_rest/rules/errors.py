"""Exceptions of rules: for rules that are invalid, and for expressions whose evaluation fails."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import islice

_MAX_NAMES = 100
"""How many names `suggestion` compares, so that rules with many unknown names are checked quickly."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An error or a warning at a position in a rules file. `line` and `column` start at 1."""

    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.line}:{self.column}: {self.message}"


def suggestion(name: str, valid: Iterable[str]) -> str:
    """Return " Did you mean ...?" with the valid name that is most similar, or ""."""
    names = {valid_name.lower(): valid_name for valid_name in islice(valid, _MAX_NAMES)}
    matches = get_close_matches(name.lower(), names, n=1, cutoff=0.75)
    return f" Did you mean '{names[matches[0]]}'?" if matches else ""


class RulesSyntaxError(ValueError):
    """The rules are invalid. `problems` lists the errors."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


class ExpressionError(ValueError):
    """An expression is invalid. `offset` is the position of the error in the expression."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class EvaluationError(Exception):
    """The evaluation of an expression failed, so the rule counts as false."""
