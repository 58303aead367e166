"""`SessionTransport`: one `requests.Session` for everything an App does, and how one request goes over it, once.

The law of this file: an answer comes whole or not at all.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import partial
from http.client import HTTPException
from http.cookiejar import Cookie, DefaultCookiePolicy
from typing import Any, Protocol, cast

import requests
from requests.cookies import RequestsCookieJar
from urllib3.exceptions import ProtocolError
from urllib3.response import BaseHTTPResponse

from firebase_rest.errors import UsageError
from firebase_rest.transport._weak_set import WeakSet
from firebase_rest.transport.adapter import CancellableAdapter, drop_connections
from firebase_rest.transport.credentials import AppCheck, RequestAuth
from firebase_rest.transport.interrupt import Interrupt
from firebase_rest.transport.lifecycle import register
from firebase_rest.transport.prepare import Environment, full_url, headers_for, prepared
from firebase_rest.transport.redact import install_log_filter
from firebase_rest.transport.sockets import CancelHandle, current_handle
from firebase_rest.transport.streaming_body import StreamingBody, read_body
from firebase_rest.transport.watchdog import watchdog
from firebase_rest.transport.wire import Request, Response

MAX_RESPONSE_SIZE = 256 * 1024 * 1024
"""Bytes of a decompressed body; Firebase itself refuses to read more from a database at once."""


class Closable(Protocol):
    """An object that ends with the App."""

    def close(self) -> object: ...


class SessionTransport:
    """One `requests.Session` for everything an App does. `headers` and the App Check token go with every request."""

    def __init__(
        self,
        session: requests.Session | None = None,
        headers: Mapping[str, str] | None = None,
        app_check: AppCheck | None = None,
        max_response_size: int = MAX_RESPONSE_SIZE,
    ) -> None:
        if isinstance(max_response_size, bool) or not isinstance(cast(object, max_response_size), int):
            raise UsageError(f"max_response_size must be a number of bytes, got {type(max_response_size).__name__}.")
        if max_response_size < 1:
            raise UsageError(f"max_response_size must be at least 1 byte, got {max_response_size}.")
        self._owned = session is None
        self.session = session if session is not None else _new_session()
        self.headers = _validate_headers(headers or {})
        self.max_response_size = max_response_size
        self.app_check = app_check
        self.environment = Environment()
        self.closing = Interrupt()
        self.closables: WeakSet[Closable] = WeakSet()
        self._live: set[CancelHandle] = set()
        self._warned = False
        install_log_filter()
        register(self)

    def __getstate__(self) -> dict[str, Any]:
        """For another process, which gets a session like this one and connections of its own."""
        arguments = self.session, self.headers, self.app_check, self.max_response_size
        return {"owned": self._owned, "arguments": arguments}

    def __setstate__(self, state: dict[str, Any]) -> None:
        SessionTransport.__init__(self, *state["arguments"])
        self._owned = state["owned"]

    def close(self) -> None:
        """End streams and waits, and close the session, if it is ours."""
        self.closing.set()
        for closable in self.closables:
            closable.close()
        for handle in list(self._live):
            handle.cancel()
        watchdog.rest()
        if self._owned:
            self.session.close()

    def reset_after_fork(self) -> None:
        """Forget the parent's requests and connections, in a forked child process."""
        for handle in self._live:
            handle.abandon()
        self._live = set()
        drop_connections(self.session)

    def check_open(self) -> None:
        """Raise `UsageError` once the App is closed."""
        if self.closing.is_set():
            raise UsageError("The App is closed; make a new one with initialize_app().")

    def send_once(
        self, request: Request, auth: RequestAuth, timeout: tuple[float, float], handle: CancelHandle
    ) -> Response:
        """Send once and read the answer. Raises what requests and urllib3 raise."""
        handle.dialed = handle.connected = False
        url = full_url(request, auth)
        headers = headers_for(self.session, self.headers, request, auth)
        replaced = None if request.stream else vars(self.session).get(request.method.lower())
        if replaced is not None:
            return _send_via_patched_session(replaced, url, headers, timeout, request)
        settings = self.environment.settings(self.session, url)
        message = prepared(self.session, request.method, url, headers, request.body)
        token = current_handle.set(handle)
        self._live.add(handle)
        if self.closing.is_set():
            handle.cancel()
        response = None
        try:
            response = self._exchange(message, timeout, settings, request, handle)
            return response
        finally:
            current_handle.reset(token)
            if response is None or response.reader is None:
                handle.detach()
                self._live.discard(handle)

    def _exchange(
        self,
        message: requests.PreparedRequest,
        timeout: tuple[float, float],
        settings: Mapping[str, Any],
        request: Request,
        handle: CancelHandle,
    ) -> Response:
        answer: requests.Response | None
        try:
            answer = self.session.send(message, stream=True, timeout=timeout, allow_redirects=False, **settings)
        except requests.HTTPError as error:  # a hook has called raise_for_status(): the services have better errors
            answer = error.response
            if answer is None:
                raise
        headers = {name.lower(): value for name, value in answer.headers.items()}
        raw = answer.raw
        if not isinstance(raw, BaseHTTPResponse):
            return Response(answer.status_code, headers, answer.content or b"", request=request)
        if _is_read(answer):
            return Response(
                answer.status_code, headers, answer.content, has_length=_has_length(raw, headers), request=request
            )
        if answer.status_code < 200:  # not over our own connections, which skip it
            answer.close()
            raise ProtocolError(f"informational response {answer.status_code}", HTTPException())
        if not (handle.dialed or handle.connected):
            handle.attach(partial(raw.shutdown))
        if request.stream and answer.status_code in (200, 206):
            reader = StreamingBody(raw, handle, request, self._live.discard)
            has_length = _has_length(raw, headers)
            return Response(answer.status_code, headers, reader=reader, has_length=has_length, request=request)
        is_whole = False
        try:
            body, is_whole = read_body(raw, answer.status_code, headers, self.max_response_size)
        finally:
            if not is_whole:
                answer.close()  # the rest of the body may still be on the wire
        has_length = is_whole and _has_length(raw, headers)
        return Response(answer.status_code, headers, body, has_length=has_length, request=request)

    def warn_if_adapter_retries(self, url: str) -> None:
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


