"""A log of the last requests, each with its duration and the decisions of security rules."""

from __future__ import annotations

import time
from collections import deque
from contextvars import ContextVar
from itertools import count
from typing import TYPE_CHECKING
from urllib.parse import quote

from firebase_rest.transport.redaction import redact, redact_params

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from firebase_rest.emulator.urls import RequestUrl
    from firebase_rest.rules.decisions import Decision

_MAX_REQUESTS = 200
_MAX_DECISIONS = 200

_current_decisions: ContextVar[list[Decision] | None] = ContextVar("decisions of the current request", default=None)


class DecisionLog(deque["Decision"]):
    """The last decisions of security rules. A decision is also added to the request that is being handled."""

    def __init__(self, decisions: Iterable[Decision] = (), maxlen: int | None = _MAX_DECISIONS) -> None:
        super().__init__(decisions, maxlen)

    def append(self, decision: Decision, /) -> None:
        """Add a decision."""
        super().append(decision)
        current_decisions = _current_decisions.get()
        if current_decisions is not None:
            current_decisions.append(decision)


class LoggedRequest:
    """One request, with the decisions of security rules.

    `status` is None until the response starts; `seconds`, the duration, is None until the response ends.
    """

    __slots__ = ("_started", "decisions", "method", "number", "seconds", "status", "time", "url")

    def __init__(self, number: int, method: str, url: RequestUrl) -> None:
        self.number = number
        self.method = method
        self.url = url
        self.time = time.time()
        self.status: int | None = None
        self.seconds: float | None = None
        self.decisions: list[Decision] = []
        self._started = time.perf_counter()
        _current_decisions.set(self.decisions)

    def finish(self) -> None:
        """Record the end of the response."""
        self.seconds = time.perf_counter() - self._started
        _current_decisions.set(None)  # a WebSocket's task handles many requests

    @property
    def location(self) -> str:
        """The path and the query of the URL, with secrets masked."""
        query = "&".join(f"{name}={quote(value, safe='[]/,:')}" for name, value in redact_params(self.url.params))
        return redact(self.url.path) + (f"?{query}" if query else "")


class RequestLog:
    """The last requests, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[LoggedRequest] = deque(maxlen=_MAX_REQUESTS)
        self._numbers = count(1)

    def start(self, method: str, url: RequestUrl) -> LoggedRequest:
        """Add a request and return its entry. Set `status` of the entry, and call `finish` at the end."""
        entry = LoggedRequest(next(self._numbers), method, url)
        self._entries.append(entry)
        return entry

    def entries(self) -> Sequence[LoggedRequest]:
        """Return the requests, oldest first."""
        return list(self._entries)

    def find(self, number: int) -> LoggedRequest | None:
        """Return the request with a number, or None if it is no longer in the log."""
        return next((entry for entry in self.entries() if entry.number == number), None)

    def clear(self) -> None:
        """Remove all requests."""
        self._entries.clear()
