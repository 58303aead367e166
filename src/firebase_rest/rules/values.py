"""The operators of database rules, with the semantics of JavaScript that Firebase documents.

https://firebase.google.com/docs/reference/security/database#operators
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any, TypeGuard

from firebase_rest.rules.errors import EvaluationError

MAX_TEXT = 16 * 1024 * 1024
"""The longest string that an operator or a method returns. A string in the database has at most 10 MB."""


class PrintableValue:
    """A value with a short `repr`, so that explanations of decisions contain it."""

    __slots__ = ()


def is_number(value: object) -> TypeGuard[int | float]:
    """Return whether the value is a number. (bool is a subclass of int.)"""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def type_name(value: object) -> str:
    """Return the name of the type of a value in the rules language."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    return "number" if is_number(value) else "object"


def number_to_string(value: float) -> str:
    """Return the shortest text of a number, as JavaScript formats it."""
    try:
        number = float(value)
    except OverflowError:
        number = math.inf if value > 0 else -math.inf
    if math.isnan(number):
        return "NaN"
    if math.isinf(number):
        return "Infinity" if number > 0 else "-Infinity"
    if number == int(number) and abs(number) < 1e21:
        return str(int(number))
    digits, _, exponent = repr(number).partition("e")
    if not exponent:
        return digits
    power = int(exponent)
    if -7 < power < 0:
        return format(number, f".{len(digits.replace('.', '').replace('-', '')) - 1 - power}f")
    return f"{digits}e{power:+d}"


def bounded(text: str) -> str:
    """Return the text. Raises `EvaluationError` if it is longer than `MAX_TEXT`."""
    if len(text) > MAX_TEXT:
        raise EvaluationError(f"The string has more than {MAX_TEXT:,} characters.")
    return text


def replace(text: str, old: str, new: str) -> str:
    """Replace each `old` by `new`. Raises `EvaluationError` if the result is longer than `MAX_TEXT`."""
    if len(new) > len(old) and len(text) + text.count(old) * (len(new) - len(old)) > MAX_TEXT:
        raise EvaluationError(f"The string has more than {MAX_TEXT:,} characters.")
    return text.replace(old, new)


def add(left: Any, right: Any) -> Any:
    """Return `left + right`: the sum of numbers, or the concatenation if one operand is a string."""
    if isinstance(left, str):
        if isinstance(right, str):
            return bounded(left + right)
        if is_number(right):
            return left + number_to_string(right)
    elif is_number(left):
        if is_number(right):
            return _as_double(left + right)
        if isinstance(right, str):
            return number_to_string(left) + right
    raise EvaluationError(f"+ needs strings or numbers, got {type_name(left)} and {type_name(right)}.")


def _as_double(value: int | float) -> int | float:
    # Numbers are doubles, so integers beyond 2**53 lose digits, as in Firebase.
    return value if -(2**53) <= value <= 2**53 else float(value)


def _divide(left: float, right: float) -> float:
    return left / right if right else math.nan


def _remainder(left: float, right: float) -> float:
    return math.fmod(left, right) if right and not math.isinf(left) else math.nan


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _remainder,
}
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def arithmetic(symbol: str) -> Callable[[Any, Any], Any]:
    """Return the function of `-`, `*`, `/` or `%`."""
    compute = _ARITHMETIC[symbol]

    def apply(left: Any, right: Any) -> Any:
        if not is_number(left) or not is_number(right):
            raise EvaluationError(f"{symbol} needs numbers, got {type_name(left)} and {type_name(right)}.")
        try:
            return _as_double(compute(left, right))
        except OverflowError:
            return math.inf

    return apply


def equals(left: Any, right: Any) -> bool:
    """Return `left == right`. Values are not converted, so values of different types are not equal."""
    kind = type_name(left)
    if kind != type_name(right):
        return False
    return left is right if kind == "object" else bool(left == right)


def order(symbol: str) -> Callable[[Any, Any], bool]:
    """Return the function of `<`, `<=`, `>` or `>=`."""
    compare = _ORDER[symbol]

    def apply(left: Any, right: Any) -> bool:
        if isinstance(left, str) and isinstance(right, str):
            if left.isascii() and right.isascii():
                return compare(left, right)
            return compare(left.encode("utf-16-be", "surrogatepass"), right.encode("utf-16-be", "surrogatepass"))
        if is_number(left) and is_number(right):
            return compare(left, right)
        if left is None and right is None:
            return symbol in ("<=", ">=")
        raise EvaluationError(f"{symbol} cannot compare {type_name(left)} with {type_name(right)}.")

    return apply


def length(text: str) -> int:
    """Return the length of a text in UTF-16 code units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2
