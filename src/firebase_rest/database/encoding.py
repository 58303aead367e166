"""Validate and encode data for writes.

https://firebase.google.com/docs/reference/rest/database#section-server-values
"""

from __future__ import annotations

import dataclasses
import json
import math
import operator
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any, cast

from firebase_rest.database.path import MAX_DEPTH, check_path, check_segment, replace_forbidden, split, utf8_size
from firebase_rest.errors import UnsupportedType, UsageError
from firebase_rest.transport.arguments import describe
from firebase_rest.transport.wire import Json

SERVER_TIMESTAMP: dict[str, Json] = {".sv": "timestamp"}
"""Write this value to store the server's time, in milliseconds since the epoch."""

MAX_STRING_BYTES = 10 * 1024 * 1024
_MAX_NUMBER = sys.float_info.max


def increment(delta: int | float) -> dict[str, Json]:
    """Return a value that, when it is written, makes the server add `delta` to the stored number atomically.

    Args:
        delta: A finite number. If no number is stored, the server adds `delta` to 0.

    https://firebase.google.com/docs/reference/rest/database#section-server-values
    """
    number = plain_number(delta)
    if number is None or isinstance(number, bool) or not is_finite(number):
        raise UsageError(f"The delta of increment() must be a finite number, got {describe(delta)}.")
    return {".sv": {"increment": number}}


def plain_number(value: object) -> bool | int | float | None:
    """Return a number as a bool, int or float, and None for other values. NumPy scalars and fractions are numbers."""
    if isinstance(value, bool) or (type(value).__module__ == "numpy" and type(value).__name__ in ("bool", "bool_")):
        return bool(value)
    number = _convert(operator.index, value)
    return _convert(float, value) if number is None and isinstance(value, Real) else number


def _convert(convert: Callable[[Any], int | float], value: object) -> int | float | None:
    try:
        return convert(value)
    except OverflowError:
        return math.inf
    except Exception:  # noqa: BLE001 - the classes of other libraries can raise anything
        return None


def is_finite(number: int | float) -> bool:
    """Return whether a double can hold the number."""
    return -_MAX_NUMBER <= number <= _MAX_NUMBER


@dataclass(frozen=True, slots=True)
class Encoded:
    """A request body. `increments` is True if it increments a number: then sending it twice would count twice."""

    body: bytes
    increments: bool


def encode(data: object, segments: Sequence[str], options: Mapping[str, Any] | None = None) -> Encoded:
    """Return `data` as the JSON body of a write at the path `segments`. `options` are arguments of `json.dumps`."""
    data = _apply_json_kwargs(data, segments, options)
    validator = _Validator()
    validator.check(data, tuple(segments))
    return Encoded(_dump(data, segments), validator.increments)


def encode_update(data: object, segments: Sequence[str], options: Mapping[str, Any] | None = None) -> Encoded:
    """Return `data`, which maps paths below `segments` to values, as the JSON body of a multi-path update."""
    data = _apply_json_kwargs(data, segments, options)
    path_text = _path_text(segments)
    if not isinstance(data, Mapping):
        raise UsageError(
            f"The data of update() at {path_text} must be a dict of children, got {describe(data)}; use set() for "
            "other data."
        )
    validator = _Validator()
    targets: dict[tuple[str, ...], str] = {}
    for key, value in cast("Mapping[object, object]", data).items():
        name = _key_text(key, path_text)
        target = _check_update_path(name, segments)
        if target in targets:
            raise UsageError(
                f"update() at {path_text} has two keys for one path: {targets[target]!r} and {name!r}; remove one of "
                "them."
            )
        targets[target] = name
        if target[-1] == ".priority":
            validator.check_priority(value, (*segments, *target))
        else:
            validator.check(value, (*segments, *target))
    _check_ancestors(targets, path_text)
    return Encoded(_dump(cast(object, data), segments), validator.increments)


def _check_update_path(name: str, segments: Sequence[str]) -> tuple[str, ...]:
    path_text = _path_text(segments)
    target = split(name)
    if not target:
        raise UsageError(
            f"update() at {path_text} has the empty path {name!r}; use set() to replace all of {path_text}."
        )
    keys = target[:-1] if target[-1] == ".priority" else target
    check_path((*segments, *keys), _path_text((*segments, *target)))
    return target


