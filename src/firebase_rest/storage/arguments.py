"""Validate the arguments of Storage methods, and parse the call forms of pyrebase."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from datetime import timedelta
from pathlib import PurePath
from typing import Any, NamedTuple, cast

from firebase_rest.errors import UsageError
from firebase_rest.storage.checksum import parse_decimal
from firebase_rest.storage.target import Downloadable
from firebase_rest.storage.upload import CHUNK_SIZE, GRANULARITY
from firebase_rest.transport.arguments import (
    as_float,
    as_int,
    describe,
    validate_dict,
    validate_int,
    validate_list,
    validate_nonempty,
    validate_str,
)
from firebase_rest.transport.credentials import is_token_source
from firebase_rest.types import UploadOptions

_HEADER_FIELDS = {
    "cache_control": "cacheControl",
    "content_disposition": "contentDisposition",
    "content_encoding": "contentEncoding",
    "content_language": "contentLanguage",
}
"""Fields of the metadata that are headers of downloads, by the names of their arguments."""
_SETTABLE = ("contentType", *_HEADER_FIELDS.values(), "metadata")
DEFAULT_CONTENT_TYPE = "application/octet-stream"
MAX_BYTES = 2**63 - 1
MAX_EXPIRY = 604_800
"""Maximum lifetime of a signed URL in seconds: a week."""

_METHODS = ("DELETE", "GET", "HEAD", "POST", "PUT")
_JWT = re.compile(r"eyJ[^.\s]*\.[^.\s]*\.[^.\s]*")
_COMPRESSED = {
    "gzip": "application/gzip",
    "bzip2": "application/x-bzip2",
    "xz": "application/x-xz",
    "compress": "application/x-compress",
    "br": "application/x-brotli",
}


# --- call forms of pyrebase ------------------------------------------------------------------------------------------


def is_id_token(value: object) -> bool:
    """Return whether `value` is a `UserSession` or text in the form of a JWT. (Download tokens are UUIDs.)"""
    return is_token_source(value) or (isinstance(value, str) and _JWT.fullmatch(value) is not None)


class DownloadArgs(NamedTuple):
    """The arguments of `download`."""

    path: Any
    target: Downloadable
    token: Any


def parse_download_args(arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> DownloadArgs:
    """Parse `(filename, token=None)` or `(path, filename, token=None)`, with any of them as keywords.

    The second of two positional arguments is a token if it is empty, a `UserSession`, or in the form of a JWT. Raises
    TypeError, as Python does, for arguments that fit neither form.
    """
    values = dict(keywords)
    unknown = values.keys() - {"path", "filename", "token"}
    if unknown:
        raise TypeError(f"download() got an unexpected keyword argument {min(unknown)!r}")
    names = _positional_names(arguments, values)
    if len(arguments) > len(names):
        raise TypeError("download() takes a file name and a token, or a path, a file name and a token.")
    values.update(zip(names, arguments, strict=False))
    if values.get("filename") is None:
        raise TypeError("download() needs the name of the local file: download('local.png').")
    return DownloadArgs(values.get("path"), values["filename"], values.get("token"))


def _positional_names(arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> list[str]:
    """Return the names of the positional arguments, which depend on their number and types and on the keywords."""
    names = ["path", "filename", "token"]
    if not keywords.keys() & {"path", "filename"}:
        second_is_token = len(arguments) == 2 and (not arguments[1] or is_id_token(arguments[1]))
        if len(arguments) == 1 or (second_is_token and "token" not in keywords):
            names.remove("path")
    return [name for name in names if name not in keywords]


# --- metadata --------------------------------------------------------------------------------------------------------


def choose_content_type(content_type: object, *names: str) -> str:
    """Return `content_type`, or the type of the first name with a known file extension. Raises `UsageError`."""
    if isinstance(content_type, str) and "/" in content_type and content_type.isascii() and content_type.isprintable():
        return content_type
    if content_type is not None:
        raise UsageError(f"Invalid content_type {describe(content_type)}; expected a MIME type such as 'image/png'.")
    for name in names:
        guessed, encoding = mimetypes.guess_type(PurePath(name).name.replace(":", "_")) if name else (None, None)
        if encoding in _COMPRESSED:
            return _COMPRESSED[encoding]
        if guessed:
            return guessed
    return DEFAULT_CONTENT_TYPE


def upload_fields(content_type: str, options: UploadOptions) -> dict[str, Any]:
    """Return the metadata of an upload. Raises `UsageError`."""
    fields: dict[str, Any] = {"contentType": content_type}
    for name, field in _HEADER_FIELDS.items():
        value = options.get(name)
        if value is not None:
            fields[field] = validate_str(name, value)
    custom_metadata = validate_custom_metadata(options.get("metadata"))
    if custom_metadata:
        fields["metadata"] = custom_metadata
    return fields


def validate_fields(fields: object) -> dict[str, Any]:
    """Return the metadata that a client may set. Raises `UsageError`."""
    changes = validate_dict("changes", fields)
    for name, value in changes.items():
        if name not in _SETTABLE:
            raise UsageError(
                f"The metadata field {describe(name)} cannot be set; expected one of: {', '.join(_SETTABLE)}. Put "
                "custom values into 'metadata', such as {'metadata': {'owner': 'ada'}}."
            )
        if name == "metadata":
            validate_custom_metadata(value, nullable=True)
        elif value is not None:
            validate_str(name, value)
    return changes


def validate_custom_metadata(metadata: object, *, nullable: bool = False) -> dict[str, Any]:
    """Return custom metadata: a dict of strings, whose values may be None if `nullable`. Raises `UsageError`."""
    validated: dict[str, Any] = {}
    items = {} if metadata is None else validate_dict("metadata", metadata)
    for key, value in items.items():
        name = validate_str("each key of metadata", key)
        if name == "firebaseStorageDownloadTokens":
            raise UsageError("Download tokens cannot be set as metadata; use create_download_token().")
        if nullable and value is None:
            validated[name] = None
        else:
            validated[name] = validate_str(f"metadata[{describe(name)}]", value)
    return validated


# --- numbers and names -----------------------------------------------------------------------------------------------


def validate_chunk_size(size: object) -> int:
    """Return the number of bytes of each request of an upload. Raises `UsageError`."""
    if size is None:
        return CHUNK_SIZE
    number = as_int(size)
    if number is None or not 0 < number <= MAX_BYTES or number % GRANULARITY:
        raise UsageError(f"chunk_size must be a multiple of {GRANULARITY} (256 KiB), got {describe(size)}.")
    return number


def validate_generation(generation: object) -> int | None:
    """Return a generation, from a number or from the string in the metadata. Raises `UsageError`."""
    number = parse_decimal(generation) if isinstance(generation, str) else None
    if generation is None or number is not None:
        return number
    return validate_int("if_generation_match", generation, 0, MAX_BYTES)


def validate_range(start: object, end: object) -> tuple[int, int | None]:
    """Return a range of bytes; `end` is exclusive. Raises `UsageError`."""
    first = validate_int("start", start, 0, MAX_BYTES)
    last = None if end is None else validate_int("end", end, 0, MAX_BYTES)
    if last is not None and last <= first:
        raise UsageError(f"end is exclusive and must be greater than start, got start={first} and end={last}.")
    return first, last


def validate_expiry(expires: object) -> int:
    """Return the seconds until a signed URL expires. Raises `UsageError`."""
    value = expires.total_seconds() if isinstance(expires, timedelta) else expires
    seconds = as_int(value) or as_float(value) or 0
    if not 1 <= seconds <= MAX_EXPIRY:
        raise UsageError(f"expires must be seconds or a timedelta, from 1 second to 7 days, got {describe(expires)}.")
    return int(seconds)


def validate_method(method: object) -> str:
    """Return the method of a signed URL in capitals. Raises `UsageError`."""
    if isinstance(method, str) and method.upper() in _METHODS:
        return method.upper()
    raise UsageError(f"method must be one of {', '.join(_METHODS)}, got {describe(method)}.")


def is_recursive(delimiter: object) -> bool:
    """Return whether a list with this delimiter contains the files of subfolders. Raises `UsageError`."""
    if delimiter is None or (isinstance(delimiter, str) and delimiter in ("/", "")):
        return delimiter != "/"
    raise UsageError(f"delimiter must be '/', or None to list subfolders too, got {describe(delimiter)}.")


def validate_page_token(token: object) -> str | None:
    """Return a page token. Raises `UsageError`."""
    return None if token is None else validate_nonempty("page_token", token)


def validate_files(files: object) -> list[tuple[str, Any]]:
    """Return the (name, file) pairs of a mapping or an iterable of pairs. Raises `UsageError`."""
    is_dict = issubclass(type(files), Mapping)
    pairs = list(validate_dict("files", files).items()) if is_dict else validate_list("files", files)
    for pair in pairs:
        if not isinstance(pair, tuple) or len(cast(Any, pair)) != 2:
            kind = type(cast(object, pair)).__name__
            raise UsageError(
                f"files must be a dict of names and files, or (name, file) pairs, got an item of type {kind}."
            )
    return pairs
