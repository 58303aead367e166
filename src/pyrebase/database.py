"""Places, queries and answers with the types that programs for pyrebase look at, and one warning.

There everything below `database()` is a `Database`, an answer's object is an `OrderedDict` (programs call
`popitem(last=False)`), and a query that nothing matches answers `[]` (programs compare with it). Names that pyrebase
does not have (`root`, `parent`, `live`) give what firebase_rest gives.
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
from firebase_rest.transport._paths import path_text
from firebase_rest.transport._reference import AppContext
from firebase_rest.transport.requestor import Requestor
from pyrebase.tokens import empty_as_none

_OLD_HOME = "pyrebase.pyrebase"  # programs compare the names of the types


class RootWriteWarning(UserWarning):
    """A write at the root of the database, which replaces or removes all of it."""


class Pyre(Item):
    """`firebase_rest.Item`, made as pyrebase's is: of a pair (key, value)."""

    __slots__ = ()
    __module__ = _OLD_HOME

    def __init__(self, item: tuple[Key, Any]) -> None:
        super().__init__(*item)


class PyreResponse(Snapshot):
    """`firebase_rest.Snapshot` whose objects are `OrderedDict`, and `[]` for a query that nothing matches."""

    __slots__ = ()
    __module__ = _OLD_HOME

    def __init__(self, pyres: Any, query_key: str) -> None:
        if isinstance(pyres, list):
            items = cast("list[Item]", pyres)
            self._take(Snapshot.of_pairs(query_key, [pyre.item for pyre in items]))
        else:
            self._take(Snapshot(query_key, pyres))

    @classmethod
    def of(cls, snapshot: Snapshot) -> PyreResponse:
        """The same answer."""
        answer = cls.__new__(cls)
        answer._take(snapshot)  # noqa: SLF001 - its own
        return answer

    def _take(self, snapshot: Snapshot) -> None:
        for name in Snapshot.__slots__:
            setattr(self, name, getattr(snapshot, name))

    @property
    def query_key(self) -> str:
        """As `key()`; pyrebase's attribute."""
        return self.key()

    def val(self) -> Any:
        """As `Snapshot.val`."""
        value: Any = super().val()
        if not isinstance(value, dict):
            return value
        return OrderedDict(cast("dict[str, Any]", value)) if value else []

    def each(self) -> Any:
        """As `Snapshot.each`."""
        items = super().each()
        return None if items is None else [Pyre(item.item) for item in items]


def _split_empty(location: Location, path: tuple[object, ...]) -> tuple[tuple[object, ...], bool]:
    """Drop the arguments before the first key, which pyrebase ignores at the root; return whether one was empty."""
    count, has_empty = 0, False
    while not location.segments and count < len(path):
        text = path_text(path[count])
        if text.strip("/"):
            break
        count, has_empty = count + 1, has_empty or not text
    return path[count:], has_empty


F = TypeVar("F", bound=Callable[..., Any])


def _with_handler(stream: F) -> F:
    """Refuse None as the handler of `stream`: the handler was called instead of passed."""

    @wraps(stream)
    def call(self: object, *args: Any, **options: Any) -> Any:
        if (args and args[0] is None) or ("stream_handler" in options and options["stream_handler"] is None):
            raise UsageError(
                "stream_handler must be callable, got None; pass the function itself: stream(handler), not "
                "stream(handler())."
            )
        return stream(self, *args, **options)

    return cast(F, call)


class Query(firebase_rest.Query):
    """`firebase_rest.Query`, with pyrebase's answers."""

    __slots__ = ()
    _first_event_timeout = 1.0

    stream = _with_handler(firebase_rest.Query.stream)

    def child(self, *path: object) -> Query:
        """As `firebase_rest.Query.child`; at the root an empty text is ignored."""
        return self._at(self._location.child(*_split_empty(self._location, path)[0]))

    def get(self, token: Token = None, json_kwargs: JsonKwargs = None) -> PyreResponse:
        """As `firebase_rest.Query.get`."""
        return PyreResponse.of(super().get(token, json_kwargs))

    def _filtered(self, **changes: Any) -> Query:
        return Query(self._requestor, self._location, self._context, replace(self._filter, **changes))

    def _at(self, location: Location) -> Query:
        return Query(self._requestor, location, self._context, self._filter)

    def _authenticate(self, token: Token) -> Requestor:
        return super()._authenticate(empty_as_none(token, self._requestor))


class Database(firebase_rest.Database):
    """Any place. Warns, once for each line of the program, before the whole database is replaced or removed.

    In pyrebase the statement `db.child("users")` moved the shared `db`; here it does nothing, so a `db.set(...)` after
    it is a write at the root.
    """

    __slots__ = ("_is_empty",)
    __module__ = _OLD_HOME
    _first_event_timeout = 1.0

    stream = _with_handler(firebase_rest.Database.stream)

    _is_empty: bool  # whether child("") led here

    def __init__(
        self,
        requestor: Requestor,
        location: Location,
        context: AppContext,
        filter: Filter | None = None,
        is_empty: bool = False,
    ) -> None:
        super().__init__(requestor, location, context, filter)
        self._init(_is_empty=is_empty)

    def _arguments(self) -> tuple[Any, ...]:
        return *super()._arguments(), self._is_empty

    def child(self, *path: object) -> Database:
        """As `firebase_rest.Reference.child`; at the root an empty text is ignored."""
        keys, has_empty = _split_empty(self._location, path)
        location = self._location.child(*keys)
        return Database(self._requestor, location, self._context, None, self._is_empty or has_empty)

    def get(self, token: Token = None, json_kwargs: JsonKwargs = None) -> PyreResponse:
        """As `firebase_rest.Reference.get`."""
        return PyreResponse.of(super().get(token, json_kwargs))

    def set(self, data: object, token: Token = None, json_kwargs: JsonKwargs = None) -> Any:
        """As `firebase_rest.Reference.set`."""
        self._check_root_write("set(...)", "replaces")
        return super().set(data, token, json_kwargs)

    def remove(self, token: Token = None) -> None:
        """As `firebase_rest.Reference.remove`."""
        self._check_root_write("remove()", "removes")
        super().remove(token)

    def sort(self, origin: Snapshot, by_key: str, reverse: bool = False) -> PyreResponse:
        """As `firebase_rest.Reference.sort`."""
        return PyreResponse.of(super().sort(origin, by_key, reverse))

    def _filtered(self, **changes: Any) -> Query:
        return Query(self._requestor, self._location, self._context, replace(self._filter, **changes))

    def _check_root_write(self, call: str, does: str) -> None:
        if self.key is not None:
            return
        if self._is_empty:
            raise UsageError(
                f"{call} after child('') {does} the whole database; check the variable that should hold a key."
            )
        warnings.warn(_SENTENCE.format(call=call, does=does), RootWriteWarning, stacklevel=3)

    def _authenticate(self, token: Token) -> Requestor:
        return super()._authenticate(empty_as_none(token, self._requestor))


_SENTENCE = (
    "{call} on the root {does} the whole database. A statement like db.child('users') does not move db, as it did in "
    "pyrebase: write db.child('users').{call}. If the whole database is meant, ignore pyrebase.RootWriteWarning."
)
