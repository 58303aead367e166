"""One listen of a session: a watcher of the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firebase_rest.emulator.database.realtime.hashes import hash_work
from firebase_rest.emulator.database.realtime.outbox import push, push_text
from firebase_rest.emulator.database.stream import StreamView

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from firebase_rest.database.filter import Filter
    from firebase_rest.emulator.database.realtime.outbox import Outbox, Text
    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.stream import PendingEvent
    from firebase_rest.emulator.database.tree import Change, Node, Path
    from firebase_rest.transport.wire import Json


@dataclass(frozen=True, slots=True)
class ListenTarget:
    """What a client listens to. `query` is as the client sent it; `tag` is its name for a listen with a query."""

    path: Path
    filter: Filter
    query: Json
    tag: Json


class Listen:
    """Adds the messages of one listen to the outbox of its session. A `Watcher`.

    Args:
        target: What the client listens to.
        outbox: Where the messages go.
        may_read: Returns whether the session may read the target in a root at a time.
        on_cancel: Called when the rules no longer allow reading.
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
        self.permission_key = permission_key
        self._outbox = outbox
        self._may_read = may_read
        self._on_cancel = on_cancel
        self._view = StreamView(target.path, target.filter, as_export=True)

    def start(self, root: Node, known_hash: str) -> None:
        """Send the current data, unless the client has it: `known_hash` is the hash of what it has."""

        def messages() -> Work[list[Text]]:
            event = yield from self._view.initial_work(root)
            is_known = (yield from hash_work(event.node)) == known_hash if known_hash else event.node is None
            return [] if is_known else (yield from self._messages([event]))

        self._outbox.add(messages)

    def may_read(self, root: Node, now: int) -> bool:
        """See `Watcher`."""
        return self._may_read(self.target, root, now)

    def enqueue(self, change: Change) -> None:
        """See `Watcher`."""
        base, path = change.base, self.target.path
        shorter = min(len(base), len(path))
        if base[:shorter] == path[:shorter]:
            pending = self._view.pending_events(change)
            if pending:
                self._outbox.add(lambda: self._messages(pending))

    def cancel(self) -> None:
        """See `Watcher`."""
        body: dict[str, Json] = {"p": "/".join(self.target.path)}
        if self.target.query:
            body["q"] = [self.target.query]
        self._outbox.add(push("c", body))
        self._on_cancel(self)

    def _messages(self, events: Iterable[PendingEvent]) -> Work[list[Text]]:
        texts: list[Text] = []
        for event in events:
            action, path = "d" if event.patch is None else "m", "/".join((*self.target.path, *event.path))
            texts.append(push_text(action, path, (yield from self._view.data_work(event)), self.target.tag))
        return texts
