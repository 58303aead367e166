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
    problems = list(rules.warnings) if isinstance(rules, StorageRules) else []
    for rule in rules.rules:
        problems += _check_rule(rule)
    if isinstance(rules, DatabaseRules):
        problems += _check_location(rules.root, {})
    return sorted(problems, key=lambda problem: (problem.line, problem.column))


def _warn(rule: Rule, message: str) -> Problem:
    return Problem(rule.line, rule.column, f"{rule.kind} of {rule.path}: {message}")


def _check_rule(rule: Rule) -> Iterator[Problem]:
    """Yield the warnings about a rule that is always true, or can never be true."""
    expression = rule.expression
    grants_access = rule.kind in (".read", ".write") or rule.kind.startswith("allow")
    if isinstance(expression, Literal):
        if expression.value is True and grants_access:
            yield _warn(rule, "everyone has access, even without signing in.")
        return
    constant = _constant_value(expression)
    if constant is True and grants_access:
        yield _warn(rule, "the rule is always true, so everyone has access.")
    contradiction = None if constant is False else _contradiction(expression, rule.source)
    if constant is False or contradiction is not None:
        reason = "" if contradiction is None else f": {contradiction}"
        yield _warn(rule, f"the rule can never be true{reason}.")


def _check_location(node: RulesNode, true_rules: dict[str, Rule]) -> Iterator[Problem]:
    """Yield the warnings about rules without effect and missing indexes, for a location and below it.

    `true_rules` contains the rules of the parents that are always true, by kind.
    """
    true_rules = dict(true_rules)
    for kind in (".read", ".write"):
        rule = node.rules.get(kind)
        if rule is None:
            continue
        if kind in true_rules:
            yield _warn(rule, f"the rule has no effect, because {true_rules[kind]} is true.")
        elif isinstance(rule.expression, Literal) and rule.expression.value is True:
            true_rules[kind] = rule
    if ".read" in node.rules:
        rule = node.rules[".read"]
        for name in _queried_children(rule.expression):
            if name not in node.index_on:
                yield _warn(rule, f'queries by {name!r} need ".indexOn": {_quoted(name)} at this location.')
    for child in node.children.values():
        yield from _check_location(child, true_rules)


def _quoted(name: str) -> str:
    return f'"{name}"'


def _queried_children(node: Expression) -> Iterator[str]:
    """Yield the texts with which `query.orderByChild` is compared."""
    if isinstance(node, Chain) and len(node.operands) == 2 and node.operators[0] in ("==", "==="):
        for operand, value in (node.operands, node.operands[::-1]):
            is_order = (
                isinstance(operand, Member) and isinstance(operand.target, Variable) and operand.name == "orderByChild"
            )
            if is_order and isinstance(value, Literal) and isinstance(value.value, str):
                yield value.value
    for child in children(node):
        yield from _queried_children(child)


def _constant_value(node: Expression) -> Any:
    """Return the value of an expression without variables, or None."""
    pending = [node]
    while pending:
        current = pending.pop()
        if not isinstance(current, (Literal, Chain, Unary)):
            return None
        pending += children(current)
    empty = RuleDataSnapshot(JsonReader(), None)
    try:
        return compile_expression(node)(Scope(None, 0, empty, empty))
    except (EvaluationError, KeyError):
        return None


def _contradiction(node: Expression, source: str) -> str | None:
    """Return why two operands of `&&` cannot both be true (`a == 1 && a == 2`, `a && !a`), or None."""
    if not isinstance(node, Chain) or node.operators[0] != "&&":
        return None
    comparisons: dict[str, tuple[str, Any]] = {}
    required: dict[str, bool] = {}
    for operand in node.operands:
        text = source[operand.start : operand.end]
        positive_text, is_true = _without_negation(operand, source)
        if required.setdefault(positive_text, is_true) is not is_true:
            return f"{positive_text} cannot be both true and false"
        if isinstance(operand, Chain) and operand.operators in (("==",), ("===",)):
            left, right = operand.operands
            if isinstance(right, Literal):
                name = source[left.start : left.end]
                first_text, first_value = comparisons.setdefault(name, (text, right.value))
                if first_value != right.value:
                    return f"{first_text} contradicts {text}"
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
