"""Validate and encode keys and paths.

Invariant: each segment is percent-encoded exactly once, in `url_path`.
Limits: https://firebase.google.com/docs/database/usage/limits and
https://firebase.google.com/docs/database/web/structure-data
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import lru_cache
from urllib.parse import quote, unquote_plus

from firebase_rest.errors import InvalidResponse, UsageError
from firebase_rest.transport.arguments import SURROGATE

MAX_KEY_BYTES = 768
"""The maximum size of a key, and of a path, in bytes of UTF-8."""

MAX_DEPTH = 32
"""The maximum number of levels."""

MAX_LEVELS = 100
"""Levels of nesting that are accepted from a server; beyond them, recursion over the data would fail."""

_FORBIDDEN = re.compile(r"[.$#\[\]/\x00-\x1f\x7f]")


def split(path: str) -> tuple[str, ...]:
    """Return the segments of a path; leading, trailing and doubled slashes are ignored."""
    return tuple(filter(None, path.split("/")))


def is_valid_key(key: str) -> bool:
    """Return whether `key` has only characters that are allowed in keys. The size is not checked."""
    return key != "" and _FORBIDDEN.search(key) is None


def array_length(keys: Collection[str]) -> int:
    """Return the length of the array as which reads render an object with these keys, or 0 for an object.

    As in the official SDKs, the object is an array if every key is an index and more than half of the items exist.
    """
    limit = 2 * len(keys)
    highest = -1
    for key in keys:
        if not (key.isdigit() and key.isascii()) or (key[0] == "0" and key != "0") or len(key) > 10:
            return 0
        index = int(key)
        if index >= limit:
            return 0
        highest = max(highest, index)
    return highest + 1


def check_levels(remaining: int) -> None:
    """Raise `InvalidResponse` if no level of nesting is left."""
    if remaining <= 0:
        raise InvalidResponse(f"The server sent data nested deeper than {MAX_LEVELS} levels; Firebase allows 32.")


def check_segment(segment: str, path: str) -> None:
    """Raise `UsageError` unless `segment` is a valid key. The message contains both the key and its `path`."""
    if segment == "":
        raise UsageError(f"A key in {_shorten(path)} is empty; pass a non-empty key.")
    forbidden = _FORBIDDEN.search(segment)
    if forbidden is not None:
        if segment.startswith("eyJ"):  # the start of each JSON Web Token; an error must not show it
            raise UsageError("A key must not be a token; pass the token to the call, such as get(token).")
        hint = "replace them (for example by '_' or ',')"
        if forbidden.group() == "/":
            hint = "put paths at the top level of update()"
        raise UsageError(
            f"The key {segment[:100]!r} in {_shorten(path)} contains {forbidden.group()!r}; keys cannot contain "
            f". $ # [ ] / or control characters, so {hint}."
        )
    size = len(segment) if segment.isascii() else utf8_size(segment, f"The key {segment[:20]!r} in {_shorten(path)}")
    if size > MAX_KEY_BYTES:
        raise UsageError(
            f"The key {segment[:20]!r}... in {_shorten(path)} must have at most {MAX_KEY_BYTES} bytes of UTF-8, "
            f"got {size} bytes; use a shorter key or its hash."
        )


def check_path(segments: Sequence[str], path: str) -> None:
    """Raise `UsageError` unless all of `segments` are keys and the whole path is neither too long nor too deep."""
    for segment in segments:
        check_segment(segment, path)
    if len(segments) > MAX_DEPTH:
        raise UsageError(f"The path {_shorten(path)} must have at most {MAX_DEPTH} levels, got {len(segments)} levels.")
    size = len("/".join(segments).encode())
    if size > MAX_KEY_BYTES:
        raise UsageError(
            f"The path {_shorten(path)} must have at most {MAX_KEY_BYTES} bytes of UTF-8, got {size} bytes."
        )


def replace_forbidden(text: str) -> str:
    """Return `text` with "_" in place of the characters that keys cannot contain."""
    return _FORBIDDEN.sub("_", text)


def utf8_size(text: str, description: str) -> int:
    """Return the number of bytes of `text` in UTF-8. Raises `UsageError` with the description if it is not Unicode."""
    try:
        return len(text.encode())
    except UnicodeEncodeError:
        pass
    raise UsageError(f"{description} {SURROGATE}.")


def _shorten(path: str) -> str:
    """Return a path for a message, shortened and on one line."""
    text = path if len(path) <= 100 else path[:100] + "..."
    return text if text.isprintable() else repr(text)[1:-1]


@lru_cache(maxsize=256)
def url_path(segments: tuple[str, ...]) -> str:
    """Return the percent-encoded path of the resource: "/a/b.json", or "/.json" for the root."""
    return "/" + "/".join([quote(segment, safe="") for segment in segments]) + ".json"


def parse_url_path(raw: str) -> tuple[str, ...]:
    """Return the decoded segments of a URL path without ".json". As on Firebase's servers, "+" is a space."""
    return tuple(unquote_plus(segment) for segment in raw.split("/") if segment)
