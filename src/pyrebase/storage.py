"""`Storage` with pyrebase's behavior."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from firebase_rest.storage import reference
from firebase_rest.storage.base import Token
from pyrebase.tokens import AcceptsEmptyToken

_MODULE = "pyrebase.pyrebase"


class _FileOperations(AcceptsEmptyToken, reference.FileOperations):
    """File operations that accept pyrebase's tokens."""

    __slots__ = ()

    def child(self, *path: object) -> StorageReference:
        """See `firebase_rest.Storage.child`."""
        return StorageReference(self._requestor, self._location.child(*path), self._context)

    def get_url(self, token: Token | Mapping[str, Any] | int = None) -> str:
        """See `firebase_rest.Storage.get_url`; `token` may also be the result of a sign-in, or a number."""
        if isinstance(token, Mapping):
            token = token.get("idToken", token)
        elif isinstance(token, int):  # pyrebase appends any true value, such as get_url(1), to the URL
            token = str(token) if token else ""
        return super().get_url(self._without_empty(token))


class StorageReference(_FileOperations, reference.StorageReference):
    """`firebase_rest.StorageReference` with pyrebase's tokens."""

    __slots__ = ()


class Storage(_FileOperations, reference.Storage):
    """`firebase_rest.Storage` with pyrebase's tokens."""

    __slots__ = ()
    __module__ = _MODULE

    @classmethod
    def from_storage(cls, storage: reference.Storage) -> Storage:
        """Return a copy of a bucket as an object of this class."""
        return cls(storage._requestor, storage._location, storage._context)  # noqa: SLF001 - fields of the base class
