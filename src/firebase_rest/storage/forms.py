"""What programs pass: pyrebase's two call forms of `download`, tokens of two kinds, content types, sizes.

The law of this file: nothing is guessed that a keyword has decided.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import PurePath
from typing import Any, NamedTuple, cast

from firebase_rest.errors import UsageError
from firebase_rest.storage.protocol import checked_custom
from firebase_rest.storage.target import Downloadable
from firebase_rest.storage.upload import CHUNK, GRANULARITY
from firebase_rest.transport.credentials import TokenSource

_JWT = re.compile(r"eyJ[^.\s]*\.[^.\s]*\.[^.\s]*")
_COMPRESSED = {
    "gzip": "application/gzip",
    "bzip2": "application/x-bzip2",
    "xz": "application/x-xz",
    "compress": "application/x-compress",
    "br": "application/x-brotli",
}
UNKNOWN_TYPE = "application/octet-stream"
MAX_EXPIRY = 604_800
"""Seconds: a signed URL lasts a week at most."""


def is_id_token(value: object) -> bool:
    """Whether this signs a call: a `UserSession`, or text that looks like a JWT. (Download tokens are UUIDs.)"""
    return isinstance(value, TokenSource) or (isinstance(value, str) and _JWT.fullmatch(value) is not None)


class Order(NamedTuple):
    """What a call of `download` asks for."""

    path: Any
    target: Downloadable
    token: Any


def download_order(arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Order:
    """`(filename, token=None)` and `(path, filename, token=None)`, in any mix with keywords.

    Of two positional arguments the second is a token when it is None, a UserSession, or looks like a JWT. Raises
    TypeError, as Python does, for what fits neither form.
    """
    given = dict(keywords)
    unknown = given.keys() - {"path", "filename", "token"}
    if unknown:
        raise TypeError(f"download() got an unexpected keyword argument {min(unknown)!r}")
    free = list(arguments)
    names = _names_for(free, given)
    if len(free) > len(names):
        raise TypeError("download() takes a file name and a token, or a path, a file name and a token.")
    given.update(zip(names, free, strict=False))
    if given.get("filename") is None:
        raise TypeError("download() needs the name of the file to write: download('local.png').")
    return Order(given.get("path"), given["filename"], given.get("token"))


def _names_for(free: list[Any], given: Mapping[str, Any]) -> list[str]:
    """What the positional arguments mean, by their number, their kind, and the keywords beside them."""
    if "filename" in given:
        return [name for name in ("path", "token") if name not in given]
    if "path" in given:
        return [name for name in ("filename", "token") if name not in given]
    second_is_token = len(free) == 2 and "token" not in given and (not free[1] or is_id_token(free[1]))
    if len(free) == 1 or second_is_token:
        return [name for name in ("filename", "token") if name not in given]
    return [name for name in ("path", "filename", "token") if name not in given]


def content_type_for(given: object, *names: str) -> str:
    """The content type: the given one, or what the first name says that says anything. Raises `UsageError`."""
    if given is not None:
        if not isinstance(given, str) or not given.isascii() or not given.isprintable() or "/" not in given:
            raise UsageError(f"content_type={given!r} is none; it looks like 'image/png'.")
        return given
    for name in names:
        kind, encoding = mimetypes.guess_type(PurePath(name).name.replace(":", "_")) if name else (None, None)
        if encoding in _COMPRESSED:
            return _COMPRESSED[encoding]
        if kind:
            return kind
    return UNKNOWN_TYPE


def upload_fields(content_type: str, metadata: object, **settable: object) -> dict[str, Any]:
    """The metadata that go up with a file. Raises `UsageError`."""
    fields: dict[str, Any] = {"contentType": content_type}
    for name, value in settable.items():
        if value is None:
            continue
        if not isinstance(value, str):
            raise UsageError(f"{name} is a string, not a {type(value).__name__}.")
        fields[name] = value
    custom = checked_custom(metadata)
    if custom:
        fields["metadata"] = custom
    return fields


def checked_chunk(size: object) -> int:
    """Bytes to send at once; None: the default. Raises `UsageError`."""
    if size is None:
        return CHUNK
    if not isinstance(size, int) or isinstance(size, bool) or size <= 0 or size % GRANULARITY:
        raise UsageError(
            f"chunk_size={size!r}: pass a multiple of 262144 (256 KiB), which is what Firebase takes; "
            f"the default is {CHUNK}."
        )
    return size


def checked_generation(generation: object) -> int | None:
    """A generation, as a number or as metadata have it. Raises `UsageError`."""
    if generation is None:
        return None
    if isinstance(generation, str) and generation.isdecimal():
        return int(generation)
    if not isinstance(generation, int) or isinstance(generation, bool) or generation < 0:
        raise UsageError(
            f"if_generation_match={generation!r}: pass the 'generation' of the metadata, or 0 for a file that "
            "must not exist yet."
        )
    return generation


def checked_count(name: str, value: object, largest: int) -> int:
    """A whole number from 1 to `largest`. Raises `UsageError`."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= largest:
        raise UsageError(f"{name}={value!r}: pass a number from 1 to {largest}.")
    return value


def checked_expiry(expires: object) -> int:
    """Seconds until a signed URL ends. Raises `UsageError`."""
    seconds = expires.total_seconds() if isinstance(expires, timedelta) else expires
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 1 <= seconds <= MAX_EXPIRY:
        raise UsageError(f"expires={expires!r}: pass seconds, or a timedelta, from 1 second to 7 days.")
    return int(seconds)


def checked_span(start: object, end: object) -> tuple[int, int | None]:
    """A range of bytes. Raises `UsageError`."""
    for name, value in (("start", start), ("end", end)):
        is_number = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        if not is_number and not (name == "end" and value is None):
            raise UsageError(f"{name}={value!r}: pass a number of bytes from the beginning, 0 or more.")
    first, last = cast(int, start), cast("int | None", end)
    if last is not None and last <= first:
        raise UsageError(f"start={first}, end={last}: the end comes after the start; it is not part of what is read.")
    return first, last
