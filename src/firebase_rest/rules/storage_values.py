"""Values of Storage rules: timestamps, durations, paths and map differences, and the methods of all types.

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
    """A point in time, in nanoseconds since the epoch."""

    nanos: int

    def date(self) -> datetime:
        """Return the time as a `datetime`, rounded down to microseconds."""
        try:
            return _EPOCH + timedelta(microseconds=self.nanos // 1000)
        except OverflowError:
            raise EvaluationError("The timestamp is out of range.") from None

    def __repr__(self) -> str:
        return f"timestamp({self.date().isoformat()})"


@dataclass(frozen=True, slots=True)
class Path(PrintableValue):
    """A path, as a sequence of segments."""

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
    """Return the name of the type of a value in the rules language."""
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
    """Return `left == right`. An int can equal a float, but not in lists and maps. Other types never do."""
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
    """Return `value in container`."""
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


def require(value: Any, expected: str) -> Any:
    """Return the value. Raises `EvaluationError` if its type is not `expected`."""
    actual = kind(value)
    if actual != expected and not (expected == "number" and is_number(value)):
        raise EvaluationError(f"Expected {expected}, got {actual}.")
    return value


def to_set(values: list[Any]) -> frozenset[Any]:
    """Return a set. Raises `EvaluationError` if a set cannot contain a value."""
    try:
        return frozenset(values)
    except TypeError:
        raise EvaluationError("A set cannot contain lists or maps.") from None


# --- methods ---------------------------------------------------------------------------------------------------------


def _has_all(values: Any, required: Any) -> bool:
    return all(contains(item, values) for item in items(required))


def _has_any(values: Any, candidates: Any) -> bool:
    return any(contains(item, values) for item in items(candidates))


def _has_only(values: Any, allowed: Any) -> bool:
    return all(contains(item, allowed) for item in items(values))


def _regex(pattern: Any) -> Any:
    try:
        return compile_re2(require(pattern, "string"))
    except ExpressionError as error:
        raise EvaluationError(f"Invalid regular expression '{pattern}': {error.message}") from None


def _matches(text: str, pattern: Any) -> bool:
    return bool(_regex(pattern)[0].matches(text))


def _split(text: str, pattern: Any) -> list[str]:
    """Return the parts of `text` between the matches of a pattern."""
    regex, is_lazy = _regex(pattern)
    if is_lazy:
        raise EvaluationError(f"The emulator does not support lazy quantifiers in split and replace: '{pattern}'.")
    regex.begin()
    parts: list[str] = []
    start = position = 0
    while position <= len(text):
        end = regex.find(text, position)
        if end > position:
            parts.append(text[start:position])
            start = position = end
        else:
            position += 1
    return [*parts, text[start:]]


def _join(parts: list[str], separator: Any) -> str:
    text = require(separator, "string")
    if sum(map(len, parts)) + len(text) * len(parts) > MAX_TEXT:
        raise EvaluationError(f"The string has more than {MAX_TEXT:,} characters.")
    return str(text.join(parts))


def _replace(text: str, pattern: Any, replacement: Any) -> str:
    return _join(_split(text, pattern), replacement)


def _get(value: Mapping[str, Any], key: Any, default: Any) -> Any:
    member: Any = value
    for name in key if isinstance(key, list) else [key]:
        if not isinstance(member, Mapping) or not isinstance(name, str) or name not in member:
            return default
        member = member[name]
    return member


def _diff(after: Mapping[str, Any], before: Any) -> MapDiff:
    return MapDiff(after, require(before, "map"))


def _changed(diff: MapDiff, *, equal_values: bool) -> frozenset[str]:
    common = diff.after.keys() & diff.before.keys()
    return frozenset(key for key in common if equal(diff.after[key], diff.before[key]) is equal_values)


def _bind(path: Path, names: Any) -> Path:
    values = require(names, "map")
    segments = [values.get(segment[2:-1]) if segment.startswith("$(") else segment for segment in path.segments]
    if not all(isinstance(segment, str) for segment in segments):
        raise EvaluationError("bind() needs a string for each variable in the path.")
    return Path(tuple(segments))


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
        "split": (1, _split),
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
        "seconds": (0, lambda duration: math.trunc(duration.nanos / SECOND)),
        "nanos": (0, lambda duration: int(math.fmod(duration.nanos, SECOND))),
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
"""For each method of each type the number of arguments, and the Python function."""


def to_string(value: Any) -> str:
    """Return `string(value)`. Raises `EvaluationError` for types that cannot be converted."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, (str, int, float, Path)):
        return str(value)
    raise EvaluationError(f"{kind(value)} cannot be converted to string.")
