"""Decode server-sent events from chunks of bytes, in linear time and bounded memory.

https://firebase.google.com/docs/reference/rest/database#section-streaming and https://html.spec.whatwg.org/#server-sent-events
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from firebase_rest.errors import InvalidResponse, StreamError
from firebase_rest.transport.wire import JSON_DECODER


class ServerSentEvent(NamedTuple):
    """An event as the server sent it: `data` is still text."""

    event: str
    data: str


class EventDecoder:
    """Collects chunks of bytes until an event is complete. Incomplete events are never returned."""

    def __init__(self, max_size: int = sys.maxsize) -> None:
        self._max_size = max_size
        self._line = bytearray()  # the beginning of a line whose end has not arrived
        self._event: bytes | bytearray = b""
        self._data: bytes | bytearray | None = None
        self._after_cr = False
        self._at_start = True
        self.is_between_events = False
        """Whether the next byte begins an event other than the first."""

    def decode(self, chunk: bytes) -> Sequence[ServerSentEvent]:
        """Return the events that `chunk` completes. Raises `StreamError` if one exceeds the maximum size."""
        if self.is_between_events and chunk[:7] == b"event: " and chunk[-2:] == b"\n\n" and b"\r" not in chunk:
            # Fast path: Firebase sends most events in one chunk.
            name, _, data = chunk.partition(b"\n")
            if data[:6] == b"data: " and data.find(b"\n") == len(data) - 2 and len(chunk) <= self._max_size:
                return (ServerSentEvent(name[7:].decode("utf-8", "replace"), data[6:-2].decode("utf-8", "replace")),)
        return self.feed(chunk)

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Return the same as `decode`, without the fast path for single events."""
        if self._after_cr and chunk[:1] == b"\n":  # the CR of this CRLF was at the end of the previous chunk
            chunk = chunk[1:]
            self._after_cr = False
        if chunk:
            self._after_cr = chunk.endswith(b"\r")
        events: list[ServerSentEvent] = []
        text: bytes | bytearray
        for line in chunk.splitlines(True):  # bytes.splitlines splits at LF, CR and CRLF only
            text = line.rstrip(b"\r\n")
            if len(text) == len(line):
                self._line += line
                break
            if self._line:
                self._line += text
                text, self._line = self._line, bytearray()
            self._add_line(text, events)
        is_pending = bool(self._line or self._event) or self._data is not None
        if is_pending:
            self._check_size()
        self.is_between_events = not (is_pending or self._after_cr or self._at_start)
        return events

    def _add_line(self, line: bytes | bytearray, events: list[ServerSentEvent]) -> None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(b"\xef\xbb\xbf")
        if line[:5] == b"data:" or line == b"data":
            value = line[6:] if line[5:6] == b" " else line[5:]
            if self._data is None:
                self._data = value
            else:
                if isinstance(self._data, bytes):
                    self._data = bytearray(self._data)
                self._data += b"\n" + value
        elif line[:6] == b"event:" or line == b"event":
            self._event = line[7:] if line[6:7] == b" " else line[6:]
        elif not line and (self._event or self._data is not None):
            data = self._data or b"null"
            if len(data) > self._max_size:
                self._check_size()
            events.append(ServerSentEvent(self._event.decode("utf-8", "replace"), data.decode("utf-8", "replace")))
            self._event, self._data = b"", None

    def _check_size(self) -> None:
        if len(self._line) + len(self._event) + len(self._data or b"") > self._max_size:
            raise StreamError(
                f"The server sent an event of more than {self._max_size} bytes; increase max_response_size of the App "
                "or stream a smaller part of the data."
            )


def iter_events(chunks: Iterable[bytes], max_size: int = sys.maxsize) -> Iterator[ServerSentEvent]:
    """Yield the events in `chunks`, each as soon as it is complete."""
    decoder = EventDecoder(max_size)
    for chunk in chunks:
        yield from decoder.decode(chunk)


class StreamEvent(NamedTuple):
    """A change of the data.

    Attributes:
        event: "put" replaces the data at `path` by `data`. "patch" replaces those children of `path` that are keys of
            `data`.
        path: The path relative to the location of the stream. It starts with "/".
        data: JSON data; None deletes.
        resync: Whether this is the first event after a reconnect. It contains the complete current value.
    """

    event: str
    path: str
    data: Any
    resync: bool = False


def _parse_json(text: str) -> Any:
    if text[:1] == "{":
        body, end = JSON_DECODER.raw_decode(text)
        if end == len(text):
            return body
    return JSON_DECODER.decode(text)  # surrounded by white space, or not an object


def parse_event(message: ServerSentEvent, *, resync: bool = False) -> StreamEvent:
    """Return the change in a put or patch event. Raises `InvalidResponse` if its data is malformed."""
    try:
        body: Any = _parse_json(message.data)
    except (ValueError, RecursionError):
        body = None
    return make_event(message, body, resync=resync)


def make_event(message: ServerSentEvent, body: Any, *, resync: bool) -> StreamEvent:
    """Return the change in a put or patch event with the JSON data `body`. Raises `InvalidResponse` for other data."""
    try:
        path, data = body["path"], body["data"]
        if isinstance(path, str):
            return StreamEvent(message.event, path, data, resync)
    except (KeyError, TypeError):
        pass
    raise InvalidResponse(f"Invalid {message.event} event of {len(message.data)} characters: expected path and data.")