def _validate_headers(headers: Mapping[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not isinstance(cast(object, value), str) or not isinstance(cast(object, name), str):
            raise UsageError(f"headers must map str to str, got {type(value).__name__} for {name!r}.")
    return dict(headers)


def _is_read(answer: requests.Response) -> bool:
    """Whether a hook, or a session's own `send`, has read the body: requests keeps it then, and raw has none."""
    return isinstance(getattr(answer, "_content", None), bytes)


def _has_length(raw: BaseHTTPResponse, headers: Mapping[str, str]) -> bool:
    """Whether something said where the body ends; one that never was on a wire (version 0) is whole."""
    length = headers.get("content-length", "")
    if length.isdigit() or "chunked" in headers.get("transfer-encoding", ""):
        return True
    return raw.status in (204, 304) or not raw.version


class _NoCookies(DefaultCookiePolicy):
    """Stores no cookie that a server sets: the session is shared by all users of an App."""

    def set_ok(self, cookie: Cookie, request: Any) -> bool:  # noqa: ARG002 - http.cookiejar's signature
        return False


class _CookieJar(RequestsCookieJar):
    """Sends the cookies that the program adds. Stores those of servers only once it has another policy."""

    def __init__(self) -> None:
        super().__init__(_NoCookies())

    def extract_cookies(self, response: Any, request: Any) -> None:
        if not isinstance(self.get_policy(), _NoCookies):  # which would parse them first
            super().extract_cookies(response, request)


def _new_session() -> requests.Session:
    session = requests.Session()
    session.cookies = _CookieJar()
    adapter = CancellableAdapter()
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


def _send_via_patched_session(
    method: Callable[..., Any], url: str, headers: Mapping[str, str], timeout: tuple[float, float], request: Request
) -> Response:
    """Through a function that a program has put in place of `session.get` or another verb."""
    options: dict[str, Any] = {"headers": dict(headers), "timeout": timeout}
    if request.body is not None:
        options["data"] = request.body
    answer: Any
    try:
        answer = method(url, **options)
    except requests.HTTPError as error:
        answer = error.response
        if answer is None:
            raise
    names = {str(name).lower(): value for name, value in dict(answer.headers).items()}
    return Response(answer.status_code, names, cast(bytes, answer.content), request=request)
