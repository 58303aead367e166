"""Compiles the expressions of Storage rules to Python functions.

Invariant: an error makes a rule false, except that `||` and `&&` ignore an error if another operand determines the
result.
https://firebase.google.com/docs/reference/security/storage#errors
"""

# Values of rules have no static type: they are checked when a rule runs.
# pyright: reportUnknownMemberType=false, reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownParameterType=false

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

from firebase_rest.rules import syntax
from firebase_rest.rules.database_evaluator import fold, observed
from firebase_rest.rules.decisions import Observe
from firebase_rest.rules.errors import EvaluationError, ExpressionError, suggestion
from firebase_rest.rules.parser import CONSTANTS
from firebase_rest.rules.storage_functions import FUNCTIONS
from firebase_rest.rules.storage_syntax import Function
from firebase_rest.rules.storage_values import METHODS, Duration, Path, Timestamp, contains, equal, kind, require
from firebase_rest.rules.values import bounded, is_number

MAX_CALL_DEPTH = 20
MAX_CALLS = 1000
"""Maximum number of function calls of a condition. Firebase evaluates at most 1,000 expressions for a request."""
_NAMESPACES = ("math", "hashing", "duration", "timestamp", "firestore")
_TYPES = frozenset({"number", *METHODS, "bool", "int", "float"})


@dataclass(slots=True)
class StorageScope:
    """The variables of one evaluation.

    Attributes:
        variables: `request`, `resource` and the wildcards.
        local: The parameters and `let` bindings of the current function.
        depth: The number of nested function calls.
        calls: A list with one item for each function call so far, which all scopes of an evaluation share.
    """

    variables: Mapping[str, Any]
    local: dict[str, Any] = field(default_factory=dict[str, Any])
    depth: int = 0
    calls: list[None] = field(default_factory=list[None])


Evaluate: TypeAlias = Callable[[StorageScope], Any]


class Names:
    """The names that an expression can use. `parent` contains the names of the enclosing block."""

    def __init__(self, parent: Names | None, variables: frozenset[str], functions: Mapping[str, Function]) -> None:
        self.parent = parent
        self.variables: frozenset[str] = variables | (parent.variables if parent else frozenset())
        self.functions = functions

    def find(self, name: str) -> tuple[Function, Names] | None:
        """Return a function and the names that it can use, or None."""
        if name in self.functions:
            return self.functions[name], self
        return self.parent.find(name) if self.parent else None


