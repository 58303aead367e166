"""Waiting in a way that can be ended at once: for pauses, and for credentials that take a request to get.

The law of this file: `now` takes no lock and may be called from any thread and from a signal handler; whoever waits
goes on at that moment. (A `Condition` or an `Event` cannot promise that: a handler may interrupt its lock's holder.)
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TypeVar

from firebase_rest.errors import NetworkError
from firebase_rest.transport.credentials import Credentials, RequestAuth, ServiceAccount, UserCredentials

T = TypeVar("T")


class Wake:
    """Lets waiters go, for good. `called` says that it has."""

    def __init__(self) -> None:
        self.called = False
        self._bell: SimpleQueue[None] = SimpleQueue()

    def now(self) -> None:
        """End the wait that is under way, and those to come."""
        self.called = True
        self._bell.put(None)

    def wait(self, seconds: float | None = None, bell: SimpleQueue[None] | None = None) -> None:
        """Wait so long, or until `bell` rings."""
        # A fresh one each time: what rings late disturbs nobody. `now` has either rung this one or set `called`.
        self._bell = bell = bell or SimpleQueue()
        if not self.called and (seconds is None or seconds > 0):
            with suppress(Empty):
                bell.get(timeout=seconds)

    def result(self, work: Callable[[], T]) -> T:
        """What `work` returns or raises, done in another thread; `NetworkError` if `now` was called before."""
        outcome: list[T] = []
        problems: list[Exception] = []
        bell: SimpleQueue[None] = SimpleQueue()

        def run() -> None:
            try:
                outcome.append(work())
            except Exception as error:  # noqa: BLE001 - it is raised again where the result is waited for
                problems.append(error)
            finally:
                bell.put(None)

        threading.Thread(target=run, name="firebase_rest credential", daemon=True).start()
        self.wait(bell=bell)
        if problems:
            raise problems[0]
        if not outcome:
            raise NetworkError("The stream was closed while it was waiting for a credential.")
        return outcome[0]


class PatientSigner:
    """A signer that may have to send a request for its stamp, which whoever closes the stream does not wait for."""

    def __init__(self, credentials: Credentials, wake: Wake) -> None:
        self._credentials = credentials
        self._wake = wake
        renews = isinstance(credentials, ServiceAccount) or (
            isinstance(credentials, UserCredentials) and not isinstance(credentials.token, str)
        )
        self._at_once = not renews

    def get(self, rejected: RequestAuth | None = None) -> RequestAuth | None:
        """As the signer's own."""
        if self._at_once:
            return self._credentials.get(rejected)
        return self._wake.result(lambda: self._credentials.get(rejected))
