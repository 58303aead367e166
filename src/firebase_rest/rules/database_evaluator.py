"""Compiles the expressions of database rules to Python functions.

Invariant: an error in any evaluated sub-expression raises `EvaluationError`, which makes the whole rule false.
https://firebase.google.com/docs/reference/security/database
"""

# Values of rules have no static type: they are checked when a rule runs.
# pyright: reportUnknownMemberType=false, reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from firebase_rest.rules import syntax
from firebase_rest.rules.database_snapshots import RuleDataSnapshot
from firebase_rest.rules.decisions import Observe, Record
from firebase_rest.rules.errors import EvaluationError
from firebase_rest.rules.regex import Regex, compile_regex
from firebase_rest.rules.values import add, arithmetic, equals, is_number, length, order, replace, type_name

T = TypeVar("T")
_Step: TypeAlias = tuple[Callable[[Any, Any], Any], Callable[[Any], Any]]

PLAIN_QUERY: Mapping[str, Any] = {
    "orderByKey": True,
    "orderByPriority": False,
    "orderByValue": False,
    "orderByChild": None,
    "startAt": None,
    "endAt": None,
    "equalTo": None,
    "limitToFirst": None,
    "limitToLast": None,
}
"""The variable `query` for a read without a query."""


@dataclass(slots=True)
class Scope:
    """The variables of the rules at one location.

    Attributes:
        auth: The variable `auth`.
        now: The time in milliseconds since the epoch.
        root: The root before the operation.
        data: The location before the operation.
        new_data: The location after a write; None for a read.
        query: The query of a read; None for a write.
        wildcards: The values of wildcards such as `$uid`.
        path: The path of the location, with a slash before each key.
    """

    auth: Mapping[str, Any] | None
    now: float
    root: RuleDataSnapshot[Any]
    data: RuleDataSnapshot[Any]
    new_data: RuleDataSnapshot[Any] | None = None
    query: Mapping[str, Any] | None = None
    wildcards: Mapping[str, str] = field(default_factory=dict[str, str])
    path: str = ""

    def child(self, key: str, wildcard: str) -> Scope:
        """Return the variables at the child `key`. `wildcard` is the wildcard that matches the key, or ""."""
        return Scope(
            self.auth,
            self.now,
            self.root,
            self.data.child_of_key(key),
            None if self.new_data is None else self.new_data.child_of_key(key),
            self.query,
            {**self.wildcards, wildcard: key} if wildcard else self.wildcards,
            f"{self.path}/{key}",
        )


Evaluate: TypeAlias = Callable[[Scope], Any]


def compile_expression(node: syntax.Expression, observe: Observe | None = None) -> Evaluate:
    """Return a function that evaluates the expression."""
    evaluate = _COMPILERS[type(node)](node, observe)
    return evaluate if observe is None else observed(evaluate, observe(node))


def observed(evaluate: Callable[[T], Any], record: Record | None) -> Callable[[T], Any]:
    """Return `evaluate`, or if there is a `record`, a function that also records its values and failures."""
    if record is None:
        return evaluate

    def run(scope: T) -> Any:
        try:
            value = evaluate(scope)
        except EvaluationError as error:
            record(error)
            raise
        record(value)
        return value

    return run


def _literal(node: syntax.Literal, _: Observe | None) -> Evaluate:
    value = node.value
    return lambda _: value


def _regex(node: syntax.RegexLiteral, _: Observe | None) -> Evaluate:
    regex = compile_regex(node.pattern, ignore_case=node.flags == "i")
    return lambda _: regex


def _list(node: syntax.ListLiteral, observe: Observe | None) -> Evaluate:
    items = [compile_expression(item, observe) for item in node.items]
    return lambda scope: [item(scope) for item in items]


def _variable(node: syntax.Variable, _: Observe | None) -> Evaluate:
    name = node.name
    if name.startswith("$"):
        return lambda scope: scope.wildcards[name]
    return _VARIABLES[name]


def _query(scope: Scope) -> Mapping[str, Any]:
    if scope.query is None:
        raise EvaluationError("query is only available in .read rules.")
    return scope.query


_VARIABLES: dict[str, Evaluate] = {
    "auth": lambda scope: scope.auth,
    "now": lambda scope: scope.now,
    "root": lambda scope: scope.root,
    "data": lambda scope: scope.data,
    "newData": lambda scope: scope.new_data,
    "query": _query,
}


def _unary(node: syntax.Unary, observe: Observe | None) -> Evaluate:
    operand = compile_expression(node.operand, observe)
    if node.operator == "!":
        return lambda scope: not operand(scope)

    def negate(scope: Scope) -> Any:
        value = operand(scope)
        if not is_number(value):
            raise EvaluationError(f"- needs a number, got {type_name(value)}.")
        return -value

    return negate


def _chain(node: syntax.Chain, observe: Observe | None) -> Evaluate:
    operands = [compile_expression(operand, observe) for operand in node.operands]
    if node.operators[0] == "&&":
        return lambda scope: all(operand(scope) for operand in operands)
    if node.operators[0] == "||":
        return lambda scope: any(operand(scope) for operand in operands)
    first, steps = operands[0], list(zip(map(_operator, node.operators), operands[1:], strict=True))
    if len(steps) == 1:
        ((apply, second),) = steps
        return lambda scope: apply(first(scope), second(scope))
    return fold(first, steps)


