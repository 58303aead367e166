"""Listens. A listen sends the data at a path, and its changes, to the client of a session."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firebase_rest.emulator.database.realtime.hashes import hash_work
from firebase_rest.emulator.database.realtime.outbox import push, push_text
from firebase_rest.emulator.database.stream import StreamView

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from firebase_rest.database.filter import Filter
    from firebase_rest.emulator.database.realtime.outbox import Outbox, Text
    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.stream import PendingEvent
    from firebase_rest.emulator.database.tree import Change, Node, Path
    from firebase_rest.transport.wire import Json


@dataclass(frozen=True, slots=True)
class ListenTarget:
    """The path and filter of a listen.

    Attributes:
        path: The path.
        filter: The parsed query.
        query: The query that the client sent, or None.
        tag: The number by which the client identifies a listen with a query, or None.
    """

    path: Path
    filter: Filter
    query: Json
    tag: Json


class Listen:
    """A `Watcher` that adds the messages of one listen to the outbox of its session.

    Args:
        target: The path and filter.
        outbox: Receives the messages.
        may_read: `may_read(target, root, now_ms)` returns whether the client may read the target.
        on_cancel: Called with this listen when the rules no longer allow reading.
        permission_key: See `Watcher`.
    """

    def __init__(
        self,
        target: ListenTarget,
        outbox: Outbox,
        may_read: Callable[[ListenTarget, Node, int], bool],
        on_cancel: Callable[[Listen], None],
        permission_key: Hashable,
    ) -> None:
        self.target = target
        self.path = target.path
        self.permission_key = permission_key
        self._outbox = outbox
        self._may_read = may_read
        self._on_cancel = on_cancel
        self._view = StreamView(target.path, target.filter, as_export=True)

    def start(self, root: Node, known_hash: str) -> None:
        """Send the current data, unless its hash is `known_hash`, the hash of the data that the client has."""

        def messages() -> Work[list[Text]]:
            event = yield from self._view.initial_work(root)
            if not known_hash and event.node is None:
                return []  # without data, a client has the current data from the start
            if known_hash and (yield from hash_work(event.node)) == known_hash:
                return []
            return (yield from self._messages([event]))

        self._outbox.add(messages)

    def may_read(self, root: Node, now: int) -> bool:
        """See `Watcher`."""
        return self._may_read(self.target, root, now)

    def enqueue(self, change: Change, size: int = 0) -> None:
        """See `Watcher`."""
        events = self._view.pending_events(change)
        if events:
            self._outbox.add(lambda: self._messages(events), size)

    def cancel(self) -> None:
        """See `Watcher`."""
        body: dict[str, Json] = {"p": "/".join(self.target.path)}
        if self.target.query:
            body["q"] = [self.target.query]
        self._outbox.add(push("c", body))
        self._on_cancel(self)

    def _messages(self, pending: list[PendingEvent]) -> Work[list[Text]]:
        texts: list[Text] = []
        while pending:
            for event in (yield from self._view.resolve_work(pending.pop(0))):
                action, path = "d" if event.patch is None else "m", "/".join((*self.target.path, *event.path))
                texts.append(push_text(action, path, (yield from self._view.data_work(event)), self.target.tag))
        return texts
