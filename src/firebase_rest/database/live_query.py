"""`LiveQuery`: a local copy of a location or query that a stream keeps in sync, with child events."""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable
from typing import Any

from firebase_rest.database.event_stream import EventStream, OnState, StreamStatus
from firebase_rest.database.filter import PRIORITY, Filter
from firebase_rest.database.local_view import ADDED, CHANGED, MOVED, REMOVED, VALUE_EVENT, ChildEvent, LocalView
from firebase_rest.database.normalization import Normalized, render_arrays
from firebase_rest.database.snapshot import Snapshot
from firebase_rest.database.sse import StreamEvent
from firebase_rest.errors import NetworkTimeout, StreamError, UsageError
from firebase_rest.transport.arguments import validate_callable, validate_handler, validate_seconds
from firebase_rest.transport.lifecycle import register, start_thread
from firebase_rest.transport.options import LONGEST

logger = logging.getLogger("firebase_rest")

OnChild = Callable[[Snapshot, "str | None"], object]
OnSnapshot = Callable[[Snapshot], object]
OnError = Callable[[Exception], object]
Unsubscribe = Callable[[], None]


def validate_live_filter(filter: Filter) -> None:
    """Raise `UsageError` for a query that a stream cannot keep in sync."""
    filter.validated_params()
    if filter.order == PRIORITY:
        raise UsageError("live() does not support order_by_priority(), because streams do not contain priorities.")
    if filter.shallow:
        raise UsageError("live() does not support shallow(), because it needs the values; remove shallow().")


def validate_timeout(timeout: object) -> float:
    """Return a number of seconds, which may be infinite. Raises `UsageError` for other values."""
    is_infinite = isinstance(timeout, float) and timeout == math.inf
    return math.inf if is_infinite else validate_seconds("timeout", timeout)


class LiveCopy:
    """The state of a local copy, without I/O.

    Attributes:
        stale: Whether the stream is not connected; `value` is then the last known one.
    """

    def __init__(self, filter: Filter, key: str) -> None:
        self.stale = True
        self._filter = filter
        self._key = key
        self._view = LocalView(filter)
        self._value: Normalized = None
        self._version = 0
        self._failure: Exception | None = None
        self._ended = False
        self._callbacks: dict[str, list[Callable[..., object]]] = {
            kind: [] for kind in (REMOVED, ADDED, MOVED, CHANGED, VALUE_EVENT)
        }

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._key or '/'!r}{', stale' if self.stale else ''}>"

    @property
    def value(self) -> Any:
        """The current value, as `get().val()` returns it. Each access returns a new object."""
        return self.snapshot.val()

    @property
    def snapshot(self) -> Snapshot:
        """The current value as a `Snapshot`."""
        value = self._value
        return Snapshot.lazy(self._key, lambda: render_arrays(value), self._filter)

    def _merge(self, event: StreamEvent) -> list[ChildEvent]:
        """Apply a stream event, and return the changes."""
        changes = self._view.apply(event)
        self._value = self._view.value
        self.stale = False
        return changes

    def _callback_arguments(self, change: ChildEvent) -> tuple[Any, ...]:
        """Return the arguments of the callbacks of a change."""
        if change.kind == VALUE_EVENT:
            return (self.snapshot,)
        child = Snapshot.lazy(change.key, lambda: render_arrays(change.value))
        return (child,) if change.kind == REMOVED else (child, change.previous_key)

    def _timeout_error(self, timeout: float, last_error: Exception | None) -> NetworkTimeout:
        error = f" Last error: {last_error}" if self.stale and last_error else ""
        return NetworkTimeout(f"Timed out after {timeout:g} s while waiting for {self._key or '/'!r}.{error}")