def fold(first: Callable[[Any], Any], steps: Sequence[_Step]) -> Callable[[Any], Any]:
    """Return a function that evaluates `first`, and then applies each operator to the result and its operand."""

    def evaluate(scope: Any) -> Any:
        value = first(scope)
        for apply, operand in steps:
            value = apply(value, operand(scope))
        return value

    return evaluate


def _operator(symbol: str) -> Callable[[Any, Any], Any]:
    if symbol == "+":
        return add
    if symbol in ("==", "==="):
        return equals
    if symbol in ("!=", "!=="):
        return lambda left, right: not equals(left, right)
    return arithmetic(symbol) if symbol in "-*/%" else order(symbol)


def _conditional(node: syntax.Conditional, observe: Observe | None) -> Evaluate:
    branches = [
        (compile_expression(test, observe), compile_expression(value, observe)) for test, value in node.branches
    ]
    otherwise = compile_expression(node.otherwise, observe)

    def choose(scope: Scope) -> Any:
        for test, value in branches:
            if test(scope):
                return value(scope)
        return otherwise(scope)

    return choose


def _property(node: syntax.Member | syntax.IndexAccess, observe: Observe | None) -> Evaluate:
    target = compile_expression(node.target, observe)
    if isinstance(node, syntax.IndexAccess):
        key = compile_expression(node.key, observe)
        return lambda scope: _get(target(scope), key(scope))
    name = node.name

    def get(scope: Scope) -> Any:
        value = target(scope)
        return value.get(name) if type(value) is dict else _get(value, name)

    return get


def _get(target: Any, name: Any) -> Any:
    """Return a member, or None if it is missing or the target is null."""
    if isinstance(target, str):
        return length(target) if name == "length" else None
    if isinstance(target, Mapping):
        return target.get(name) if isinstance(name, str) else None
    if isinstance(target, list):
        if name == "length":
            return len(target)
        return target[int(name)] if is_number(name) and 0 <= name < len(target) else None
    return None


def _call(node: syntax.Call, observe: Observe | None) -> Evaluate:
    function = node.function
    assert isinstance(function, (syntax.Member, syntax.IndexAccess))
    target = compile_expression(function.target, observe)
    name = function.name if isinstance(function, syntax.Member) else getattr(function.key, "value", "")
    arguments = [compile_expression(argument, observe) for argument in node.arguments]
    if name in _SNAPSHOT_METHODS:  # strings have no method of this name, so the target is a snapshot
        return _call_snapshot(_SNAPSHOT_METHODS[name], target, arguments)
    method = _STRING_METHODS[name]

    def call(scope: Scope) -> Any:
        value = target(scope)
        argument_values = [argument(scope) for argument in arguments]
        if not isinstance(value, str):
            raise EvaluationError(f"{name}() needs a string, got {type_name(value)}.")
        return method(value, *argument_values)

    return call


def _call_snapshot(method: Callable[..., Any], target: Evaluate, arguments: Sequence[Evaluate]) -> Evaluate:
    if not arguments:
        return lambda scope: method(target(scope))
    (argument,) = arguments
    return lambda scope: method(target(scope), argument(scope))


def _require_string(value: Any) -> str:
    if not isinstance(value, str):
        raise EvaluationError(f"Expected a string, got {type_name(value)}.")
    return value


def _matches(text: str, regex: Any) -> bool:
    if not isinstance(regex, Regex):
        raise EvaluationError("matches() needs a regular expression.")
    return regex.matches(text)


def _has_children(snapshot: RuleDataSnapshot[Any], paths: list[Any] | None = None) -> bool:
    return snapshot.has_children(None if paths is None else tuple(map(_require_string, paths)))


_STRING_METHODS: dict[str, Callable[..., Any]] = {
    "contains": lambda text, part: _require_string(part) in text,
    "beginsWith": lambda text, part: text.startswith(_require_string(part)),
    "endsWith": lambda text, part: text.endswith(_require_string(part)),
    "replace": lambda text, old, new: replace(text, _require_string(old), _require_string(new)),
    "toLowerCase": lambda text: text.lower(),
    "toUpperCase": lambda text: text.upper(),
    "matches": _matches,
}
_SNAPSHOT_METHODS: dict[str, Callable[..., Any]] = {
    "val": lambda snapshot: snapshot.val(),
    "child": lambda snapshot, path: snapshot.child(_require_string(path)),
    "parent": lambda snapshot: snapshot.parent(),
    "hasChild": lambda snapshot, path: snapshot.child(_require_string(path)).exists(),
    "hasChildren": _has_children,
    "exists": lambda snapshot: snapshot.exists(),
    "getPriority": lambda snapshot: snapshot.get_priority(),
    "isNumber": lambda snapshot: is_number(snapshot.val()),
    "isString": lambda snapshot: isinstance(snapshot.val(), str),
    "isBoolean": lambda snapshot: isinstance(snapshot.val(), bool),
}
_COMPILERS: dict[type, Callable[[Any, Observe | None], Evaluate]] = {
    syntax.Literal: _literal,
    syntax.RegexLiteral: _regex,
    syntax.ListLiteral: _list,
    syntax.Variable: _variable,
    syntax.Unary: _unary,
    syntax.Chain: _chain,
    syntax.Conditional: _conditional,
    syntax.Member: _property,
    syntax.IndexAccess: _property,
    syntax.Call: _call,
}
