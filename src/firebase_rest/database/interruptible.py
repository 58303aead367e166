"""`InterruptibleCredentials`: credentials of a stream, which `close()` does not wait for."""

from __future__ import annotations

from firebase_rest.transport.credentials import Credentials, RequestAuth, ServiceAccount, UserCredentials
from firebase_rest.transport.interrupt import Interrupt


class InterruptibleCredentials:
    """Credentials that may have to send a request, in another thread, so that an interrupt ends the wait for it."""

    def __init__(self, credentials: Credentials, interrupt: Interrupt) -> None:
        self._credentials = credentials
        self._interrupt = interrupt
        self._is_remote = isinstance(credentials, ServiceAccount) or (
            isinstance(credentials, UserCredentials) and not isinstance(credentials.token, str)
        )

    def get(self, rejected: RequestAuth | None = None) -> RequestAuth | None:
        """See `Credentials`."""
        if self._is_remote:
            return self._interrupt.result(lambda: self._credentials.get(rejected))
        return self._credentials.get(rejected)
