"""Event streams: subscriptions, and the events of each write.

Invariant: a writer only determines which nodes each stream shows and appends them to its queue; the reader of the
stream renders them. A slow reader therefore does not delay writers, and its queue holds no old roots.
https://firebase.google.com/docs/reference/rest/database#section-streaming
"""

from __future__ import annotations

import threading
import time
from collections import deque
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Protocol

from firebase_rest.database.filter import Filter
from firebase_rest.emulator.database import query
from firebase_rest.emulator.database.rendering import members_work, node_work
from firebase_rest.emulator.database.responses import HEADERS, compact
from firebase_rest.emulator.database.slices import finish
from firebase_rest.emulator.database.tree import at, child, nodes_equal, priority_of
from firebase_rest.emulator.database.windows import Window
from firebase_rest.errors import NetworkError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable

    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.tree import Change, Node

    Path = tuple[str, ...]

MAX_PENDING = 100_000
"""Maximum number of queued changes. Beyond it the stream ends; a client that reconnects gets the whole value."""

KEEP_ALIVE = b"event: keep-alive\ndata: null\n\n"
AUTH_REVOKED = b"event: auth_revoked\ndata: credential is no longer valid\n\n"

POLL = 0.25
"""Seconds between two checks of whether the token has expired, because a test may set the clock."""


class Ending(Enum):
    """How a stream ends for its client."""

    CLEAN = "the response is complete"
    CUT = "the connection is closed without the last chunk"
    RESET = "the connection is reset"
    NEVER = "silence"


STREAM_HEADERS = {**HEADERS, "content-type": "text/event-stream; charset=utf-8"}


def cancel_event(reason: str | None) -> bytes:
    """Return the event that ends a stream whose permission to read is revoked."""
    return b"event: cancel\ndata: %s\n\n" % ("null" if reason is None else reason).encode()


class PendingEvent(NamedTuple):
    """An event that is not rendered yet: a node to put, or the nodes of a patch by their relative paths.

    `path` is relative to the view.
    """

    path: Path
    node: Node = None
    patch: dict[str, Node] | None = None


class StreamView:
    """The data that one stream or listen shows, and its events for each change."""

    def __init__(self, path: Path, filter: Filter, *, as_export: bool = False) -> None:
        self._path = path
        self._filter = filter
        self._export = as_export

    def initial_work(self, root: Node) -> Work[PendingEvent]:
        """Return the first event, with all data."""
        return PendingEvent((), (yield from query.filter_work(at(root, self._path), self._filter)))

    def data_work(self, event: PendingEvent) -> Work[list[bytes]]:
        """Return the data of an event as JSON, in pieces."""
        if event.patch is None:
            return (yield from node_work(event.node, as_export=self._export))
        return (yield from members_work(event.patch, as_export=self._export))

    def text_work(self, event: PendingEvent) -> Work[list[bytes]]:
        """Return an event in the format of an event stream, in pieces."""
        name = b"put" if event.patch is None else b"patch"
        head = b'event: %s\ndata: {"path":%s,"data":' % (name, compact("/" + "/".join(event.path)))
        return [head, *(yield from self.data_work(event)), b"}\n\n"]

    def pending_events(self, change: Change) -> list[PendingEvent]:
        """Return the event of a change before rendering, which holds only the nodes that it shows."""
        size, base = len(self._path), change.base
        before, after = at(change.before, self._path), at(change.after, self._path)
        if base[:size] == self._path:  # at or below the path of the stream
            relative = base[size:]
            if change.targets is None:
                return self._put(relative, before, after)
            return self._patch(relative, change.targets, before, after)
        if self._path[: len(base)] != base:
            return []
        cut = [path[size:] for path in change.paths() if path[:size] == self._path and len(path) > size]
        if cut:
            return self._patch((), cut, before, after)
        return [] if nodes_equal(before, after) else self._put((), before, after)

    def _full_event(self, node: Node) -> PendingEvent:
        return PendingEvent((), query.apply_filter(node, self._filter))

    def _put(self, relative: Path, before: Node, after: Node) -> list[PendingEvent]:
        if not relative:
            return [self._full_event(after)]
        if self._filter.can_exclude_children:
            slide = self._slide({relative[0]}, before, after)
            if slide is not None:
                return slide
        return [PendingEvent(relative, at(after, relative))]

    def _patch(self, relative: Path, targets: Iterable[Path], before: Node, after: Node) -> list[PendingEvent]:
        if not self._export:
            # Without format=export priorities are not shown.
            targets = [target for target in targets if target[-1] != ".priority"]
        if self._filter.can_exclude_children:
            touched = {relative[0]} if relative else {target[0] for target in targets if target[0] != ".priority"}
            slide = self._slide(touched, before, after)
            if slide is not None:
                return slide
            if not relative:
                window = Window(after, self._filter)
                targets = [target for target in targets if target[0] in window]
        place = at(after, relative)
        data = {"/".join(target): _node_at(place, target) for target in targets}
        return [PendingEvent(relative, patch=data)] if data else []

    def _slide(self, touched: set[str], before: Node, after: Node) -> list[PendingEvent] | None:
        """Return the events of a write to the children `touched` if it changes the set of visible children.

        Returns [] if none of them is visible, and None if the visible children are the same and one was written.
        """
        new = Window(after, self._filter, before)
        visible = {key for key in touched if key in new}
        if all(nodes_equal(child(before, key), child(after, key)) for key in touched):
            return None if visible else []
        old = Window(before, self._filter, after)
        # Only these can enter or leave: the children that were written, and as many next to the limit.
        candidates = touched.union(old.edge(len(touched)), new.edge(len(touched)))
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
    """Return the node at a target of an update, or the priority."""
    return priority_of(at(node, target[:-1])) if target[-1] == ".priority" else at(node, target)