def _check_ancestors(targets: Mapping[tuple[str, ...], str], path_text: str) -> None:
    for target, name in targets.items():
        for length in range(1, len(target)):
            if target[:length] in targets:
                raise UsageError(
                    f"update() at {path_text} has the key {name!r} and its parent {targets[target[:length]]!r}; "
                    "put one inside the other."
                )


def _apply_json_kwargs(data: object, segments: Sequence[str], options: Mapping[str, Any] | None) -> object:
    """Return `data` encoded and decoded with the caller's arguments of `json.dumps`, if they change the data."""
    if options is None:
        return data
    problem = ""
    error_type: type[UsageError] = UsageError
    try:
        if not {"default", "cls", "skipkeys"} & options.keys():
            json.dumps(None, **options)  # rejects unknown arguments; the known ones do not change the data
            return data
        # json.dumps would convert the keys None and 1.5 to text; with skipkeys it drops only keys of other types.
        _validate_keys(data, _path_text(segments), skipkeys=bool(options.get("skipkeys")))
        return json.loads(json.dumps(data, **options))
    except UsageError:
        raise
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        problem = str(error)
        error_type = UnsupportedType if isinstance(error, TypeError) else UsageError
    raise error_type(
        f"The data for {_path_text(segments)} could not be encoded with json_kwargs: {problem.rstrip('.')}."
    )


def _validate_keys(data: object, path_text: str, depth: int = 0, *, skipkeys: bool) -> None:
    if depth > MAX_DEPTH:
        return  # the later validation reports that the data is too deep
    if isinstance(data, Mapping):
        for key, value in cast("Mapping[object, object]", data).items():
            if not (skipkeys and key is not None and not isinstance(key, (str, int, float))):
                _validate_keys(
                    value, f"{path_text.rstrip('/')}/{_key_text(key, path_text)}", depth + 1, skipkeys=skipkeys
                )
    elif isinstance(data, (list, tuple)):
        for index, value in enumerate(cast("Sequence[object]", data)):
            _validate_keys(value, f"{path_text.rstrip('/')}/{index}", depth + 1, skipkeys=skipkeys)


def _dump(data: object, segments: Sequence[str]) -> bytes:
    try:
        text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_encode_other)
        return text.encode()
    except (TypeError, ValueError, RecursionError) as error:  # an object changed, or claimed to be of another type
        problem = str(error)
    raise UnsupportedType(f"The data for {_path_text(segments)} cannot be encoded as JSON: {problem.rstrip('.')}.")


def _encode_other(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    number = plain_number(value)
    if number is None:
        raise TypeError(type(value).__name__)
    return number


def _path_text(segments: Sequence[str]) -> str:
    return "/" + "/".join(segments)


def _key_text(key: object, path_text: str) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, int) and not isinstance(key, bool) and is_finite(key):
        return str(int(key))  # as json.dumps does
    is_short = key is None or isinstance(key, (bool, float))
    hint = f"write {replace_forbidden(str(key))!r}" if is_short else "convert it to a string"
    raise UnsupportedType(f"A key in {path_text} must be a string, got {describe(key)}; {hint}.")


def _is_composite(value: object) -> bool:
    if isinstance(value, Mapping):
        return ".sv" not in cast("Mapping[object, object]", value)
    return isinstance(value, (list, tuple))


def _check_server_value(value: Mapping[object, object], path_text: str) -> bool:
    """Return True for an increment, False for a timestamp. Raises `UsageError` for other server values."""
    operation = value[".sv"]
    if isinstance(operation, str) and operation == "timestamp":
        return False
    if isinstance(operation, Mapping) and set(cast("Mapping[object, object]", operation)) == {"increment"}:
        number = plain_number(cast("Mapping[object, object]", operation)["increment"])
        if number is not None and not isinstance(number, bool) and is_finite(number):
            return True
    raise UsageError(
        f"The server value at {path_text} must be SERVER_TIMESTAMP or increment(number), got {describe(value['.sv'])}."
    )


_HINTS = {
    "bytes bytearray memoryview": "store text, such as base64.b64encode(data).decode()",
    "datetime": "store its .timestamp() or .isoformat()",
    "date time": "store its .isoformat()",
    "timedelta": "store its .total_seconds()",
    "Decimal": "store float(value) or str(value)",
    "complex": "store str(value), or its .real and .imag",
    "UUID PurePath datetime64 timedelta64": "store str(value)",
    "NaTType NAType": "store None",
    "Enum": "store its .value",
    "Snapshot Item": "store its .val()",
    "BaseReference": "store its .path",
    "DataFrame Series": "store its .to_dict()",
    "ndarray": "store its .tolist()",
    "BaseModel": "store its .model_dump()",
}
"""Advice by the names of classes. Their libraries may not be installed, so the classes are not imported."""


