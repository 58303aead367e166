"""The base class of `Auth` and `MultiFactor`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from firebase_rest.auth.protocol.endpoint import Endpoint
from firebase_rest.auth.session import UserSession
from firebase_rest.errors import SessionExpired
from firebase_rest.transport.credentials import TokenSource, is_token_source, validate_token
from firebase_rest.transport.requestor import Requestor
from firebase_rest.transport.wire import Flow

Token = str | TokenSource
"""A user's ID token, or a `UserSession`."""

T = TypeVar("T")

_REFRESHABLE = frozenset({"TOKEN_EXPIRED", "INVALID_ID_TOKEN"})


class AuthBase:
    """Runs flows, with or without a user's ID token."""

    _requestor: Requestor
    _endpoint: Endpoint

    def _run(self, flow: Flow[T]) -> T:
        return self._requestor.run(flow)

    def _run_as_user(self, user: object, flow: Callable[[str], Flow[T]]) -> T:
        """Run `flow(id_token)`. If Firebase rejects the token of a session, refresh it and repeat the flow once."""
        token = self._id_token_of(user)
        try:
            result = self._run(flow(token))
        except SessionExpired as error:
            if not is_token_source(user) or error.code not in _REFRESHABLE:
                raise
            # Any request may be repeated here, because Firebase has not processed it.
            result = self._run(flow(user.current_token(rejected=token)))
        # Invariant: a session that is passed as the user receives every new token.
        if isinstance(user, UserSession) and isinstance(cast(object, result), dict):
            user.update_tokens(cast("dict[str, Any]", result))
        return result

    def _id_token_of(self, user: object) -> str:
        return id_token_of(user)


def id_token_of(user: object, name: str = "id_token") -> str:
    """Return the current ID token of a session, or the token itself. Raises `UsageError` for anything else."""
    return validate_token(user.current_token() if is_token_source(user) else user, name)
