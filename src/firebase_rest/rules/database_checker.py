"""The static type check of a rule's expression, which Firebase runs when rules are published.

A value from the database has the type `PRIMITIVE`, and a value below `auth` has the type `ANY`. Values of these types
are checked when the rule is evaluated.
https://firebase.google.com/docs/reference/security/database
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple, NoReturn

from firebase_rest.rules import syntax
from firebase_rest.rules.errors import ExpressionError, suggestion
from firebase_rest.rules.parser import CONSTANTS
from firebase_rest.rules.regex import compile_regex


class Type(Enum):
    """The static type of an expression."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"
    SNAPSHOT = "snapshot"
    QUERY = "query"
    REGEX = "regex"
    LIST = "list"
    PRIMITIVE = "primitive"
    ANY = "any"


class Signature(NamedTuple):
    """The types of a method's arguments and of its result."""

    arguments: tuple[Type, ...]
    result: Type


_FLEXIBLE = frozenset({Type.PRIMITIVE, Type.ANY})
_SCALARS = frozenset({Type.STRING, Type.NUMBER, Type.BOOLEAN, Type.NULL})

STRING_METHODS = {
    "contains": Signature((Type.STRING,), Type.BOOLEAN),
    "beginsWith": Signature((Type.STRING,), Type.BOOLEAN),
    "endsWith": Signature((Type.STRING,), Type.BOOLEAN),
    "replace": Signature((Type.STRING, Type.STRING), Type.STRING),
    "toLowerCase": Signature((), Type.STRING),
    "toUpperCase": Signature((), Type.STRING),
    "matches": Signature((Type.REGEX,), Type.BOOLEAN),
}
SNAPSHOT_METHODS = {
    "val": Signature((), Type.PRIMITIVE),
    "child": Signature((Type.STRING,), Type.SNAPSHOT),
    "parent": Signature((), Type.SNAPSHOT),
    "hasChild": Signature((Type.STRING,), Type.BOOLEAN),
    "exists": Signature((), Type.BOOLEAN),
    "getPriority": Signature((), Type.ANY),
    "isNumber": Signature((), Type.BOOLEAN),
    "isString": Signature((), Type.BOOLEAN),
    "isBoolean": Signature((), Type.BOOLEAN),
}
QUERY_PROPERTIES = {
    "orderByKey": Type.BOOLEAN,
    "orderByPriority": Type.BOOLEAN,
    "orderByValue": Type.BOOLEAN,
    "orderByChild": Type.STRING,
    "startAt": Type.PRIMITIVE,
    "endAt": Type.PRIMITIVE,
    "equalTo": Type.PRIMITIVE,
    "limitToFirst": Type.NUMBER,
    "limitToLast": Type.NUMBER,
}
_VARIABLES = {
    "auth": Type.ANY,
    "now": Type.NUMBER,
    "root": Type.SNAPSHOT,
    "data": Type.SNAPSHOT,
    "query": Type.QUERY,
}
_OPERANDS = {
    "+": frozenset({Type.STRING, Type.NUMBER}),
    **dict.fromkeys(("-", "*", "/", "%"), frozenset({Type.NUMBER})),
    **dict.fromkeys(("==", "===", "!=", "!=="), _SCALARS),
    **dict.fromkeys(("<", "<=", ">", ">="), frozenset({Type.STRING, Type.NUMBER, Type.NULL})),
}
_ALLOWED = {
    "+": "a string or number",
    **dict.fromkeys(("-", "*", "/", "%"), "a number"),
    **dict.fromkeys(("==", "===", "!=", "!=="), "a number, boolean, string, or null"),
    **dict.fromkeys(("<", "<=", ">", ">="), "a number, string, or null"),
}


