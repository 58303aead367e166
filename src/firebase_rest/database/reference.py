"""`Database` and `Reference`: places in a database, to be read and written. They never change.

The law of this file: as in `query`, every method returns a new object or carries out one flow.
https://firebase.google.com/docs/database/rest/save-data
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

from firebase_rest.database import protocol
from firebase_rest.database.push_id import generate_key
from firebase_rest.database.query import JsonKwargs, Query, Token
from firebase_rest.database.snapshot import Snapshot, sort
from firebase_rest.errors import UsageError
from firebase_rest.transport.arguments import describe, validate_callable
from firebase_rest.types import ETaggedValue, PushResult

ETag: TypeAlias = "str | Mapping[str, Any]"


class Reference(Query):
    """A place in the database: everything a `Query` has, and writing."""

    __slots__ = ()

    @property
    def root(self) -> Database:
        """The root of this database."""
        return Database(self._requestor, self._location.at(()), self._context)

    @property
    def parent(self) -> Reference | None:
        """The place above; None at the root."""
        segments = self._location.segments
        return Reference(self._requestor, self._location.at(segments[:-1]), self._context) if segments else None

    def child(self, *path: object) -> Reference:
        """The place below. Each argument is made text; slashes separate levels; text is data, so nothing is decoded.

        Raises `UsageError` for None, and for keys with . $ # [ ] or control characters.
        """
        return Reference(self._requestor, self._location.child(*path), self._context)

    def set(self, data: object, token: Token = None, json_kwargs: JsonKwargs = None) -> Any:
        """Replace everything here by `data`; None, {} and [] delete. Returns what was written, server values filled in.

        Raises `UsageError`, naming the path, for what cannot be stored.
        https://firebase.google.com/docs/database/rest/save-data
        """
        return self._authenticate(token).run(protocol.set_(self._location, data, json_kwargs))

    def update(self, data: object, token: Token = None, json_kwargs: JsonKwargs = None) -> Any:
        """Replace the children named by the keys of `data`, which may be paths; all at once or not at all."""
        return self._authenticate(token).run(protocol.update(self._location, data, json_kwargs))

    def push(self, data: object, token: Token = None, json_kwargs: JsonKwargs = None) -> PushResult:
        """Add a child under a new key that sorts after the earlier ones. Returns {"name": key}."""
        return self._authenticate(token).run(protocol.push(self._location, data, json_kwargs))

    def remove(self, token: Token = None) -> None:
        """Delete everything here."""
        self._authenticate(token).run(protocol.remove(self._location))

    def exists(self, token: Token = None) -> bool:
        """Whether anything is stored here."""
        return self._authenticate(token).run(protocol.exists(self._location))

    def get_etag(self, token: Token = None, json_kwargs: JsonKwargs = None) -> ETaggedValue:
        """{"ETag": tag, "value": value} for a later conditional write."""
        return _tag(self._authenticate(token).run(protocol.read_with_etag(self._location, json_kwargs)))

    def conditional_set(self, data: object, etag: ETag, token: Token = None, json_kwargs: JsonKwargs = None) -> Any:
        """`set` if the ETag still holds. Otherwise nothing is written and {"ETag", "value"} tells what is there.

        `etag` is the text of an ETag, or all that `get_etag` answered.
        """
        flow = protocol.conditional_set(self._location, data, _checked_etag(etag), json_kwargs)
        outcome = self._authenticate(token).run(flow)
        return outcome.value if outcome.committed else _tag(outcome)

    def conditional_remove(self, etag: ETag, token: Token = None) -> Any:
        """`remove` if the ETag still holds. Otherwise nothing is deleted and {"ETag", "value"} tells what is there."""
        outcome = self._authenticate(token).run(protocol.conditional_remove(self._location, _checked_etag(etag)))
        return None if outcome.committed else _tag(outcome)

    def set_if_match(self, value: object, etag: ETag, token: Token = None, json_kwargs: JsonKwargs = None) -> str:
        """Replace the data if its ETag is still `etag`.

        Args:
            value: The new data; None, {} and [] delete.
            etag: An ETag, or the result of `get_etag`.
            token: An ID token or a `UserSession` for this call.
            json_kwargs: Arguments for `json.dumps`.

        Returns:
            The new ETag.

        Raises:
            PreconditionFailed: The data has changed; `value` and `etag` of the error are the current ones.

        https://firebase.google.com/docs/database/rest/save-data#section-conditional-requests
        """
        return self._authenticate(token).run(
            protocol.set_if_match(self._location, value, _checked_etag(etag), json_kwargs)
        )

    def remove_if_match(self, etag: ETag, token: Token = None) -> None:
        """Delete the data if its ETag is still `etag`. Raises `PreconditionFailed` if it has changed."""
        self._authenticate(token).run(protocol.remove_if_match(self._location, _checked_etag(etag)))

    def transaction(self, update: Callable[[Any], Any], token: Token = None) -> Any:
        """Write `update(current value)`, reading again and calling it again as long as others change the value.

        Returns what was written. `update` returns the new value ({} deletes, None is refused); what it raises ends the
        transaction with nothing written.
        Raises `TransactionConflict` after 25 attempts.
        """
        validate_callable("update", update)
        return self._authenticate(token).run(protocol.transaction(self._location, update))

    def generate_key(self) -> str:
        """A new key, as `push` makes them: 20 characters, rising, unique."""
        return generate_key()

    def sort(self, origin: Snapshot, by_key: str, reverse: bool = False) -> Snapshot:
        """The children of an answer, sorted by one of their members; works on any mix of types."""
        return sort(origin, by_key, reverse=reverse)


class Database(Reference):
    """The root of a database."""

    __slots__ = ()


def _tag(tagged: protocol.ETaggedValue) -> ETaggedValue:
    return {"ETag": tagged.etag, "value": tagged.value}


def _checked_etag(etag: object) -> str:
    if isinstance(etag, Mapping):
        etag = cast("Mapping[object, object]", etag).get("ETag")
    if not isinstance(etag, str) or not etag or not etag.isascii() or not etag.isprintable():
        raise UsageError(f"Invalid ETag {describe(etag)}: pass the value returned by get_etag().")
    return etag
