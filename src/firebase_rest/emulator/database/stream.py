"""Event streams: subscriptions, and the events that a write causes.

Invariant: a writer only selects the nodes that a stream shows and appends them to the queue of the stream. The reader
of the stream renders them. A slow reader therefore does not delay writers, and its queue keeps no old roots in memory
(except those of updates of many paths).
https://firebase.google.com/docs/reference/rest/database#section-streaming
"""

from __future__ import annotations

import threading
import time
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from firebase_rest.database.filter import Filter
from firebase_rest.emulator.database import query
from firebase_rest.emulator.database.pending import PendingQueue
from firebase_rest.emulator.database.rendering import members_work, node_work, release_work
from firebase_rest.emulator.database.responses import HEADERS, compact
from firebase_rest.emulator.database.slices import SLICE, batches, clear_work, finish
from firebase_rest.emulator.database.tree import at, child, nodes_equal, priority_of
from firebase_rest.emulator.database.windows import Window
from firebase_rest.errors import NetworkError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.tree import Change, Node

    Path = tuple[str, ...]

MANY_TARGETS = SLICE
"""Above this number of paths, the reader of a stream finds the events of an update, in slices."""

_BATCH_BYTES = 1024 * 1024
"""The reader renders further events when so much is sent."""

KEEP_ALIVE = b"event: keep-alive\ndata: null\n\n"
AUTH_REVOKED = b"event: auth_revoked\ndata: credential is no longer valid\n\n"

POLL_SECONDS = 0.25
"""Seconds between two checks whether the token has expired. Polling is needed because a test may set the clock."""


class Ending(Enum):
    """What a client observes at the end of a stream."""

    CLEAN = "the response is complete"
    CUT = "the connection is closed without the last chunk"
    RESET = "the connection is reset"
    NEVER = "the connection stays open without further events"


STREAM_HEADERS = {**HEADERS, "content-type": "text/event-stream; charset=utf-8"}


def cancel_event(reason: str | None) -> bytes:
    """Return the event that ends a stream whose permission to read is revoked."""
    return b"event: cancel\ndata: %s\n\n" % ("null" if reason is None else reason).encode()


class PendingEvent(NamedTuple):
    """An event that is not rendered yet: a `put` of `node`, or a `patch` with nodes by their relative paths.

    `path` is relative to the path of the stream. `update` is a change of many paths, whose events the reader finds.
    """

    path: Path
    node: Node = None
    patch: dict[str, Node] | None = None
    update: Change | None = None


