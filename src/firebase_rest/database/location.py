"""A place in a database, and the URL it has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import SplitResult, parse_qsl, urlsplit

from firebase_rest.database.path import check_path, split, url_path
from firebase_rest.errors import ConfigError, UsageError
from firebase_rest.transport._paths import path_text
from firebase_rest.transport.redact import redact
from firebase_rest.transport.settings import invalid_host


@dataclass(frozen=True, slots=True)
class Location:
    """`base` is scheme and host ("https://example.firebaseio.com"), `namespace` the database behind an emulator.

    With a `problem`, the configuration names no database; using the place says so.
    """

    base: str
    namespace: str | None = None
    segments: tuple[str, ...] = ()
    problem: str | None = None

    @property
    def origin(self) -> str:
        """Scheme and host. Raises `ConfigError` where the configuration names none."""
        if self.problem is not None:
            raise ConfigError(self.problem)
        return self.base

    @property
    def url(self) -> str:
        """The URL of the resource, without a query."""
        return self.origin + url_path(self.segments)

    @property
    def params(self) -> tuple[tuple[str, str], ...]:
        """The query parameters that every request to this database carries."""
        return () if self.namespace is None else (("ns", self.namespace),)

    @property
    def path(self) -> str:
        """The segments joined by slashes; "" for the root."""
        return "/".join(self.segments)

    def child(self, *parts: object) -> Location:
        """Return the location below. Slashes in `parts` separate levels.

        Raises `UsageError` for an invalid key, and for a part without a key: it would refer to the parent, whose data
        a `set` or `remove` would then replace. Slashes alone are the root only where nothing precedes them.
        """
        segments = self.segments
        for part in parts:
            text = path_text(part)
            added = split(text)
            if not added and (segments or not text):
                place = "/" + "/".join(segments)
                raise UsageError(
                    f"child({text!r}) has no key and would refer to {place} itself; check the variable that should "
                    "hold a key."
                )
            segments += added
        if len(segments) == len(self.segments):
            return self
        check_path(segments, "/" + "/".join(segments))
        return replace(self, segments=segments)

    def at(self, segments: tuple[str, ...]) -> Location:
        """The place at `segments` of the same database."""
        return replace(self, segments=segments)


def locate(database_url: object, emulator: str | None, hint: str = "") -> Location:
    """The root of the database with this URL; `emulator` is the host:port that stands in for it.

    What is wrong with either is told when the place is used: programs build theirs while they are imported. `hint` is
    added to the sentence for a missing URL.
    """
    if emulator is not None and (problem := invalid_host("database", emulator)):
        return _nowhere(problem)
    if database_url is None:
        return _nowhere(
            f"The configuration has no 'databaseURL', which the database needs; add it or pass database(url).{hint}"
        )
    if not isinstance(database_url, str):
        return _nowhere(f"The 'databaseURL' in the configuration is a {type(database_url).__name__}, not a string.")
    parts = _taken_apart(database_url.strip())
    host = parts.hostname or ""
    namespace = dict(parse_qsl(parts.query)).get("ns")
    if parts.scheme not in ("http", "https") or not host:
        return _nowhere(
            f"The databaseURL {database_url!r} is not a URL; copy it from the Firebase console: "
            "https://<database>.firebaseio.com or https://<database>.<region>.firebasedatabase.app"
        )
    if host == "console.firebase.google.com":
        return _nowhere(
            "The databaseURL is the address of the console's page; copy the one that the page shows above the data: "
            "https://<database>.firebaseio.com or https://<database>.<region>.firebasedatabase.app"
        )
    if parts.path.strip("/"):
        return _nowhere(
            f"The databaseURL {database_url!r} has a path; it must be the root of a database: "
            f"leave {parts.path!r} out, and write .child({parts.path.strip('/')!r}) where it is meant."
        )
    netloc = parts.netloc.rpartition("@")[2]
    if emulator is not None:
        return Location(f"http://{emulator}", namespace or host.partition(".")[0])
    if parts.scheme == "http" and namespace is None and host not in ("localhost", "127.0.0.1", "::1"):
        return _nowhere(
            f"The databaseURL {database_url!r} is plain http, which only an emulator speaks: "
            "write https://, or add ?ns=<database> for an emulator."
        )
    return Location(f"{parts.scheme}://{netloc}", namespace)


def _taken_apart(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # a bracket that is not closed
        return SplitResult("", "", "", "", "")


def _nowhere(problem: str) -> Location:
    return Location("", problem=redact(problem))  # people write database secrets into the URL
