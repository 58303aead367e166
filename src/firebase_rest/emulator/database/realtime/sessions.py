"""The open sessions of all databases."""

from __future__ import annotations

import secrets
import string
import threading
from typing import TYPE_CHECKING

from firebase_rest.emulator.database.realtime.session import Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.database.service import DatabaseEmulator
    from firebase_rest.emulator.request_log import RequestLog

CHECK_SECONDS = 0.25
"""Seconds between two calls of `check_tokens`. Polling is needed because a test may set the clock."""

_ALPHANUMERIC = string.ascii_letters + string.digits


def random_id() -> str:
    """Return a random string that cannot be guessed."""
    return "".join(secrets.choice(_ALPHANUMERIC) for _ in range(32))


class Sessions:
    """Opens and ends sessions. Thread-safe.

    Args:
        database: The databases.
        request_log: The log of the requests of all sessions.
    """

    def __init__(self, database: DatabaseEmulator, request_log: RequestLog) -> None:
        self._database = database
        self._request_log = request_log
        self._by_id: dict[str, Session] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, session_id: object) -> bool:
        return session_id in self._by_id

    def open(self, host: str, params: Mapping[str, str]) -> Session:
        """Open a session for a connection to `host`. End the previous session of the client, which `ls` identifies.

        Raises `DatabaseHTTPError` 403 if the name of the database is invalid.
        """
        namespace = self._database.find_namespace(host, params)
        previous = self._by_id.get(params.get("ls", ""))
        if previous is not None and previous.namespace is namespace:
            self.end(previous)
        database = self._database
        session = Session(random_id(), namespace, database.authenticate_token, database.clock, self._request_log)
        with self._lock:
            self._by_id[session.id] = session
        session.greet(host)
        return session

    def end(self, session: Session) -> None:
        """End a session. Idempotent."""
        with self._lock:
            self._by_id.pop(session.id, None)
        session.end()

    def end_all(self) -> None:
        """End all sessions."""
        for session in self._all():
            self.end(session)

    def check_tokens(self) -> None:
        """Close the sessions whose tokens have expired."""
        for session in self._all():
            session.check_token()

    def discard_pending(self) -> None:
        """Remove the pending writes of all sessions."""
        for session in self._all():
            session.discard_pending()

    def _all(self) -> list[Session]:
        with self._lock:
            return list(self._by_id.values())
