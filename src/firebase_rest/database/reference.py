"""`Reference` and `Database`: immutable locations in a database, for reads and writes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, cast

from firebase_rest.database import protocol
from firebase_rest.database.push_id import generate_key
from firebase_rest.database.query import JsonKwargs, Query, Token
from firebase_rest.database.snapshot import Snapshot, sort
from firebase_rest.errors import UsageError
from firebase_rest.transport.arguments import describe, validate_bool, validate_callable
from firebase_rest.types import ETaggedValue, PushResult

ETag: TypeAlias = "str | Mapping[str, Any]"
"""An ETag, or the dict that `get_etag` returns."""


class Reference(Query):
    """A location in the database: a `Query` that can also write.

    Most methods take a `token` (an ID token or a `UserSession`), which authenticates this call only, and
    `json_kwargs`, keyword arguments for `json.dumps` (writes) or `json.loads` (reads).
    https://firebase.google.com/docs/database/rest/save-data
    """

    __slots__ = ()

    @property
    def root(self) -> Database:
        """The root of this database."""
        return Database(self._requestor, self._location.at(()), self._context)

    @property
    def parent(self) -> Reference | None:
        """The parent location; None at the root."""
        segments = self._location.segments
        return Reference(self._requestor, self._location.at(segments[:-1]), self._context) if segments else None

    def child(self, *path: object) -> Reference:
        """Return the location of a child.

        Args:
            path: Keys or paths; slashes separate levels. Numbers, dates and UUIDs are converted to text, which is
                percent-encoded once.

        Raises:
            UsageError: An argument is empty, is not a path, or has a key with . $ # [ ] or control characters.
        """
        return Reference(self._requestor, self._location.child(*path), self._context)

    def set(self, data: object, token: Token = None, json_kwargs: JsonKwargs = None) -> Any:
        """Replace all data of this location.

        Args:
            data: JSON data; None, {} and [] delete the data.
            token: An ID token or a `UserSession` for this call.
            json_kwargs: Keyword arguments for `json.dumps`.

        Returns:
            The written data, with server values resolved.

        Raises:
            UsageError: The data cannot be stored; the message contains the path of the invalid value.
            PermissionDenied: The security rules deny the write.

        https://firebase.google.com/docs/database/rest/save-data#section-put
        """
        return self._authenticate(token).run(protocol.set_(self._location, data, json_kwargs))

    def update(self, data: object, token: Token = None, json_kwargs: JsonKwargs = None) -> Any:
        """Replace several children in one atomic write, and leave the others unchanged.

        Args:
            data: New values by key or by path: `update({"users/ada/age": 36, "ages/ada": 36})`. None deletes a child.
            token: An ID token or a `UserSession` for this call.
            json_kwargs: Keyword arguments for `json.dumps`.

        Returns:
            The written data, with server values resolved.

        Raises:
            UsageError: The data cannot be stored, or one path contains another.
            PermissionDenied: The security rules deny the write.

        https://firebase.google.com/docs/database/rest/save-data#section-update
        """
        return self._authenticate(token).run(protocol.update(self._location, data, json_kwargs))

    def push(self, data: object, token: Token = None, json_kwargs: JsonKwargs = None) -> PushResult:
        """Add a child under a new key, which sorts after all earlier ones.

        Args:
            data: JSON data.
            token: An ID token or a `UserSession` for this call.
            json_kwargs: Keyword arguments for `json.dumps`.

        Returns:
            {"name": key}, with the key of the new child.

        Raises:
            UsageError: The data cannot be stored.
            PermissionDenied: The security rules deny the write.
            NetworkError: No complete response arrived. If its `outcome_unknown` is True, the child may have been added.

        https://firebase.google.com/docs/database/rest/save-data#section-post
        """
        return self._authenticate(token).run(protocol.push(self._location, data, json_kwargs))

    def remove(self, token: Token = None) -> None:
        """Delete all data of this location.

        Args:
            token: An ID token or a `UserSession` for this call.

        Raises:
            PermissionDenied: The security rules deny the write.

        https://firebase.google.com/docs/database/rest/save-data#section-delete
        """
        self._authenticate(token).run(protocol.remove(self._location))

    def exists(self, token: Token = None) -> bool:
        """Return whether this location has data. Only the keys are read.

        Args:
            token: An ID token or a `UserSession` for this call.

        Raises:
            PermissionDenied: The security rules deny the read.
        """
        return self._authenticate(token).run(protocol.exists(self._location))

    def get_etag(self, token: Token = None, json_kwargs: JsonKwargs = None) -> ETaggedValue:
        """Read the data with its ETag, for a conditional write.

        Args:
            token: An ID token or a `UserSession` for this call.
            json_kwargs: Keyword arguments for `json.loads`.

        Returns:
            {"ETag": etag, "value": value}

        https://firebase.google.com/docs/database/rest/save-data#section-conditional-requests
        """
        return _to_etagged_value(self._authenticate(token).run(protocol.read_with_etag(self._location, json_kwargs)))

    def conditional_set(self, data: object, etag: ETag, token: Token = None, json_kwargs: JsonKwargs = None) -> Any:
        """Replace the data if its ETag is still `etag`. pyrebase's form of `set_if_match`, with the same arguments.

        Returns:
            The written data, or {"ETag", "value"} with the current ones if the data has changed.
        """
        flow = protocol.conditional_set(self._location, data, _validate_etag(etag), json_kwargs)
        result = self._authenticate(token).run(flow)
        return result.value if result.committed else _to_etagged_value(result)

    def conditional_remove(self, etag: ETag, token: Token = None) -> Any:
        """Delete the data if its ETag is still `etag`. pyrebase's form of `remove_if_match`, with the same arguments.

        Returns:
            None, or {"ETag", "value"} with the current ones if the data has changed.
        """
        result = self._authenticate(token).run(protocol.conditional_remove(self._location, _validate_etag(etag)))
        return None if result.committed else _to_etagged_value(result)

    def set_if_match(self, value: object, etag: ETag, token: Token = None, json_kwargs: JsonKwargs = None) -> str:
        """Replace the data if its ETag is still `etag`.

        Args:
            value: The new data; None, {} and [] delete the data.
            etag: An ETag, or the result of `get_etag`.
            token: An ID token or a `UserSession` for this call.
            json_kwargs: Keyword arguments for `json.dumps`.

        Returns:
            The new ETag.

        Raises:
            PreconditionFailed: The data has changed; `value` and `etag` of the error are the current ones.

        https://firebase.google.com/docs/database/rest/save-data#section-conditional-requests
        """
        return self._authenticate(token).run(
            protocol.set_if_match(self._location, value, _validate_etag(etag), json_kwargs)
        )

    def remove_if_match(self, etag: ETag, token: Token = None) -> None:
        """Delete the data if its ETag is still `etag`.

        Args:
            etag: An ETag, or the result of `get_etag`.
            token: An ID token or a `UserSession` for this call.

        Raises:
            PreconditionFailed: The data has changed; `value` and `etag` of the error are the current ones.
        """
        self._authenticate(token).run(protocol.remove_if_match(self._location, _validate_etag(etag)))

    def transaction(self, update: Callable[[Any], Any], token: Token = None) -> Any:
        """Replace the data by `update(data)`, and retry if other clients change it at the same time.

        Args:
            update: A function that is called with the current data and returns the new data. It can be called several
                times. {} deletes the data; None raises `UsageError` if there is data. If the function raises,
                nothing is written.
            token: An ID token or a `UserSession` for this call.

        Returns:
            The written data.

        Raises:
            TransactionConflict: Other clients changed the data in each of 25 attempts.

        https://firebase.google.com/docs/database/rest/save-data#section-conditional-requests
        """
        validate_callable("update", update)
        return self._authenticate(token).run(protocol.transaction(self._location, update))

    def generate_key(self) -> str:
        """Return a new key like those of `push`: 20 characters, unique, greater than all earlier ones."""
        return generate_key()

    def sort(self, origin: Snapshot, by_key: str, reverse: bool = False) -> Snapshot:
        """Sort the result of a read by one of the children's values, without a request.

        Args:
            origin: The result of `get`.
            by_key: A key or path below each child.
            reverse: Whether to sort in descending order.

        Returns:
            A new snapshot.
        """
        return sort(origin, by_key, reverse=validate_bool("reverse", reverse))


class Database(Reference):
    """The root of a database."""

    __slots__ = ()


def _to_etagged_value(result: protocol.ConditionalResult) -> ETaggedValue:
    return {"ETag": result.etag, "value": result.value}


def _validate_etag(etag: object) -> str:
    if isinstance(etag, Mapping):
        etag = cast("Mapping[object, object]", etag).get("ETag")
    if not isinstance(etag, str) or not etag or not etag.isascii() or not etag.isprintable():
        raise UsageError(f"etag must be the value returned by get_etag(), got {describe(etag)}.")
    return etag