class StreamView:
    """Selects the data that a stream or listen shows, and the events for each change."""

    def __init__(self, path: Path, filter: Filter, *, as_export: bool = False) -> None:
        self._path = path
        self._filter = filter
        self._export = as_export
        self._is_filtered = filter.can_exclude_children

    def initial_work(self, root: Node) -> Work[PendingEvent]:
        """Return the first event, with all data."""
        return PendingEvent((), (yield from query.filter_work(at(root, self._path), self._filter)))

    def data_work(self, event: PendingEvent) -> Work[list[bytes]]:
        """Return the data of an event as JSON, in pieces."""
        if event.patch is None:
            return (yield from node_work(event.node, as_export=self._export))
        pieces = yield from members_work(event.patch, as_export=self._export)
        if len(event.patch) > MANY_TARGETS:
            yield from clear_work(event.patch)
        return pieces

    def text_work(self, event: PendingEvent) -> Work[list[bytes]]:
        """Return an event in the format of an event stream, in pieces."""
        name = b"put" if event.patch is None else b"patch"
        head = b'event: %s\ndata: {"path":%s,"data":' % (name, compact("/" + "/".join(event.path)))
        return [head, *(yield from self.data_work(event)), b"}\n\n"]

    def pending_events(self, change: Change) -> list[PendingEvent]:
        """Return the event of a change, or [] if the change is not visible. It contains only the visible nodes."""
        depth, base = len(self._path), change.base
        before, after = at(change.before, self._path), at(change.after, self._path)
        if change.targets is not None and len(change.targets) > MANY_TARGETS:
            is_untouched = before is after and after is not None
            return [] if is_untouched else [PendingEvent((), update=change)]
        if base[:depth] == self._path:  # the write is at or below the path of the stream
            relative = base[depth:]
            if change.targets is None:
                return self._put(relative, before, after)
            return self._patch(relative, change.targets, before, after)
        if self._path[: len(base)] != base:
            return []
        targets = [path[depth:] for path in change.paths() if path[:depth] == self._path and len(path) > depth]
        if targets:
            return self._patch((), targets, before, after)
        return [] if nodes_equal(before, after) else self._put((), before, after)

    def resolve_work(self, event: PendingEvent) -> Work[list[PendingEvent]]:
        """Return the events of a change of many paths; any other event is the only one."""
        change = event.update
        if change is None:
            return [event]
        depth, base = len(self._path), change.base
        before, after = at(change.before, self._path), at(change.after, self._path)
        relative, inner = base[depth:], self._path[len(base) :]
        targets: list[Path] = []
        for batch in batches(change.targets or ()):
            targets += [path[len(inner) :] for path in batch if path[: len(inner)] == inner and path != inner]
            yield
        if not targets:
            return [] if nodes_equal(before, after) else self._put((), before, after)
        if self._is_filtered:  # the comparison of two windows would take longer than the data
            return [PendingEvent((), (yield from query.filter_work(after, self._filter)))]
        node = at(after, relative)
        patch: dict[str, Node] = {}
        for batch in batches(targets):
            shown = batch if self._export else [target for target in batch if target[-1] != ".priority"]
            patch.update(("/".join(target), _node_at(node, target)) for target in shown)
            yield
        garbage = [before]
        del before, change, event  # the writer may have released them
        yield from clear_work(targets)
        yield from release_work(garbage)
        return [PendingEvent(relative, patch=patch)] if patch else []

    def _full_event(self, node: Node) -> PendingEvent:
        return PendingEvent((), query.apply_filter(node, self._filter) if self._is_filtered else node)

    def _put(self, relative: Path, before: Node, after: Node) -> list[PendingEvent]:
        if not relative:
            return [self._full_event(after)]
        if self._is_filtered:
            events = self._window_events({relative[0]}, before, after)
            if events is not None:
                return events
        return [PendingEvent(relative, at(after, relative))]

    def _patch(self, relative: Path, targets: Iterable[Path], before: Node, after: Node) -> list[PendingEvent]:
        if not self._export:
            # Priorities are shown only with format=export.
            targets = [target for target in targets if target[-1] != ".priority"]
        if self._is_filtered:
            written = {relative[0]} if relative else {target[0] for target in targets if target[0] != ".priority"}
            events = self._window_events(written, before, after)
            if events is not None:
                return events
            if not relative:
                window = Window(after, self._filter)
                targets = [target for target in targets if target[0] in window]
        base = at(after, relative)
        patch = {"/".join(target): _node_at(base, target) for target in targets}
        return [PendingEvent(relative, patch=patch)] if patch else []

    def _window_events(self, written: set[str], before: Node, after: Node) -> list[PendingEvent] | None:
        """Return the events of a write to the children `written` if children enter or leave the window of the filter.

        Otherwise return [] if none of the written children is visible, and None if one is visible.
        """
        new = Window(after, self._filter, before)
        visible = {key for key in written if key in new}
        if all(nodes_equal(child(before, key), child(after, key)) for key in written):
            return None if visible else []
        old = Window(before, self._filter, after)
        # Only the written children, and as many children next to the limit, can enter or leave the window.
        candidates = written.union(old.edge(len(written)), new.edge(len(written)))
        entered = {key for key in candidates if key in new and key not in old}
        left = {key for key in candidates if key in old and key not in new}
        if not entered and not left:
            return None if visible else []
        data: dict[str, Node] = {key: child(after, key) for key in sorted(entered | visible)}
        data.update(dict.fromkeys(sorted(left)))
        if len(data) == 1:
            key, node = data.popitem()
            return [PendingEvent((key,), node)]
        return [PendingEvent((), patch=data)]


def _node_at(node: Node, target: Path) -> Node:
    """Return the node, or the priority, at a target of an update."""
    return priority_of(at(node, target[:-1])) if target[-1] == ".priority" else at(node, target)


def _always_allowed(root: Node, now: int) -> bool:  # noqa: ARG001
    return True


def _no_op() -> None:
    pass


class Watcher(Protocol):
    """Receives the changes of a database.

    Attributes:
        path: Receives the changes of this path, of those above it and of those below it.
        permission_key: Watchers with equal keys have equal results of `may_read`.
    """

    path: Path
    permission_key: Hashable

    def may_read(self, root: Node, now: int, /) -> bool:
        """Return whether the rules allow the client to read `root`. `now` is in milliseconds since the epoch."""
        ...

    def enqueue(self, change: Change, size: int = 0, /) -> None:
        """Queue a committed change, which a request of `size` bytes made.

        Called under the lock of the database, in commit order.
        """
        ...

    def cancel(self) -> None:
        """End the stream or listen, because the rules no longer allow reading."""
        ...


