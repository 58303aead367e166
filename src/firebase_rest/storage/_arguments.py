"""What programs pass: pyrebase's two call _arguments of `download`, tokens of two kinds, content types, sizes.

The law of this file: nothing is guessed that a keyword has decided.
"""

from __future__ import annotations

import mimetypes
import operator
import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import PurePath
from typing import Any, NamedTuple, cast

from firebase_rest.errors import UsageError
from firebase_rest.storage.checksum import decimal
from firebase_rest.storage.protocol import shown, validate_custom_metadata, validate_str
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
"""Seconds: a signed URL is valid for at most a week."""

MAX_BYTES = 2**63 - 1


def is_id_token(value: object) -> bool:
    """Whether this signs a call: a `UserSession`, or text that looks like a JWT. (Download tokens are UUIDs.)"""
    return isinstance(value, TokenSource) or (isinstance(value, str) and _JWT.fullmatch(value) is not None)


class DownloadArgs(NamedTuple):
    """What a call of `download` asks for."""

    path: Any
    target: Downloadable
    token: Any


def parse_download_args(arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> DownloadArgs:
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
    return DownloadArgs(given.get("path"), given["filename"], given.get("token"))


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


def choose_content_type(given: object, *names: str) -> str:
    """The content type: the given one, or the one that the first name with a known ending has. Raises `UsageError`."""
    if given is not None:
        if not isinstance(given, str) or not given.isascii() or not given.isprintable() or "/" not in given:
            raise UsageError(f"Invalid content_type {shown(given)}; expected a MIME type such as 'image/png'.")
        return given
    for name in names:
        kind, encoding = mimetypes.guess_type(PurePath(name).name.replace(":", "_")) if name else (None, None)
        if encoding in _COMPRESSED:
            return _COMPRESSED[encoding]
        if kind:
            return kind
    return UNKNOWN_TYPE


def upload_fields(content_type: str, metadata: object, **settable: object) -> dict[str, Any]:
    """The metadata of an upload. Raises `UsageError`."""
    fields: dict[str, Any] = {"contentType": content_type}
    fields.update((name, validate_str(name, value)) for name, value in settable.items() if value is not None)
    custom = validate_custom_metadata(metadata)
    if custom:
        fields["metadata"] = custom
    return fields


def validate_int(name: str, value: object, least: int, most: int) -> int:
    """An integer within bounds; NumPy's too, but no bool. Raises `UsageError`."""
    number = None
    if not isinstance(value, bool):
        with suppress(TypeError):
            number = operator.index(cast(Any, value))
    if number is not None and least <= number <= most:
        return number
    bounds = f"from {least} to {most}" if most <= MAX_BYTES >> 32 else f"of {least} or more"
    hint = " Convert it with int()." if isinstance(value, (str, float, Decimal, Fraction)) else ""
    raise UsageError(f"{name} must be an integer {bounds}, got {shown(value)}.{hint}")


def validate_chunk_size(size: object) -> int:
    """The number of bytes to send at once; None: the default. Raises `UsageError`."""
    if size is None:
        return CHUNK
    number = validate_int("chunk_size", size, GRANULARITY, MAX_BYTES)
    if number % GRANULARITY:
        raise UsageError(
            f"chunk_size must be a multiple of {GRANULARITY} (256 KiB), got {number}. The default is {CHUNK}."
        )
    return number


def validate_generation(generation: object) -> int | None:
    """A generation, as a number or as the string in the metadata. Raises `UsageError`."""
    if generation is None:
        return None
    number = decimal(generation) if isinstance(generation, str) else None
    return validate_int("if_generation_match", generation if number is None else number, 0, MAX_BYTES)


def validate_expiry(expires: object) -> int:
    """Seconds until a signed URL expires. Raises `UsageError`."""
    seconds = expires.total_seconds() if isinstance(expires, timedelta) else expires
    if not isinstance(seconds, (bool, float)):
        with suppress(TypeError):
            seconds = operator.index(cast(Any, seconds))
    if isinstance(seconds, (int, float)) and not isinstance(seconds, bool) and 1 <= seconds <= MAX_EXPIRY:
        return int(seconds)
    raise UsageError(f"expires must be seconds or a timedelta, from 1 second to 7 days, got {shown(expires)}.")


def validate_range(start: object, end: object) -> tuple[int, int | None]:
    """A range of bytes. Raises `UsageError`."""
    first = validate_int("start", start, 0, MAX_BYTES)
    last = None if end is None else validate_int("end", end, 0, MAX_BYTES)
    if last is not None and last <= first:
        raise UsageError(f"end must be greater than start, got start={first} and end={last}. It is exclusive.")
    return first, last
