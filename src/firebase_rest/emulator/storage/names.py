"""Parsing and validation of paths, object names and sizes in requests.

https://cloud.google.com/storage/docs/objects#naming
"""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

from firebase_rest.emulator.storage.errors import StorageHTTPError

PREFIX = "/v0/b/"
MAX_NAME_BYTES = 1024
MAX_SIZE = 2**63 - 1

INVALID_ROUTE = "Invalid HTTP method/URL pair."
"""The message of Firebase's service for an unknown path, or an object name with an unescaped slash."""

_INVALID_NAME = "The specified object name is not valid."
_ATTRIBUTE_CHARACTERS = "!#$&+-.^_`|~"


def parse_object_path(path: str) -> tuple[str, str | None]:
    """Return the bucket and the object name of a raw path. The name is None for the bucket itself.

    Raises `StorageHTTPError` 400.
    """
    bucket, _, rest = path[len(PREFIX) :].partition("/")
    collection, slash, name = rest.partition("/")
    if not bucket or collection != "o" or "/" in name or (slash and not name):
        raise StorageHTTPError(400, INVALID_ROUTE)
    return _decode(bucket), _decode(name) if slash else None


def _decode(segment: str) -> str:
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise StorageHTTPError(400, _INVALID_NAME) from None


def validate_name(name: str) -> None:
    """Raise `StorageHTTPError` 400 if `name` is invalid for a new object."""
    size = len(name.encode("utf-8", "surrogatepass"))
    if not 0 < size <= MAX_NAME_BYTES:
        raise StorageHTTPError(400, f"{_INVALID_NAME} It must have 1 to {MAX_NAME_BYTES} bytes, got {size}.")
    if name in {".", ".."} or "\r" in name or "\n" in name or name.startswith(".well-known/acme-challenge/"):
        raise StorageHTTPError(400, _INVALID_NAME)


def parse_size(text: str) -> int | None:
    """Return a decimal number of bytes, or None if `text` is not one or has more than 63 bits."""
    if not (text.isascii() and text.isdigit()) or len(text) > 100:
        return None
    number = int(text)
    return number if number <= MAX_SIZE else None


def is_listed(name: str) -> bool:
    """Return whether Firebase lists a name, or a prefix without its last slash. It hides names with empty segments."""
    return all(name.removeprefix("/").split("/"))


def default_disposition(name: str) -> str:
    """Return the default Content-Disposition of an object."""
    return f"inline; filename*=utf-8''{quote(name.rpartition('/')[2], safe=_ATTRIBUTE_CHARACTERS)}"
