"""A server whose responses name the request: `GET /a/7.json` returns "a/7". Streams count up; "quiet" does not.

`GET /received/a.json` returns the number of requests for "a" so far.
"""

from __future__ import annotations

import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class EchoServer(ThreadingHTTPServer):
    """A server that keeps connections alive and counts them. The response for "slow" waits for a request for
    "release"."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.scheme = "http" if tls is None else "https"
        if tls is not None:
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.connections = 0
        self.paths: list[str] = []
        self.release = threading.Event()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def get_request(self) -> tuple[socket.socket, Any]:
        self.connections += 1
        return super().get_request()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors, because the tests break connections."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: EchoServer

    def do_GET(self) -> None:
        path = self.path.partition("?")[0].removesuffix(".json").strip("/")
        self.server.paths.append(path)
        if path == "release":
            self.server.release.set()
        if self.headers.get("Accept") == "text/event-stream":
            self._stream(path)
            return
        if path == "slow":
            self.server.release.wait(30)
        received = path.removeprefix("received/")
        body = json.dumps(path if received == path else self.server.paths.count(received)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def _stream(self, path: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")  # so that the client has read the start of what follows
        self.end_headers()
        number = 0
        while not self.server.release.wait(60 if number and path == "quiet" else 0.02):
            self._event({"path": "/" if number == 0 else "/n", "data": {"n": 0} if number == 0 else number})
            number += 1

    def _event(self, event: dict[str, Any]) -> None:
        data = f"event: put\ndata: {json.dumps(event)}\n\n".encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))

    def log_message(self, *args: object) -> None:
        """Write no log."""
