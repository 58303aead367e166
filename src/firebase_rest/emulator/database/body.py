"""Parsing of request bodies, with the server's error messages.

https://firebase.google.com/docs/reference/rest/database#section-error-conditions
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, cast

from firebase_rest.database.path import is_valid_key, split
from firebase_rest.emulator.database import parsing
from firebase_rest.emulator.database.node_builder import METADATA
from firebase_rest.emulator.database.responses import DatabaseHTTPError
from firebase_rest.emulator.database.slices import finish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.transport.wire import Json

MAX_BODY_BYTES = 256 * 1024 * 1024

_NOT_JSON = "Invalid data; couldn't parse JSON object, array, or value."
NOT_AN_OBJECT = "Invalid data; couldn't parse JSON object. Are you sending a JSON object with valid key names?"
TOO_LARGE = "Payload is too large"

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"(\s*:)?|[{}\[\]]', re.DOTALL)
_TOKENS_PER_SLICE = 1024


def parse(body: bytes) -> Json:
    """Return the JSON value of a body. Raises `DatabaseHTTPError` 400 if it is invalid, 413 above 256 MB."""
    return finish(parse_work(body))


def parse_work(body: bytes) -> Work[Json]:
    """Do the same as `parse`, in slices."""
    if not body or body.isspace():
        raise DatabaseHTTPError(400, "Error: No data supplied.")
    if len(body) > MAX_BODY_BYTES:
        raise DatabaseHTTPError(413, TOO_LARGE)
    try:
        return (yield from parsing.parse_work(body))
    except (ValueError, RecursionError):
        raise DatabaseHTTPError(400, _NOT_JSON) from None


def invalid_key_work(body: bytes, *, paths: bool) -> Work[DatabaseHTTPError]:
    """Return the error for the first invalid key in a JSON text, with its position.

    `paths` means that the text is a multi-path update, in which the outermost keys are paths.
    """
    depth = 0
    for number, token in enumerate(_TOKEN.finditer(body)):
        if number % _TOKENS_PER_SLICE == 0:
            yield
        text, colon = token.group(0, 1)
        if text in {b"{", b"["}:
            depth += 1
        elif text in {b"}", b"]"}:
            depth -= 1
        elif colon is not None:
            key = cast("str", json.loads(text[: -len(colon)]))
            if not _is_allowed_key(key, as_path=paths and depth == 1):
                line = body.count(b"\n", 0, token.start()) + 1
                column = len(body[body.rfind(b"\n", 0, token.start()) + 1 : token.start()].decode()) + 1
                return DatabaseHTTPError(
                    400,
                    f"Invalid data; couldn't parse key beginning at {line}:{column}. "
                    "Key value can't be empty or contain $ # [ ] / or .",
                )
    return DatabaseHTTPError(400, _NOT_JSON)  # pragma: no cover - callers have found an invalid key


def _is_allowed_key(key: str, *, as_path: bool) -> bool:
    if as_path:
        return is_update_path(split(key))
    return key in METADATA or is_valid_key(key)


def is_update_path(path: Sequence[str]) -> bool:
    """Return whether a multi-path update may contain `path`: keys, optionally followed by `.priority`."""
    keys = path[:-1] if path and path[-1] == ".priority" else path
    return all(map(is_valid_key, keys))
