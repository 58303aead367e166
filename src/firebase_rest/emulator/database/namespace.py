"""One database: its current root, rules, settings and open streams.

Invariant: the root is replaced, and the change queued for every stream, under the same lock, so that all streams see
all changes in commit order. Reading needs no lock because nodes are immutable.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from firebase_rest.emulator.database.access import DatabaseAuthorizer, OpenDatabaseRules
from firebase_rest.emulator.database.stream import Subscription, cancel_event

if TYPE_CHECKING:
    from collections.abc import Callable

    from firebase_rest.emulator.database.tree import Change, Node
    from firebase_rest.transport.wire import Json

RULES_TEXT = '{\n  "rules": {\n    ".read": true,\n    ".write": true\n  }\n}\n'


class Namespace:
    """One database. Thread-safe."""

    def __init__(self, name: str, rules: DatabaseAuthorizer | None = None) -> None:
        self.name = name
        self.root: Node = None
        self.rules: DatabaseAuthorizer = rules or OpenDatabaseRules()
        self.rules_text = RULES_TEXT
        self.settings: dict[str, Json] = {"defaultWriteSizeLimit": "large", "strictTriggerValidation": True}
        self._streams: list[Subscription] = []
        self._lock = threading.Lock()

    def commit(self, plan: Callable[[Node], Change], check: Callable[[Change], None]) -> Change:
        """Commit the change that `plan` computes from the current root, unless `check` raises."""
        with self._lock:
            change = plan(self.root)
            check(change)
            self.root = change.after
            for stream in self._streams:
                stream.enqueue(change)
        return change

    def subscribe(self, create: Callable[[Node], Subscription]) -> Subscription:
        """Open a stream that starts with the current root and receives every later change."""
        with self._lock:
            stream = create(self.root)
            self._streams.append(stream)
        stream.on_ended(self._remove)
        return stream

    def streams(self) -> list[Subscription]:
        """Return the open streams."""
        with self._lock:
            return self._streams.copy()

    def cancel_unauthorized(self, now: int) -> None:
        """Cancel the streams whose callers may no longer read, after a change of rules."""
        for stream in self.streams():
            if not stream.may_read(self.root, now):
                stream.end(cancel_event("Permission denied."))

    def _remove(self, stream: Subscription) -> None:
        with self._lock:
            if stream in self._streams:
                self._streams.remove(stream)
