"""Streams: a connection that tells of every change, and the thread that hands them to a program.

The law of this file: a stream can be closed at any moment from any thread, and ends without leaving anything behind.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from firebase_rest.database.filter import Filter
from firebase_rest.database.location import Location
from firebase_rest.database.protocol import check, error_class
from firebase_rest.database.sse import Change, change_in, messages
from firebase_rest.errors import FirebaseError, StreamError, TokenExpired
from firebase_rest.transport.call import Channel
from firebase_rest.transport.wire import BodyReader, Flow, Repeat, Request

logger = logging.getLogger("firebase_rest")

CHUNK = 65_536
SILENCE = 45.0
"""Seconds without a byte after which a stream is dead: one and a half of the server's keep-alive periods."""

_HEADERS = {"Accept": "text/event-stream", "Accept-Encoding": "identity", "Cache-Control": "no-cache"}


def open_stream(location: Location, filter: Filter) -> Flow[BodyReader]:
    """Connect; the answer is the open body of events."""
    filter.check()
    params = location.params + filter.params()
    response = yield Request("GET", location.url, params, _HEADERS, repeatable=Repeat.ALWAYS, stream=True)
    check(response)
    if response.reader is None:
        raise StreamError(f"The server answered HTTP {response.status} without a stream of events.")
    return response.reader


class Stream:
    """A stream and the thread that calls `handler` with each of its messages."""

    def __init__(
        self,
        channel: Channel,
        location: Location,
        filter: Filter,
        handler: Callable[[dict[str, Any]], object],
        stream_id: str | None,
    ) -> None:
        self._channel = channel.with_options(replace(channel.options, read=SILENCE))
        self._location = location
        self._filter = filter
        self._handler = handler
        self._stream_id = stream_id
        self._reader: BodyReader | None = None
        self._closed = False
        self.thread: threading.Thread | None = None

    def __repr__(self) -> str:
        return f"<Stream of /{self._location.path}>"

    def start(self) -> Stream:
        """Run in a thread of its own; not a daemon, so that a script stays alive for its stream."""
        self.thread = threading.Thread(target=self.run, name=f"firebase_rest stream of /{self._location.path}")
        self.thread.start()
        return self

    def run(self) -> Stream:
        """Deliver messages in this thread until the stream is closed or ends."""
        try:
            for change in self._changes():
                self._handler(self._as_message(change))
        except FirebaseError:
            if not self._closed:
                if self.thread is None:
                    raise
                logger.exception("The stream of /%s ended", self._location.path)
        return self

    def close(self) -> Stream:
        """End the stream at once: from any thread, from its handler, twice."""
        self._closed = True
        reader = self._reader
        if reader is not None:
            reader.abort()
        return self

    def _as_message(self, change: Change) -> dict[str, Any]:
        message = {"event": change.event, "path": change.path, "data": change.data}
        if self._stream_id is not None:
            message["stream_id"] = self._stream_id
        return message

    def _changes(self) -> Iterator[Change]:
        reader = self._reader = self._channel.run(open_stream(self._location, self._filter))
        try:
            for message in messages(self._chunks(reader)):
                if self._closed:
                    return
                if message.event in ("put", "patch"):
                    yield change_in(message)
                elif message.event in ("cancel", "auth_revoked"):
                    raise _ending(message.event, message.data)
        finally:
            reader.close()
        if not self._closed:
            raise StreamError(f"The server ended the stream of /{self._location.path}.")

    def _chunks(self, reader: BodyReader) -> Iterator[bytes]:
        while not self._closed:
            chunk = reader.read(CHUNK)
            if not chunk:
                return
            yield chunk


def _ending(event: str, data: str) -> FirebaseError:
    """The error for an event with which the server ends a stream."""
    reason = data.strip().strip('"')
    if event == "auth_revoked":
        return TokenExpired(reason, status=401, message=reason)
    reason = "Permission denied" if reason in ("", "null") else reason
    return error_class(401, reason)(reason, status=401, message=reason)
