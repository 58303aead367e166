"""Send one request through a `requests.Session`.

Invariant: a truncated response raises an error; a partial body is never returned as complete.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, cast

import requests

from firebase_rest.errors import UsageError
from firebase_rest.transport.adapter import drop_connections, new_session
from firebase_rest.transport.arguments import describe, validate_dict, validate_int
from firebase_rest.transport.cancellation import CancelHandle, current_handle
from firebase_rest.transport.credentials import AppCheck, RequestAuth
from firebase_rest.transport.http_response import read_response
from firebase_rest.transport.interrupt import Interrupt
from firebase_rest.transport.lifecycle import Closable, WeakSet, register
from firebase_rest.transport.prepared_requests import Environment, full_url, headers_for, prepare_request
from firebase_rest.transport.redaction import install_log_filter
from firebase_rest.transport.watchdog import watchdog
from firebase_rest.transport.wire import Request, Response

MAX_RESPONSE_SIZE = 256 * 1024 * 1024
"""Maximum number of bytes of a decompressed body. Firebase limits a read of a database to the same size."""

CLOSED = "The App is closed; create a new one with initialize_app()."


class SessionTransport:
    """The `requests.Session` of an App, with the headers and limits of all its requests."""

    def __init__(
        self,
        session: requests.Session | None = None,
        headers: Mapping[str, str] | None = None,
        app_check: AppCheck | None = None,
        max_response_size: int = MAX_RESPONSE_SIZE,
    ) -> None:
        if session is not None and (isinstance(session, type) or not hasattr(session, "send")):
            raise UsageError(f"session must be a requests.Session, got {describe(session)}.")
        self._owns_session = session is None
        self.session = session if session is not None else new_session()
        self.headers = validate_headers(headers)
        self.max_response_size = validate_int("max_response_size", max_response_size, 1)
        self.app_check = app_check
        self.environment = Environment()
        self.is_closed = False
        self.closing = Interrupt()
        self.closables: WeakSet[Closable] = WeakSet()
        self._handles: set[CancelHandle] = set()
        self._has_warned = False
        install_log_filter()
        register(self)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state for another process, which opens its own connections."""
        arguments = self.session, self.headers, self.app_check, self.max_response_size
        return {"owns_session": self._owns_session, "arguments": arguments}

    def __setstate__(self, state: dict[str, Any]) -> None:
        SessionTransport.__init__(self, *state["arguments"])
        self._owns_session = state["owns_session"]

    def close(self) -> None:
        """Cancel streams and calls, and close the session, unless the program passed it."""
        self.is_closed = True
        self.closing.set()
        for closable in self.closables:
            closable.close()
        for handle in list(self._handles):
            handle.cancel()
        watchdog.stop_if_idle()
        if self._owns_session:
            self.session.close()

    def reset_after_fork(self) -> None:
        """Drop the parent's requests and connections in a forked child process."""
        for handle in self._handles:
            handle.abandon()
        self._handles = set()
        drop_connections(self.session)

    def send_once(
        self, request: Request, auth: RequestAuth, timeout: tuple[float, float], handle: CancelHandle
    ) -> Response:
        """Send a request and read the response. Raises the exceptions of requests and urllib3."""
        self._warn_if_adapter_retries(request.url)
        handle.dialed = handle.connected = False
        patched_method = None if request.stream else vars(self.session).get(request.method.lower())
        if patched_method is not None:
            return self._send_via_patched_session(patched_method, request, auth, timeout)
        token = current_handle.set(handle)
        response = None
        try:
            response = self._send(request, auth, timeout, handle)
            return response
        finally:
            current_handle.reset(token)
            if response is None or response.reader is None:
                handle.detach()
                self._handles.discard(handle)

    def _send(
        self, request: Request, auth: RequestAuth, timeout: tuple[float, float], handle: CancelHandle
    ) -> Response:
        url = full_url(request, auth)
        request_headers = headers_for(self.session, self.headers, request, auth)
        settings = self.environment.settings(self.session, url)
        prepared_request = prepare_request(self.session, request.method, url, request_headers, request.body)
        self._handles.add(handle)
        if self.is_closed:
            handle.cancel()
        response: requests.Response | None
        try:
            response = self.session.send(
                prepared_request, stream=True, timeout=timeout, allow_redirects=False, **settings
            )
        except requests.HTTPError as error:  # raised by a hook; the services raise more specific errors
            response = error.response
            if response is None:
                raise
        return read_response(response, request, handle, self.max_response_size, self._handles.discard)

    def _send_via_patched_session(
        self, method: Callable[..., Any], request: Request, auth: RequestAuth, timeout: tuple[float, float]
    ) -> Response:
        """Send with `session.get` or another method of the session that the program has replaced."""
        headers = headers_for(self.session, self.headers, request, auth)
        options: dict[str, Any] = {"headers": headers, "timeout": timeout}
        if request.body is not None:
            options["data"] = request.body
        response: Any
        try:
            response = method(full_url(request, auth), **options)
        except requests.HTTPError as error:
            response = error.response
            if response is None:
                raise
        response_headers = {str(name).lower(): value for name, value in dict(response.headers).items()}
        return Response(response.status_code, response_headers, cast(bytes, response.content), request=request)

    def _warn_if_adapter_retries(self, url: str) -> None:
        """Warn once if a mounted adapter retries."""
        adapters = self.session.adapters
        if self._has_warned or not any(map(_retries, adapters.values())) or not _retries(self.session.get_adapter(url)):
            return
        self._has_warned = True
        warnings.warn(
            "The session has an adapter that retries requests, even if they are not idempotent; mount the adapter with "
            "max_retries=0.",
            stacklevel=2,
        )


def _retries(adapter: object) -> bool:
    return bool(getattr(getattr(adapter, "max_retries", None), "total", 0))


def validate_headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Return the headers. Raises `UsageError` for values that are not strings."""
    items = {} if headers is None else validate_dict("headers", headers)
    for name, value in items.items():
        if not isinstance(value, str) or not isinstance(name, str):
            raise UsageError(f"headers must map str to str, got {type(value).__name__} for {describe(name)}.")
    return items
