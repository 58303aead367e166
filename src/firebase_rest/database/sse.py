"""Server-sent events: bytes as they arrive, cut anywhere, become events.

The law of this file: time is linear in the bytes, an event is delivered when its last byte is there, and half an event
never. Firebase sends one form, an event line and a data line, which is read directly. Everything else that the standard
allows goes through sseclient-py; on its own that is quadratic in the number of chunks and of data lines, and drops
events without data, so it is handed whole events whose data lines are folded into one.
https://firebase.google.com/docs/reference/rest/database#section-streaming and https://html.spec.whatwg.org/#server-sent-events
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from firebase_rest.errors import InvalidResponse, UsageError


class Message(NamedTuple):
    """One event as the server sent it: its name and its data, still text."""

    event: str
    data: str


class Framer:
    """Cuts a stream of bytes into whole events."""

    def __init__(self) -> None:
        self._partial: list[bytes] = []  # the pieces of a line whose end has not come
        self._lines: list[bytes] = []  # the lines of an event whose end has not come
        self._after_cr = False
        self._at_start = True
        self.is_between = False
        """Whether the next byte begins an event, and is not the first of all."""

    def feed(self, chunk: bytes) -> list[list[bytes]]:
        """The events that `chunk` completes, each as its lines, without line ends and comments."""
        if self._after_cr and chunk[:1] == b"\n":  # the second half of a CRLF that was cut
            chunk = chunk[1:]
            self._after_cr = False
        if chunk:
            self._after_cr = chunk.endswith(b"\r")
        events: list[list[bytes]] = []
        for line in chunk.splitlines(True):  # of bytes: splits at LF, CR and CRLF, and at nothing else
            text = line.rstrip(b"\r\n")
            if len(text) == len(line):
                self._partial.append(line)
                break
            if self._partial:
                self._partial.append(text)
                text = b"".join(self._partial)
                self._partial.clear()
            self._line(text, events)
        self.is_between = not (self._partial or self._lines or self._after_cr or self._at_start)
        return events

    def _line(self, text: bytes, events: list[list[bytes]]) -> None:
        if self._at_start:
            self._at_start = False
            text = text.removeprefix(b"\xef\xbb\xbf")
        if text:
            if text[:1] != b":":
                self._lines.append(text)
        elif self._lines:
            events.append(self._lines)
            self._lines = []


def messages(chunks: Iterable[bytes]) -> Iterator[Message]:
    """The events in `chunks`, each as soon as it is whole."""
    parser = _client()
    framer = Framer()
    for chunk in chunks:
        if framer.is_between and chunk[:7] == b"event: " and chunk[-2:] == b"\n\n" and b"\r" not in chunk:
            # Firebase sends each event as a chunk of its own.
            name, _, data = chunk.partition(b"\n")
            if data[:6] == b"data: " and data.find(b"\n") == len(data) - 2:
                yield Message(name[7:].decode("utf-8", "replace"), data[6:-2].decode("utf-8", "replace"))
                continue
        for lines in framer.feed(chunk):
            if len(lines) == 2 and lines[0][:7] == b"event: " and lines[1][:6] == b"data: ":
                yield Message(lines[0][7:].decode("utf-8", "replace"), lines[1][6:].decode("utf-8", "replace"))
            else:
                for event in parser(iter((_fold(lines),))).events():
                    yield Message(event.event, event.data)


def _fold(lines: list[bytes]) -> bytes:
    """The event with one data line. JSON knows no difference between the line end that joins data lines and a space."""
    values = [line[5:].removeprefix(b" ") for line in lines if line[:5] == b"data:" or line == b"data"]
    others = [line for line in lines if line[:5] != b"data:" and line != b"data"]
    folded = b"\n".join([*others, b"data: " + (b" ".join(values) or b"null")]) + b"\n\n"
    return folded.decode("utf-8", "replace").encode()  # sseclient-py raises UnicodeDecodeError for what is no UTF-8


def _client() -> Any:
    """sseclient-py's class; it ships no types."""
    try:
        from sseclient import SSEClient
    except ImportError:  # it went when another package with such a module did
        pass
    else:
        if hasattr(SSEClient, "events"):
            return SSEClient
    raise UsageError(
        "The module 'sseclient' is not that of sseclient-py; the packages sseclient and pyrebase have one so named: "
        "run 'pip uninstall sseclient pyrebase' and then 'pip install --force-reinstall sseclient-py'."
    )


class StreamEvent(NamedTuple):
    """A change: a "put" replaces what is at `path` by `data`, a "patch" the children of `path` that `data` names.

    `path` is relative to the place of the stream and starts with "/". `resync` is True for the first event after a
    reconnect, which carries the whole current value: what it lacks was deleted meanwhile.
    """

    event: str
    path: str
    data: Any
    resync: bool = False


_decode = json.JSONDecoder().raw_decode


def _parsed(text: str) -> Any:
    if text[:1] == "{":
        body, end = _decode(text)
        if end == len(text):
            return body
    return json.loads(text)  # with spaces around it, or no JSON object


def event_in(message: Message, *, resync: bool = False) -> StreamEvent:
    """The change that a put or patch message carries. Raises `InvalidResponse` for data that is none."""
    try:
        body = _parsed(message.data)
        path, data = body["path"], body["data"]
        if isinstance(path, str):
            return StreamEvent(message.event, path, data, resync)
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise InvalidResponse(f"A {message.event} event of {len(message.data)} characters carried no path and data.")
