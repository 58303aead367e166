"""Validate arguments before anything is sent.

Each function returns the argument as a plain Python value, or raises `UsageError`. The message contains the name of the
argument, the constraint, and the passed value or its type.
"""

from __future__ import annotations

import inspect
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import is_dataclass
from decimal import Decimal
from functools import partial
from itertools import islice
from math import isfinite
from numbers import Real
from typing import Any, TypeVar, cast

from firebase_rest.errors import UsageError
from firebase_rest.transport.redaction import redact

F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T")

MAX_SHOWN = 100
"""Maximum length of a value in an error message. A longer value is described by its type and length."""
MAX_ITEMS = 1_000_000
"""Maximum number of items that are read from an iterable, which may be endless."""

SURROGATE = "contains an unpaired surrogate (U+D800 to U+DFFF), which cannot be encoded as UTF-8"


def accepts_keywords_of(options: type) -> Callable[[F], F]:
    """Show the keys of a TypedDict in the signature of a function, in place of its `**options`."""
    hints = {name: getattr(hint, "__forward_arg__", hint) for name, hint in options.__annotations__.items()}
    keyword = partial(inspect.Parameter, kind=inspect.Parameter.KEYWORD_ONLY, default=None)
    keywords = [keyword(name, annotation=hint) for name, hint in hints.items()]

    def decorate(function: F) -> F:
        signature = inspect.signature(function)
        *parameters, _ = signature.parameters.values()
        function.__signature__ = signature.replace(parameters=[*parameters, *keywords])  # type: ignore[attr-defined]
        return function

    return decorate


def validate_keywords(keywords: Mapping[str, object], options: type) -> None:
    """Raise `TypeError`, as Python does, for a keyword that is not a key of a TypedDict."""
    unknown = keywords.keys() - options.__annotations__.keys()
    if unknown:
        raise TypeError(
            f"Unexpected keyword argument {min(unknown)!r}; expected one of: {', '.join(options.__annotations__)}."
        )


def describe(value: object) -> str:
    """Return a short text for an error message, without secrets. No method of the value's class is called."""
    value_type = type(value)
    if value is None or value_type is bool or value_type is float:
        return repr(value)
    if value_type is int and abs(cast(int, value)) < 10**MAX_SHOWN:
        return repr(value)
    if value_type is str:
        text = cast(str, value)
        return redact(repr(text)) if len(text) <= MAX_SHOWN else f"a str of {len(text)} characters"
    return value_type.__name__


def validate_str(name: str, value: object) -> str:
    """Return a string that UTF-8 can encode. The value may be a secret, so the message does not show it."""
    if not isinstance(value, str):
        raise UsageError(f"{name} must be a str, got {type(value).__name__}.")
    text = str.__str__(value)
    if is_encodable(text):
        return text
    raise UsageError(f"{name} {SURROGATE}.")


def is_encodable(text: str) -> bool:
    """Return whether UTF-8 can encode a string, which is not the case with an unpaired surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def validate_nonempty(name: str, value: object) -> str:
    """Return a string that is not empty."""
    text = validate_str(name, value)
    if not text:
        raise UsageError(f"{name} must not be empty.")
    return text


def validate_bool(name: str, value: object) -> bool:
    """Return a bool."""
    if isinstance(value, bool):
        return value
    raise UsageError(f"{name} must be True or False, got {describe(value)}.")


def as_int(value: object) -> int | None:
    """Return `value` as an int, or None if it is not an integer. Integers of NumPy are accepted."""
    if isinstance(value, bool):
        return None
    try:
        return int(operator.index(cast(Any, value)))
    except Exception:  # noqa: BLE001 - classes of other libraries can raise anything
        return None


def validate_int(name: str, value: object, minimum: int, maximum: int | None = None) -> int:
    """Return a whole number from `minimum` to `maximum`."""
    number = as_int(value)
    if number is not None and number >= minimum and (maximum is None or number <= maximum):
        return number
    bounds = f"from {minimum:,} to {maximum:,}" if maximum is not None else f">= {minimum}"
    is_number = isinstance(value, (str, Real, Decimal)) and not isinstance(value, (bool, int))
    hint = "; convert it with int()" if is_number else ""
    raise UsageError(f"{name} must be a whole number {bounds}, got {describe(value)}{hint}.")


def as_float(value: object) -> float | None:
    """Return `value` as a finite float, or None if it is not a real number. Decimal and complex are not accepted."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return None
    try:
        number = float(value)
    except Exception:  # noqa: BLE001 - the number exceeds a float, or another library raises anything
        return None
    return number if isfinite(number) else None


