"""One database: its current root, its rules, and the streams that watch it.

The law of this file: the root is swapped under the lock, and every stream hears of a change under the same lock, so
all streams see all changes in the order in which they were committed. Reading needs no lock: a root never changes.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firebase_rest.emulator.database.access import OpenRules
from firebase_rest.emulator.database.stream import cancel_event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firebase_rest.emulator.database.access import Rules
    from firebase_rest.emulator.database.stream import Subscription
    from firebase_rest.emulator.database.tree import Node
    from firebase_rest.transport.wire import Json

RULES_TEXT = '{\n  "rules": {\n    ".read": true,\n    ".write": true\n  }\n}\n'


@dataclass(frozen=True, slots=True)
class Change:
    """One committed write: `base` was replaced, or, with `targets`, these paths below `base` were."""

    before: Node
    after: Node
    base: tuple[str, ...]
    targets: tuple[tuple[str, ...], ...] | None = None

    def paths(self) -> Sequence[tuple[str, ...]]:
        """All places written, from the root."""
        return (self.base,) if self.targets is None else [(*self.base, *target) for target in self.targets]


class Namespace:
    """One database of the emulator."""

    def __init__(self, name: str, rules: Rules | None = None) -> None:
        self.name = name
        self.root: Node = None
        self.rules: Rules = rules or OpenRules()
        self.rules_text = RULES_TEXT
        self.settings: dict[str, Json] = {"defaultWriteSizeLimit": "large", "strictTriggerValidation": True}
        self._streams: list[Subscription] = []
        self._lock = threading.Lock()

    def commit(self, plan: Callable[[Node], Change], check: Callable[[Change], None]) -> Change:
        """Make the change that `plan` works out from the current root, unless `check` raises."""
        with self._lock:
            change = plan(self.root)
            check(change)
            self.root = change.after
            for stream in self._streams:
                stream.offer(change)
        return change

    def subscribe(self, make: Callable[[Node], Subscription]) -> Subscription:
        """A new stream, which starts from the current root and misses nothing after it."""
        with self._lock:
            stream = make(self.root)
            self._streams.append(stream)
        stream.when_ended(self._forget)
        return stream

    def streams(self) -> list[Subscription]:
        """Those that are open."""
        with self._lock:
            return self._streams.copy()

    def end_forbidden(self, now: int) -> None:
        """Cancel the streams of those who may no longer read; for when rules change."""
        for stream in self.streams():
            if not stream.may_read(self.root, now):
                stream.end(cancel_event("Permission denied."))

    def _forget(self, stream: Subscription) -> None:
        with self._lock:
            if stream in self._streams:
                self._streams.remove(stream)
