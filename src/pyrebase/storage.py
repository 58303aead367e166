"""Files whose address is given for whatever programs for pyrebase take for a token."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firebase_rest.storage import reference
from firebase_rest.storage._base import Token
from firebase_rest.transport.requestor import Requestor
from pyrebase.tokens import empty_as_none

_OLD_HOME = "pyrebase.pyrebase"


class _Files(reference.FileOperations):
    """`firebase_rest`'s files, addressed as pyrebase's are."""

    __slots__ = ()

    def child(self, *path: object) -> StorageReference:
        """As `firebase_rest.Storage.child`."""
        return StorageReference(self._requestor, self._location.child(*path), self._context)

    def get_url(self, token: Token | Mapping[str, Any] | int = None) -> str:
        """As `firebase_rest.Storage.get_url`, with the whole answer of a sign-in too, and with a number as pyrebase."""
        if isinstance(token, Mapping):
            token = token.get("idToken", token)
        elif isinstance(token, int):  # pyrebase appends any true value, such as get_url(1), to the URL
            token = str(token) if token else ""
        return super().get_url(empty_as_none(token, self._requestor))

    def _authenticate(self, token: Token) -> Requestor:
        return super()._authenticate(empty_as_none(token, self._requestor))


class StorageReference(_Files, reference.StorageReference):
    """`firebase_rest.StorageReference`, addressed as pyrebase's are."""

    __slots__ = ()


class Storage(_Files, reference.Storage):
    """`firebase_rest.Storage`, addressed as pyrebase's is."""

    __slots__ = ()
    __module__ = _OLD_HOME

    @classmethod
    def of(cls, storage: reference.Storage) -> Storage:
        """The same bucket."""
        return cls(storage._requestor, storage._location, storage._context)  # noqa: SLF001 - its own