def _always_allowed(root: Node, now: int) -> bool:  # noqa: ARG001
    return True


def _no_op() -> None:
    pass


class Watcher(Protocol):
    """Receives the changes of a database.

    Attributes:
        permission: Watchers with equal permissions have equal results of `may_read`.
    """

    permission: Hashable

    def may_read(self, root: Node, now: int, /) -> bool:
        """Return whether the rules allow reading. `now` is in milliseconds."""
        ...

    def enqueue(self, change: Change, /) -> None:
        """Queue a committed change. Called under the lock of the database, in commit order."""
        ...

    def cancel(self) -> None:
        """End, because the rules no longer allow reading."""
        ...


class Subscription:
    """One open stream: the queue between writers and the reader.

    `may_read(root, now_ms)`, which depends on `permission`, returns whether the rules still allow reading;
    `seconds_left()` returns when the token expires (None if it does not expire).
    """

    def __init__(
        self,
        view: StreamView,
        root: Node,
        path: Path,
        *,
        may_read: Callable[[Node, int], bool] = _always_allowed,
        permission: Hashable = None,
        seconds_left: Callable[[], float] | None = None,
    ) -> None:
        self.path = path
        self.may_read = may_read
        self.permission = permission
        self.ended = False
        self.ending = Ending.CLEAN
        self.stalled = False
        self._view = view
        self._root: Node = root
        self._seconds_left = seconds_left
        self._is_fresh = True
        self._initial: list[bytes] | None = None
        self._pending: deque[PendingEvent] = deque()
        self._final_bytes = b""
        self._notify: Callable[[], None] = _no_op
        self._on_end: Callable[[Subscription], None] | None = None
        self._lock = threading.Lock()

    def enqueue(self, change: Change) -> None:
        """Queue a committed change. Called under the lock of the database, in commit order."""
        base = change.base
        shorter = min(len(base), len(self.path))
        if base[:shorter] != self.path[:shorter]:
            return
        if self.ended:
            return
        pending = self._view.pending_events(change)
        if not pending:
            return
        with self._lock:
            self._pending += pending
            if len(self._pending) > MAX_PENDING:
                self._pending.clear()
                self.ended = True
        self._notify()

    def initial_work(self) -> Work[None]:
        """Render the first event, which `take_work` does otherwise."""
        if self._initial is None:
            event = yield from self._view.initial_work(self._root)
            self._initial = yield from self._view.text_work(event)
            self._root = None  # release the memory

    def take(self) -> bytes:
        """Return the events since the last call, b"" for none. Only the reader calls this."""
        return b"".join(finish(self.take_work()))

    def take_work(self) -> Work[list[bytes]]:
        """Do `take` in slices, and return the events in pieces."""
        if self.stalled:
            return []
        if self._seconds_left is not None and not self.ended and self._seconds_left() <= 0:
            self.end(AUTH_REVOKED)
        pieces: list[bytes] = []
        if self._is_fresh:
            yield from self.initial_work()
            pieces += self._initial or ()
            self._is_fresh, self._initial = False, []
        while self._pending:
            pieces += yield from self._view.text_work(self._pending.popleft())
        with self._lock:
            if self.ended and not self._pending:
                pieces.append(self._final_bytes)
                self._final_bytes = b""
                self.stalled = self.ending is Ending.NEVER
        return pieces

    def seconds_until_keepalive(self, since: float, keep_alive: float) -> float:
        """Return how long to wait for events; 0 if a keep-alive is due. `since` is when data was last sent."""
        if self.stalled:
            return keep_alive
        wait = max(0.0, since + keep_alive - time.monotonic())
        return wait if self._seconds_left is None else min(wait, POLL)

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
        """Wake the reader, because the clock was set."""
        self._notify()

    def on_written(self, callback: Callable[[], None]) -> None:
        """Call `callback` in the writer's thread when there may be events to take."""
        self._notify = callback

    def on_ended(self, callback: Callable[[Subscription], None]) -> None:
        """Call `callback` when the stream ends."""
        self._on_end = callback


class StreamReader:
    """A stream as a response body in the same process, with keep-alive events."""

    def __init__(self, subscription: Subscription, keep_alive: float) -> None:
        self._subscription = subscription
        self._keep_alive = keep_alive
        self._written = threading.Event()
        self._closed = False
        self._buffer = b""
        subscription.on_written(self._written.set)

    def read(self, size: int) -> bytes:
        """Wait for data and return at most `size` bytes; b"" after the end of the stream.

        Raises `NetworkError` if an injected fault breaks the connection.
        """
        stream, since = self._subscription, time.monotonic()
        while not self._buffer and not self._closed:
            self._written.clear()
            ended = stream.ended  # read before take(), so that events queued before the end are delivered
            self._buffer = stream.take()
            if self._buffer:
                break
            if ended and not stream.stalled:
                stream.end()  # remove a stream that exceeded MAX_PENDING
                if stream.ending is not Ending.CLEAN:
                    raise NetworkError("The connection was closed by an injected fault.")
                return b""
            wait = stream.seconds_until_keepalive(since, self._keep_alive)
            if not self._written.wait(wait) and not stream.seconds_until_keepalive(since, self._keep_alive):
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