def check_rule(expression: syntax.Expression, wildcards: Iterable[str], *, has_new_data: bool) -> None:
    """Raise `ExpressionError` if the expression cannot be published as a rule."""
    variables = dict(_VARIABLES)
    variables.update(dict.fromkeys(wildcards, Type.STRING))
    if has_new_data:
        variables["newData"] = Type.SNAPSHOT
    checker = _Checker(variables)
    if checker.type_of(expression) is not Type.BOOLEAN:
        raise ExpressionError("The rule must evaluate to a boolean.", expression.start)


def _fail(node: syntax.Expression, message: str) -> NoReturn:
    raise ExpressionError(message, node.start)


class _Checker:
    def __init__(self, variables: dict[str, Type]) -> None:
        self._variables = variables

    def type_of(self, node: syntax.Expression) -> Type:
        if isinstance(node, syntax.Literal):
            return _type_of_constant(node.value)
        if isinstance(node, syntax.Variable):
            if node.name not in self._variables:
                _fail(node, f"Unknown variable '{node.name}'.{suggestion(node.name, (*self._variables, *CONSTANTS))}")
            return self._variables[node.name]
        if isinstance(node, syntax.Chain):
            return self._chain(node)
        if isinstance(node, syntax.Unary):
            return self._unary(node)
        if isinstance(node, syntax.Conditional):
            return self._conditional(node)
        if isinstance(node, syntax.Call):
            return self._call(node)
        if isinstance(node, (syntax.Member, syntax.IndexAccess)):
            return self._property(node)
        if isinstance(node, syntax.RegexLiteral):
            if node.flags not in ("", "i"):
                _fail(node, f"Invalid flags '{node.flags}' of a regular expression; only 'i' is allowed.")
            try:
                compile_regex(node.pattern, ignore_case=node.flags == "i")
            except ExpressionError as error:
                raise ExpressionError(error.message, node.start + 1 + error.offset) from None
            return Type.REGEX
        return Type.LIST

    def _chain(self, node: syntax.Chain) -> Type:
        types = [self.type_of(operand) for operand in node.operands]
        if node.operators[0] in ("||", "&&"):
            for index, (operand, operand_type) in enumerate(zip(node.operands, types, strict=True)):
                if operand_type is not Type.BOOLEAN:
                    side, operator = ("Left", node.operators[0]) if index == 0 else ("Right", node.operators[index - 1])
                    _fail(operand, f"{side} operand of {operator} must be boolean.")
            return Type.BOOLEAN
        result = types[0]
        for operator, operand, right in zip(node.operators, node.operands[1:], types[1:], strict=True):
            result = _binary(node.operands[0], operator, result, operand, right)
        return result

    def _unary(self, node: syntax.Unary) -> Type:
        operand = self.type_of(node.operand)
        if node.operator == "!":
            if operand is not Type.BOOLEAN:
                _fail(node, "! only operates on booleans.")
            return Type.BOOLEAN
        if operand is not Type.NUMBER and operand not in _FLEXIBLE:
            _fail(node, "- only operates on numbers.")
        return Type.NUMBER

    def _conditional(self, node: syntax.Conditional) -> Type:
        results: list[Type] = []
        for test, value in node.branches:
            if self.type_of(test) is not Type.BOOLEAN:
                _fail(test, "The condition of ? must be boolean.")
            results.append(self.type_of(value))
        results.append(self.type_of(node.otherwise))
        return results[0] if all(result is results[0] for result in results) else Type.PRIMITIVE

    def _property(self, node: syntax.Member | syntax.IndexAccess) -> Type:
        target = self.type_of(node.target)
        name = node.name if isinstance(node, syntax.Member) else _constant_name(node.key)
        if target is Type.ANY:
            if isinstance(node, syntax.IndexAccess):
                self.type_of(node.key)
            return Type.ANY
        if name is None:
            if target is Type.PRIMITIVE:
                if isinstance(node, syntax.IndexAccess):
                    self.type_of(node.key)
                return Type.ANY
            _fail(node, "Invalid property access.")
        if target is Type.QUERY and name in QUERY_PROPERTIES:
            return QUERY_PROPERTIES[name]
        if target in (Type.STRING, Type.PRIMITIVE) and name == "length":
            return Type.NUMBER
        hint = suggestion(name, QUERY_PROPERTIES) if target is Type.QUERY else ""
        raise ExpressionError(f"No such method/property '{name}'.{hint}", _name_start(node))

    def _call(self, node: syntax.Call) -> Type:
        function = node.function
        if not isinstance(function, (syntax.Member, syntax.IndexAccess)):
            _fail(node, "Type error: Function call on target that is not a function.")
        name = function.name if isinstance(function, syntax.Member) else _constant_name(function.key)
        if name is None:
            _fail(function, "Invalid property access.")
        target = self.type_of(function.target)
        if target is Type.SNAPSHOT:
            if name == "hasChildren":
                return self._has_children(node)
            methods = SNAPSHOT_METHODS
        elif target is Type.STRING or target in _FLEXIBLE:
            methods = STRING_METHODS
        else:
            methods = {}
        signature = methods.get(name)
        if signature is None:
            hint = suggestion(name, methods)
            raise ExpressionError(f"No such method/property '{name}'.{hint}", _name_start(function))
        count = len(signature.arguments)
        if count != len(node.arguments):
            plural = "" if count == 1 else "s"
            _fail(node, f"{name} expects {count} argument{plural}, but got {len(node.arguments)}.")
        for number, (argument, expected) in enumerate(zip(node.arguments, signature.arguments, strict=True), 1):
            actual = self.type_of(argument)
            # A regular expression must be written as a literal, because it is compiled when the rules are published.
            if actual is not expected and (actual not in _FLEXIBLE or expected is Type.REGEX):
                _fail(argument, f"{name} expects argument {number} to be a {expected.value}, but got {actual.value}.")
        return signature.result

    def _has_children(self, node: syntax.Call) -> Type:
        if len(node.arguments) > 1:
            _fail(node, "Too many arguments to hasChildren.")
        for argument in node.arguments:
            if not isinstance(argument, syntax.ListLiteral):
                _fail(argument, "hasChildren takes 1 argument: an array of strings.")
            if not argument.items:
                _fail(argument, "hasChildren got an empty array, expected some strings in there.")
            for item in argument.items:
                item_type = self.type_of(item)
                if item_type is not Type.STRING and item_type not in _FLEXIBLE:
                    _fail(item, "hasChildren got an array with a non-string value.")
        return Type.BOOLEAN


