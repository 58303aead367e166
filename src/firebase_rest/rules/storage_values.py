"""Values of Storage rules: timestamps, durations, paths and map differences, and the methods of every type.

https://firebase.google.com/docs/reference/rules/rules
"""

# Values of rules have no static type: they are checked when a rule runs.
# pyright: reportUnknownMemberType=false, reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownParameterType=false

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from string import ascii_lowercase, ascii_uppercase
from typing import Any

from firebase_rest.rules.errors import EvaluationError, ExpressionError
from firebase_rest.rules.re2 import compile_re2
from firebase_rest.rules.values import MAX_TEXT, PrintableValue, is_number, length

SECOND = 1_000_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True, order=True)
class Duration(PrintableValue):
    """A time span in nanoseconds."""

    nanos: int

    def __repr__(self) -> str:
        return f"duration({self.nanos / SECOND:g} s)"


@dataclass(frozen=True, slots=True, order=True)
class Timestamp(PrintableValue):
    """A point of time: nanoseconds since the epoch, UTC."""

    nanos: int

    def date(self) -> datetime:
        """Return the time as a `datetime`, without the part below a microsecond."""
        try:
            return _EPOCH + timedelta(microseconds=self.nanos // 1000)
        except OverflowError:
            raise EvaluationError("The timestamp is out of range.") from None

    def __repr__(self) -> str:
        return f"timestamp({self.date().isoformat()})"


@dataclass(frozen=True, slots=True)
class Path(PrintableValue):
    """A path: its segments."""

    segments: tuple[str, ...]

    def __str__(self) -> str:
        return "/" + "/".join(self.segments)

    def __repr__(self) -> str:
        return str(self)


@dataclass(frozen=True, slots=True)
class MapDiff:
    """The result of `after.diff(before)`."""

    after: Mapping[str, Any]
    before: Mapping[str, Any]


def kind(value: Any) -> str:
    """Return the name of a value's type in the rules language."""
    name = _EXACT_KINDS.get(type(value))
    if name is not None:
        return name
    return next((name for types, name in _KINDS if isinstance(value, types)), "unknown")


_KINDS: tuple[tuple[Any, str], ...] = (
    (type(None), "null"),
    (bool, "bool"),
    (int, "int"),
    (float, "float"),
    (str, "string"),
    (bytes, "bytes"),
    (list, "list"),
    (frozenset, "set"),
    (Mapping, "map"),
    (Timestamp, "timestamp"),
    (Duration, "duration"),
    (Path, "path"),
    (MapDiff, "map_diff"),
)
_EXACT_KINDS: dict[type, str] = {**dict(_KINDS), dict: "map"}


def equal(left: Any, right: Any) -> bool:
    """`==`: values of different types are different; an int equals a float, but not in lists and maps."""
    if is_number(left) and is_number(right):
        return bool(left == right)
    return _identical(left, right)


def _identical(left: Any, right: Any) -> bool:
    if kind(left) != kind(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_identical, left, right))
    if isinstance(left, Mapping):
        return left.keys() == right.keys() and all(_identical(left[key], right[key]) for key in left)
    return bool(left == right)


def contains(value: Any, container: Any) -> bool:
    """`value in container`."""
    if isinstance(container, Mapping):
        return isinstance(value, str) and value in container
    return any(equal(value, item) for item in items(container))


def items(value: Any) -> list[Any]:
    """Return the items of a list or set. Raises `EvaluationError` for other types."""
    if isinstance(value, list):
        return value
    if isinstance(value, frozenset):
        return list(value)
    raise EvaluationError(f"Expected a list or set, got {kind(value)}.")


def require(value: Any, wanted: str) -> Any:
    """Return the value if it is of a type. Raises `EvaluationError`."""
    found = kind(value)
    if found != wanted and not (wanted == "number" and is_number(value)):
        raise EvaluationError(f"Expected {wanted}, got {found}.")
    return value


def to_set(values: list[Any]) -> frozenset[Any]:
    """Return a set. Raises `EvaluationError` if a value cannot be in one."""
    try:
        return frozenset(values)
    except TypeError:
        raise EvaluationError("A set cannot contain lists or maps.") from None


# --- methods ---------------------------------------------------------------------------------------------------------


def _has_all(values: Any, wanted: Any) -> bool:
    return all(contains(item, values) for item in items(wanted))


def _has_any(values: Any, wanted: Any) -> bool:
    return any(contains(item, values) for item in items(wanted))


def _has_only(values: Any, allowed: Any) -> bool:
    return all(contains(item, allowed) for item in items(values))


def _regex(pattern: Any) -> Any:
    try:
        return compile_re2(require(pattern, "string"))
    except ExpressionError as error:
        raise EvaluationError(f"Invalid regular expression '{pattern}': {error.message}") from None


def _matches(text: str, pattern: Any) -> bool:
    return bool(_regex(pattern)[0].matches(text))


def _pieces(text: str, pattern: Any) -> list[str]:
    """Return the parts of `text` between the matches of a pattern."""
    regex, is_lazy = _regex(pattern)
    if is_lazy:
        raise EvaluationError(f"Lazy quantifiers are not supported in split and replace: '{pattern}'.")
    regex.begin()
    pieces, start, at = list[str](), 0, 0
    while at <= len(text):
        end = regex.find(text, at)
        if end > at:
            pieces.append(text[start:at])
            start = at = end
        else:
            at += 1
    return [*pieces, text[start:]]


