"""The global functions of Storage rules: conversions, `math`, `hashing`, `duration`, `timestamp` and `firestore`.

https://firebase.google.com/docs/reference/rules/rules
"""

# Values of rules have no static type: they are checked when a rule runs.
# pyright: reportUnknownMemberType=false, reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownParameterType=false

from __future__ import annotations

import hashlib
import math
import zlib
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from typing import Any

from firebase_rest.rules.errors import EvaluationError
from firebase_rest.rules.storage_values import SECOND, Duration, Path, Timestamp, kind, require, to_string

_UNITS = {
    "w": 604_800 * SECOND,
    "d": 86_400 * SECOND,
    "h": 3600 * SECOND,
    "m": 60 * SECOND,
    "s": SECOND,
    "ms": 1_000_000,
    "ns": 1,
}


def _number(convert: type[int | float], value: Any) -> int | float:
    if kind(value) not in ("string", "int", "float"):
        raise EvaluationError(f"{kind(value)} cannot be converted to {convert.__name__}.")
    try:
        return convert(value)
    except (ValueError, OverflowError):
        raise EvaluationError(f"'{value}' cannot be converted to {convert.__name__}.") from None


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    converted = {"true": True, "false": False}.get(require(value, "string").lower())
    if converted is None:
        raise EvaluationError(f"'{value}' cannot be converted to bool.")
    return converted


def _path(value: Any) -> Path:
    return Path(tuple(part for part in require(value, "string").split("/") if part))


def _math(function: Callable[..., Any], *values: Any) -> Any:
    try:
        return function(*(require(value, "number") for value in values))
    except (ValueError, OverflowError):
        return math.nan


def _round(value: float) -> int:
    return math.floor(value + 0.5)


def _digest(function: Callable[[bytes], bytes], value: Any) -> bytes:
    return function(value.encode("utf-8", "surrogatepass") if isinstance(value, str) else require(value, "bytes"))


def _crc32c(data: bytes) -> bytes:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return (crc ^ 0xFFFFFFFF).to_bytes(4, "big")


def _duration(amount: Any, unit: Any) -> Duration:
    if unit not in _UNITS:
        raise EvaluationError(f"The unit of a duration must be one of {', '.join(_UNITS)}, got {unit!r}.")
    return Duration(require(amount, "int") * _UNITS[unit])


def _duration_of_time(hours: Any, minutes: Any, seconds: Any, nanos: Any) -> Duration:
    total = require(hours, "int") * 3600 + require(minutes, "int") * 60 + require(seconds, "int")
    return Duration(total * SECOND + require(nanos, "int"))


def _date(year: Any, month: Any, day: Any) -> Timestamp:
    try:
        date = datetime(require(year, "int"), require(month, "int"), require(day, "int"), tzinfo=timezone.utc)
    except (ValueError, OverflowError):
        raise EvaluationError(f"{year}-{month}-{day} is not a valid date.") from None
    return Timestamp(int(date.timestamp()) * SECOND)


def _no_firestore(*_: Any) -> Any:
    raise EvaluationError(
        "firestore.get() and firestore.exists() are not supported, because the emulator has no Cloud Firestore."
    )


FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "bool": (1, _bool),
    "float": (1, partial(_number, float)),
    "int": (1, partial(_number, int)),
    "string": (1, to_string),
    "path": (1, _path),
    "debug": (1, lambda value: value),
    "math.abs": (1, partial(_math, abs)),
    "math.ceil": (1, partial(_math, math.ceil)),
    "math.floor": (1, partial(_math, math.floor)),
    "math.round": (1, partial(_math, _round)),
    "math.isInfinite": (1, partial(_math, math.isinf)),
    "math.isNaN": (1, partial(_math, math.isnan)),
    "math.pow": (2, partial(_math, math.pow)),
    "math.sqrt": (1, partial(_math, math.sqrt)),
    "hashing.crc32": (1, partial(_digest, lambda data: zlib.crc32(data).to_bytes(4, "big"))),
    "hashing.crc32c": (1, partial(_digest, _crc32c)),
    "hashing.md5": (1, partial(_digest, lambda data: hashlib.md5(data, usedforsecurity=False).digest())),
    "hashing.sha256": (1, partial(_digest, lambda data: hashlib.sha256(data).digest())),
    "duration.abs": (1, lambda duration: Duration(abs(require(duration, "duration").nanos))),
    "duration.time": (4, _duration_of_time),
    "duration.value": (2, _duration),
    "timestamp.date": (3, _date),
    "timestamp.value": (1, lambda millis: Timestamp(require(millis, "int") * 1_000_000)),
    "firestore.get": (1, _no_firestore),
    "firestore.exists": (1, _no_firestore),
}
"""For each global function the number of arguments, and the Python function."""
