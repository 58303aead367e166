"""What every part of `Auth` stands on: a way to run flows, and to run them for a user.

The law of this file: a session that is passed as the user takes over whatever new tokens an answer brings.
"""

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
"""A user's ID token, or a `UserSession`, which knows the current one."""

T = TypeVar("T")

_DEAD = frozenset({"TOKEN_EXPIRED", "INVALID_ID_TOKEN"})


class Room:
    """The part of `Auth` that its methods, one file per subject, share."""

    _requestor: Requestor
    _endpoint: Endpoint

    def _run(self, flow: Flow[T]) -> T:
        return self._requestor.run(flow)

    def _as(self, user: object, flow: Callable[[str], Flow[T]]) -> T:
        """Run what `flow` makes of the user's ID token. A session that Firebase finds expired is renewed, once."""
        token = self._id_token_of(user)
        try:
            reply = self._run(flow(token))
        except SessionExpired as error:
            if not isinstance(user, TokenSource) or error.code not in _DEAD:
                raise
            # Nothing was carried out, so it may be asked again, whatever it is.
            reply = self._run(flow(user.current_token(rejected=token)))
        answer = cast(object, reply)
        if isinstance(user, UserSession) and isinstance(answer, dict):
            user.update_tokens(cast("dict[str, Any]", answer))
        return reply

    def _id_token_of(self, user: object) -> str:
        return id_token_of(user)


def id_token_of(user: object, name: str = "id_token") -> str:
    """Return the current ID token of a token or a session. Raises `UsageError` for anything else."""
    return validate_token(user.current_token() if is_token_source(user) else user, name)
