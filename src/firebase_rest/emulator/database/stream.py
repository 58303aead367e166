"""Event streams: what a watcher of one place is told about each write.

The law of this file: a writer only appends its change to each stream's queue; the watcher's own side turns changes
into events. So a slow watcher holds up nobody, and since roots are immutable, the events are exact however late they
are made.
https://firebase.google.com/docs/reference/rest/database#section-streaming
"""

from __future__ import annotations

import threading
import time
from collections import deque
from enum import Enum
from typing import TYPE_CHECKING

from firebase_rest.database.filter import Filter
from firebase_rest.emulator.database import query
from firebase_rest.emulator.database.rendering import compact
from firebase_rest.emulator.database.tree import Branch, at, child, export, priority_of, render, same
from firebase_rest.errors import NetworkError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from firebase_rest.emulator.database.namespace import Change
    from firebase_rest.emulator.database.tree import Node
    from firebase_rest.transport.wire import Json

    Path = tuple[str, ...]

MAX_PENDING = 100_000
"""How many changes a stream keeps for a watcher that does not read. Then it is disconnected: coming back, it gets the
whole value at once, which is less to read."""

KEEP_ALIVE = b"event: keep-alive\ndata: null\n\n"
AUTH_REVOKED = b"event: auth_revoked\ndata: credential is no longer valid\n\n"

POLL = 0.25
"""Seconds between two looks at a clock that somebody else may set."""


class Ending(Enum):
    """What the end of a stream looks like to its watcher."""

    CLEAN = "the answer is complete"
    CUT = "the connection is closed without the last chunk"
    RESET = "the connection is reset"
    NEVER = "silence"


HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "ETag",
}


def event(name: str, path: Sequence[str], data: Json) -> bytes:
    """The bytes of one event; `path` is relative to the stream."""
    return b"event: %s\ndata: %s\n\n" % (name.encode(), compact({"path": "/" + "/".join(path), "data": data}))


def cancel_event(reason: str | None) -> bytes:
    """The bytes that end a stream whose reader may no longer read, or gets too much at once."""
    return b"event: cancel\ndata: %s\n\n" % ("null" if reason is None else reason).encode()


class View:
    """What one watcher sees, and the events that a change makes in it. Used by one thread at a time."""

    def __init__(self, path: Path, filter: Filter, *, as_export: bool = False) -> None:
        self._path = path
        self._filter = filter
        self._show = export if as_export else render
        self._export = as_export
        self._window: set[str] = set()  # the children now seen, where the filter can leave some out

    def first(self, root: Node) -> bytes:
        """The event that every stream begins with: all there is."""
        return self._whole(at(root, self._path))

    def events(self, change: Change) -> list[bytes]:
        """What happened to this view, in at most one event."""
        size, base = len(self._path), change.base
        before, after = at(change.before, self._path), at(change.after, self._path)
        if base[:size] == self._path:  # here or below
            inside = base[size:]
            if change.targets is None:
                return self._put(inside, before, after)
            return self._patch(inside, change.targets, before, after)
        if self._path[: len(base)] != base:
            return []
        cut = [path[size:] for path in change.paths() if path[:size] == self._path and len(path) > size]
        if cut:
            return self._patch((), cut, before, after)
        return [] if same(before, after) else self._put((), before, after)

    def _whole(self, node: Node) -> bytes:
        if self._filter.narrows:
            node = query.narrow(node, self._filter)
            self._window = set(node.children) if isinstance(node, Branch) else set()
        return event("put", (), self._show(node))

    def _put(self, inside: Path, before: Node, after: Node) -> list[bytes]:
        if not inside:
            return [self._whole(after)]
        if self._filter.narrows:
            slide = self._slide({inside[0]}, before, after)
            if slide is not None:
                return slide
        return [event("put", inside, self._show(at(after, inside)))]

    def _patch(self, inside: Path, targets: Iterable[Path], before: Node, after: Node) -> list[bytes]:
        if not self._export:
            # Priorities are not part of what is shown, so to write one changes nothing here.
            targets = [target for target in targets if target[-1] != ".priority"]
        if self._filter.narrows:
            touched = {inside[0]} if inside else {target[0] for target in targets if target[0] != ".priority"}
            slide = self._slide(touched, before, after)
            if slide is not None:
                return slide
            if not inside:
                targets = [target for target in targets if target[0] in self._window]
        place = at(after, inside)
        data = {"/".join(target): self._value(place, target) for target in targets}
        return [event("patch", inside, data)] if data else []

    def _value(self, node: Node, target: Path) -> Json:
        if target[-1] == ".priority":
            return priority_of(at(node, target[:-1]))
        return self._show(at(node, target))

    def _slide(self, touched: set[str], before: Node, after: Node) -> list[bytes] | None:
        """The events of a write to the children `touched`, where some child came into the window or left it, or where
        none of them is in it. `None` where the window holds the same children as before.
        """
        if all(same(child(before, key), child(after, key)) for key in touched):
            return None if touched & self._window else []
        old = self._window
        new = set(query.window(after, self._filter)) if isinstance(after, Branch) else set[str]()
        self._window = new
        if old == new:
            return None if touched & new else []
        data: dict[str, Json] = {key: self._show(child(after, key)) for key in sorted(new - old | touched & new)}
        data.update(dict.fromkeys(sorted(old - new)))
        if len(data) == 1:
            key, value = data.popitem()
            return [event("put", (key,), value)]
        return [event("patch", (), data)]


