"""A place in a bucket, and the URL it has.

The law of this file: a name is encoded in one function, once; what cannot be a name is refused before anything is sent.
https://cloud.google.com/storage/docs/objects#naming
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import PurePath
from typing import cast
from urllib.parse import quote, unquote, urlsplit

from firebase_rest.errors import ConfigError, UsageError
from firebase_rest.transport._paths import path_text
from firebase_rest.transport.settings import invalid_host

PRODUCTION = "https://firebasestorage.googleapis.com"
MAX_NAME_BYTES = 1024

_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
_RESERVED = ".well-known/acme-challenge/"
_OBJECT_PATH = re.compile(r"/v\d[^/]*/b/([^/]+)/o(?:/(.*))?")
_PUBLIC_HOSTS = frozenset({"storage.googleapis.com", "storage.cloud.google.com"})


@dataclass(frozen=True, slots=True)
class ObjectLocation:
    """`base` is scheme and host, `name` the object's or the folder's whole path, "" for the whole bucket.

    With a `problem`, the configuration names no bucket; using the place says so.
    """

    base: str
    bucket: str
    name: str = ""
    problem: str | None = field(default=None)

    @property
    def bucket_url(self) -> str:
        """The bucket's URL, ending in "/v0/b/<bucket>". Raises `ConfigError` where the configuration names none."""
        if self.problem is not None:
            raise ConfigError(self.problem)
        return f"{self.base}/v0/b/{quote(self.bucket, safe='')}"

    @property
    def collection_url(self) -> str:
        """Where objects are listed and made."""
        return f"{self.bucket_url}/o"

    @property
    def url(self) -> str:
        """The URL of the object, without a query. Raises `UsageError` for the bucket itself."""
        collection = self.collection_url
        if not self.name:
            raise UsageError(
                "This is the whole bucket, and the call is about one file: name it, as in "
                "storage.child('images/a.png')."
            )
        return f"{collection}/{quote(validate_name(self.name), safe='')}"

    @property
    def folder(self) -> str:
        """The prefix of everything below: the path with a slash at its end; "" for the whole bucket."""
        return f"{self.name.rstrip('/')}/" if self.name else ""

    def child(self, *parts: object) -> ObjectLocation:
        """The place below. Each part is made text; slashes at its ends only separate. `UsageError` for what is no name.

        Raises it for `a//b` too: Firebase hides such names from every list.
        """
        added = [text for text in (_part(part) for part in parts) if text]
        if not added:
            return self
        name = "/".join([self.name.rstrip("/"), *added] if self.name else added)
        if "//" in name:
            raise UsageError(
                f"{_shown(name)} has an empty part between two slashes; Firebase leaves such names out of every list. "
                "Write one slash (or name a file that exists already by ref('gs://bucket/...'))."
            )
        return replace(self, name=validate_name(name))

    def at(self, name: str) -> ObjectLocation:
        """The place with exactly this name, in the same bucket."""
        return replace(self, name=name)

    @property
    def parent(self) -> ObjectLocation | None:
        """The place above; None for the bucket."""
        return replace(self, name=self.name.rstrip("/").rpartition("/")[0].rstrip("/")) if self.name else None


def _part(part: object) -> str:
    if isinstance(part, PathLike):
        path = cast("PathLike[str]", part)
        return PurePath(path if isinstance(os.fspath(path), str) else os.fsdecode(path)).as_posix().strip("/")
    return path_text(part).strip("/")


def validate_name(name: str) -> str:
    """`name` if an object can have it. Raises `UsageError` with the rule it breaks."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise UsageError(f"{_shown(name)} is not text that UTF-8 can hold, so it cannot be a name.") from None
    if size > MAX_NAME_BYTES:
        raise UsageError(f"{_shown(name)} takes {size} bytes; a name has at most {MAX_NAME_BYTES}.")
    if "\n" in name or "\r" in name:
        raise UsageError(f"{_shown(name)} holds a line break; a name must not.")
    if name in (".", ".."):
        raise UsageError(f"{name!r} cannot be a name; it means a folder.")
    if name.startswith(_RESERVED):
        raise UsageError(f"{_shown(name)}: names below {_RESERVED} are reserved.")
    return name


def _shown(name: str) -> str:
    return ascii(name if len(name) <= 60 else name[:57] + "...")


# --- from configuration and URLs --------------------------------------------------------------------------------------


def locate(bucket: object, emulator: str | None, hint: str = "") -> ObjectLocation:
    """The root of a bucket, named as the configuration does; `emulator` is the host:port that stands in for Google.

    What is wrong with either is told when the place is used: programs build theirs while they are imported. `hint` is
    added to the sentence for a missing bucket.
    """
    base = PRODUCTION if emulator is None else f"http://{emulator}"
    if emulator is not None and (problem := invalid_host("storage", emulator)):
        return _nowhere(problem, base)
    if bucket is None:
        problem = "The configuration has no 'storageBucket', which Storage needs; add it or pass storage(bucket)."
        return _nowhere(problem + hint, base)
    if not isinstance(bucket, str):
        return _nowhere(f"The 'storageBucket' in the configuration is a {type(bucket).__name__}, not a string.", base)
    name = bucket.strip().removeprefix("gs://").rstrip("/")
    if "://" in name:
        with suppress(UsageError):  # said below, with the whole value
            name = parse_url(name, None).bucket
    if not _BUCKET.fullmatch(name):
        return _nowhere(
            f"The storageBucket {bucket!r} is not the name of a bucket; copy it from the Firebase console, "
            "like 'my-project.firebasestorage.app' or 'my-project.appspot.com'.",
            base,
        )
    return ObjectLocation(base, name)


def _nowhere(problem: str, base: str) -> ObjectLocation:
    return ObjectLocation(base, "", problem=problem)


def parse_url(url: object, emulator: str | None) -> ObjectLocation:
    """The place that a gs:// URL, a download URL or a public URL names, exactly; a token in it is left out.

    Raises `UsageError` for any other text.
    """
    found = _taken_apart(url) if isinstance(url, str) else None
    if found is None or not _BUCKET.fullmatch(found[0]):
        raise UsageError(
            "ref() takes 'gs://bucket/path' or an https download URL of Firebase; for a path below the bucket write "
            "storage.child(path)."
        )
    root = locate(found[0], emulator)
    return root.at(validate_name(found[1])) if found[1] else root


def _taken_apart(url: str) -> tuple[str, str] | None:
    """Bucket and name."""
    url = url.lstrip()  # a name may end in a space, and a gs:// URL is not encoded
    if url.startswith("gs://"):
        bucket, slash, name = url[len("gs://") :].partition("/")
        return bucket if slash else bucket.rstrip(), name.rstrip("/")
    try:
        parts = urlsplit(url.rstrip())
        host = parts.hostname or ""
    except ValueError:  # a bracket that is not closed
        return None
    if parts.scheme not in ("http", "https"):
        return None
    match = _OBJECT_PATH.fullmatch(parts.path)
    if match:
        bucket, name = match[1], match[2] or ""
    elif host in _PUBLIC_HOSTS:
        bucket, _, name = parts.path.lstrip("/").partition("/")
    else:
        return None
    try:
        return unquote(bucket, errors="strict"), unquote(name, errors="strict")
    except UnicodeDecodeError:  # the name would become another one
        return None
