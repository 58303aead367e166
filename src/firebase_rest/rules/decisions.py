"""Decisions of rules: the result, the rules that decided, and the values that they used."""

# Values of rules have no static type: they are checked when a rule runs.
# pyright: reportUnknownMemberType=false, reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeAlias

from firebase_rest.rules.errors import EvaluationError
from firebase_rest.rules.syntax import Expression, Literal
from firebase_rest.rules.values import PrintableValue

Record: TypeAlias = Callable[[Any], None]
Observe: TypeAlias = Callable[[Expression], "Record | None"]
"""Called with each sub-expression when a rule is compiled. Returns a function that is called with each value of the
sub-expression, or with the `EvaluationError` of a failure; None to observe nothing."""

Observer: TypeAlias = Callable[[Iterable[Expression], Callable[[int], int]], Observe]
"""Called with the expressions of rules, and the function that returns the offset in the file of an offset in a rule.
Returns the observer of their sub-expressions."""


_READABLE = (type(None), str, int, float, bytes, PrintableValue)


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule: its kind (".read", "allow get"), the path with wildcards, and its position in the file.

    Offsets in `expression` count characters of `source`. `compile` returns a function that evaluates the rule in a
    scope.
    """

    kind: str
    path: str
    text: str
    line: int
    column: int
    expression: Expression
    source: str
    evaluate: Callable[[Any], Any]
    compile: Callable[[Observe], Callable[[Any], Any]]

    def __str__(self) -> str:
        return f"{self.kind} of {self.path} (line {self.line})"

    def evaluation(self, path: str, scope: Any) -> Evaluation:
        """Evaluate the rule for a concrete path. An error counts as false."""
        result: bool | None = None
        error = ""
        try:
            result = self.evaluate(scope) is True
        except EvaluationError as problem:
            error = str(problem)
        except RecursionError:
            error = "The expression is nested too deeply."
        return Evaluation(self, path, result, error, scope)


# Not frozen, because there are many, and frozen dataclasses take twice as long to create.
@dataclass(slots=True)
class Evaluation:
    """A rule that was evaluated for a concrete path. If it failed with `error`, there is no `result` (None)."""

    rule: Rule
    path: str
    result: bool | None
    error: str
    scope: Any

    def values(self) -> list[tuple[str, Any]]:
        """Return the source text and the value of each variable, property and call of the expression."""
        seen: dict[str, Any] = {}

        def observe(node: Expression) -> Record:
            text = self.rule.source[node.start : node.end]

            def record(value: Any) -> None:
                if (
                    not isinstance(node, Literal)
                    and not isinstance(value, EvaluationError)
                    and isinstance(value, _READABLE)
                ):
                    seen[text] = value

            return record

        with suppress(EvaluationError):  # show the values up to the error
            self.rule.compile(observe)(self.scope)
        return list(seen.items())


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether an operation is allowed, and every rule that was evaluated for it, in order."""

    allowed: bool
    operation: str
    path: str
    evaluations: tuple[Evaluation, ...] = ()

    def explain(self) -> str:
        """Return why, in a few lines: each rule, its result, and the values it saw."""
        lines = [f"{self.operation} {self.path} is {'allowed' if self.allowed else 'denied'}."]
        if not self.evaluations:
            lines.append("  No rule applies to this path, so it is denied.")
        for evaluation in self.evaluations:
            result = "error" if evaluation.result is None else str(evaluation.result).lower()
            lines.append(f"  {evaluation.rule} at {evaluation.path}: {result}: {evaluation.rule.text}")
            lines += [f"    {text} = {value!r}" for text, value in evaluation.values() if text != evaluation.rule.text]
            if evaluation.error:
                lines.append(f"    {evaluation.error}")
        return "\n".join(lines)