def _anybody(root: Node, now: int) -> bool:  # noqa: ARG001
    return True


def _nothing() -> None:
    pass


class Subscription:
    """One open stream: the queue between the writers and its watcher.

    `may_read` says whether its watcher may still see a root at a time (ms), `seconds_left` for how long the token that
    it was opened with is good; None for ever.
    """

    def __init__(
        self,
        view: View,
        root: Node,
        path: Path,
        *,
        may_read: Callable[[Node, int], bool] = _anybody,
        seconds_left: Callable[[], float] | None = None,
    ) -> None:
        self.path = path
        self.may_read = may_read
        self.ended = False
        self.ending = Ending.CLEAN
        self.stalled = False
        self._view = view
        self._root: Node = root
        self._seconds_left = seconds_left
        self._fresh = True
        self._changes: deque[Change] = deque()
        self._last_words = b""
        self._wake: Callable[[], None] = _nothing
        self._on_end: Callable[[Subscription], None] | None = None
        self._lock = threading.Lock()

    def offer(self, change: Change) -> None:
        """A write happened. Called under the database's lock, in commit order."""
        base = change.base
        shorter = min(len(base), len(self.path))
        if base[:shorter] != self.path[:shorter]:
            return
        with self._lock:
            if self.ended:
                return
            self._changes.append(change)
            if len(self._changes) > MAX_PENDING:
                self._changes.clear()
                self.ended = True
        self._wake()

    def take(self) -> bytes:
        """The events there are by now, b"" for none. Only the watcher calls this."""
        if self.stalled:
            return b""
        if self._seconds_left is not None and not self.ended and self._seconds_left() <= 0:
            self.end(AUTH_REVOKED)
        parts: list[bytes] = []
        if self._fresh:
            self._fresh = False
            parts.append(self._view.first(self._root))
            self._root = None  # not needed any more, and perhaps large
        while self._changes:
            parts += self._view.events(self._changes.popleft())
        with self._lock:
            if self.ended:
                parts.append(self._last_words)
                self._last_words = b""
                self.stalled = self.ending is Ending.NEVER
        return b"".join(parts)

    def patience(self, since: float, keep_alive: float) -> float:
        """Seconds to wait for something to take, when nothing was sent since then; 0 when a keep-alive is due."""
        if self.stalled:
            return keep_alive
        wait = max(0.0, since + keep_alive - time.monotonic())
        return wait if self._seconds_left is None else min(wait, POLL)

    def end(self, last_words: bytes = b"", ending: Ending = Ending.CLEAN) -> None:
        """Close the stream once what is queued, and `last_words`, are read. From any thread, and twice."""
        with self._lock:
            if not self.ended:
                self._last_words, self.ending = last_words, ending
            self.ended = True
        self._wake()
        if self._on_end is not None:
            self._on_end(self)

    def stall(self) -> None:
        """Say nothing more until `resume`."""
        self.stalled = True

    def resume(self) -> None:
        """Go on where `stall` stopped."""
        self.stalled = False
        self._wake()

    def look(self) -> None:
        """Somebody set the clock."""
        self._wake()

    def when_written(self, wake: Callable[[], None]) -> None:
        """Call `wake`, from the writer's thread, whenever there may be something to take."""
        self._wake = wake

    def when_ended(self, forget: Callable[[Subscription], None]) -> None:
        """Call `forget` when the stream is closed by its watcher or by `end`."""
        self._on_end = forget


class StreamReader:
    """A stream as the body of an answer in the same process: bytes when there are any, now and then a keep-alive."""

    def __init__(self, subscription: Subscription, keep_alive: float) -> None:
        self._subscription = subscription
        self._keep_alive = keep_alive
        self._written = threading.Event()
        self._closed = False
        self._buffer = b""
        subscription.when_written(self._written.set)

    def read(self, size: int) -> bytes:
        """At most `size` bytes, as soon as there are any; b"" once the stream has ended in good order.

        Raises `NetworkError` where a fault broke it off.
        """
        stream, since = self._subscription, time.monotonic()
        while not self._buffer and not self._closed:
            self._written.clear()
            over = stream.ended  # looked at first: what was queued before the end must still come out
            self._buffer = stream.take()
            if self._buffer:
                break
            if over and not stream.stalled:
                stream.end()  # a stream that fell too far behind has only stopped listening so far
                if stream.ending is not Ending.CLEAN:
                    raise NetworkError("The connection broke.")
                return b""
            wait = stream.patience(since, self._keep_alive)
            if not self._written.wait(wait) and not stream.patience(since, self._keep_alive):
                self._buffer = KEEP_ALIVE
        if self._closed:
            return b""
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def close(self) -> None:
        """End the stream. Safe from any thread, and twice."""
        self._closed = True
        self._subscription.end()
        self._written.set()

    abort = close  # nothing here blocks
