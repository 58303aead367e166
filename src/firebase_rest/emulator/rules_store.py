"""The rules that were published in an emulator: parsed once, with their decisions and their coverage."""

from __future__ import annotations

import threading

from firebase_rest.emulator.request_log import DecisionLog
from firebase_rest.rules.coverage import Coverage
from firebase_rest.rules.database import DatabaseRules
from firebase_rest.rules.storage import StorageRules

_MAX_TEXTS = 50
"""How many texts of each language are kept with their coverage."""


class RulesStore:
    """Thread-safe.

    Attributes:
        decisions: The last decisions of all rules, oldest first.
    """

    def __init__(self) -> None:
        self.decisions = DecisionLog()
        self._database: dict[str, tuple[DatabaseRules, Coverage]] = {}
        self._storage: dict[str, tuple[StorageRules, Coverage]] = {}
        self._lock = threading.Lock()

    def database_rules(self, text: str, name: str = "database.rules.json") -> DatabaseRules:
        """Return parsed database rules. Raises `RulesSyntaxError`. `name` is shown in reports of the coverage."""
        found = self._database.get(text)
        if found is None:
            coverage = Coverage("database", name, text)
            parsed = DatabaseRules(text, coverage.observer), coverage
            with self._lock:
                found = self._database.setdefault(text, parsed)
                _shrink(self._database)
        return found[0]

    def storage_rules(self, text: str, name: str = "storage.rules") -> StorageRules:
        """Return parsed Storage rules. Raises `RulesSyntaxError`. `name` is shown in reports of the coverage."""
        found = self._storage.get(text)
        if found is None:
            coverage = Coverage("storage", name, text)
            parsed = StorageRules(text, coverage.observer), coverage
            with self._lock:
                found = self._storage.setdefault(text, parsed)
                _shrink(self._storage)
        return found[0]

    def coverage(self, text: str | None = None) -> list[Coverage]:
        """Return the coverage of all rules since the emulator was created, or of the rules with this text."""
        with self._lock:
            found = [coverage for _, coverage in (*self._database.values(), *self._storage.values())]
        return [coverage for coverage in found if text in (None, coverage.text)]


def _shrink(parsed: dict[str, tuple[DatabaseRules, Coverage]] | dict[str, tuple[StorageRules, Coverage]]) -> None:
    if len(parsed) > _MAX_TEXTS:
        del parsed[next(iter(parsed))]
