"""A cache of parsed rules with their coverage, and the log of their decisions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeAlias, TypeVar

from firebase_rest.emulator.request_log import DecisionLog
from firebase_rest.rules.coverage import Coverage
from firebase_rest.rules.database import DatabaseRules
from firebase_rest.rules.decisions import Observer
from firebase_rest.rules.storage import StorageRules

R = TypeVar("R", DatabaseRules, StorageRules)
Parse: TypeAlias = Callable[[str, Observer], R]

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
        return self._cached(self._database, text, DatabaseRules, Coverage("database", name, text))

    def storage_rules(self, text: str, name: str = "storage.rules") -> StorageRules:
        """Return parsed Storage rules; `name` is shown in coverage reports. Raises `RulesSyntaxError`."""
        return self._cached(self._storage, text, StorageRules, Coverage("storage", name, text))

    def coverage(self, text: str | None = None) -> list[Coverage]:
        """Return the coverage of the rules with this text, or of all rules since the emulator was created."""
        with self._lock:
            cached = (*self._database.values(), *self._storage.values())
        return [coverage for _, coverage in cached if text in (None, coverage.text)]

    def _cached(self, cache: dict[str, tuple[R, Coverage]], text: str, parse: Parse[R], coverage: Coverage) -> R:
        """Return the rules with this text; parse them if they are not in the cache, which loses the oldest rules."""
        cached = cache.get(text)
        if cached is None:
            parsed = parse(text, coverage.observer), coverage
            with self._lock:
                cached = cache.setdefault(text, parsed)
                if len(cache) > _MAX_TEXTS:
                    del cache[next(iter(cache))]
        return cached[0]
