"""One database: its current root, rules, settings and watchers (open streams and listens).

Invariant: the root is replaced, and the change queued for every watcher, under the same lock, so that all watchers see
all changes in commit order. Reading needs no lock because nodes are immutable.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from firebase_rest.emulator.database.access import NO_RULES, DatabaseAuthorizer
from firebase_rest.emulator.database.rules import EnforcedDatabaseRules
from firebase_rest.emulator.database.slices import done, finish
from firebase_rest.emulator.database.stream import Subscription, Watcher
from firebase_rest.emulator.newest_items import NewestItems
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
"""How long to wait before `must_wait` is read again."""
_MAX_STAGED = 100
_DEFAULT_SETTINGS: Mapping[str, Json] = {"defaultWriteSizeLimit": "large", "strictTriggerValidation": True}


class Journal(Protocol):
    """Saves what changes in databases. Raises `SaveError`."""

    def prepare_work(self, change: Change, earlier: Any = None) -> Work[Any]:
        """Return what `record` needs to save a change, in slices.

        `earlier` is the result for an earlier attempt to make the change. Pass the last result to `discard` at the end.
        """
        ...

    def record(self, name: str, change: Change, prepared: Any) -> None:
        """Save a change of the database `name`, of which the changes come one at a time."""

    def discard(self, prepared: Any) -> None:
        """Forget what was prepared, unless it has been recorded."""

    def record_settings(self, name: str, rules: str | None, settings: Mapping[str, Json]) -> None:
        """Save settings, and the rules that a client published."""


class Namespace:
    """One database. Thread-safe.

    Args:
        name: The name.
        open_rules: Authorises requests while no rules are published.
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
        self.when_used: Callable[[Namespace], None] | None = None
        """Called once when a database that was unused changes."""
        self._watchers: dict[Watcher, None] = {}  # in the order of their subscription
        self._lock = threading.Lock()
        self._delayed: object | None = None
        self.restore_defaults(None)

    def restore_defaults(self, rules: DatabaseRules | None) -> None:
        """Forget settings, and publish `rules`; None allows everything, or what `open_rules` allow."""
        self.settings: dict[str, Json] = {**_DEFAULT_SETTINGS}
        self.staged_rules: dict[str, DatabaseRules] = NewestItems(_MAX_STAGED)
        """Rules that are not published yet, by ID."""
        self.client_rules: str | None = None
        if rules is None:
            self.rules, self.rules_text = self._open_rules, RULES_TEXT
        else:
            self.publish(rules)
        self._has_default_rules = True

    def forget_if_unused(self, when_used: Callable[[Namespace], None]) -> bool:
        """Return whether this database has no data, settings or watchers; then `when_used` is called at a change."""
        with self._lock:
            unchanged = self._has_default_rules and self.settings == _DEFAULT_SETTINGS and not self.staged_rules
            if self.root is not None or self._watchers or not unchanged:
                return False
            self.when_used = when_used
            return True

    def mark_used(self) -> None:
        """Report that this database is not unused any more."""
        if self.when_used is not None:
            when_used, self.when_used = self.when_used, None
            when_used(self)

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
        """Return whether a caller that listens may read `root` too, after a write or with other rules."""
        rules = self.rules
        ask = rules.may_still_read if isinstance(rules, EnforcedDatabaseRules) else rules.may_read
        return caller.admin or ask(caller, root, path, filter, now)

    def may_write_work(self, caller: Caller, change: Change, now: int) -> Work[bool]:
        """Return whether a caller may make a change."""
        rules, paths = self.rules, change.paths()
        if isinstance(rules, EnforcedDatabaseRules):
            return (yield from rules.may_write_work(caller, change.before, change.after, paths, now))
        return rules.may_write(caller, change.before, change.after, paths, now)

    def commit(self, plan: Callable[[Node], Change], check: Callable[[Change], None], now: int = 0) -> Change:
        """Do `commit_work` at once."""

        def check_work(change: Change) -> Work[None]:
            yield
            check(change)

        return finish(self.commit_work(lambda before: done(plan(before)), check_work, now))

    def commit_work(
        self, plan: Callable[[Node], Work[Change]], check: Callable[[Change], Work[None]], now: int = 0
    ) -> Work[Change]:
        """Commit the change that `plan` computes from the current root, unless `check` raises.

        Watchers whose callers may not read the new data, by the rules at the time `now`, are cancelled.
        """
        # Large writes are validated without the lock, because other clients would wait for seconds. After writes of
        # others the plan is out of date. Other writes wait after some attempts, so that a busy database does not delay
        # this one forever.
        journal, prepared, attempts, this = self.journal, None, 0, object()
        try:
            while True:
                before = self.root
                change = yield from plan(before)
                yield from check(change)
                prepared = None if journal is None else (yield from journal.prepare_work(change, prepared))
                with self._lock:
                    if self.root is before:
                        revoked = self._publish_change(change, prepared, now)
                        break
                    attempts += 1
                    if attempts >= _ATTEMPTS and self._delayed is None:
                        self._delayed = this
        finally:
            if self._delayed is this:
                self._delayed = None
            if journal is not None:
                journal.discard(prepared)
        for watcher in revoked:
            watcher.cancel()
        return change

    @property
    def must_wait(self) -> bool:
        """Whether new writes must wait for one that others have overtaken several times."""
        return self._delayed is not None

    def _publish_change(self, change: Change, prepared: Any, now: int) -> list[Watcher]:
        """Save a change and make it visible. Return the watchers that may not see it, which receive nothing more."""
        if self.journal is not None:
            self.journal.record(self.name, change, prepared)
        self.root = change.after
        self.mark_used()
        revoked = self._revoked(change.after, now)
        for watcher in revoked:
            del self._watchers[watcher]
        for watcher in self._watchers:
            watcher.enqueue(change)
        return revoked

    def _revoked(self, root: Node, now: int) -> list[Watcher]:
        """Return the watchers that may not see new data."""
        rules = self.rules
        if rules is self._open_rules or (isinstance(rules, EnforcedDatabaseRules) and not rules.reads_depend_on_data):
            return []
        decisions: dict[Hashable, bool] = {}
        revoked: list[Watcher] = []
        for watcher in self._watchers:
            allowed = decisions.get(watcher.permission)
            if allowed is None:
                allowed = decisions[watcher.permission] = watcher.may_read(root, now)
            if not allowed:
                revoked.append(watcher)
        return revoked

    def subscribe(self, create: Callable[[Node], Subscription]) -> Subscription:
        """Open a stream that starts with the current root and receives every later change."""
        stream = self.watch(create)
        stream.on_ended(self.unwatch)
        return stream

    def watch(self, create: Callable[[Node], AnyWatcher]) -> AnyWatcher:
        """Return what `create` returns for the current root; it receives every later change until `unwatch`."""
        with self._lock:
            watcher = create(self.root)
            self._watchers[watcher] = None
        return watcher

    def unwatch(self, watcher: Watcher) -> None:
        """Send no more changes to a watcher."""
        with self._lock:
            self._watchers.pop(watcher, None)

    def await_delivery(self) -> None:
        """Wait until the changes of the current root are queued for every watcher."""
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
