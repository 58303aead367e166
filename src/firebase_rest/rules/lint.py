"""Warnings about rules that are valid but probably wrong: public access, rules without effect, missing indexes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from firebase_rest.rules.database import DatabaseRules, RulesNode
from firebase_rest.rules.database_evaluator import Scope, compile_expression
from firebase_rest.rules.database_snapshots import JsonReader, RuleDataSnapshot
from firebase_rest.rules.decisions import Rule
from firebase_rest.rules.errors import EvaluationError, Problem
from firebase_rest.rules.storage import StorageRules
from firebase_rest.rules.syntax import Chain, Expression, Literal, Member, Unary, Variable, children


def warnings(rules: DatabaseRules | StorageRules) -> list[Problem]:
    """Return the warnings in the order of the file."""
    if isinstance(rules, StorageRules):
        found = [*rules.warnings, *(warning for rule in rules.rules for warning in _of_rule(rule))]
    else:
        found = [warning for rule in rules.rules for warning in _of_rule(rule)]
        found += _below(rules.root, {})
    return sorted(found, key=lambda problem: (problem.line, problem.column))


def _warn(rule: Rule, message: str) -> Problem:
    return Problem(rule.line, rule.column, f"{rule.kind} of {rule.path}: {message}")


def _of_rule(rule: Rule) -> Iterator[Problem]:
    expression = rule.expression
    grants = rule.kind in (".read", ".write") or rule.kind.startswith("allow")
    if isinstance(expression, Literal):
        if expression.value is True and grants:
            yield _warn(rule, "everyone has access, also without signing in.")
        return
    constant = _constant(expression)
    if constant is True and grants:
        yield _warn(rule, "the rule is always true, so that everyone has access.")
    contradiction = None if constant is False else _contradiction(expression, rule.source)
    if constant is False or contradiction is not None:
        reason = "" if contradiction is None else f": {contradiction}"
        yield _warn(rule, f"the rule can never be true{reason}.")


def _below(node: RulesNode, granted: dict[str, Rule]) -> Iterator[Problem]:
    """Yield the rules below a rule that already grants everything, and queries without an index."""
    granted = dict(granted)
    for kind in (".read", ".write"):
        rule = node.rules.get(kind)
        if rule is None:
            continue
        if kind in granted:
            yield _warn(rule, f"the rule has no effect, because {granted[kind]} is true.")
        elif isinstance(rule.expression, Literal) and rule.expression.value is True:
            granted[kind] = rule
    if ".read" in node.rules:
        rule = node.rules[".read"]
        for name in _queried_children(rule.expression):
            if name not in node.index_on:
                yield _warn(rule, f'queries by {name!r} need ".indexOn": {_quoted(name)} at this location.')
    for child in node.children.values():
        yield from _below(child, granted)


def _quoted(name: str) -> str:
    return f'"{name}"'


def _queried_children(node: Expression) -> Iterator[str]:
    """Yield the values that `query.orderByChild` is compared with."""
    if isinstance(node, Chain) and len(node.operands) == 2 and node.operators[0] in ("==", "==="):
        for one, other in (node.operands, node.operands[::-1]):
            is_order = isinstance(one, Member) and isinstance(one.target, Variable) and one.name == "orderByChild"
            if is_order and isinstance(other, Literal) and isinstance(other.value, str):
                yield other.value
    for child in children(node):
        yield from _queried_children(child)


def _constant(node: Expression) -> Any:
    """Return the value of an expression without variables, or None."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        if isinstance(current, Variable) or not isinstance(current, (Literal, Chain, Unary)):
            return None
        waiting += children(current)
    nothing = RuleDataSnapshot(JsonReader(), None)
    try:
        return compile_expression(node)(Scope(None, 0, nothing, nothing))
    except (EvaluationError, KeyError):
        return None


def _contradiction(node: Expression, source: str) -> str | None:
    """Return two operands of `&&` that cannot both be true: `a == 1 && a == 2`, `a && !a`."""
    if not isinstance(node, Chain) or node.operators[0] != "&&":
        return None
    equal: dict[str, tuple[str, Any]] = {}
    texts: dict[str, bool] = {}
    for operand in node.operands:
        text = source[operand.start : operand.end]
        plain, is_true = _without_negation(operand, source)
        if texts.setdefault(plain, is_true) is not is_true:
            return f"{plain} cannot be both true and false"
        if isinstance(operand, Chain) and operand.operators in (("==",), ("===",)):
            left, right = operand.operands
            if isinstance(right, Literal):
                name = source[left.start : left.end]
                other, value = equal.setdefault(name, (text, right.value))
                if value != right.value:
                    return f"{other} contradicts {text}"
    return None


def _without_negation(node: Expression, source: str) -> tuple[str, bool]:
    """Return the text of an expression without `!` and `!=`, and whether it is required to be true."""
    if isinstance(node, Unary) and node.operator == "!":
        text, is_true = _without_negation(node.operand, source)
        return text, not is_true
    if isinstance(node, Chain) and len(node.operands) == 2 and node.operators[0] in ("==", "===", "!=", "!=="):
        left, right = (source[operand.start : operand.end] for operand in node.operands)
        return f"{left} == {right}", node.operators[0].startswith("=")
    return source[node.start : node.end], True