def validate_seconds(name: str, value: object, minimum: float = 0, maximum: float | None = None) -> float:
    """Return a number of seconds from `minimum` to `maximum`."""
    number = as_float(value)
    if number is not None and number >= minimum and (maximum is None or number <= maximum):
        return number
    bounds = f"from {minimum:g} to {maximum:g}" if maximum is not None else f">= {minimum:g}"
    hint = "; convert it with float()" if isinstance(value, (Decimal, complex)) else ""
    raise UsageError(f"{name} must be a number of seconds {bounds}, got {describe(value)}{hint}.")


def validate_list(name: str, values: object) -> list[Any]:
    """Return the items of an iterable. Raises `UsageError` for a str, bytes or a mapping."""
    type_name = type(values).__name__
    if isinstance(values, (str, bytes, bytearray, memoryview, Mapping)) or not isinstance(values, Iterable):
        raise UsageError(f"{name} must be a list, got {type_name}; put a single item in [brackets].")
    items = cast("Iterable[object]", values)
    return _read_items(name, lambda: list(islice(items, MAX_ITEMS)))


def validate_dict(name: str, value: object) -> dict[Any, Any]:
    """Return a mapping as a dict."""
    if not isinstance(value, Mapping):
        raise UsageError(f"{name} must be a dict, got {type(value).__name__}.")
    items = cast("Mapping[object, object]", value)
    return _read_items(name, lambda: dict(items))


def validate_str_dict(name: str, value: object) -> dict[str, str]:
    """Return a mapping of strings to strings. None stands for {}."""
    if value is None:
        return {}
    return {
        validate_str(f"each key of {name}", key): validate_str(f"each value of {name}", item)
        for key, item in validate_dict(name, value).items()
    }


def validate_instance(name: str, value: object, cls: type[T], hint: str = "") -> T:
    """Return an instance of `cls`. `hint` explains how to get one."""
    if isinstance(value, cls):
        return value
    advice = f"; {hint}" if hint else ""
    raise UsageError(f"{name} must be of class {cls.__name__}, got {type(value).__name__}{advice}.")


def validate_callable(name: str, value: object, hint: str = "") -> Callable[..., Any]:
    """Return a function that is called without `await`. `hint` is advice for a coroutine function."""
    if not callable(value):
        raise UsageError(f"{name} must be callable, got {type(value).__name__}.")
    function: Any = cast("partial[object]", value).func if isinstance(value, partial) else value
    if any(map(_is_async, (function, getattr(function, "__call__", None)))):  # noqa: B004 - an object's async __call__
        advice = f"; {hint}" if hint else ""
        raise UsageError(f"{name} must be a plain function, got a coroutine function (async def){advice}.")
    return cast("Callable[..., Any]", value)


def validate_handler(name: str, value: object) -> Callable[..., Any]:
    """Return a function that is called with events."""
    return validate_callable(name, value, "handlers of firebase_rest.aio may be coroutine functions")


def _is_async(value: object) -> bool:
    return inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value)


def _read_items(name: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except Exception as error:  # noqa: BLE001 - the caller's object can raise anything
        problem = type(error).__name__
    raise UsageError(f"{name} cannot be read: it raised {problem}; pass a list or a dict.")


# --- arguments of child() --------------------------------------------------------------------------------------------


def path_text(part: object, call: str = "child()") -> str:
    """Return `part` as text. Raises `UsageError` for objects whose text is not a path, such as lists."""
    if isinstance(part, str):
        return part
    # Not an iterable object, such as bytes, a container, a snapshot or a generator.
    if part is not None and not issubclass(type(part), Iterable):
        try:
            text = str(part)
        except Exception:  # noqa: BLE001 - an int of more than 4,300 digits, or the caller's object raises anything
            text = "<too long>"
        # Text that only developers read, such as "<Item 'k'>" or "<function f at 0x7f>", is not a path.
        has_own_text = type(part).__str__ is not object.__str__
        if has_own_text or not (callable(part) or is_dataclass(part) or text.startswith("<")):
            return text
    raise UsageError(
        f"{call} arguments must be strings, numbers, dates or UUIDs, got {type(part).__name__}; {_path_hint(part)}."
    )


def _path_hint(part: object) -> str:
    if part is None:
        return "check the variable that should hold a key"
    if isinstance(part, (bytes, bytearray, memoryview)):
        return "decode it: bytes(...).decode()"
    if isinstance(part, Mapping):
        has_name = type(cast("object", part)) is dict and "name" in cast("dict[object, object]", part)
        return 'pass its ["name"], as in child(result["name"])' if has_name else "pass one of its values"
    if isinstance(part, (list, tuple)):
        return "pass its items one by one: child(*items)"
    if callable(getattr(part, "val", None)):  # a snapshot or an item
        return "pass its .key()"
    if hasattr(part, "database_url"):  # a reference
        return "pass its .key or its .path"
    if hasattr(part, "full_path"):  # a reference to a file
        return "pass its .full_path"
    return "call it, if its result is the key" if callable(part) else "pass text"