class Compiler:
    """Compiles expressions.

    Args:
        names: The names that the expressions can use.
        warnings: Receives the offset and the text of a warning for each unknown name.
        observe: Observes the values of all sub-expressions, including those in functions.
        compiled: The compiled functions, by `id`; None for a function that is being compiled.
    """

    def __init__(
        self,
        names: Names,
        warnings: list[tuple[int, str]],
        observe: Observe | None = None,
        compiled: dict[int, Evaluate | None] | None = None,
    ) -> None:
        self._names = names
        self._warnings = warnings
        self._observe = observe
        self._compiled: dict[int, Evaluate | None] = {} if compiled is None else compiled
        self._local: frozenset[str] = frozenset()
        self._compilers: dict[type, Callable[[Any], Evaluate]] = {
            syntax.Literal: self._literal,
            syntax.ListLiteral: self._list,
            syntax.MapLiteral: self._map,
            syntax.PathLiteral: self._path,
            syntax.Variable: self._variable,
            syntax.Unary: self._unary,
            syntax.Chain: self._chain,
            syntax.Conditional: self._conditional,
            syntax.Member: self._member,
            syntax.IndexAccess: self._index,
            syntax.Slice: self._slice,
            syntax.Call: self._call,
        }

    def compile(self, node: syntax.Expression) -> Evaluate:
        """Return a function that evaluates the expression. Raises `ExpressionError`."""
        evaluate: Evaluate = self._compilers[type(node)](node)
        return evaluate if self._observe is None else observed(evaluate, self._observe(node))

    # --- names ---

    def _unknown(self, node: syntax.Expression, message: str) -> Evaluate:
        self._warnings.append((node.start, message))

        def fail(_: StorageScope) -> NoReturn:
            raise EvaluationError(message)

        return fail

    def _variable(self, node: syntax.Variable) -> Evaluate:
        name = node.name
        if name in self._local:
            return lambda scope: scope.local[name]
        if name in self._names.variables:
            return lambda scope: scope.variables[name]
        hint = suggestion(name, (*self._names.variables, *self._local, *CONSTANTS))
        return self._unknown(node, f"Unknown variable '{name}'.{hint}")

    def _call(self, node: syntax.Call) -> Evaluate:
        target = node.function
        arguments = [self.compile(argument) for argument in node.arguments]
        if isinstance(target, syntax.Variable):
            function_and_names = self._names.find(target.name)
            if function_and_names is not None:
                return self._call_function(node, *function_and_names, arguments)
            return self._call_global(node, target.name, arguments)
        if not isinstance(target, syntax.Member):
            raise ExpressionError("Only functions and methods can be called.", node.start)
        if isinstance(target.target, syntax.Variable) and target.target.name in _NAMESPACES:
            return self._call_global(node, f"{target.target.name}.{target.name}", arguments)
        return self._call_method(node, target, arguments)

    def _call_global(self, node: syntax.Call, name: str, arguments: list[Evaluate]) -> Evaluate:
        if name not in FUNCTIONS:
            hint = suggestion(name, (*self._names.functions, *FUNCTIONS))
            return self._unknown(node, f"Unknown function '{name}'.{hint}")
        count, function = FUNCTIONS[name]
        _check_count(node, name, count)
        return lambda scope: function(*[argument(scope) for argument in arguments])

    def _call_method(self, node: syntax.Call, member: syntax.Member, arguments: list[Evaluate]) -> Evaluate:
        target, name = self.compile(member.target), member.name
        if not any(name in methods for methods in METHODS.values()):
            hint = suggestion(name, (method for methods in METHODS.values() for method in methods))
            return self._unknown(node, f"Unknown method '{name}'.{hint}")

        def call(scope: StorageScope) -> Any:
            value = target(scope)
            count, method = METHODS.get(kind(value), {}).get(name, (-1, None))
            if method is None or count != len(arguments):
                raise EvaluationError(f"{kind(value)} has no method {name}() with {len(arguments)} arguments.")
            return method(value, *[argument(scope) for argument in arguments])

        return call

    def _call_function(
        self, node: syntax.Call, function: Function, names: Names, arguments: list[Evaluate]
    ) -> Evaluate:
        _check_count(node, function.name, len(function.parameters))
        key = id(function)
        if key not in self._compiled:
            self._compiled[key] = None
            inner = Compiler(names, self._warnings, self._observe, self._compiled)
            self._compiled[key] = inner.compile_function(function)
        elif self._compiled[key] is None:
            raise ExpressionError(f"The function '{function.name}' calls itself.", node.start)
        body, parameters = self._compiled[key], function.parameters
        assert body is not None

        def call(scope: StorageScope) -> Any:
            if scope.depth >= MAX_CALL_DEPTH:
                raise EvaluationError(f"Function calls are nested more than {MAX_CALL_DEPTH} levels deep.")
            scope.calls.append(None)
            if len(scope.calls) > MAX_CALLS:
                raise EvaluationError(f"The condition makes more than {MAX_CALLS} function calls.")
            local = {name: argument(scope) for name, argument in zip(parameters, arguments, strict=True)}
            return body(StorageScope(scope.variables, local, scope.depth + 1, scope.calls))

        return call

    def compile_function(self, function: Function) -> Evaluate:
        """Return a function that evaluates a user-defined function in a scope with its arguments."""
        self._local = frozenset(function.parameters)
        bindings: list[tuple[str, Evaluate]] = []
        for name, value in function.bindings:
            bindings.append((name, self.compile(value)))
            self._local |= {name}
        result = self.compile(function.result)

        def run(scope: StorageScope) -> Any:
            for name, evaluate in bindings:
                scope.local[name] = evaluate(scope)
            return result(scope)

        return run

    # --- values ---

    def _literal(self, node: syntax.Literal) -> Evaluate:
        value = node.value
        return lambda _: value

    def _list(self, node: syntax.ListLiteral) -> Evaluate:
        items = [self.compile(item) for item in node.items]
        return lambda scope: [item(scope) for item in items]

    def _map(self, node: syntax.MapLiteral) -> Evaluate:
        entries = [(self.compile(key), self.compile(value)) for key, value in node.entries]
        return lambda scope: {require(key(scope), "string"): value(scope) for key, value in entries}

    def _path(self, node: syntax.PathLiteral) -> Evaluate:
        parts = [(lambda _, text=part: text) if isinstance(part, str) else self.compile(part) for part in node.segments]
        return lambda scope: Path(tuple(require(part(scope), "string") for part in parts))

    def _member(self, node: syntax.Member) -> Evaluate:
        target, name = self.compile(node.target), node.name

        def get(scope: StorageScope) -> Any:
            value = target(scope)
            if (type(value) is dict or isinstance(value, Mapping)) and name in value:
                return value[name]
            if isinstance(value, Mapping):
                raise EvaluationError(f"Property {name} is undefined.")
            raise EvaluationError(f"{kind(value)} has no property {name}.")

        return get

    def _index(self, node: syntax.IndexAccess) -> Evaluate:
        target, key = self.compile(node.target), self.compile(node.key)

        def get(scope: StorageScope) -> Any:
            value, index = target(scope), key(scope)
            sequence = value.segments if isinstance(value, Path) else value
            if isinstance(sequence, (list, str, tuple)) and kind(index) == "int" and 0 <= index < len(sequence):
                return sequence[index]
            if isinstance(value, Mapping) and isinstance(index, str) and index in value:
                return value[index]
            raise EvaluationError(f"{kind(value)} has no element {index!r}.")

        return get

    def _slice(self, node: syntax.Slice) -> Evaluate:
        target, first, last = self.compile(node.target), self.compile(node.first), self.compile(node.last)

        def get(scope: StorageScope) -> Any:
            value, start, end = target(scope), require(first(scope), "int"), require(last(scope), "int")
            if not isinstance(value, (list, str)) or not 0 <= start <= end <= len(value):
                raise EvaluationError(f"{kind(value)} has no range {start}:{end}.")
            return value[start:end]

        return get

    # --- operators ---

    def _unary(self, node: syntax.Unary) -> Evaluate:
        operand = self.compile(node.operand)
        if node.operator == "!":
            return lambda scope: not require(operand(scope), "bool")
        return lambda scope: -require(operand(scope), "number")

    def _conditional(self, node: syntax.Conditional) -> Evaluate:
        branches = [(self.compile(test), self.compile(value)) for test, value in node.branches]
        otherwise = self.compile(node.otherwise)

        def choose(scope: StorageScope) -> Any:
            for test, value in branches:
                if require(test(scope), "bool"):
                    return value(scope)
            return otherwise(scope)

        return choose

    def _chain(self, node: syntax.Chain) -> Evaluate:
        if node.operators[0] in ("&&", "||"):
            return _logical([self.compile(operand) for operand in node.operands], decisive=node.operators[0] == "||")
        first = self.compile(node.operands[0])
        steps: list[tuple[Callable[[Any, Any], Any], Evaluate]] = []
        for symbol, operand in zip(node.operators, node.operands[1:], strict=True):
            if symbol == "is":
                steps.append((_is_type, self._type_name(operand)))
            else:
                steps.append((_OPERATORS[symbol], self.compile(operand)))
        return fold(first, steps)

    def _type_name(self, node: syntax.Expression) -> Evaluate:
        if not isinstance(node, syntax.Variable) or node.name not in _TYPES:
            raise ExpressionError("Expected the name of a type after 'is'.", node.start)
        name = node.name
        return lambda _: name


