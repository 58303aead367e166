"""A local HTTP server that receives one OAuth callback.

https://datatracker.ietf.org/doc/html/rfc8252#section-7.3
"""

from __future__ import annotations

import threading
import webbrowser
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from firebase_rest.auth.arguments import optional
from firebase_rest.auth.providers import state_matches
from firebase_rest.errors import NetworkTimeout, UsageError
from firebase_rest.transport.arguments import validate_callable, validate_int, validate_seconds
from firebase_rest.transport.lifecycle import Closable


def _page(title: str, text: str) -> bytes:
    return f"<!doctype html><meta charset=utf-8><title>{title}</title><p>{text}".encode()


# The text does not say "signed in", because the program has not exchanged the code yet.
RECEIVED_PAGE = _page("Back to the program", "You can close this window and go back to the program.")
ERROR_PAGE = _page("Not signed in", "You are not signed in. You can close this window and go back to the program.")
WRONG_STATE_PAGE = _page("Not signed in", "This page belongs to another sign-in. Start again in the program.")
# The browser does not send a fragment, so this page sends it as a query.
FRAGMENT_PAGE = (
    b"<!doctype html><meta charset=utf-8><title>Signing in</title>"
    b"<script>if(location.hash)location.replace('?'+location.hash.slice(1))</script>"
)
_CALLBACK_PARAMETERS = frozenset({"code", "error", "id_token", "access_token", "oauth_token", "SAMLResponse"})
_CONNECTION_TIMEOUT = 10.0
"""Maximum seconds for a connection to send its request."""
_POLL_INTERVAL = 0.05
"""Seconds between two checks for the end of the server."""
_MAX_BODY = 1_000_000


class _Server(ThreadingHTTPServer):
    # One thread for each connection, because browsers open connections on which they send nothing.
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignore the error, because browsers close connections at any time."""


class CallbackServer(Closable):
    """A server on 127.0.0.1 that listens until it is closed. A context manager.

    `port` 0 selects any free port. `open_browser` is called with the URL in place of `webbrowser.open`. `timeout` is
    the maximum time in seconds to wait for the callback.
    """

    def __init__(
        self, port: int = 0, open_browser: Callable[[str], object] | None = None, timeout: float = 300
    ) -> None:
        port = validate_int("port", port, 0, 65_535)
        self._open_browser = optional(validate_callable, "open_browser", open_browser) or webbrowser.open
        self._timeout = validate_seconds("timeout", timeout, 0, threading.TIMEOUT_MAX)
        self._callback: tuple[str, str | None] | None = None
        self._problem = ""
        self._ended = threading.Event()
        self._is_serving = False
        self._state: str | None = None
        callback_server = self

        class Handler(BaseHTTPRequestHandler):
            timeout = _CONNECTION_TIMEOUT

            def do_GET(self) -> None:
                callback_server._respond(self, None)

            def do_POST(self) -> None:
                length = self.headers.get("Content-Length", "")
                size = min(int(length), _MAX_BODY) if length.isdecimal() and len(length) < 20 else 0
                callback_server._respond(self, self.rfile.read(size).decode("utf-8", "replace"))

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name in http.server
                """Log nothing, because the line would contain the code."""

        try:
            self._server = _Server(("127.0.0.1", port), Handler)
        except OSError as error:
            problem = error.strerror or type(error).__name__
        else:
            return
        raise UsageError(f"port must be a free port, got {port} ({problem}); pass another port.")

    @property
    def url(self) -> str:
        """The URL to which the provider must redirect the browser."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/"

    def wait(self, uri: str, state: str | None = None) -> tuple[str, str | None]:
        """Open `uri` in the browser, and return the URL of the callback, and its body if it was posted.

        Callbacks with another `state` get an error page. Raises `NetworkTimeout`, and `UsageError` if no browser can be
        opened.
        """
        self._is_serving, self._state = True, state
        self._start_thread(self._server.serve_forever, _POLL_INTERVAL)
        # In a thread, because some browsers run in the foreground: the callback arrives before the call returns.
        self._start_thread(self._open, uri)
        if not self._ended.wait(self._timeout):
            raise NetworkTimeout(
                f"Timed out after {self._timeout:g} s while waiting for the sign-in in the browser; start it again, or "
                "increase timeout=."
            )
        if self._callback is None:
            raise UsageError(self._problem)
        return self._callback

    @staticmethod
    def _start_thread(target: Callable[..., object], *arguments: object) -> None:
        threading.Thread(target=target, args=arguments, name="firebase_rest sign-in", daemon=True).start()

    def _open(self, uri: str) -> None:
        problem = ""
        try:
            if self._open_browser(uri) is False:  # the result of webbrowser.open without a browser
                problem = "none was found"
        except Exception as error:  # noqa: BLE001 - `wait` reports it
            problem = type(error).__name__
        if problem:
            self._problem = f"No browser was opened ({problem}); pass open_browser=print to show the address."
            self._ended.set()

    def _respond(self, request: BaseHTTPRequestHandler, body: str | None) -> None:
        parts = urlsplit(request.path)
        parameters = dict(parse_qsl(parts.query) + parse_qsl(body or ""))
        is_callback = parts.path == "/" and bool(parameters.keys() & _CALLBACK_PARAMETERS)
        is_ours = is_callback and state_matches(self._state, parameters)
        if parts.path != "/":
            status, page = 404, b""
        elif not is_callback:
            status, page = 200, FRAGMENT_PAGE
        elif not is_ours:
            status, page = 400, WRONG_STATE_PAGE
        else:
            status, page = 200, ERROR_PAGE if "error" in parameters else RECEIVED_PAGE
        if is_ours and self._callback is None:  # before the response, after which the browser may send another callback
            self._callback = (self.url + (f"?{parts.query}" if parts.query else ""), body)
        try:
            request.send_response(status)
            request.send_header("Content-Type", "text/html; charset=utf-8")
            request.send_header("Content-Length", str(len(page)))
            request.send_header("Connection", "close")
            request.end_headers()
            request.wfile.write(page)
        finally:
            if is_ours:
                self._ended.set()

    def close(self) -> None:
        """Stop listening."""
        if self._is_serving:
            self._server.shutdown()
        self._server.server_close()