class LiveQuery(LiveCopy, StreamStatus):
    """A local copy of the data, returned by `Reference.live()` and `Query.live()`. Thread-safe; close it after use.

    Attributes:
        stale: Whether the stream is not connected; `value` is then the last known one.

    https://firebase.google.com/docs/database/web/lists-of-data#listen_for_child_events
    """

    # Invariant: callbacks run one at a time, in the order of the changes, and see the copy as it is after the change.

    def __init__(
        self,
        open_stream: Callable[[OnState], EventStream],
        filter: Filter,
        key: str,
        on_error: OnError | None = None,
        on_state: OnState | None = None,
        *,
        is_awaited: bool = False,
    ) -> None:
        super().__init__(filter, key)
        self._on_error = None if on_error is None else validate_handler("on_error", on_error)
        self._on_state = None if on_state is None else validate_handler("on_state", on_state)
        # The number of waiting threads. An error is raised in these threads; without any, it is logged.
        self._waiting = 1 if is_awaited else 0
        self._callback_thread: int | None = None
        self._is_forked = False  # True in a forked child process, where no stream keeps the copy in sync
        self._new_locks()
        self._events = open_stream(self._state_changed)
        register(self)
        self._thread = start_thread(self._run, f"firebase_rest live copy of /{key}")
        if self._thread is None:
            self._events.close()
            raise StreamError("live() cannot start a thread while the program exits.")

    def _new_locks(self) -> None:
        self._lock = threading.RLock()  # held while the copy is changed or callbacks run
        self._changed = threading.Condition()

    def reset_after_fork(self) -> None:
        """End the copy in a forked child process. The copy of the parent process continues."""
        self._new_locks()
        self._waiting, self._callback_thread = 0, None
        self._ended = self.stale = True
        self._is_forked = True
        self._failure = self._fork_error()

    # --- the current value ------------------------------------------------------------------------------------------

    @property
    def snapshot(self) -> Snapshot:
        """The current value as a `Snapshot`."""
        self._check_process()
        return super().snapshot

    def wait_until(self, predicate: Callable[[Any], object], timeout: float) -> Any:
        """Wait until `predicate(value)` is true and return that value.

        Args:
            predicate: Called with the current value, and with the new value after each change.
            timeout: Maximum seconds to wait.

        Returns:
            The value for which `predicate` was true.

        Raises:
            NetworkTimeout: The predicate was not true in time.
            FirebaseError: The error that ended the copy.
        """
        if self._callback_thread == threading.get_ident():
            raise UsageError("wait_until() cannot be called from a callback, because it would deadlock.")
        validate_callable("predicate", predicate)
        seconds = validate_timeout(timeout)
        with self._changed:
            self._waiting += 1
        try:
            return self._wait_until(predicate, seconds)
        finally:
            with self._changed:
                self._waiting -= 1

    def wait_for_first(self, timeout: float) -> None:
        """Wait for the first value, if the copy was created with `is_awaited`."""
        try:
            self._wait_until(lambda _: True, timeout)
        finally:
            with self._changed:
                self._waiting -= 1

    def _wait_until(self, predicate: Callable[[Any], object], timeout: float) -> Any:
        end = time.monotonic() + timeout
        seen = 0
        while True:
            with self._changed:
                while self._version == seen and not self._ended:
                    remaining = end - time.monotonic()
                    if remaining <= 0 or not self._changed.wait(min(remaining, LONGEST)):
                        raise self._timeout_error(timeout, self.last_error)
                is_new, seen = self._version != seen, self._version
            if is_new:
                value = self.value
                if predicate(value):
                    return value
            elif self._failure is not None:
                raise self._failure
            else:
                raise UsageError("The live copy was closed while a thread waited for it.")

    def close(self) -> None:
        """Stop immediately. Idempotent; safe to call from any thread and from callbacks."""
        self._events.close()

    # --- callbacks --------------------------------------------------------------------------------------------------

    def on_value(self, callback: OnSnapshot) -> Unsubscribe:
        """Call `callback(snapshot)` now, if a value is known, and after every change.

        Returns:
            A function that removes the callback, as for all `on_...` methods.
        """
        return self._subscribe(VALUE_EVENT, callback)

    def on_child_added(self, callback: OnChild) -> Unsubscribe:
        """Call `callback(child, previous_key)` for each existing and each new child.

        `previous_key` is the key of the preceding child in the order of the query, or None.
        """
        return self._subscribe(ADDED, callback)

    def on_child_changed(self, callback: OnChild) -> Unsubscribe:
        """Call `callback(child, previous_key)` for each child whose value changes; see `on_child_added`."""
        return self._subscribe(CHANGED, callback)

    def on_child_moved(self, callback: OnChild) -> Unsubscribe:
        """Call `callback(child, previous_key)` for each child whose position in the query may have changed."""
        return self._subscribe(MOVED, callback)

    def on_child_removed(self, callback: OnSnapshot) -> Unsubscribe:
        """Call `callback(child)` for each child that is removed or leaves the query; `child` has its last value."""
        return self._subscribe(REMOVED, callback)

    def _subscribe(self, kind: str, callback: Callable[..., object]) -> Unsubscribe:
        validate_handler("callback", callback)
        self._check_process()
        with self._lock:
            callbacks = self._callbacks[kind]
            callbacks.append(callback)
            if self._version and kind == ADDED:
                for event in self._view.initial():
                    self._call_safely(callback, *self._callback_arguments(event))
            elif self._version and kind == VALUE_EVENT:
                self._call_safely(callback, self.snapshot)

        def unsubscribe() -> None:
            with self._lock:
                if callback in callbacks:
                    callbacks.remove(callback)

        return unsubscribe

    def _check_process(self) -> None:
        if self._is_forked:
            raise self._fork_error()

    def _fork_error(self) -> StreamError:
        return StreamError(
            f"The live copy of {self._key or '/'!r} belongs to the parent process; create a new one after the fork."
        )

    # --- the thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            with self._events:
                for event in self._events:
                    with self._lock:
                        self._apply(event)
        except Exception as error:  # of any class, because the program's session can have hooks
            self._failure = error
            if self._on_error is not None:
                self._call_safely(self._on_error, error)
            elif not self._waiting:
                logger.exception("%r has ended", self)
        except BaseException as error:  # SystemExit and CancelledError would end the thread silently
            self._failure = StreamError(f"{self!r} has ended, because a callback raised {type(error).__name__}.")
            logger.exception("%r has ended, because a callback raised %s", self, type(error).__name__)
        finally:
            self.stale = True
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _apply(self, event: StreamEvent) -> None:
        changes = self._merge(event)
        with self._changed:
            if changes:
                self._version += 1
            self._changed.notify_all()
        for change in changes:
            for callback in tuple(self._callbacks[change.kind]):
                self._call_safely(callback, *self._callback_arguments(change))

    def _call_safely(self, callback: Callable[..., object], *arguments: object) -> None:
        previous, self._callback_thread = self._callback_thread, threading.get_ident()
        try:
            callback(*arguments)
        except Exception as error:
            if self._on_error is None or callback is self._on_error:
                logger.exception("A callback of %r failed", self)
            else:
                self._call_safely(self._on_error, error)
        finally:
            self._callback_thread = previous

    def _state_changed(self, state: str) -> None:
        if state != "open":  # after "open" the copy is in sync again when the first event arrives
            self.stale = True
        if self._on_state is not None:
            self._on_state(state)