def _check_count(node: syntax.Call, name: str, count: int) -> None:
    if len(node.arguments) != count:
        plural = "" if count == 1 else "s"
        message = f"{name} expects {count} argument{plural}, but got {len(node.arguments)}."
        raise ExpressionError(message, node.start)


def _logical(operands: list[Evaluate], *, decisive: bool) -> Evaluate:
    """Return the function of `||` (`decisive` is true) or `&&` (false).

    If an operand has the decisive value, it is the result, even if other operands fail.
    """

    def run(scope: StorageScope) -> bool:
        failure: EvaluationError | None = None
        for operand in operands:
            try:
                value = operand(scope)
                if not isinstance(value, bool):
                    failure = failure or EvaluationError(f"{'||' if decisive else '&&'} needs bool, got {kind(value)}.")
                elif value is decisive:
                    return decisive
            except EvaluationError as error:  # noqa: PERF203 - each operand can fail
                failure = failure or error
        if failure is not None:
            raise failure
        return not decisive

    return run


def _is_type(value: Any, name: str) -> bool:
    return is_number(value) if name == "number" else kind(value) == name


def _add(left: Any, right: Any) -> Any:
    if isinstance(left, str) and isinstance(right, str):
        return bounded(left + right)
    if isinstance(left, (Timestamp, Duration)) and isinstance(right, Duration):
        return type(left)(left.nanos + right.nanos)
    if isinstance(left, Duration) and isinstance(right, Timestamp):
        return Timestamp(left.nanos + right.nanos)
    return _arithmetic("+", operator.add, left, right)


