"""`Location`: a path in a database, and its URL."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import SplitResult, parse_qsl, urlsplit

from firebase_rest.database.path import check_path, split, url_path
from firebase_rest.errors import ConfigError, UsageError
from firebase_rest.transport.arguments import path_text
from firebase_rest.transport.redaction import redact
from firebase_rest.transport.settings import invalid_host, malformed_path


@dataclass(frozen=True, slots=True)
class Location:
    """A path in a database.

    Attributes:
        base: Scheme and host, such as "https://example.firebaseio.com".
        namespace: The name of the database in an emulator.
        segments: The keys of the path.
        problem: The reason why the configuration is invalid. Using the location raises `ConfigError` with this text.
    """

    base: str
    namespace: str | None = None
    segments: tuple[str, ...] = ()
    problem: str | None = None

    @property
    def origin(self) -> str:
        """Scheme and host. Raises `ConfigError` if the configuration is invalid."""
        if self.problem is not None:
            raise ConfigError(self.problem)
        return self.base

    @property
    def url(self) -> str:
        """The URL of the resource, without a query."""
        return self.origin + url_path(self.segments)

    @property
    def params(self) -> tuple[tuple[str, str], ...]:
        """The query parameters of every request to this database."""
        return () if self.namespace is None else (("ns", self.namespace),)

    @property
    def path(self) -> str:
        """The path without a leading slash; "" at the root."""
        return "/".join(self.segments)

    def child(self, *parts: object) -> Location:
        """Return the location of a child. Slashes in `parts` separate levels.

        Raises `UsageError` for an invalid key, and for a part without a key, because `set` or `remove` would then
        replace the data of the parent. At the root, "/" is the root itself.
        """
        segments = self.segments
        for part in parts:
            text = path_text(part)
            keys = split(text)
            if not keys and (segments or not text):
                parent = "/" + "/".join(segments)
                raise UsageError(
                    f"child({text!r}) has no key and would refer to {parent} itself; check the variable that should "
                    "hold a key."
                )
            segments += keys
        if len(segments) == len(self.segments):
            return self
        check_path(segments, "/" + "/".join(segments))
        return replace(self, segments=segments)

    def at(self, segments: tuple[str, ...]) -> Location:
        """Return the location with these `segments` in the same database."""
        return replace(self, segments=segments)


def locate(database_url: object, emulator: str | None, hint: str = "") -> Location:
    """Return the root of the database with this URL. With `emulator` (host:port), the database is in the emulator.

    An invalid URL raises an error when the location is used, because programs call this function while they are
    imported. `hint` is added to the message for a missing URL.
    """
    if emulator is not None and (problem := invalid_host("database", emulator)):
        return _invalid(problem)
    if database_url is None:
        return _invalid(
            f"The configuration has no 'databaseURL', which the database needs; add it or pass database(url).{hint}"
        )
    if not isinstance(database_url, str):
        return _invalid(f"The databaseURL must be a string, got {type(database_url).__name__}.")
    parts = _split_url(database_url.strip())
    host = parts.hostname or ""
    namespace = dict(parse_qsl(parts.query)).get("ns")
    if parts.scheme not in ("http", "https") or not host:
        return _invalid(
            f"The databaseURL must be a URL, got {malformed_path(database_url) or repr(database_url)}; "
            "copy it from the Firebase console: "
            "https://<database>.firebaseio.com or https://<database>.<region>.firebasedatabase.app"
        )
    if host == "console.firebase.google.com":
        return _invalid(
            "The databaseURL must be the URL that the Firebase console shows above the data, not that of the console: "
            "https://<database>.firebaseio.com or https://<database>.<region>.firebasedatabase.app"
        )
    if parts.path.strip("/"):
        return _invalid(
            f"The databaseURL {database_url!r} must not have a path: remove {parts.path!r}, and use "
            f".child({parts.path.strip('/')!r})."
        )
    netloc = parts.netloc.rpartition("@")[2]
    if emulator is not None:
        return Location(f"http://{emulator}", namespace or host.partition(".")[0])
    if parts.scheme == "http" and namespace is None and host not in ("localhost", "127.0.0.1", "::1"):
        return _invalid(
            f"The databaseURL {database_url!r} must start with https://; for an emulator, add ?ns=<database>."
        )
    return Location(f"{parts.scheme}://{netloc}", namespace)


def _split_url(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # an unclosed bracket
        return SplitResult("", "", "", "", "")


def _invalid(problem: str) -> Location:
    return Location("", problem=redact(problem))  # some URLs contain a database secret
