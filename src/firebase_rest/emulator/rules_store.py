"""A cache of parsed rules with their coverage, and the log of their decisions."""

from __future__ import annotations

import threading

from firebase_rest.emulator.request_log import DecisionLog
from firebase_rest.rules.coverage import Coverage
from firebase_rest.rules.database import DatabaseRules
from firebase_rest.rules.storage import StorageRules

_MAX_TEXTS = 50
"""How many database rules and how many Storage rules are cached."""


class RulesStore:
    """Parses rules and records their decisions and coverage. Thread-safe.

    Attributes:
        decisions: The last decisions of all rules, oldest first.
    """

    def __init__(self) -> None:
        self.decisions = DecisionLog()
        self._database: dict[str, tuple[DatabaseRules, Coverage]] = {}
        self._storage: dict[str, tuple[StorageRules, Coverage]] = {}
        self._lock = threading.Lock()

    def database_rules(self, text: str, name: str = "database.rules.json") -> DatabaseRules:
        """Return parsed database rules; `name` is shown in coverage reports. Raises `RulesSyntaxError`."""
        cached = self._database.get(text)
        if cached is None:
            coverage = Coverage("database", name, text)
            parsed = DatabaseRules(text, coverage.observer), coverage
            with self._lock:
                cached = self._database.setdefault(text, parsed)
                _limit_size(self._database)
        return cached[0]

    def storage_rules(self, text: str, name: str = "storage.rules") -> StorageRules:
        """Return parsed Storage rules; `name` is shown in coverage reports. Raises `RulesSyntaxError`."""
        cached = self._storage.get(text)
        if cached is None:
            coverage = Coverage("storage", name, text)
            parsed = StorageRules(text, coverage.observer), coverage
            with self._lock:
                cached = self._storage.setdefault(text, parsed)
                _limit_size(self._storage)
        return cached[0]

    def coverage(self, text: str | None = None) -> list[Coverage]:
        """Return the coverage of the rules with this text, or of all rules since the emulator was created."""
        with self._lock:
            cached = (*self._database.values(), *self._storage.values())
        return [coverage for _, coverage in cached if text in (None, coverage.text)]


def _limit_size(cache: dict[str, tuple[DatabaseRules, Coverage]] | dict[str, tuple[StorageRules, Coverage]]) -> None:
    """Remove the oldest rules if the cache contains too many."""
    if len(cache) > _MAX_TEXTS:
        del cache[next(iter(cache))]