def _join(parts: list[str], separator: Any) -> str:
    text = require(separator, "string")
    if sum(map(len, parts)) + len(text) * len(parts) > MAX_TEXT:
        raise EvaluationError(f"The string has more than {MAX_TEXT:,} characters.")
    return str(text.join(parts))


def _replace(text: str, pattern: Any, replacement: Any) -> str:
    return _join(_pieces(text, pattern), replacement)


def _get(value: Mapping[str, Any], key: Any, default: Any) -> Any:
    found: Any = value
    for name in key if isinstance(key, list) else [key]:
        if not isinstance(found, Mapping) or not isinstance(name, str) or name not in found:
            return default
        found = found[name]
    return found


def _diff(after: Mapping[str, Any], before: Any) -> MapDiff:
    return MapDiff(after, require(before, "map"))


def _changed(diff: MapDiff, *, equal_values: bool) -> frozenset[str]:
    common = diff.after.keys() & diff.before.keys()
    return frozenset(key for key in common if equal(diff.after[key], diff.before[key]) is equal_values)


def _bind(path: Path, names: Any) -> Path:
    values = require(names, "map")
    found = [values.get(part[2:-1]) if part.startswith("$(") else part for part in path.segments]
    if not all(isinstance(part, str) for part in found):
        raise EvaluationError("bind() has no value for a part of the path.")
    return Path(tuple(found))


def _midnight(time: Timestamp) -> Timestamp:
    return Timestamp(time.nanos - time.nanos % (86400 * SECOND))


# Only ASCII letters have an upper and a lower case in rules.
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)
_UPPER = str.maketrans(ascii_lowercase, ascii_uppercase)

METHODS: dict[str, dict[str, tuple[int, Callable[..., Any]]]] = {
    "string": {
        "lower": (0, lambda text: text.translate(_LOWER)),
        "upper": (0, lambda text: text.translate(_UPPER)),
        "trim": (0, lambda text: text.strip()),
        "size": (0, length),
        "toUtf8": (0, lambda text: text.encode("utf-8", "surrogatepass")),
        "matches": (1, _matches),
        "replace": (2, _replace),
        "split": (1, _pieces),
    },
    "bytes": {
        "size": (0, len),
        "toBase64": (0, lambda data: base64.b64encode(data).decode()),
        "toHexString": (0, lambda data: data.hex()),
    },
    "list": {
        "concat": (1, lambda values, other: values + require(other, "list")),
        "hasAll": (1, _has_all),
        "hasAny": (1, _has_any),
        "hasOnly": (1, _has_only),
        "join": (1, lambda values, separator: _join([to_string(value) for value in values], separator)),
        "removeAll": (1, lambda values, other: [item for item in values if not contains(item, require(other, "list"))]),
        "size": (0, len),
        "toSet": (0, to_set),
    },
    "set": {
        "difference": (1, lambda values, other: values - require(other, "set")),
        "hasAll": (1, _has_all),
        "hasAny": (1, _has_any),
        "hasOnly": (1, _has_only),
        "intersection": (1, lambda values, other: values & require(other, "set")),
        "size": (0, len),
        "union": (1, lambda values, other: values | require(other, "set")),
    },
    "map": {
        "diff": (1, _diff),
        "get": (2, _get),
        "keys": (0, list),
        "size": (0, len),
        "values": (0, lambda value: list(value.values())),
    },
    "map_diff": {
        "addedKeys": (0, lambda diff: frozenset(diff.after.keys() - diff.before.keys())),
        "removedKeys": (0, lambda diff: frozenset(diff.before.keys() - diff.after.keys())),
        "changedKeys": (0, lambda diff: _changed(diff, equal_values=False)),
        "unchangedKeys": (0, lambda diff: _changed(diff, equal_values=True)),
        "affectedKeys": (0, lambda diff: _changed(diff, equal_values=False) | (diff.after.keys() ^ diff.before.keys())),
    },
    "path": {"bind": (1, _bind)},
    "duration": {
        "seconds": (0, lambda span: math.trunc(span.nanos / SECOND)),
        "nanos": (0, lambda span: int(math.fmod(span.nanos, SECOND))),
    },
    "timestamp": {
        "date": (0, _midnight),
        "time": (0, lambda time: Duration(time.nanos - _midnight(time).nanos)),
        "year": (0, lambda time: time.date().year),
        "month": (0, lambda time: time.date().month),
        "day": (0, lambda time: time.date().day),
        "dayOfWeek": (0, lambda time: time.date().isoweekday()),
        "dayOfYear": (0, lambda time: time.date().timetuple().tm_yday),
        "hours": (0, lambda time: time.date().hour),
        "minutes": (0, lambda time: time.date().minute),
        "seconds": (0, lambda time: time.date().second),
        "nanos": (0, lambda time: time.nanos % SECOND),
        "toMillis": (0, lambda time: time.nanos // 1_000_000),
    },
}
"""The number of arguments, and the function, of each method of each type."""


def to_string(value: Any) -> str:
    """`string(value)`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, (str, int, float, Path)):
        return str(value)
    raise EvaluationError(f"{kind(value)} cannot be converted to string.")
