"""What may be stored: plain JSON, plus the few values that the server fills in.

The law of this file: a body that `encode` returns is one that Firebase's parser accepts; anything else is refused with
the path at which it stands.
https://firebase.google.com/docs/reference/rest/database#section-server-values
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from firebase_rest.database.path import MAX_DEPTH, check_path, check_segment, split
from firebase_rest.errors import UnsupportedType, UsageError
from firebase_rest.transport.wire import Json

SERVER_TIMESTAMP: dict[str, Json] = {".sv": "timestamp"}
"""Write this, and the server stores its clock: milliseconds since the epoch."""

MAX_STRING_BYTES = 10 * 1024 * 1024


def increment(delta: int | float) -> dict[str, Json]:
    """A value that makes the server add `delta` to the number stored there (0 if there is none), atomically."""
    if not _is_number(delta):
        raise UsageError(f"increment() takes a finite number, not {delta!r}.")
    return {".sv": {"increment": delta}}


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A request body, and whether sending it twice would count twice."""

    body: bytes
    increments: bool


def encode(data: object, segments: Sequence[str], options: Mapping[str, Any] | None = None) -> Encoded:
    """`data` as the JSON body of a write at the path `segments`. `options` go to `json.dumps` (`default=`, `cls=`)."""
    data = _plain(data, segments, options)
    checker = _Checker()
    checker.check(data, tuple(segments))
    return Encoded(_dump(data), checker.increments)


def encode_update(data: object, segments: Sequence[str], options: Mapping[str, Any] | None = None) -> Encoded:
    """`data`, a mapping from paths below `segments` to values, as the JSON body of a multi-path update."""
    data = _plain(data, segments, options)
    where = _show(segments)
    if not isinstance(data, Mapping):
        raise UsageError(
            f"update() at {where} takes a dict of children to replace, not {type(data).__name__}; use set()."
        )
    checker = _Checker()
    targets: dict[tuple[str, ...], str] = {}
    for key, value in cast("Mapping[object, object]", data).items():
        name = _key_text(key, where)
        target = _check_update_path(name, segments)
        if target in targets:
            raise UsageError(
                f"update() at {where} names the same place twice: {targets[target]!r} and {name!r}; keep one."
            )
        targets[target] = name
        if target[-1] == ".priority":
            checker.check_priority(value, (*segments, *target))
        else:
            checker.check(value, (*segments, *target))
    _check_ancestors(targets, where)
    return Encoded(_dump(cast(object, data)), checker.increments)


def _check_update_path(name: str, segments: Sequence[str]) -> tuple[str, ...]:
    where = _show(segments)
    target = split(name)
    if not target:
        raise UsageError(
            f"update() at {where} has the empty path {name!r} among its keys; to replace everything use set()."
        )
    keys = target[:-1] if target[-1] == ".priority" else target
    check_path((*segments, *keys), _show((*segments, *target)))
    return target


def _check_ancestors(targets: Mapping[tuple[str, ...], str], where: str) -> None:
    for target, name in targets.items():
        for length in range(1, len(target)):
            if target[:length] in targets:
                above = targets[target[:length]]
                raise UsageError(
                    f"update() at {where} would write {name!r} and {above!r}, which is above it; "
                    "put one inside the other."
                )


def _plain(data: object, segments: Sequence[str], options: Mapping[str, Any] | None) -> object:
    """`data` after the caller's own JSON encoding, if there is any."""
    if not options:
        return data
    # json.dumps would turn None and 1.5 into strings without a word; with skipkeys it drops only what it cannot turn.
    _refuse_odd_keys(data, _show(segments), skipkeys=bool(options.get("skipkeys")))
    problem = ""
    kind: type[UsageError] = UsageError
    try:
        return json.loads(json.dumps(data, **options))
    except (TypeError, ValueError, RecursionError) as error:
        problem = str(error)
        kind = UnsupportedType if isinstance(error, TypeError) else UsageError
    raise kind(f"The data for {_show(segments)} could not be encoded with json_kwargs: {problem}.")


def _refuse_odd_keys(data: object, where: str, depth: int = 0, *, skipkeys: bool) -> None:
    if depth > MAX_DEPTH:
        return  # the check after encoding says so
    if isinstance(data, Mapping):
        for key, value in cast("Mapping[object, object]", data).items():
            if not (skipkeys and key is not None and not isinstance(key, (str, int, float))):
                _refuse_odd_keys(value, f"{where.rstrip('/')}/{_key_text(key, where)}", depth + 1, skipkeys=skipkeys)
    elif isinstance(data, (list, tuple)):
        for index, value in enumerate(cast("Sequence[object]", data)):
            _refuse_odd_keys(value, f"{where.rstrip('/')}/{index}", depth + 1, skipkeys=skipkeys)


def _dump(data: object) -> bytes:
    return json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_as_dict).encode()


