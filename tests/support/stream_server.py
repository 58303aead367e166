"""A scripted server for event streams: it reads the request before each script runs."""

from __future__ import annotations

import json
import time
from typing import Any

from firebase_rest.database import event_stream
from support.scripted_server import Peer, Script, ScriptedServer

MIN_RECONNECT_INTERVAL = event_stream.MIN_RECONNECT_INTERVAL
"""The value outside the tests."""


class StreamPeer(Peer):
    """A connection that can send a chunked event stream."""

    def respond_error(self, status: int, error: str = "", headers: str = "") -> None:
        """Send a response with a JSON error that closes the connection."""
        body = json.dumps({"error": error})
        head = f"HTTP/1.1 {status} No\r\nContent-Type: application/json\r\n{headers}"
        self.send(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}")

    def redirect(self, location: str) -> None:
        head = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\n"
        self.send(f"{head}Content-Length: 0\r\nConnection: close\r\n\r\n")

    def open(self) -> None:
        """Send the headers of a stream."""
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
        self.send(f"{head}Transfer-Encoding: chunked\r\n\r\n")

    def send_chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def send_event(self, name: str, path: str = "/", data: Any = None) -> None:
        self.send_raw_event(name, json.dumps({"path": path, "data": data}))

    def send_raw_event(self, name: str, data: str) -> None:
        self.send_chunk(f"event: {name}\ndata: {data}\n\n".encode())

    def send_last_chunk(self) -> None:
        self.send(b"0\r\n\r\n")


class StreamServer(ScriptedServer):
    """A scripted server whose scripts start after the request was read.

    Attributes:
        times: The monotonic time of each request.
    """

    peer_class = StreamPeer

    def __init__(self, *scripts: Script, tls: Any = None) -> None:
        super().__init__(*scripts, tls=tls)
        self.times: list[float] = []

    @property
    def url(self) -> str:
        return f"{super().url}/?ns=demo"

    def run(self, script: Script, peer: Peer) -> None:
        peer.read_request()
        self.times.append(time.monotonic())
        script(peer)


def put(data: Any, then: Script | None = None) -> Script:
    """Return a script that opens a stream with this value and runs `then`; by default it keeps the stream open."""

    def script(peer: StreamPeer) -> None:
        peer.open()
        peer.send_event("put", "/", data)
        (then or Peer.hold)(peer)

    return script


def fin(peer: Peer) -> None:
    """End without the last chunk, because the server closes the socket when a script returns."""