def _subtract(left: Any, right: Any) -> Any:
    if isinstance(left, Timestamp) and isinstance(right, Timestamp):
        return Duration(left.nanos - right.nanos)
    if isinstance(left, (Timestamp, Duration)) and isinstance(right, Duration):
        return type(left)(left.nanos - right.nanos)
    return _arithmetic("-", operator.sub, left, right)


def _divide(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        quotient = abs(left) // abs(right)
        return quotient if (left < 0) is (right < 0) else -quotient
    return left / right


def _remainder(left: Any, right: Any) -> Any:
    if isinstance(left, int) and isinstance(right, int):
        return left - right * _divide(left, right)
    return math.fmod(left, right)


def _arithmetic(symbol: str, compute: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    if not is_number(left) or not is_number(right):
        raise EvaluationError(f"{symbol} is not defined for {kind(left)} and {kind(right)}.")
    try:
        value = compute(left, right)
    except (ZeroDivisionError, OverflowError, ValueError):
        raise EvaluationError(f"{left} {symbol} {right} has no result.") from None
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise EvaluationError(f"{left} {symbol} {right} exceeds 64 bits.")
    return value


def _order(symbol: str, compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def apply(left: Any, right: Any) -> bool:
        comparable = is_number(left) and is_number(right)
        if not comparable and (kind(left) != kind(right) or kind(left) not in ("string", "timestamp", "duration")):
            raise EvaluationError(f"{symbol} cannot compare {kind(left)} with {kind(right)}.")
        return compare(left, right)

    return apply


_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "in": contains,
    "<": _order("<", operator.lt),
    "<=": _order("<=", operator.le),
    ">": _order(">", operator.gt),
    ">=": _order(">=", operator.ge),
    "+": _add,
    "-": _subtract,
    "*": lambda left, right: _arithmetic("*", operator.mul, left, right),
    "/": lambda left, right: _arithmetic("/", _divide, left, right),
    "%": lambda left, right: _arithmetic("%", _remainder, left, right),
}
