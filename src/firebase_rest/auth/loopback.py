"""A web server for one visit: receives the redirect that ends a sign-in in the browser of the same machine.

The law of this file: it listens on 127.0.0.1 only, takes one callback, that of the sign-in that waits for it, within a
bounded time, and is gone. Each connection has a thread of its own: browsers open some that they say nothing on.
https://datatracker.ietf.org/doc/html/rfc8252#section-7.3
"""

from __future__ import annotations

import threading
import webbrowser
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from firebase_rest.auth.arguments import optional
from firebase_rest.auth.idp import is_answer_to
from firebase_rest.errors import NetworkTimeout, UsageError
from firebase_rest.transport.arguments import validate_callable, validate_int, validate_seconds


def _page(title: str, words: str) -> bytes:
    return f"<!doctype html><meta charset=utf-8><title>{title}</title><p>{words}".encode()


# The program has yet to exchange what came: it alone knows whether that will do.
PAGE = _page("Back to the program", "You can close this window and go back to the program.")
REFUSED_PAGE = _page("Not signed in", "You are not signed in. You can close this window and go back to the program.")
STRANGE_PAGE = _page("Not signed in", "This is not the sign-in that the program waits for; start it again there.")
# What a provider puts behind # stays in the browser: this page sends it again as a query.
FRAGMENT_PAGE = (
    b"<!doctype html><meta charset=utf-8><title>Signing in</title>"
    b"<script>if(location.hash)location.replace('?'+location.hash.slice(1))</script>"
)
_ANSWERS = frozenset({"code", "error", "id_token", "access_token", "oauth_token", "SAMLResponse"})
_PATIENCE = 10.0
"""Seconds that one connection may take to say what it wants."""
_POLL = 0.05
"""Seconds after which the server looks whether it is to end."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing: a browser that hangs up is no error."""


class Loopback:
    """Listens on 127.0.0.1 from the moment it is made; `port` 0 takes a free one. A context manager."""

    def __init__(
        self,
        port: int = 0,
        open_browser: Callable[[str], object] | None = None,
        timeout: float = 300,
        path: str = "/",
    ) -> None:
        port = validate_int("port", port, 0, 65_535)
        self._open_browser = optional(validate_callable, "open_browser", open_browser) or webbrowser.open
        self._timeout = validate_seconds("timeout", timeout, 0, threading.TIMEOUT_MAX)
        self._path = path
        self._callback: tuple[str, str | None] | None = None
        self._problem = ""
        self._ended = threading.Event()
        self._serving = False
        self._state: str | None = None
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
            self._server = _Server(("127.0.0.1", port), Handler)
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

    def wait(self, uri: str, state: str | None = None) -> tuple[str, str | None]:
        """Open `uri`, and wait for the callback: its URL, and its body where it was posted.

        Whatever comes with another `state` gets a page that says so, and is not waited for (None: there is none).
        Raises `NetworkTimeout` when nobody has come back in time, and `UsageError` where no browser opens.
        """
        self._serving, self._state = True, state
        self._start(self._server.serve_forever, _POLL)
        # In a thread as well: some browsers open in the foreground, and come back to us before the call returns.
        self._start(self._open, uri)
        if not self._ended.wait(self._timeout):
            raise NetworkTimeout(f"Nobody finished the sign-in in the browser within {self._timeout:g} s.")
        if self._callback is None:
            raise UsageError(self._problem)
        return self._callback

    @staticmethod
    def _start(work: Callable[..., object], *arguments: object) -> None:
        threading.Thread(target=work, args=arguments, name="firebase_rest sign-in", daemon=True).start()

    def _open(self, uri: str) -> None:
        problem = ""
        try:
            if self._open_browser(uri) is False:  # so webbrowser says that there is none
                problem = "there is none here"
        except Exception as error:  # noqa: BLE001 - whatever it is, the person must not wait for a browser
            problem = type(error).__name__
        if problem:
            self._problem = f"No browser was opened ({problem}); open_browser=print shows the address instead."
            self._ended.set()

    def _visited(self, visit: BaseHTTPRequestHandler, body: str | None) -> None:
        parts = urlsplit(visit.path)
        came = dict(parse_qsl(parts.query) + parse_qsl(body or ""))
        is_answer = parts.path == self._path and bool(came.keys() & _ANSWERS)
        is_callback = is_answer and is_answer_to(self._state, came)
        status, page = 200, REFUSED_PAGE if "error" in came else PAGE
        if is_answer and not is_callback:
            status, page = 400, STRANGE_PAGE
        elif not is_answer:
            status, page = (200, FRAGMENT_PAGE) if parts.path == self._path else (404, b"")
        visit.send_response(status)
        visit.send_header("Content-Type", "text/html; charset=utf-8")
        visit.send_header("Content-Length", str(len(page)))
        visit.send_header("Connection", "close")
        visit.end_headers()
        visit.wfile.write(page)
        if is_callback and self._callback is None:
            self._callback = (self.url + (f"?{parts.query}" if parts.query else ""), body)
            self._ended.set()

    def close(self) -> None:
        """Stop listening."""
        if self._serving:
            self._server.shutdown()
        self._server.server_close()

    def __enter__(self) -> Loopback:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()
