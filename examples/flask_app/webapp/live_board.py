"""One live copy of the board for all visitors of a process.

A visitor waits for the next version of the whole list. A slow visitor skips versions, so no queue can grow.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from firebase_rest import FirebaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from firebase_rest import LiveQuery, Snapshot

MAX_VISITORS = 200
"""Maximum number of event streams of a process. The server has 220 threads, so that 20 remain for other requests."""
KEEP_ALIVE = 15.0
"""Seconds without a change after which a comment is sent. It fails if the visitor has closed the connection."""
LONGEST_STREAM = 300.0
"""Seconds after which an event stream ends. The browser reconnects, and its session is verified again."""

logger = logging.getLogger(__name__)


class LiveBoard:
    """The newest notes, and the visitors who wait for changes. Thread-safe.

    The first visitor starts the stream from Firebase. Creating the object starts nothing, so that a server may create
    it before it forks.

    Args:
        open_live: Opens the live copy.
    """

    def __init__(self, open_live: Callable[[], LiveQuery]) -> None:
        self._open_live = open_live
        self._live: LiveQuery | None = None
        self._starting = threading.Lock()
        self._changed = threading.Condition()
        self._version = 0
        self._notes = "[]"
        self._visitors = 0

    def enter(self) -> bool:
        """Count a visitor. Return False if there are too many. Call `leave` when the visitor's stream ends."""
        with self._changed:
            if self._visitors >= MAX_VISITORS:
                return False
            self._visitors += 1
            return True

    def leave(self) -> None:
        """Record that the stream of a visitor has ended."""
        with self._changed:
            self._visitors -= 1

    @property
    def visitors(self) -> int:
        """The number of event streams."""
        return self._visitors

    def notes(self) -> str:
        """Return the notes as JSON, newest first: a list of {"key", "text", "name", "uid", "at"}.

        Raises:
            FirebaseError: The board cannot be read.
        """
        self._ensure_live()
        return self._notes

    def events(self) -> Iterator[str]:
        """Return server-sent events: the notes now, and after every change."""
        self._ensure_live()
        return self._generate()

    def _generate(self) -> Iterator[str]:
        end = time.monotonic() + LONGEST_STREAM
        seen = 0
        yield "retry: 2000\n\n"
        while time.monotonic() < end:
            with self._changed:
                if self._version == seen:
                    self._changed.wait(KEEP_ALIVE)
                is_new, seen, notes = self._version != seen, self._version, self._notes
            yield f"data: {notes}\n\n" if is_new else ": keep-alive\n\n"
            if not is_new:
                self._restart_if_ended()

    def close(self) -> None:
        """End the stream from Firebase."""
        with self._starting:
            if self._live is not None:
                self._live.close()
                self._live = None

    def _ensure_live(self) -> None:
        with self._starting:
            if self._live is None or not self._live.is_alive():
                live = self._open_live()
                live.on_value(self._update)
                self._live = live

    def _restart_if_ended(self) -> None:
        try:
            self._ensure_live()
        except FirebaseError as error:
            logger.warning("The board is not live: %s", error)

    def _update(self, snapshot: Snapshot) -> None:
        value: dict[str, Any] = snapshot.val() or {}
        notes = [{"key": key, **note} for key, note in reversed(value.items())]
        with self._changed:
            self._notes = json.dumps(notes)
            self._version += 1
            self._changed.notify_all()
