"""`SessionTransport`: one `requests.Session` for everything an App does, and how one request goes over it, once.

The law of this file: an answer comes whole or not at all.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping
from typing import Any, cast

import requests
from urllib3.response import BaseHTTPResponse

from firebase_rest.transport.credentials import Stamp
from firebase_rest.transport.prepare import Environment, full_url, headers_for, prepared
from firebase_rest.transport.reader import OpenBody
from firebase_rest.transport.redact import guard_urllib3_logs
from firebase_rest.transport.sockets import ReportingAdapter, Watch, Watchdog, current_watch
from firebase_rest.transport.wire import Request, Response


class SessionTransport:
    """One `requests.Session` for everything an App does. `headers` go with every request."""

    def __init__(self, session: requests.Session | None = None, headers: Mapping[str, str] | None = None) -> None:
        self._owned = session is None
        self.session = session if session is not None else _new_session()
        self.headers = dict(headers or {})
        self.environment = Environment()
        self.watchdog = Watchdog()
        self.closing = threading.Event()
        self._warned = False
        guard_urllib3_logs()

    def close(self) -> None:
        """End waits and close the session, if it is ours."""
        self.closing.set()
        self.watchdog.stop()
        if self._owned:
            self.session.close()

    def attempt(self, request: Request, stamp: Stamp, timeout: tuple[float, float], watch: Watch | None) -> Response:
        """Send once and read the answer. Raises what requests and urllib3 raise."""
        url = full_url(request, stamp)
        headers = headers_for(self.session, self.headers, request, stamp)
        replaced = None if request.stream else vars(self.session).get(request.method.lower())
        if replaced is not None:
            return _through(replaced, url, headers, timeout, request)
        settings = self.environment.settings(self.session, url)
        message = prepared(self.session, request.method, url, headers, request.body)
        if watch is None:
            return self._exchange(message, timeout, settings, request, None)
        token = current_watch.set(watch)
        response = None
        try:
            response = self._exchange(message, timeout, settings, request, watch)
            return response
        finally:
            current_watch.reset(token)
            if response is None or response.reader is None:
                watch.attach(None)  # the connection is back in the pool: it is no longer ours to end

    def _exchange(
        self,
        message: requests.PreparedRequest,
        timeout: tuple[float, float],
        settings: Mapping[str, Any],
        request: Request,
        watch: Watch | None,
    ) -> Response:
        answer = self.session.send(message, stream=True, timeout=timeout, allow_redirects=False, **settings)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        if request.stream and answer.status_code == 200 and isinstance(answer.raw, BaseHTTPResponse):
            reader = OpenBody(answer.raw, watch or Watch(), request)
            return Response(200, headers, reader=reader, request=request)
        try:
            raw = answer.raw
            body = raw.read(decode_content=True) if isinstance(raw, BaseHTTPResponse) else answer.content
        except BaseException:
            answer.close()  # half a body may still be on the wire
            raise
        framed = "content-length" in headers or "transfer-encoding" in headers or not isinstance(raw, BaseHTTPResponse)
        return Response(answer.status_code, headers, body or b"", framed=framed, request=request)

    def warn_of_double_retries(self, url: str) -> None:
        """Say once that a mounted adapter retries by itself: its tries multiply ours, whatever is safe to repeat."""
        if not self._warned:
            retries = getattr(self.session.get_adapter(url), "max_retries", None)
            if getattr(retries, "total", 0):
                self._warned = True
                warnings.warn(
                    "The session has an adapter with max_retries of its own, which multiply those of firebase_rest and "
                    "repeat what may not be repeated: mount it with max_retries=0.",
                    stacklevel=2,
                )


def _new_session() -> requests.Session:
    session = requests.Session()
    adapter = ReportingAdapter()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _through(
    method: Callable[..., Any], url: str, headers: Mapping[str, str], timeout: tuple[float, float], request: Request
) -> Response:
    """Through a function that a program has put in place of `session.get` or another verb."""
    options: dict[str, Any] = {"headers": dict(headers), "timeout": timeout}
    if request.body is not None:
        options["data"] = request.body
    answer = method(url, **options)
    names = {str(name).lower(): value for name, value in dict(answer.headers).items()}
    return Response(answer.status_code, names, cast(bytes, answer.content), request=request)