def _binary(first: syntax.Expression, operator: str, left: Type, operand: syntax.Expression, right: Type) -> Type:
    allowed = _OPERANDS[operator]
    for side, node, operand_type in (("left", first, left), ("right", operand, right)):
        if operand_type not in allowed and operand_type not in _FLEXIBLE:
            _fail(node, f"Invalid {operator} expression: {side} operand is not {_ALLOWED[operator]}.")
    if operator == "+":
        if Type.STRING in (left, right):
            return Type.STRING
        return Type.NUMBER if left is right is Type.NUMBER else Type.PRIMITIVE
    if operator in "-*/%":
        return Type.NUMBER
    is_order = operator in ("<", "<=", ">", ">=")
    if is_order and left is not right and left not in _FLEXIBLE and right not in _FLEXIBLE:
        _fail(operand, f"Invalid {operator} expression: left and right operands have different types.")
    return Type.BOOLEAN


def _type_of_constant(value: object) -> Type:
    if value is None:
        return Type.NULL
    if isinstance(value, bool):
        return Type.BOOLEAN
    return Type.STRING if isinstance(value, str) else Type.NUMBER


def _constant_name(key: syntax.Expression) -> str | None:
    """Return the name in `target["name"]`, or None if the key is not a string literal."""
    return key.value if isinstance(key, syntax.Literal) and isinstance(key.value, str) else None


def _name_start(node: syntax.Member | syntax.IndexAccess) -> int:
    return node.name_start if isinstance(node, syntax.Member) else node.key.start
