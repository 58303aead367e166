"""A socket server that follows a script for each connection and records the requests."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from firebase_rest.database import event_stream

MIN_RECONNECT_INTERVAL = event_stream.MIN_RECONNECT_INTERVAL
"""The value outside the tests."""

LIMIT = 10.0
"""Maximum seconds that a test waits for a condition."""


class Peer:
    """A connection whose request was read, for a script that responds."""

    def __init__(self, sock: socket.socket, line: str, headers: dict[str, str], ending: threading.Event) -> None:
        self.socket = sock
        self.line = line
        self.headers = headers
        self._ending = ending

    def refuse(self, status: int, error: str = "", headers: str = "") -> None:
        """Send a response with a JSON error and close the connection."""
        body = json.dumps({"error": error}).encode()
        head = f"HTTP/1.1 {status} No\r\nContent-Type: application/json\r\n{headers}"
        self.socket.sendall(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)

    def redirect(self, location: str) -> None:
        head = (
            f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        )
        self.socket.sendall(head.encode())

    def open(self) -> None:
        """Send the headers of a stream."""
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
        self.socket.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())

    def send(self, data: bytes) -> None:
        """Send a chunk."""
        self.socket.sendall(b"%x\r\n%s\r\n" % (len(data), data))

    def event(self, name: str, path: str = "/", data: Any = None) -> None:
        self.send(f"event: {name}\ndata: {json.dumps({'path': path, 'data': data})}\n\n".encode())

    def raw(self, name: str, data: str) -> None:
        self.send(f"event: {name}\ndata: {data}\n\n".encode())

    def finish(self) -> None:
        """Send the last chunk."""
        self.socket.sendall(b"0\r\n\r\n")

    def reset(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def hold(self) -> None:
        """Wait until the client or the server closes the connection."""
        self.socket.settimeout(0.02)
        while not self._ending.is_set():
            with suppress(TimeoutError):
                if not self.socket.recv(65536):
                    return


Script = Callable[[Peer], None]


class ScriptedServer:
    """A server whose n-th connection runs the n-th script, or the last one. A context manager."""

    def __init__(self, *scripts: Script, tls: Any = None) -> None:
        self.lines: list[str] = []
        self.times: list[float] = []
        self.closed = 0
        """The number of ended connections."""
        self._scripts = scripts
        self._tls = tls
        self._ending = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}/?ns=demo"
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def _accept(self) -> None:
        count = 0
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            if self._ending.is_set():
                sock.close()
                return
            script = self._scripts[min(count, len(self._scripts) - 1)]
            count += 1
            thread = threading.Thread(target=self._serve, args=(sock, script), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, sock: socket.socket, script: Script) -> None:
        with suppress(OSError):
            sock.settimeout(LIMIT)
            if self._tls is not None:
                sock = self._tls.wrap_socket(sock, server_side=True)
            head = b""
            while b"\r\n\r\n" not in head:
                data = sock.recv(65536)
                if not data:
                    break
                head += data
            if head:
                line, *rest = head.decode().split("\r\n")
                headers = dict(item.lower().split(": ", 1) for item in rest if ": " in item)
                self.times.append(time.monotonic())
                self.lines.append(line)
                with suppress(OSError):
                    script(Peer(sock, line, headers, self._ending))
        sock.close()
        self.closed += 1

    def __enter__(self) -> ScriptedServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        self._accepting.join(LIMIT)
        self._listener.close()
        for thread in self._threads:
            thread.join(LIMIT)


def put(data: Any, then: Script | None = None) -> Script:
    """Return a script that opens a stream with this value and runs `then`; by default it keeps the stream open."""

    def script(peer: Peer) -> None:
        peer.open()
        peer.event("put", "/", data)
        (then or Peer.hold)(peer)

    return script


def fin(peer: Peer) -> None:
    """End without the last chunk, because the server closes the socket when a script returns."""


def wait_for(condition: Callable[[], object], what: str = "it") -> None:
    end = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < end, f"{what} did not happen"
        threading.Event().wait(0.002)
