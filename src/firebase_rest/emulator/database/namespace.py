"""One database: its current root, rules, settings and watchers (open streams and listens).

Invariant: a commit replaces the root and queues the change for every watcher under one lock, so that all watchers
receive all changes in commit order. Reading needs no lock because nodes are immutable.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from firebase_rest.emulator.bounded_dict import BoundedDict
from firebase_rest.emulator.database.access import NO_RULES, DatabaseAuthorizer
from firebase_rest.emulator.database.rules import EnforcedDatabaseRules
from firebase_rest.emulator.database.slices import done, finish
from firebase_rest.emulator.database.stream import Subscription, Watcher
from firebase_rest.emulator.database.watchers import Watchers
from firebase_rest.emulator.rules_store import RulesStore
from firebase_rest.rules.database import DatabaseRules

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from firebase_rest.database.filter import Filter
    from firebase_rest.emulator.credentials import Caller
    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.tree import Change, Node
    from firebase_rest.transport.wire import Json

AnyWatcher = TypeVar("AnyWatcher", bound=Watcher)

RULES_TEXT = '{\n  "rules": {\n    ".read": true,\n    ".write": true\n  }\n}\n'

_ATTEMPTS = 3
WAIT_SECONDS = 0.005
"""How long a request waits before it checks `must_wait` again."""
_MAX_STAGED = 100
_DEFAULT_SETTINGS: Mapping[str, Json] = {"defaultWriteSizeLimit": "large", "strictTriggerValidation": True}


class Journal(Protocol):
    """Saves the changes of databases. The methods raise `SaveError`."""

    def prepare_work(self, change: Change, earlier: Any = None) -> Work[Any]:
        """Prepare a change for `record`, in slices, and return the prepared change.

        `earlier` is the result of an earlier attempt to commit the same write. Pass the last result to `discard`.
        """
        ...

    def record(self, name: str, change: Change, prepared: Any) -> None:
        """Save a change of the database `name`. The changes of one database must be recorded one at a time."""

    def discard(self, prepared: Any) -> None:
        """Discard a prepared change, unless it has been recorded."""

    def record_settings(self, name: str, rules: str | None, settings: Mapping[str, Json]) -> None:
        """Save settings, and the rules that a client published."""


class Namespace:
    """One database. Thread-safe.

    Args:
        name: The name.
        open_rules: Authorizes requests while no rules are published.
        store: Parses rules and receives their decisions.
        journal: Saves changes before they become visible, or None.
    """

    def __init__(
        self,
        name: str,
        open_rules: DatabaseAuthorizer | None = None,
        store: RulesStore | None = None,
        journal: Journal | None = None,
    ) -> None:
        self.name = name
        self.root: Node = None
        self.journal = journal
        self._open_rules: DatabaseAuthorizer = open_rules or NO_RULES
        self.rules = self._open_rules
        self.rules_store = store or RulesStore()
        self.on_first_use: Callable[[Namespace], None] | None = None
        """Called once when a database that was unused changes."""
        self._watchers = Watchers()
        self._lock = threading.Lock()
        self._delayed_write: object | None = None
        self.restore_defaults(None)

    def restore_defaults(self, rules: DatabaseRules | None) -> None:
        """Restore the default settings, and publish `rules`. None removes the published rules."""
        self.settings: dict[str, Json] = {**_DEFAULT_SETTINGS}
        self.staged_rules: dict[str, DatabaseRules] = BoundedDict(_MAX_STAGED)
        """Rules that are not published yet, by ID."""
        self.client_rules: str | None = None
        if rules is None:
            self.rules, self.rules_text = self._open_rules, RULES_TEXT
        else:
            self.publish(rules)
        self._has_default_rules = True

    def is_unused(self, on_first_use: Callable[[Namespace], None]) -> bool:
        """Return whether this database has no data, settings or watchers; its next change then calls `on_first_use`."""
        with self._lock:
            has_defaults = self._has_default_rules and self.settings == _DEFAULT_SETTINGS and not self.staged_rules
            if self.root is not None or self._watchers or not has_defaults:
                return False
            self.on_first_use = on_first_use
            return True

    def mark_used(self) -> None:
        """Call `on_first_use`, once."""
        if self.on_first_use is not None:
            on_first_use, self.on_first_use = self.on_first_use, None
            on_first_use(self)

    def save_settings(self) -> None:
        """Save the settings, and the rules that a client published. Raises `SaveError`."""
        if self.journal is not None:
            self.journal.record_settings(self.name, self.client_rules, self.settings)

    def publish_for_client(self, rules: DatabaseRules) -> None:
        """Enforce rules that a client sent, and save them. Raises `SaveError`."""
        self.publish(rules)
        self.client_rules = rules.text
        self.save_settings()

    def publish(self, rules: DatabaseRules) -> None:
        """Enforce `rules` from now on. Watchers continue until `cancel_unauthorized`."""
        self.mark_used()
        self._has_default_rules = False
        self.rules = EnforcedDatabaseRules(rules, self.rules_store.decisions)
        self.rules_text = rules.text

    def may_still_read(self, caller: Caller, root: Node, path: Sequence[str], filter: Filter, now: int) -> bool:
        """Return whether the rules allow a listening caller to read `path` in `root`, after a write or new rules."""
        if caller.admin:
            return True
        rules = self.rules
        if isinstance(rules, EnforcedDatabaseRules):
            return rules.may_still_read(caller, root, path, filter, now)
        return rules.may_read(caller, root, path, filter, now)

    def may_write_work(self, caller: Caller, change: Change, now: int) -> Work[bool]:
        """Return whether a caller may make a change."""
        rules, paths = self.rules, change.paths()
        if isinstance(rules, EnforcedDatabaseRules):
            return (yield from rules.may_write_work(caller, change.before, change.after, paths, now))
        return rules.may_write(caller, change.before, change.after, paths, now)

    def commit(self, plan: Callable[[Node], Change], check: Callable[[Change], None], now: int = 0) -> Change:
        """Do the same as `commit_work` without interruption."""

        def check_work(change: Change) -> Work[None]:
            yield
            check(change)

        return finish(self.commit_work(lambda before: done(plan(before)), check_work, now))

    def commit_work(
        self, plan: Callable[[Node], Work[Change]], check: Callable[[Change], Work[None]], now: int = 0, size: int = 0
    ) -> Work[Change]:
        """Commit the change that `plan` computes from the current root, unless `check` raises.

        Watchers whose callers may not read the new data, by the rules at the time `now`, are cancelled. The others
        queue the change, which a request of `size` bytes made.
        """
        # Large writes are validated without the lock, because other clients would wait for seconds. If another client
        # writes meanwhile, the plan is computed and checked again. After some attempts new writes wait, so that a busy
        # database does not delay this write forever.
        journal, prepared, attempts, this_write = self.journal, None, 0, object()
        try:
            while True:
                before = self.root
                change = yield from plan(before)
                yield from check(change)
                prepared = None if journal is None else (yield from journal.prepare_work(change, prepared))
                with self._lock:
                    if self.root is before:
                        revoked = self._publish_change(change, prepared, now, size)
                        break
                    attempts += 1
                    if attempts >= _ATTEMPTS and self._delayed_write is None:
                        self._delayed_write = this_write
        finally:
            if self._delayed_write is this_write:
                self._delayed_write = None
            if journal is not None:
                journal.discard(prepared)
        for watcher in revoked:
            watcher.cancel()
        return change

    @property
    def must_wait(self) -> bool:
        """Whether new writes must wait for a large write that other writes have delayed several times."""
        return self._delayed_write is not None

    def _publish_change(self, change: Change, prepared: Any, now: int, size: int) -> list[Watcher]:
        """Save a change and make it visible. Remove and return the watchers that may not read the new data."""
        if self.journal is not None:
            self.journal.record(self.name, change, prepared)
        self.root = change.after
        self.mark_used()
        revoked = self._revoked(change.after, now)
        for watcher in revoked:
            self._watchers.discard(watcher)
        for watcher in self._watchers.concerned(change):
            watcher.enqueue(change, size)
        return revoked

    def _revoked(self, root: Node, now: int) -> list[Watcher]:
        """Return the watchers that may not read `root`."""
        rules = self.rules
        if rules is self._open_rules or (isinstance(rules, EnforcedDatabaseRules) and not rules.reads_depend_on_data):
            return []
        decisions: dict[Hashable, bool] = {}
        revoked: list[Watcher] = []
        for watcher in self._watchers:
            allowed = decisions.get(watcher.permission_key)
            if allowed is None:
                allowed = decisions[watcher.permission_key] = watcher.may_read(root, now)
            if not allowed:
                revoked.append(watcher)
        return revoked

    def subscribe(self, create: Callable[[Node], Subscription]) -> Subscription:
        """Open a stream that starts with the current root and receives every later change."""
        stream = self.watch(create)
        stream.on_ended(self.unwatch)
        return stream

    def watch(self, create: Callable[[Node], AnyWatcher]) -> AnyWatcher:
        """Create a watcher from the current root. It receives every later change until `unwatch`."""
        with self._lock:
            watcher = create(self.root)
            self._watchers.add(watcher)
        return watcher

    def unwatch(self, watcher: Watcher) -> None:
        """Stop sending changes to a watcher."""
        with self._lock:
            self._watchers.discard(watcher)

    def await_delivery(self) -> None:
        """Wait until the change that led to the current root is queued for every watcher."""
        with self._lock:
            pass

    def streams(self) -> list[Subscription]:
        """Return the open event streams."""
        with self._lock:
            return [watcher for watcher in self._watchers if isinstance(watcher, Subscription)]

    def cancel_unauthorized(self, now: int) -> None:
        """Cancel the watchers whose callers may no longer read, after a change of rules."""
        with self._lock:
            watchers = list(self._watchers)
        for watcher in watchers:
            if not watcher.may_read(self.root, now):
                watcher.cancel()
