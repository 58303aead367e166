"""A web server for one visit: receives the redirect that ends a sign-in in the browser of the same machine.

The law of this file: it listens on 127.0.0.1 only, takes one callback, waits for a bounded time, and is gone.
https://datatracker.ietf.org/doc/html/rfc8252#section-7.3
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from firebase_rest.errors import NetworkTimeout, UsageError

PAGE = b"<!doctype html><meta charset=utf-8><title>Signed in</title><p>You can close this window and go back."
# What a provider puts behind # stays in the browser: this page sends it again as a query.
FRAGMENT_PAGE = (
    b"<!doctype html><meta charset=utf-8><title>Signing in</title>"
    b"<script>if(location.hash)location.replace('?'+location.hash.slice(1))</script>"
)
_ANSWERS = frozenset({"code", "error", "id_token", "access_token", "oauth_token", "SAMLResponse"})
_PATIENCE = 10.0
"""Seconds that one connection may take to say what it wants."""


class Loopback:
    """Listens on 127.0.0.1 from the moment it is made; `port` 0 takes a free one. A context manager."""

    def __init__(self, port: int = 0, path: str = "/") -> None:
        self._path = path
        self._callback: tuple[str, str | None] | None = None
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            timeout = _PATIENCE

            def do_GET(self) -> None:
                receiver._visited(self, None)

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length", "")
                size = min(int(length), 1_000_000) if length.isdigit() else 0
                receiver._visited(self, self.rfile.read(size).decode("utf-8", "replace"))

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in http.server
                """Says nothing: the line would hold the code."""

        try:
            self._server = HTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            problem = error.strerror or type(error).__name__
        else:
            return
        raise UsageError(
            f"Cannot listen on 127.0.0.1:{port} for the end of the sign-in: {problem}; pass another port=."
        )

    @property
    def url(self) -> str:
        """Where the browser is to be sent in the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{self._path}"

    def wait(self, open_browser: Callable[[str], object], uri: str, seconds: float) -> tuple[str, str | None]:
        """Open `uri`, and wait for the callback: its URL, and its body where it was posted.

        Raises `NetworkTimeout` when nobody has come back within `seconds`.
        """
        ends = time.monotonic() + seconds
        # Some browsers open in the foreground, and come back to us before the call returns.
        threading.Thread(target=open_browser, args=(uri,), name="firebase_rest browser", daemon=True).start()
        while self._callback is None:
            left = ends - time.monotonic()
            if left <= 0:
                raise NetworkTimeout(f"Nobody finished the sign-in in the browser within {seconds:g} s.")
            self._server.timeout = left
            self._server.handle_request()
        return self._callback

    def _visited(self, visit: BaseHTTPRequestHandler, body: str | None) -> None:
        parts = urlsplit(visit.path)
        came = dict(parse_qsl(parts.query) + parse_qsl(body or ""))
        status, page = 404, b""
        if parts.path == self._path:
            status, page = 200, FRAGMENT_PAGE
            if came.keys() & _ANSWERS:
                page = PAGE
                self._callback = (self.url + (f"?{parts.query}" if parts.query else ""), body)
        visit.send_response(status)
        visit.send_header("Content-Type", "text/html; charset=utf-8")
        visit.send_header("Content-Length", str(len(page)))
        visit.send_header("Connection", "close")
        visit.end_headers()
        visit.wfile.write(page)

    def close(self) -> None:
        """Stop listening."""
        self._server.server_close()

    def __enter__(self) -> Loopback:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
