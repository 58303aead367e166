"""References that accept pyrebase's empty token."""

from __future__ import annotations

from typing import Any

from firebase_rest.transport.base_reference import BaseReference
from firebase_rest.transport.credentials import AnonymousCredentials
from firebase_rest.transport.requestor import Requestor


class AcceptsEmptyToken(BaseReference):
    """A reference for which `""` means "no token", if there are no other credentials to fall back to."""

    __slots__ = ()

    def _authenticate(self, token: Any) -> Requestor:
        return super()._authenticate(self._without_empty(token))

    def _without_empty(self, token: Any) -> Any:
        return None if token == "" and isinstance(self._requestor.credentials, AnonymousCredentials) else token
