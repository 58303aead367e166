"""Decisions of rules: the result, the evaluated rules, and the values that they used."""

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
"""Called with each sub-expression when a rule is compiled. Returns None, or a function that is called with each value
of the sub-expression, or with the `EvaluationError` of a failure."""

Observer: TypeAlias = Callable[[Iterable[Expression], Callable[[int], int]], Observe]
"""Called with the expressions of rules, and a function that converts an offset in a rule to an offset in the file.
Returns the function that observes their sub-expressions."""


_PRINTABLE_TYPES = (type(None), str, int, float, bytes, PrintableValue)


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One rule.

    Attributes:
        kind: The kind, such as ".read" or "allow get".
        path: The path of the rule, with wildcards.
        text: The text of the expression.
        line: The line in the file, from 1.
        column: The column in the file, from 1.
        expression: The parsed expression.
        source: The text in which the offsets in `expression` are positions.
        evaluate: Evaluates the rule in a scope.
        compile: Returns a function like `evaluate` whose sub-expressions are observed.
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


# Not frozen, because there are many evaluations, and frozen dataclasses take twice as long to create.
@dataclass(slots=True)
class Evaluation:
    """The evaluation of a rule for a concrete path. If it failed, `result` is None, and `error` is the reason."""

    rule: Rule
    path: str
    result: bool | None
    error: str
    scope: Any

    def values(self) -> list[tuple[str, Any]]:
        """Return the source text and the value of each variable, property and call of the expression."""
        values: dict[str, Any] = {}

        def observe(node: Expression) -> Record:
            text = self.rule.source[node.start : node.end]

            def record(value: Any) -> None:
                if not isinstance(node, Literal) and isinstance(value, _PRINTABLE_TYPES):
                    values[text] = value

            return record

        with suppress(EvaluationError):  # return the values up to the error
            self.rule.compile(observe)(self.scope)
        return list(values.items())


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether an operation is allowed, and the rules that were evaluated for it, in order."""

    allowed: bool
    operation: str
    path: str
    evaluations: tuple[Evaluation, ...] = ()

    def explain(self) -> str:
        """Return the reason as text: each evaluated rule, its result, and the values that it used."""
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
