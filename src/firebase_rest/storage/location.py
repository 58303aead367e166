"""Locations of buckets, folders and files, and their URLs.

https://cloud.google.com/storage/docs/objects#naming
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import Any, cast
from urllib.parse import quote, unquote, urlsplit

from firebase_rest.errors import ConfigError, UsageError
from firebase_rest.transport.arguments import describe, path_text
from firebase_rest.transport.settings import invalid_host, malformed_path

PRODUCTION = "https://firebasestorage.googleapis.com"
MAX_NAME_BYTES = 1024

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
_RESERVED = ".well-known/acme-challenge/"
_OBJECT_PATH = re.compile(r"/v\d[^/]*/b/([^/]+)/o(?:/(.*))?")
_PUBLIC_HOSTS = frozenset({"storage.googleapis.com", "storage.cloud.google.com"})


@dataclass(frozen=True, slots=True)
class ObjectLocation:
    """The location of a file or folder.

    Args:
        base: Scheme and host of the URL.
        bucket: The bucket's name.
        name: The path of the file or folder in the bucket; "" for the bucket itself.
        problem: The reason why the configuration is invalid. Using the location raises `ConfigError` with this text.
    """

    base: str
    bucket: str
    name: str = ""
    problem: str | None = None

    def validate_bucket(self) -> None:
        """Raise `ConfigError` if the configuration is invalid."""
        if self.problem is not None:
            raise ConfigError(self.problem)

    def validate(self) -> None:
        """Raise the errors of `validate_bucket`, and `UsageError` if this is not the location of a file."""
        self.validate_bucket()
        if not self.name:
            raise UsageError("The path must name a file, got the whole bucket; write storage.child('images/a.png').")
        validate_name(self.name)

    @property
    def bucket_url(self) -> str:
        """The URL of the bucket, ending in "/v0/b/<bucket>". Raises the errors of `validate_bucket`."""
        self.validate_bucket()
        return f"{self.base}/v0/b/{quote(self.bucket, safe='')}"

    @property
    def collection_url(self) -> str:
        """The URL that lists and creates objects."""
        return f"{self.bucket_url}/o"

    @property
    def url(self) -> str:
        """The URL of the object, without a query. Raises the errors of `validate`."""
        self.validate()
        return f"{self.collection_url}/{quote(self.name, safe='')}"

    @property
    def folder(self) -> str:
        """The prefix of all names in the folder: the path and a slash; "" for the bucket."""
        return f"{self.name.rstrip('/')}/" if self.name else ""

    def child(self, *parts: object) -> ObjectLocation:
        """Return the location of a child. Leading and trailing slashes of `parts` have no effect.

        Raises `UsageError` for an invalid name, and for `a//b`, which Firebase leaves out of every list.
        """
        segments = [text for text in map(_part_text, parts) if text]
        if not segments:
            return self
        name = "/".join([self.name.rstrip("/"), *segments] if self.name else segments)
        if "//" in name:
            raise UsageError(
                f"The name {_shorten(name)} must not have an empty part between two slashes; write one slash, or use "
                "ref('gs://bucket/...') for a file with this name."
            )
        return replace(self, name=validate_name(name))

    def at(self, name: str) -> ObjectLocation:
        """Return the location with exactly this name in the same bucket."""
        return replace(self, name=name)

    @property
    def parent(self) -> ObjectLocation | None:
        """The location of the folder above, or None for the bucket."""
        return self.at(self.name.rstrip("/").rpartition("/")[0].rstrip("/")) if self.name else None


def _part_text(part: object) -> str:
    if not isinstance(part, os.PathLike):
        return path_text(part).strip("/")
    with suppress(Exception):  # os.fspath calls a method of the caller's object, which can raise anything
        path = cast(Any, part)
        return PurePath(path if isinstance(os.fspath(path), str) else os.fsdecode(path)).as_posix().strip("/")
    raise UsageError(f"child() arguments must be strings or paths, got {type(cast(object, part)).__name__}.")


def validate_name(name: str) -> str:
    """Return `name` if it is a valid object name. Raises `UsageError`."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise UsageError(
            f"The name {_shorten(name)} must be encodable as UTF-8; it contains an unpaired surrogate."
        ) from None
    if size > MAX_NAME_BYTES:
        raise UsageError(
            f"The name {_shorten(name)} must have at most {MAX_NAME_BYTES} bytes of UTF-8, got {size} bytes."
        )
    if "\n" in name or "\r" in name:
        raise UsageError(f"The name {_shorten(name)} must not contain a line break.")
    if name in (".", ".."):
        raise UsageError(f"The name must not be {name!r}, which refers to a folder.")
    if name.startswith(_RESERVED):
        raise UsageError(f"The name {_shorten(name)} must not start with {_RESERVED}, which Cloud Storage reserves.")
    return name