def _as_dict(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(cast("Mapping[object, object]", value))
    raise TypeError(type(value).__name__)


def _show(segments: Sequence[str]) -> str:
    return "/" + "/".join(segments)


def _key_text(key: object, where: str) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, int) and not isinstance(key, bool):
        return str(int(key))  # as json.dumps makes it
    raise UnsupportedType(f"The key {key!r} in {where} is not a string; write {str(key)!r} if that is meant.")


def _is_composite(value: object) -> bool:
    if isinstance(value, Mapping):
        return ".sv" not in cast("Mapping[object, object]", value)
    return isinstance(value, (list, tuple))


def _check_server_value(value: Mapping[object, object], where: str) -> bool:
    """True for an increment, False for a timestamp."""
    kind = value[".sv"]
    if kind == "timestamp":
        return False
    if isinstance(kind, Mapping) and set(cast("Mapping[object, object]", kind)) == {"increment"}:
        delta = cast("Mapping[object, object]", kind)["increment"]
        if _is_number(delta):
            return True
    raise UsageError(f"The server value {kind!r} at {where} is not known; use SERVER_TIMESTAMP or increment(number).")


_CURES = {
    "bytes": "make it text, such as base64.b64encode(...).decode()",
    "set": "make it a list",
    "datetime": "store .isoformat() or .timestamp()",
    "date": "store .isoformat()",
    "Snapshot": "store its .val()",
}


def _cure(kind: type) -> str:
    return _CURES.get(kind.__name__, "convert it first")


class _Checker:
    """Walks data before it is sent."""

    def __init__(self) -> None:
        self.increments = False

    def check(self, value: object, path: tuple[str, ...]) -> None:
        """Raise `UsageError`, naming the path, unless `value` can be stored there."""
        kind = type(value)
        if kind is str or isinstance(value, str):
            self._check_string(cast(str, value), path)
        elif value is None or kind is bool or kind is int:
            if kind is int and cast(int, value).bit_length() > 1023:
                raise UsageError(f"The number at {_show(path)} is too large for a double; store it as a string.")
        elif isinstance(value, float):
            if not math.isfinite(value):
                raise UsageError(
                    f"The number at {_show(path)} is {value!r}, which JSON cannot carry; store None or a string."
                )
        elif isinstance(value, Mapping):
            self._check_mapping(cast("Mapping[object, object]", value), path)
        elif isinstance(value, (list, tuple)):
            for index, item in enumerate(cast("Sequence[object]", value)):
                self._check_child(item, str(index), path)
        elif not isinstance(value, int):
            raise UnsupportedType(
                f"The value at {_show(path)} is a {kind.__name__}, which JSON cannot carry: {_cure(kind)}, "
                "or pass json_kwargs={'default': ...}."
            )

    def check_priority(self, value: object, path: tuple[str, ...]) -> None:
        """Raise `UsageError`, naming the path, unless `value` can be the priority there."""
        if isinstance(value, bool) or _is_composite(value):
            raise UsageError(f"The priority at {_show(path)} is {value!r}; priorities are None, a number or a string.")
        self.check(value, path)

    def _check_string(self, value: str, path: tuple[str, ...]) -> None:
        if value.isascii():
            size = len(value)
        else:
            try:
                size = len(value.encode())
            except UnicodeEncodeError:
                size = -1
        if size < 0:
            raise UsageError(f"The string at {_show(path)} holds half of a surrogate pair, which UTF-8 cannot carry.")
        if size > MAX_STRING_BYTES:
            raise UsageError(
                f"The string at {_show(path)} has {size} bytes; the database stores at most {MAX_STRING_BYTES}."
            )

    def _check_mapping(self, value: Mapping[object, object], path: tuple[str, ...]) -> None:
        where = _show(path)
        if ".sv" in value:
            if len(value) > 1:
                raise UsageError(
                    f"The server value in {where} has members beside '.sv'; it is a whole value by itself."
                )
            self.increments |= _check_server_value(value, where)
            return
        names: set[str] = set()
        for key, item in value.items():
            name = _key_text(key, where)
            if name in names:
                raise UsageError(f"The key {name!r} stands twice in {where}, as text and as a number; keep one.")
            names.add(name)
            if name == ".priority":
                self.check_priority(item, path)
            elif name == ".value":
                self._check_leaf(value, item, path)
            else:
                self._check_child(item, name, path)

    def _check_leaf(self, parent: Mapping[object, object], item: object, path: tuple[str, ...]) -> None:
        if set(parent) - {".value", ".priority"}:
            raise UsageError(
                f"The object at {_show(path)} has '.value' beside children; a place holds one or the other."
            )
        if _is_composite(item):
            raise UsageError(f"The '.value' at {_show(path)} is not a string, number, bool or None.")
        self.check(item, path)

    def _check_child(self, item: object, name: str, path: tuple[str, ...]) -> None:
        if len(path) >= MAX_DEPTH:
            raise UsageError(
                f"The data at {_show(path[:3])}/... goes deeper than {MAX_DEPTH} levels; store it flatter."
            )
        check_segment(name, _show(path))
        self.check(item, (*path, name))