class Subscription:
    """One open stream: the queue between writers and the reader.

    Args:
        view: Selects the data of the stream.
        root: The root of the database when the stream is opened.
        path: The path of the stream.
        may_read: `may_read(root, now_ms)` returns whether the rules still allow reading.
        permission_key: See `Watcher`.
        seconds_left: Returns the seconds until the token expires. None means that it does not expire.
    """

    def __init__(
        self,
        view: StreamView,
        root: Node,
        path: Path,
        *,
        may_read: Callable[[Node, int], bool] = _always_allowed,
        permission_key: Hashable = None,
        seconds_left: Callable[[], float] | None = None,
    ) -> None:
        self.path = path
        self.may_read = may_read
        self.permission_key = permission_key
        self.ended = False
        self.ending = Ending.CLEAN
        self.stalled = False
        self._view = view
        self._root: Node = root
        self._seconds_left = seconds_left
        self._has_sent_initial = False
        self._initial: list[bytes] | None = None
        self._pending: PendingQueue[PendingEvent] = PendingQueue()
        self._final_bytes = b""
        self._notify: Callable[[], None] = _no_op
        self._on_end: Callable[[Subscription], None] | None = None
        self._lock = threading.Lock()

    def enqueue(self, change: Change, size: int = 0) -> None:
        """See `Watcher`."""
        if self.ended:
            return
        pending = self._view.pending_events(change)
        if not pending:
            return
        with self._lock:
            if not all(self._pending.add(event, size) for event in pending):
                self.ended = True
        self._notify()

    def initial_work(self) -> Work[None]:
        """Render the first event now. Otherwise `take_work` renders it."""
        if self._initial is None:
            event = yield from self._view.initial_work(self._root)
            self._initial = yield from self._view.text_work(event)
            self._root = None  # release the memory

    def take(self) -> bytes:
        """Return the events since the last call, or b"". Only the reader may call this."""
        return b"".join(finish(self.take_work()))

    def take_work(self) -> Work[list[bytes]]:
        """Do the same as `take`, in slices, and return the events in pieces."""
        if self.stalled:
            return []
        if self._seconds_left is not None and not self.ended and self._seconds_left() <= 0:
            self.end(AUTH_REVOKED)
        pieces: list[bytes] = []
        if not self._has_sent_initial:
            yield from self.initial_work()
            pieces += self._initial or ()
            self._has_sent_initial, self._initial = True, []
        taken = 0
        while self._pending and (taken < _BATCH_BYTES or not pieces):
            pending, size = self._pending.take()
            taken += size
            for event in (yield from self._view.resolve_work(pending)):
                pieces += yield from self._view.text_work(event)
            del pending
        with self._lock:
            if self.ended and not self._pending:
                pieces.append(self._final_bytes)
                self._final_bytes = b""
                self.stalled = self.ending is Ending.NEVER
        return pieces

    def seconds_until_keepalive(self, last_sent: float, keep_alive: float) -> float:
        """Return how long to wait for events, or 0 if a keep-alive is due.

        Args:
            last_sent: The result of `time.monotonic()` when data was last sent.
            keep_alive: Seconds without an event until a keep-alive is due.
        """
        if self.stalled:
            return keep_alive
        seconds = max(0.0, last_sent + keep_alive - time.monotonic())
        return seconds if self._seconds_left is None else min(seconds, POLL_SECONDS)

    def end(self, final_bytes: bytes = b"", ending: Ending = Ending.CLEAN) -> None:
        """End the stream after the queued events and `final_bytes`. Thread-safe and idempotent."""
        with self._lock:
            if not self.ended:
                self._final_bytes, self.ending = final_bytes, ending
            self.ended = True
        self._notify()
        if self._on_end is not None:
            self._on_end(self)

    def cancel(self) -> None:
        """End the stream because the rules no longer allow reading."""
        self.end(cancel_event("Permission denied."))

    def stall(self) -> None:
        """Send nothing until `resume`."""
        self.stalled = True

    def resume(self) -> None:
        """Continue after `stall`."""
        self.stalled = False
        self._notify()

    def wake(self) -> None:
        """Wake the reader, for example because the clock was set."""
        self._notify()

    def on_written(self, callback: Callable[[], None]) -> None:
        """Call `callback`, in the writer's thread, when there may be new events."""
        self._notify = callback

    def on_ended(self, callback: Callable[[Subscription], None]) -> None:
        """Call `callback` when the stream ends."""
        self._on_end = callback


class StreamReader:
    """A response body that reads the events and the keep-alive events of a stream, for clients in this process."""

    def __init__(self, subscription: Subscription, keep_alive: float) -> None:
        self._subscription = subscription
        self._keep_alive = keep_alive
        self._written = threading.Event()
        self._closed = False
        self._buffer = b""
        subscription.on_written(self._written.set)

    def read(self, size: int) -> bytes:
        """Wait for data and return at most `size` bytes, or b"" after the end of the stream.

        Raises `NetworkError` if an injected fault breaks the connection.
        """
        stream, last_sent = self._subscription, time.monotonic()
        while not self._buffer and not self._closed:
            self._written.clear()
            ended = stream.ended  # read before `take`, so that events queued before the end are delivered
            self._buffer = stream.take()
            if self._buffer:
                break
            if ended and not stream.stalled:
                stream.end()  # a stream that exceeded MAX_PENDING is still subscribed
                if stream.ending is not Ending.CLEAN:
                    raise NetworkError("The connection was closed by an injected fault.")
                return b""
            timeout = stream.seconds_until_keepalive(last_sent, self._keep_alive)
            if not self._written.wait(timeout) and not stream.seconds_until_keepalive(last_sent, self._keep_alive):
                self._buffer = KEEP_ALIVE
        if self._closed:
            return b""
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def close(self) -> None:
        """End the stream. Thread-safe and idempotent."""
        self._closed = True
        self._subscription.end()
        self._written.set()

    abort = close  # close() does not block
