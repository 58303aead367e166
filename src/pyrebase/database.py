"""The root of a database, for programs that may take it for another place.

In pyrebase the statement `db.child("users")` moved the shared `db`; here it does nothing, so a `db.set(...)` after it
would replace the whole database.
"""

from __future__ import annotations

import warnings
from typing import Any

import firebase_rest
from firebase_rest.database.query import JsonKwargs, Token
from firebase_rest.database.reference import Reference


class RootWriteWarning(UserWarning):
    """A write at the root of the database, which replaces or removes all of it."""


class Database(firebase_rest.Database):
    """`firebase_rest.Database` that warns, once for each line of the program, before all of it is replaced."""

    __slots__ = ()

    def child(self, *path: object) -> Reference:
        """As `Reference.child`."""
        place = super().child(*path)
        return self if place.key is None else place

    def set(self, data: object, token: Token = None, json_kwargs: JsonKwargs = None) -> Any:
        """As `Reference.set`."""
        warnings.warn(_SENTENCE.format(call="set(...)", does="replaces"), RootWriteWarning, stacklevel=2)
        return super().set(data, token, json_kwargs)

    def remove(self, token: Token = None) -> None:
        """As `Reference.remove`."""
        warnings.warn(_SENTENCE.format(call="remove()", does="removes"), RootWriteWarning, stacklevel=2)
        super().remove(token)


_SENTENCE = (
    "{call} on the root {does} the whole database. A statement like db.child('users') does not move db, as it did in "
    "pyrebase: write db.child('users').{call}. If the whole database is meant, ignore pyrebase.RootWriteWarning."
)
