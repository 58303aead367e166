"""Coverage of rules: how often each condition of a rule was true, false, or failed.

A rule is a condition, and so is each operand of `&&`, `||`, `!` and `?:` in it. A condition is covered if it was true
at least once and false at least once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from firebase_rest.rules.database import DatabaseRules
from firebase_rest.rules.decisions import Observe, Record
from firebase_rest.rules.errors import EvaluationError
from firebase_rest.rules.source import Source
from firebase_rest.rules.storage import StorageRules
from firebase_rest.rules.syntax import Chain, Conditional, Expression, Unary
from firebase_rest.rules.syntax import Literal as Constant


@dataclass(slots=True)
class Count:
    """How often an expression was true, false or another value, and how often its evaluation failed."""

    true: int = 0
    false: int = 0
    other: int = 0
    errors: int = 0

    def record(self, value: Any) -> None:
        """Count a value, or an `EvaluationError`."""
        if value is True:
            self.true += 1
        elif value is False:
            self.false += 1
        elif isinstance(value, EvaluationError):
            self.errors += 1
        else:
            self.other += 1


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of a rule, with its count. `start` and `end` are offsets in the file."""

    rule: str
    start: int
    end: int
    line: int
    column: int
    text: str
    count: Count
    is_constant: bool

    @property
    def outcomes(self) -> int:
        """The number of possible outcomes, which is one for a constant, otherwise two (true and false)."""
        return 1 if self.is_constant else 2

    @property
    def covered(self) -> int:
        """The number of outcomes that occurred. A failed evaluation counts as false."""
        occurred = bool(self.count.true) + bool(self.count.false or self.count.errors)
        return min(occurred, self.outcomes)

    @property
    def missing(self) -> str:
        """The missing outcomes, as "never evaluated", "never true", "never false" or ""."""
        if self.covered == self.outcomes:
            return ""
        if not self.covered:
            return "never evaluated"
        return "never false" if self.count.true else "never true"


class Coverage:
    """The coverage of one rules file.

    Args:
        kind: The service that the rules are for.
        name: The name of the file, for reports.
        text: The text of the rules.
    """

    def __init__(self, kind: Literal["database", "storage"], name: str, text: str) -> None:
        self.kind: Literal["database", "storage"] = kind
        self.name = name
        self.text = text
        self._counts: dict[tuple[int, int], Count] = {}

    def observer(self, expressions: Iterable[Expression], locate: Callable[[int], int]) -> Observe:
        """Return an observer that counts the values of conditions. Pass this method to the rules as `observer`."""
        conditions = {id(node) for expression in expressions for node in _conditions(expression)}

        def observe(node: Expression) -> Record | None:
            if id(node) not in conditions:
                return None
            return self._counts.setdefault((locate(node.start), locate(node.end)), Count()).record

        return observe

    def merge(self, counts: Iterable[Iterable[int]]) -> None:
        """Add the counts that `dump` returned for the same rules in another process."""
        for start, end, true, false, other, errors in counts:
            count = self._counts.setdefault((start, end), Count())
            count.true += true
            count.false += false
            count.other += other
            count.errors += errors

    def dump(self) -> list[list[int]]:
        """Return the counts as lists of numbers, for `merge`."""
        return [
            [start, end, count.true, count.false, count.other, count.errors]
            for (start, end), count in self._counts.items()
        ]

    def conditions(self) -> list[Condition]:
        """Return the conditions of all rules, in the order of the file."""
        source = Source(self.text)
        conditions: list[Condition] = []
        for rule, expression, locate in self._expressions():
            for node in _conditions(expression):
                start, end = locate(node.start), locate(node.end)
                position = source.problem(start, "")
                conditions.append(
                    Condition(
                        rule,
                        start,
                        end,
                        position.line,
                        position.column,
                        self.text[start:end],
                        self._counts.get((start, end), Count()),
                        isinstance(node, Constant),
                    )
                )
        return sorted(conditions, key=lambda condition: (condition.start, -condition.end))

    def _expressions(self) -> Iterator[tuple[str, Expression, Callable[[int], int]]]:
        """Yield each rule, and each function of Storage rules that returns a condition."""
        locators: list[Callable[[int], int]] = []

        def observer(_: object, locate: Callable[[int], int]) -> Observe:
            locators.append(locate)
            return lambda _: None

        if self.kind == "database":
            rules = DatabaseRules(self.text, observer)
            for rule, locate in zip(rules.rules, locators, strict=True):
                yield str(rule), rule.expression, locate
            return
        storage = StorageRules(self.text)
        for rule in storage.rules:
            yield str(rule), rule.expression, int
        for function in storage.functions:
            if len(list(_conditions(function.result))) > 1 or _is_comparison(function.result):
                yield f"function {function.name}", function.result, int


def _conditions(node: Expression) -> Iterator[Expression]:
    """Yield a condition and its parts."""
    yield node
    if isinstance(node, Chain) and node.operators[0] in ("&&", "||"):
        for operand in node.operands:
            yield from _conditions(operand)
    elif isinstance(node, Unary) and node.operator == "!":
        yield from _conditions(node.operand)
    elif isinstance(node, Conditional):
        for test, value in node.branches:
            yield from _conditions(test)
            yield from _conditions(value)
        yield from _conditions(node.otherwise)


def _is_comparison(node: Expression) -> bool:
    return isinstance(node, Chain) and node.operators[-1] in ("==", "!=", "<", "<=", ">", ">=", "in", "is")


def percent(coverages: Iterable[Coverage]) -> float:
    """Return the percentage of the outcomes that occurred, or 100 if there are no conditions."""
    conditions = [condition for coverage in coverages for condition in coverage.conditions()]
    possible = sum(condition.outcomes for condition in conditions)
    return 100.0 * sum(condition.covered for condition in conditions) / possible if possible else 100.0


def format_percent(coverages: Iterable[Coverage]) -> str:
    """Return the percentage as text, rounded down: a coverage of 84.9 % must not look like 85 %."""
    return f"{math.floor(percent(coverages))} %"


def text_report(coverages: Iterable[Coverage]) -> str:
    """Return a report: for each file its coverage, and each condition that is not covered."""
    lines: list[str] = []
    for coverage in coverages:
        conditions = coverage.conditions()
        covered = sum(condition.covered for condition in conditions)
        possible = sum(condition.outcomes for condition in conditions)
        lines.append(f"{coverage.name}: {covered} of {possible} outcomes ({format_percent([coverage])})")
        rule = ""
        for condition in conditions:
            if not condition.missing:
                continue
            if condition.rule != rule:
                rule = condition.rule
                lines.append(f"  {rule}")
            lines.append(
                f"    {condition.line}:{condition.column} {condition.missing}: {' '.join(condition.text.split())}"
            )
    return "\n".join(lines)
