"""`AsyncLiveQuery`: a local copy of a location or query that a stream keeps in sync, with child events."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from firebase_rest.aio.database.event_stream import AsyncEventStream, AsyncStreamStatus
from firebase_rest.aio.transport.callbacks import call, validate_async_handler
from firebase_rest.aio.transport.threads import run_in_thread
from firebase_rest.database.event_stream import OnState
from firebase_rest.database.filter import Filter
from firebase_rest.database.live_query import LiveCopy, OnChild, OnError, OnSnapshot, Unsubscribe, validate_timeout
from firebase_rest.database.local_view import ADDED, CHANGED, MOVED, REMOVED, VALUE_EVENT, ChildEvent
from firebase_rest.database.snapshot import Snapshot
from firebase_rest.database.sse import StreamEvent
from firebase_rest.errors import UsageError
from firebase_rest.transport.arguments import validate_callable

logger = logging.getLogger("firebase_rest")


class Change(NamedTuple):
    """A change of a live copy.

    Attributes:
        kind: "child_added", "child_changed", "child_moved", "child_removed", or "value" after all changes of one event.
        snapshot: The child; for "value" the whole copy.
        previous_key: The key of the preceding child in the order of the query, or None.
    """

    kind: str
    snapshot: Snapshot
    previous_key: str | None = None


class AsyncLiveQuery(LiveCopy, AsyncStreamStatus):
    """A local copy of the data, returned by `live()`: `async with ref.live() as copy`, or `copy = await ref.live()`.

    Attributes:
        stale: Whether the stream is not connected; `value` is then the last known one.

    https://firebase.google.com/docs/database/web/lists-of-data#listen_for_child_events
    """

    # Invariant: callbacks run one at a time, in the order of the changes, and see the copy as it is after the change.

    def __init__(
        self,
        open_stream: Callable[[OnState], AsyncEventStream],
        filter: Filter,
        key: str,
        on_error: OnError | None = None,
        on_state: OnState | None = None,
        *,
        timeout: float = 0.0,
    ) -> None:
        super().__init__(filter, key)
        self._on_error = None if on_error is None else validate_async_handler("on_error", on_error)
        self._on_state = None if on_state is None else validate_async_handler("on_state", on_state)
        self._timeout = timeout
        self._waiters: set[asyncio.Event] = set()
        self._queues: set[_Queue] = set()
        self._lock = asyncio.Lock()  # held while the copy is changed or callbacks run
        self._callback_task: asyncio.Task[Any] | None = None
        self._task: asyncio.Task[None] | None = None
        self._events = open_stream(self._state_changed)

    def __await__(self) -> Generator[Any, None, AsyncLiveQuery]:
        return self.__aenter__().__await__()

    async def __aenter__(self) -> AsyncLiveQuery:
        """Start the stream, and wait for the first value."""
        if self._task is None:
            self._task = self._events.start_task(self._run(), f"firebase_rest {self!r}")
            if self._timeout > 0:
                try:
                    await self._wait_until(lambda _: True, self._timeout)
                except BaseException:
                    await self.close()
                    raise
        return self

    async def wait_until(self, predicate: Callable[[Any], object], timeout: float) -> Any:
        """Wait until `predicate(value)` is true and return that value; see `LiveQuery.wait_until`."""
        if self._is_in_callback():
            raise UsageError("wait_until() cannot be called from a callback, because it would deadlock.")
        validate_callable("predicate", predicate)
        return await self._wait_until(predicate, validate_timeout(timeout))

    async def _wait_until(self, predicate: Callable[[Any], object], timeout: float) -> Any:
        end = asyncio.get_running_loop().time() + timeout
        seen = 0
        waiter = asyncio.Event()
        self._waiters.add(waiter)
        try:
            while True:
                if self._version != seen:
                    seen, value = self._version, self.value
                    if predicate(value):
                        return value
                elif self._failure is not None:
                    raise self._failure
                elif self._ended:
                    raise UsageError("The live copy was closed while a task waited for it.")
                else:
                    waiter.clear()
                    remaining = None if timeout == math.inf else end - asyncio.get_running_loop().time()
                    await asyncio.wait_for(waiter.wait(), remaining)
        except asyncio.TimeoutError:
            pass
        finally:
            self._waiters.discard(waiter)
        raise self._timeout_error(timeout, self.last_error)

    async def changes(self) -> AsyncIterator[Change]:
        """Iterate over the changes: first the current children and value, then every change until the copy is closed.

        Raises:
            FirebaseError: The error that ended the copy.
        """
        queue = _Queue()
        self._waiters.add(queue.arrived)
        try:
            async with self._exclusive():
                if self._version:
                    queue.extend(self._change(event) for event in self._view.initial())
                    queue.append(Change(VALUE_EVENT, self.snapshot))
                self._queues.add(queue)
            while True:
                while queue:
                    yield queue.popleft()
                if self._failure is not None:
                    raise self._failure
                if self._ended:
                    return
                queue.arrived.clear()
                await queue.arrived.wait()
        finally:
            self._queues.discard(queue)
            self._waiters.discard(queue.arrived)

    async def close(self) -> None:
        """Stop immediately. Idempotent; any task and callbacks may call it."""
        await self._events.close()
        if self._task is None:
            self._ended = True

    # --- callbacks --------------------------------------------------------------------------------------------------

    async def on_value(self, callback: OnSnapshot) -> Unsubscribe:
        """Call or await `callback(snapshot)` now, if a value is known, and after every change.

        Returns:
            A function that removes the callback, as for all `on_...` methods.
        """
        return await self._subscribe(VALUE_EVENT, callback)

    async def on_child_added(self, callback: OnChild) -> Unsubscribe:
        """Call or await `callback(child, previous_key)` for each existing and each new child.

        `previous_key` is the key of the preceding child in the order of the query, or None.
        """
        return await self._subscribe(ADDED, callback)

    async def on_child_changed(self, callback: OnChild) -> Unsubscribe:
        """Call or await `callback(child, previous_key)` for each child whose value changes; see `on_child_added`."""
        return await self._subscribe(CHANGED, callback)

    async def on_child_moved(self, callback: OnChild) -> Unsubscribe:
        """Call or await `callback(child, previous_key)` for each child whose position may have changed."""
        return await self._subscribe(MOVED, callback)

    async def on_child_removed(self, callback: OnSnapshot) -> Unsubscribe:
        """Call or await `callback(child)` for each child that is removed or leaves the query, with its last value."""
        return await self._subscribe(REMOVED, callback)

    async def _subscribe(self, kind: str, callback: Callable[..., object]) -> Unsubscribe:
        validate_async_handler("callback", callback)
        callbacks = self._callbacks[kind]
        async with self._exclusive():
            callbacks.append(callback)
            if self._version and kind == ADDED:
                for event in self._view.initial():
                    await self._call_safely(callback, *self._callback_arguments(event))
            elif self._version and kind == VALUE_EVENT:
                await self._call_safely(callback, self.snapshot)

        def unsubscribe() -> None:
            if callback in callbacks:
                callbacks.remove(callback)

        return unsubscribe

    def _is_in_callback(self) -> bool:
        return self._callback_task is not None and self._callback_task is asyncio.current_task()

    @asynccontextmanager
    async def _exclusive(self) -> AsyncGenerator[None, None]:
        """Hold the lock. A callback already runs under the lock, so it does not wait for it."""
        if self._is_in_callback():
            yield
            return
        async with self._lock:
            yield

    # --- the task ---------------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            async with self._events:
                async for event in self._events:
                    async with self._lock:
                        await self._apply(event)
        except Exception as error:  # of any class, because the program's App Check function can fail
            self._failure = error
            if self._on_error is not None:
                await self._call_safely(self._on_error, error)
            elif not self._waiters:
                logger.exception("%r has ended", self)
        finally:
            self.stale = True
            self._ended = True
            self._wake()

    async def _apply(self, event: StreamEvent) -> None:
        # A large event is merged in a thread, because that takes too long for the event loop.
        changes = await run_in_thread(self._merge, event) if self._events.is_large else self._merge(event)
        if changes:
            self._version += 1
        if self._queues:
            for item in map(self._change, changes):
                for queue in self._queues:
                    queue.append(item)
        self._wake()
        for change in changes:
            for callback in tuple(self._callbacks[change.kind]):
                await self._call_safely(callback, *self._callback_arguments(change))

    def _change(self, change: ChildEvent) -> Change:
        return Change(change.kind, self._callback_arguments(change)[0], change.previous_key)

    def _wake(self) -> None:
        for waiter in self._waiters:
            waiter.set()

    async def _call_safely(self, callback: Callable[..., object], *arguments: object) -> None:
        previous, self._callback_task = self._callback_task, asyncio.current_task()
        try:
            await call(callback, *arguments)
        except Exception as error:
            if self._on_error is None or callback is self._on_error:
                logger.exception("A callback of %r failed", self)
            else:
                await self._call_safely(self._on_error, error)
        finally:
            self._callback_task = previous

    async def _state_changed(self, state: str) -> None:
        if state != "open":  # after "open" the copy is in sync again when the first event arrives
            self.stale = True
        if self._on_state is not None:
            await call(self._on_state, state)


class _Queue(deque[Change]):
    """Changes that an iterator has not received yet."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = asyncio.Event()

    __hash__ = object.__hash__  # type: ignore[assignment]  # a deque has no hash, which a set needs