def _shorten(name: str) -> str:
    return ascii(name if len(name) <= 60 else name[:57] + "...")


# --- configuration and URLs ------------------------------------------------------------------------------------------


def locate(bucket: object, emulator: str | None, hint: str = "") -> ObjectLocation:
    """Return the root of a bucket.

    An invalid bucket raises an error when the location is used, because programs create references at import time.

    Args:
        bucket: The `storageBucket` of the configuration: a name, a gs:// URL or the bucket's URL.
        emulator: host:port of the emulator that replaces Google's host.
        hint: Text to add to the error for a missing bucket.
    """
    base = PRODUCTION if emulator is None else f"http://{emulator}"
    problem = None if emulator is None else invalid_host("storage", emulator)
    if problem is None and bucket is None:
        problem = (
            "The configuration has no 'storageBucket', which Storage needs; add it or pass storage(bucket)." + hint
        )
    if problem is None and not isinstance(bucket, str):
        problem = f"The 'storageBucket' of the configuration must be a string, got {type(bucket).__name__}."
    if problem is not None:
        return ObjectLocation("", "", problem=problem)
    name = str(bucket).strip().removeprefix("gs://").rstrip("/")
    if "://" in name:
        with suppress(UsageError):  # reported below, with the whole value
            name = parse_url(name, None).bucket
    malformed = malformed_path(name)
    if malformed is None and _BUCKET.fullmatch(name):
        return ObjectLocation(base, name)
    problem = (
        f"The storageBucket {malformed or describe(bucket)} is not the name of a bucket; copy it from the Firebase "
        "console, for example 'my-project.firebasestorage.app'."
    )
    return ObjectLocation(base, "", problem=problem)


def parse_url(url: object, emulator: str | None) -> ObjectLocation:
    """Return the location of a gs:// URL, a download URL or a public URL. A token in it is ignored.

    Raises `UsageError` for other text.
    """
    bucket, name = _split_url(url) if isinstance(url, str) else ("", "")
    if not _BUCKET.fullmatch(bucket):
        raise UsageError(
            "The URL of ref() must be 'gs://bucket/path' or a download URL of Firebase; for a path in the bucket use "
            "storage.child(path)."
        )
    root = locate(bucket, emulator)
    return root.at(validate_name(name)) if name else root


def _split_url(url: str) -> tuple[str, str]:
    """Return the bucket and the name in a URL of Storage, or empty strings for other URLs."""
    url = url.lstrip()  # a name may end in a space, and a gs:// URL is not encoded
    if url.startswith("gs://"):
        bucket, slash, name = url[len("gs://") :].partition("/")
        return bucket if slash else bucket.rstrip(), name.rstrip("/")
    try:
        parts = urlsplit(url.rstrip())
        match = _OBJECT_PATH.fullmatch(parts.path)
        if parts.scheme not in ("http", "https") or not (match or parts.hostname in _PUBLIC_HOSTS):
            return "", ""
        if match:
            bucket, name = match[1], match[2] or ""
        else:
            bucket, _, name = parts.path.lstrip("/").partition("/")
        return unquote(bucket, errors="strict"), unquote(name, errors="strict")
    except ValueError:  # an unclosed bracket, or bytes that are not UTF-8
        return "", ""
