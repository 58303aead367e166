"""One listen of a session: a watcher of the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firebase_rest.emulator.database.query import apply_filter
from firebase_rest.emulator.database.realtime.hashes import node_hash
from firebase_rest.emulator.database.realtime.outbox import push
from firebase_rest.emulator.database.stream import StreamView
from firebase_rest.emulator.database.tree import at

if TYPE_CHECKING:
    from collections.abc import Callable

    from firebase_rest.database.filter import Filter
    from firebase_rest.emulator.database.realtime.outbox import Message, Outbox
    from firebase_rest.emulator.database.stream import ViewEvent
    from firebase_rest.emulator.database.tree import Change, Node, Path
    from firebase_rest.transport.wire import Json

_ACTIONS = {"put": "d", "patch": "m"}


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
    """

    def __init__(
        self,
        target: ListenTarget,
        outbox: Outbox,
        may_read: Callable[[ListenTarget, Node, int], bool],
        on_cancel: Callable[[Listen], None],
    ) -> None:
        self.target = target
        self._outbox = outbox
        self._may_read = may_read
        self._on_cancel = on_cancel
        self._view = StreamView(target.path, target.filter, as_export=True)

    def start(self, root: Node, known_hash: str) -> None:
        """Send the current data, unless the client has it: `known_hash` is the hash of what it has."""

        def messages() -> list[Message]:
            event = self._view.initial_event(root)
            if not known_hash:
                return [] if event.data is None else [self._message(event)]
            node = apply_filter(at(root, self.target.path), self.target.filter)
            return [] if node_hash(node) == known_hash else [self._message(event)]

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
                self._outbox.add(lambda: [self._message(self._view.render(event)) for event in pending])

    def cancel(self) -> None:
        """See `Watcher`."""
        body: dict[str, Json] = {"p": "/".join(self.target.path)}
        if self.target.query:
            body["q"] = [self.target.query]
        self._outbox.add(push("c", body))
        self._on_cancel(self)

    def _message(self, event: ViewEvent) -> Message:
        body: dict[str, Json] = {"p": "/".join((*self.target.path, *event.path)), "d": event.data}
        if self.target.tag is not None:
            body["t"] = self.target.tag
        return push(_ACTIONS[event.name], body)
