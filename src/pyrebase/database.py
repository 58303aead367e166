"""`Database` with pyrebase's types and behavior.

As in pyrebase, all locations are of the class `Database`, objects are `OrderedDict` (programs call
`popitem(last=False)`), and a query without results returns `[]` (programs compare with it).
"""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any, TypeVar, cast

import firebase_rest
from firebase_rest.database.filter import Filter
from firebase_rest.database.location import Location
from firebase_rest.database.query import JsonKwargs, Token
from firebase_rest.database.snapshot import Item, Key, Snapshot
from firebase_rest.errors import UsageError
from firebase_rest.transport.arguments import path_text
from firebase_rest.transport.base_reference import AppContext
from firebase_rest.transport.requestor import Requestor
from pyrebase.tokens import AcceptsEmptyToken

_MODULE = "pyrebase.pyrebase"  # programs compare the names of types


class RootWriteWarning(UserWarning):
    """A write at the root replaces or removes the whole database."""


class Pyre(Item):
    """`firebase_rest.Item` with pyrebase's constructor, which takes a pair (key, value)."""

    __slots__ = ()
    __module__ = _MODULE

    def __init__(self, item: tuple[Key, Any]) -> None:
        super().__init__(*item)


class PyreResponse(Snapshot):
    """`firebase_rest.Snapshot` whose objects are `OrderedDict`, and `[]` for a query without results."""

    __slots__ = ()
    __module__ = _MODULE

    def __init__(self, pyres: Any, query_key: str) -> None:
        if isinstance(pyres, list):
            items = cast("list[Item]", pyres)
            self._copy(Snapshot.from_pairs(query_key, [pyre.item for pyre in items]))
        else:
            self._copy(Snapshot(query_key, pyres))

    @classmethod
    def from_snapshot(cls, snapshot: Snapshot) -> PyreResponse:
        """Return a copy of a snapshot as a `PyreResponse`."""
        response = cls.__new__(cls)
        response._copy(snapshot)  # noqa: SLF001 - own method
        return response

    def _copy(self, snapshot: Snapshot) -> None:
        for name in Snapshot.__slots__:
            setattr(self, name, getattr(snapshot, name))

    @property
    def query_key(self) -> str:
        """The key, as in pyrebase."""
        return self.key()

    def val(self) -> Any:
        """See `firebase_rest.Snapshot.val`."""
        value: Any = super().val()
        if not isinstance(value, dict):
            return value
        return OrderedDict(cast("dict[str, Any]", value)) if value else []

    def each(self) -> Any:
        """See `firebase_rest.Snapshot.each`."""
        items = super().each()
        return None if items is None else [Pyre(item.item) for item in items]


def _drop_empty(location: Location, path: tuple[object, ...]) -> tuple[tuple[object, ...], bool]:
    """Return the arguments from the first key on, because pyrebase ignores earlier ones, and whether one was empty."""
    count, has_empty = 0, False
    while not location.segments and count < len(path):
        text = path_text(path[count])
        if text.strip("/"):
            break
        count, has_empty = count + 1, has_empty or not text
    return path[count:], has_empty


F = TypeVar("F", bound=Callable[..., Any])


def _reject_none(stream: F) -> F:
    """Return `stream` with an error for the handler None. It results from a call of the handler: stream(handler())."""

    @wraps(stream)
    def call(self: object, *args: Any, **options: Any) -> Any:
        if (args and args[0] is None) or ("stream_handler" in options and options["stream_handler"] is None):
            raise UsageError(
                "stream_handler must be callable, got None; pass the function itself: stream(handler), not "
                "stream(handler())."
            )
        return stream(self, *args, **options)

    return cast(F, call)


class Query(AcceptsEmptyToken, firebase_rest.Query):
    """`firebase_rest.Query` with pyrebase's results."""

    __slots__ = ()
    _first_event_timeout = 1.0

    stream = _reject_none(firebase_rest.Query.stream)

    def child(self, *path: object) -> Query:
        """See `firebase_rest.Query.child`; at the root, empty arguments are ignored."""
        return self._at(self._location.child(*_drop_empty(self._location, path)[0]))

    def get(self, token: Token = None, json_kwargs: JsonKwargs = None) -> PyreResponse:
        """See `firebase_rest.Query.get`."""
        return PyreResponse.from_snapshot(super().get(token, json_kwargs))

    def _with_filter(self, **changes: Any) -> Query:
        return Query(self._requestor, self._location, self._context, replace(self._filter, **changes))

    def _at(self, location: Location) -> Query:
        return Query(self._requestor, location, self._context, self._filter)


class Database(Query, firebase_rest.Database):
    """A location. `set` and `remove` at the root warn with `RootWriteWarning`, once per line of the program.

    In pyrebase, the statement `db.child("users")` moved the shared `db`. Here it has no effect, so a `db.set(...)`
    after it would write to the root.
    """

    __slots__ = ("_has_empty_key",)
    __module__ = _MODULE

    _has_empty_key: bool  # whether child("") was called on the way to this location

    def __init__(
        self,
        requestor: Requestor,
        location: Location,
        context: AppContext,
        filter: Filter | None = None,
        has_empty_key: bool = False,
    ) -> None:
        super().__init__(requestor, location, context, filter)
        self._init(_has_empty_key=has_empty_key)

    def _arguments(self) -> tuple[Any, ...]:
        return *super()._arguments(), self._has_empty_key

    def child(self, *path: object) -> Database:
        """See `firebase_rest.Reference.child`; at the root, empty arguments are ignored."""
        keys, has_empty = _drop_empty(self._location, path)
        location = self._location.child(*keys)
        return Database(self._requestor, location, self._context, None, self._has_empty_key or has_empty)

    def set(self, data: object, token: Token = None, json_kwargs: JsonKwargs = None) -> Any:
        """See `firebase_rest.Reference.set`."""
        self._check_root_write("set(...)", "replaces")
        return super().set(data, token, json_kwargs)

    def remove(self, token: Token = None) -> None:
        """See `firebase_rest.Reference.remove`."""
        self._check_root_write("remove()", "removes")
        super().remove(token)

    def sort(self, origin: Snapshot, by_key: str, reverse: bool = False) -> PyreResponse:
        """See `firebase_rest.Reference.sort`."""
        return PyreResponse.from_snapshot(super().sort(origin, by_key, reverse))

    def _check_root_write(self, call: str, effect: str) -> None:
        if self.key is not None:
            return
        if self._has_empty_key:
            raise UsageError(
                f"{call} after child('') {effect} the whole database; check the variable that should hold a key."
            )
        message = (
            f"{call} on the root {effect} the whole database. A statement like db.child('users') does not move db, as "
            f"it did in pyrebase: write db.child('users').{call}. To write to the root, ignore "
            "pyrebase.RootWriteWarning."
        )
        warnings.warn(message, RootWriteWarning, stacklevel=3)
