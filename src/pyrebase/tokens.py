"""pyrebase's empty token."""

from __future__ import annotations

from typing import Any

from firebase_rest.transport.credentials import AnonymousCredentials
from firebase_rest.transport.requestor import Requestor


def empty_as_none(token: Any, requestor: Requestor) -> Any:
    """Return None for `""`, which means "no token" in pyrebase, if there are no other credentials to fall back to."""
    return None if token == "" and isinstance(requestor.credentials, AnonymousCredentials) else token
