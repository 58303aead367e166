"""Where a request points: a bucket and, in one path segment, the name of an object.

https://cloud.google.com/storage/docs/objects#naming
"""

from __future__ import annotations

from urllib.parse import quote, unquote_to_bytes

from firebase_rest.emulator.storage.errors import Refusal

PREFIX = "/v0/b/"
MAX_NAME_BYTES = 1024

NO_ROUTE = "Invalid HTTP method/URL pair."
"""What the service says of any path that it does not know, an object's name with a bare slash included."""

_INVALID_NAME = "The specified object name is not valid."
_ATTRIBUTE_CHARACTERS = "!#$&+-.^_`|~"


def place(path: str) -> tuple[str, str | None]:
    """Bucket and object name of a raw path; no name means the bucket's collection. Raises `Refusal` 400."""
    bucket, _, rest = path[len(PREFIX) :].partition("/")
    collection, slash, name = rest.partition("/")
    if not bucket or collection != "o" or "/" in name or (slash and not name):
        raise Refusal(400, NO_ROUTE)
    return _decoded(bucket), _decoded(name) if slash else None


def _decoded(segment: str) -> str:
    """A segment, each %XX of it decoded once."""
    try:
        return unquote_to_bytes(segment).decode()
    except UnicodeDecodeError:
        raise Refusal(400, _INVALID_NAME) from None


def check_name(name: str) -> None:
    """Raise `Refusal` 400 for what cannot be the name of a new object."""
    size = len(name.encode("utf-8", "surrogatepass"))
    if not 0 < size <= MAX_NAME_BYTES:
        raise Refusal(400, f"{_INVALID_NAME} It must have 1 to {MAX_NAME_BYTES} bytes, not {size}.")
    if name in {".", ".."} or "\r" in name or "\n" in name or name.startswith(".well-known/acme-challenge/"):
        raise Refusal(400, _INVALID_NAME)


def is_listed(name: str) -> bool:
    """Whether listings show a name, or a prefix without its last slash. An empty segment hides it, though it exists."""
    return all(name.removeprefix("/").split("/"))


def disposition(name: str) -> str:
    """The Content-Disposition that an object gets when its uploader names none."""
    return f"inline; filename*=utf-8''{quote(name.rpartition('/')[2], safe=_ATTRIBUTE_CHARACTERS)}"
