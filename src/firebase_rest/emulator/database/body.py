"""Request bodies: bytes to JSON, with the server's words for what is wrong in them.

https://firebase.google.com/docs/reference/rest/database#section-error-conditions
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

from firebase_rest.database.path import is_valid_key, split
from firebase_rest.emulator.database.build import METADATA
from firebase_rest.emulator.database.responses import RefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firebase_rest.transport.wire import Json

MAX_BODY_BYTES = 256 * 1024 * 1024

_NOT_JSON = "Invalid data; couldn't parse JSON object, array, or value."
NOT_AN_OBJECT = "Invalid data; couldn't parse JSON object. Are you sending a JSON object with valid key names?"
TOO_LARGE = "Payload is too large"

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"(\s*:)?|[{}\[\]]', re.DOTALL)


def parse(body: bytes) -> Json:
    """The JSON value of a body. Raises `RefusedError` 400 where there is none, 413 above 256 MB."""
    if not body.strip():
        raise RefusedError(400, "Error: No data supplied.")
    if len(body) > MAX_BODY_BYTES:
        raise RefusedError(413, TOO_LARGE)
    try:
        value = json.loads(body.decode(), parse_constant=_no_constant)
        if b"\\u" in body:
            # Half of a surrogate pair can come in only as an escape, and could not be written out again.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise RefusedError(400, _NOT_JSON) from None
    return cast("Json", value)


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def bad_key(body: bytes, *, paths: bool) -> RefusedError:
    """The error for the first member of `body` that cannot be a key, with its place. In a multi-path update (`paths`)
    the outermost members are paths.
    """
    text = body.decode()
    depth = 0
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if mark in {"{", "["}:
            depth += 1
        elif mark in {"}", "]"}:
            depth -= 1
        elif token.group(1) is not None:
            name = cast("str", json.loads(mark[: -len(token.group(1))]))
            if not _may_stand(name, as_path=paths and depth == 1):
                line = text.count("\n", 0, token.start()) + 1
                column = token.start() - text.rfind("\n", 0, token.start())
                return RefusedError(
                    400,
                    f"Invalid data; couldn't parse key beginning at {line}:{column}. "
                    "Key value can't be empty or contain $ # [ ] / or .",
                )
    return RefusedError(400, _NOT_JSON)  # pragma: no cover - whoever asks has found such a key


def _may_stand(name: str, *, as_path: bool) -> bool:
    if not as_path:
        return name in METADATA or is_valid_key(name)
    return is_update_path(split(name))


def is_update_path(path: Sequence[str]) -> bool:
    """Whether a multi-path update may name `path`: keys, and at the end perhaps the priority."""
    keys = path[:-1] if path and path[-1] == ".priority" else path
    return all(map(is_valid_key, keys))
