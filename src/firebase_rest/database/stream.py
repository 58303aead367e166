"""`Stream`: a thread that calls a handler with the changes of an `EventStream`, as pyrebase does.

Invariant: an exception that a handler raises is reported and does not end the stream, except `StopStream`. Exceptions
outside of `Exception`, such as SystemExit and CancelledError, end the stream and are logged.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from firebase_rest.database.event_stream import EventStream, StreamStatus
from firebase_rest.errors import StopStream, StreamError
from firebase_rest.transport.lifecycle import WeakSet, start_thread

logger = logging.getLogger("firebase_rest")

Handler = Callable[[dict[str, Any]], object]
OnError = Callable[[Exception], object]


class Stream(StreamStatus):
    """A running stream that calls a handler, returned by `stream(handler)`.

    Attributes:
        thread: The thread that calls the handler; None with `is_async=False`.
    """

    def __init__(
        self,
        events: EventStream,
        handler: Handler,
        stream_id: str | None = None,
        on_error: OnError | None = None,
        first_event_timeout: float = 0.0,
    ) -> None:
        self._events = events
        self._handler = handler
        self._stream_id = stream_id
        self._on_error = on_error
        self._first_event_timeout = first_event_timeout
        self._has_event = False
        self._handler_thread = 0
        self.thread: threading.Thread | None = None

    def __repr__(self) -> str:
        return repr(self._events).replace("EventStream", "Stream")

    @property
    def state(self) -> str:
        """The state of the stream, which is "connecting", "open", "waiting" or "closed"."""
        return self._events.state

    def start(self, *, daemon: bool) -> Stream:
        """Start a thread that calls `run`."""
        _watch_main_thread(self)
        self.thread = start_thread(self._run_in_thread, f"firebase_rest {self!r}", daemon=daemon)
        if self.thread is None:
            self._events.close()
            raise StreamError("stream() cannot start a thread while the program exits.")
        return self

    def run(self) -> Stream:
        """Call the handler with each change, until the stream is closed or fails."""
        self._handler_thread = threading.get_ident()
        with self._events:
            for event in self._events:
                self._has_event = True
                # The keys are in pyrebase's order, because programs print the message.
                message = {"path": event.path, "data": event.data, "event": event.event}
                if self._stream_id is not None:
                    message["stream_id"] = self._stream_id
                try:
                    self._handler(message)
                except StopStream:
                    break
                except Exception as error:  # noqa: BLE001 - the program's handler can raise anything
                    self._report(error, "The handler of %r failed")
        return self

    def close(self) -> Stream:
        """Close the stream immediately. Idempotent; safe to call from any thread, the handler and signal handlers.

        In `pyrebase`, a stream that is still connecting first waits up to one second for its first event.
        """
        if self._first_event_timeout and threading.get_ident() != self._handler_thread:
            self._wait_for_first_event(time.monotonic() + self._first_event_timeout)
        self._events.close()
        return self

    def _wait_for_first_event(self, end: float) -> None:
        # Polls, because a lock could deadlock in a signal handler.
        while not self._has_event and self.is_alive() and self.last_error is None and time.monotonic() < end:
            time.sleep(0.005)

    def _run_in_thread(self) -> None:
        try:
            self.run()
        except Exception as error:  # noqa: BLE001 - of any class, because the program's session can have hooks
            self._report(error, "%r has ended")
        except BaseException as error:
            logger.exception("%r has ended, because a callback raised %s", self, type(error).__name__)

    def _report(self, error: Exception, log_message: str) -> None:
        if self._on_error is None:
            logger.error(log_message, self, exc_info=error)
            return
        try:
            self._on_error(error)
        except Exception:
            logger.exception("on_error of %r failed", self)


_running: WeakSet[Stream] = WeakSet()
"""Streams whose threads may keep the program running after the main thread has ended."""

_exit_hooks: list[Callable[[], None]] = []
"""The registered functions that run when the main thread has ended: at most one."""


def _watch_main_thread(stream: Stream) -> None:
    # CPython waits for the threads at exit. This hook, which concurrent.futures uses too, runs before that.
    register: Callable[[Callable[[], None]], None] | None = getattr(threading, "_register_atexit", None)
    if register is not None and not _exit_hooks:
        _exit_hooks.append(_on_main_thread_end)
        with suppress(RuntimeError):  # the program is exiting
            register(_on_main_thread_end)
    _running.add(stream)


def _on_main_thread_end() -> None:
    is_interrupted = getattr(sys, "last_type", None) is KeyboardInterrupt
    for stream in _running:
        if is_interrupted:
            stream.close()
        elif stream.is_alive() and stream.thread is not None and not stream.thread.daemon:
            logger.warning(
                "The main thread has ended, and %r keeps the program running. To end both, call close() on the stream, "
                "use it in a with statement, or pass daemon=True to stream().",
                stream,
            )