def _hint(value: object) -> str:
    hints = {name: hint for names, hint in _HINTS.items() for name in names.split()}
    for base in type(value).__mro__:
        if base.__name__ in hints:
            return hints[base.__name__]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return "store dataclasses.asdict(value)"
    if isinstance(value, Iterable):
        return "store a list of its items"
    return "call it and store the result" if callable(value) else "convert it to a dict or to text"


class _Validator:
    """Validates data before it is sent. `increments` is True after a check of data that increments a number."""

    def __init__(self) -> None:
        self.increments = False

    def check(self, value: object, path: tuple[str, ...]) -> None:
        """Raise `UsageError` unless `value` can be stored at `path`. The message contains the path."""
        kind = type(value)
        if kind is str or isinstance(value, str):
            self._check_string(cast(str, value), path)
        elif value is None or kind is bool:
            pass
        elif kind is int:
            if cast(int, value).bit_length() > 1023 and not is_finite(cast(int, value)):
                self._reject_number(cast(int, value), path)
        elif kind is float:
            if not math.isfinite(cast(float, value)):
                self._reject_number(cast(float, value), path)
        elif isinstance(value, Mapping):
            self._check_mapping(cast("Mapping[object, object]", value), path)
        elif isinstance(value, (list, tuple)):
            for index, item in enumerate(cast("Sequence[object]", value)):
                self._check_child(item, str(index), path)
        else:
            number = plain_number(value)
            if number is None:
                raise UnsupportedType(
                    f"The value at {_path_text(path)} must be JSON data, got {kind.__name__}; {_hint(value)}, or pass "
                    "json_kwargs={'default': ...}."
                )
            if not is_finite(number):
                self._reject_number(number, path)

    def check_priority(self, value: object, path: tuple[str, ...]) -> None:
        """Raise `UsageError` unless `value` can be the priority at `path`. The message contains the path."""
        if _is_composite(value) or isinstance(plain_number(value), bool):
            raise UsageError(
                f"The priority at {_path_text(path)} must be a number, string or None, got {describe(value)}."
            )
        self.check(value, path)

    def _reject_number(self, value: int | float, path: tuple[str, ...]) -> None:
        description = repr(value) if isinstance(value, float) else "an int that a double cannot hold"
        raise UsageError(f"The number at {_path_text(path)} must be finite, got {description}; store None or a string.")

    def _check_string(self, value: str, path: tuple[str, ...]) -> None:
        size = len(value) if value.isascii() else utf8_size(value, f"The string at {_path_text(path)}")
        if size > MAX_STRING_BYTES:
            raise UsageError(
                f"The string at {_path_text(path)} must have at most {MAX_STRING_BYTES} bytes, got {size}."
            )

    def _check_mapping(self, value: Mapping[object, object], path: tuple[str, ...]) -> None:
        path_text = _path_text(path)
        if ".sv" in value:
            if len(value) > 1:
                raise UsageError(f"Invalid server value at {path_text}: '.sv' must be the only key.")
            self.increments |= _check_server_value(value, path_text)
            return
        names: set[str] = set()
        for key, item in value.items():
            name = _key_text(key, path_text)
            if name in names:
                raise UsageError(
                    f"Duplicate key {name!r} in {path_text}: one is a str, one an int; remove one of them."
                )
            names.add(name)
            if name == ".priority":
                self.check_priority(item, path)
            elif name == ".value":
                self._check_leaf(value, item, path)
            else:
                self._check_child(item, name, path)

    def _check_leaf(self, parent: Mapping[object, object], item: object, path: tuple[str, ...]) -> None:
        if set(parent) - {".value", ".priority"}:
            raise UsageError(f"The object at {_path_text(path)} must not have children beside '.value'.")
        if _is_composite(item):
            raise UsageError(
                f"The '.value' at {_path_text(path)} must be a string, number, bool or None, got {describe(item)}."
            )
        self.check(item, path)

    def _check_child(self, item: object, name: str, path: tuple[str, ...]) -> None:
        if len(path) >= MAX_DEPTH:
            raise UsageError(
                f"The data at {_path_text(path[:3])}/... must have at most {MAX_DEPTH} levels; store it flatter."
            )
        check_segment(name, _path_text(path))
        self.check(item, (*path, name))
