"""Send one request through an `aiohttp.ClientSession`.

Invariants: a truncated response raises an error; a partial body is never returned as complete. aiohttp never repeats
a request.
"""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Coroutine, Iterable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from typing import Any, cast

import aiohttp
import certifi
from aiohttp.client_proto import ResponseHandler
from yarl import URL

from firebase_rest.aio.transport.body import AsyncBody, read_body
from firebase_rest.aio.transport.credentials import AsyncAppCheck
from firebase_rest.aio.transport.failure import Connection, MalformedBody, prevent_repeat
from firebase_rest.aio.transport.lifecycle import AsyncClosable
from firebase_rest.aio.transport.scope import Scope
from firebase_rest.errors import NetworkError, UsageError
from firebase_rest.transport.arguments import describe, validate_int
from firebase_rest.transport.credentials import STRIP_AUTH, RequestAuth
from firebase_rest.transport.http_response import MAX_INFORMATIONAL
from firebase_rest.transport.lifecycle import WeakSet
from firebase_rest.transport.options import Options
from firebase_rest.transport.prepared_requests import (
    PERSONAL_HEADERS,
    USER_AGENT,
    ca_bundle,
    chunked,
    environment_proxy,
    full_url,
)
from firebase_rest.transport.session import CLOSED, MAX_RESPONSE_SIZE, validate_headers
from firebase_rest.transport.wire import ChunkedBody, Request, Response

MAX_CALLS = 100
"""Maximum number of calls that are sent at the same time. Further calls wait. Streams are not counted."""

CLOSING_TIMEOUT = 1.0
"""Maximum seconds that `close` waits for running handlers."""

_DEFAULT_HEADERS = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "gzip, deflate"}
_MIDDLEWARES = (prevent_repeat,)

_connection: ContextVar[Connection | None] = ContextVar("firebase_rest_connection", default=None)
"""The state of the attempt that this task is sending."""


class _Protocol(ResponseHandler):
    """The protocol of a connection. It skips at most `MAX_INFORMATIONAL` responses; aiohttp has no limit."""

    _informational = 0

    async def read(self) -> Any:
        message, payload = await super().read()
        self._informational = self._informational + 1 if 100 <= message.code < 200 else 0
        if self._informational > MAX_INFORMATIONAL:
            self.force_close()
            raise MalformedBody("too many informational responses")
        return message, payload


class _Connector(aiohttp.TCPConnector):
    """A connector that records whether an attempt has a connection.

    Invariant: a connection is closed if bytes arrived after the last response, because aiohttp would read them as the
    next response.
    """

    def __init__(self) -> None:
        # No limit here: `MAX_CALLS` is the limit, and waiting for a slot does not count as connecting.
        super().__init__(limit=0)  # pyright: ignore[reportUnknownMemberType]
        self._factory = cast(Any, partial(_Protocol, loop=self._loop))

    async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:
        connection = _connection.get() or Connection(lambda: None)
        connection.dialed = True
        for _ in range(MAX_CALLS):
            result = await super().connect(req, traces, timeout)
            if result.protocol is None or not result.protocol.should_close:
                connection.connected = True
                return result
            result.close()
        raise aiohttp.ServerDisconnectedError("the server sent data before the request")


class AiohttpTransport:
    """The `aiohttp.ClientSession` of an App, with the headers and limits of all its requests.

    The session is created by the first request, because it belongs to the running event loop.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession | None = None,
        headers: Mapping[str, str] | None = None,
        app_check: AsyncAppCheck | None = None,
        max_response_size: int = MAX_RESPONSE_SIZE,
    ) -> None:
        if session is not None and not isinstance(cast(object, session), aiohttp.ClientSession):
            raise UsageError(f"session must be an aiohttp.ClientSession, got {describe(session)}.")
        self._owns_session = session is None
        self._session = session
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lifetime: AsyncGenerator[None, None] | None = None
        self.headers = validate_headers(headers)
        self.max_response_size = validate_int("max_response_size", max_response_size, 1)
        self.app_check = app_check
        self.is_closed = False
        self.closables: WeakSet[AsyncClosable] = WeakSet()
        self.bodies: set[AsyncBody] = set()
        self.scopes: set[Scope] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._proxies: dict[str, str | None] = {}
        self._tls: ssl.SSLContext | None = None
        self._timeouts: dict[Options, aiohttp.ClientTimeout] = {}
        # Our own session sends the other headers. These must not be sent to hosts outside Firebase.
        self._per_request = {
            name: value
            for name, value in self.headers.items()
            if not self._owns_session or name.lower() in PERSONAL_HEADERS
        }

    def __reduce__(self) -> tuple[object, ...]:
        if not self._owns_session:
            raise TypeError("An App with an aiohttp session cannot be pickled; create the App in the other process.")
        return type(self), (None, self.headers, self.app_check, self.max_response_size)

    @property
    def session(self) -> aiohttp.ClientSession:
        """The session, in the event loop that uses the App."""
        loop = asyncio.get_running_loop()
        if self._session is not None and self._loop is loop and not self.is_closed:
            return self._session
        return self._open(loop)

    def _open(self, loop: asyncio.AbstractEventLoop) -> aiohttp.ClientSession:
        if self.is_closed:
            raise UsageError(CLOSED)
        if self._loop is not None and not self._loop.is_closed():
            raise UsageError("The App belongs to another event loop; create one App in each loop.")
        self._loop = loop
        self._slots = asyncio.Semaphore(MAX_CALLS)
        if self._owns_session:
            headers = {name: value for name, value in self.headers.items() if name not in self._per_request}
            names = {name.lower() for name in headers}
            defaults = {name: value for name, value in _DEFAULT_HEADERS.items() if name.lower() not in names}
            self._session = aiohttp.ClientSession(
                connector=_Connector(),
                headers={**defaults, **headers},
                cookie_jar=aiohttp.DummyCookieJar(),
                middlewares=_MIDDLEWARES,
                auto_decompress=False,
                raise_for_status=False,
            )
            self._lifetime = _close_at_end(self._session)
            with suppress(StopIteration):
                self._lifetime.__anext__().send(None)
        assert self._session is not None
        return self._session

    def start_task(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        """Start a task that `close` waits for."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)  # the event loop keeps only a weak reference
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Cancel streams and calls, and close the session, unless the program passed it."""
        self.is_closed = True
        for closable in self.closables:
            await closable.close()
        for scope in list(self.scopes):
            scope.cancel()
        for body in list(self.bodies):
            body.close()
        tasks = self._tasks - {asyncio.current_task()}
        if tasks:
            await asyncio.wait(tasks, timeout=CLOSING_TIMEOUT)
        if self._owns_session and self._session is not None:
            await self._session.close()
            if self._lifetime is not None:
                await self._lifetime.aclose()

    async def send(self, request: Request, auth: RequestAuth, options: Options, connection: Connection) -> Response:
        """Send a request and read the response. Raises the exceptions of aiohttp."""
        session = self.session
        timeout = self._timeout_of(options)
        if not self._owns_session:
            connection.dialed = connection.connected = True  # the connector of another session does not report it
        if request.stream:
            return await self._send(session, request, auth, timeout, connection)
        async with self._slots:
            return await self._send(session, request, auth, timeout, connection)

    def _timeout_of(self, options: Options) -> aiohttp.ClientTimeout:
        """Return the timeouts as a `ClientTimeout`."""
        timeout = self._timeouts.get(options)
        if timeout is None:
            timeout = aiohttp.ClientTimeout(total=None, connect=options.connect, sock_read=options.read)
            self._timeouts[options] = timeout
        return timeout

    async def _send(
        self,
        session: aiohttp.ClientSession,
        request: Request,
        auth: RequestAuth,
        timeout: aiohttp.ClientTimeout,
        connection: Connection,
    ) -> Response:
        url = full_url(request, auth)
        headers = {**self._per_request, **request.headers, **auth.headers} if self._has_headers(request, auth) else None
        settings: dict[str, Any] = {}
        if not self._owns_session:
            settings = self._settings_of_program(session, auth)
        else:
            if url.startswith("https:"):
                settings["ssl"] = self._tls_context()
            proxy = self._proxy_of(url)
            if proxy is not None:
                settings["proxy"] = proxy
        if headers and auth is STRIP_AUTH:
            headers = {name: value for name, value in headers.items() if name.lower() not in PERSONAL_HEADERS}
        body: Any = chunked(request.body)  # otherwise aiohttp would send a large body without letting other tasks run
        if isinstance(body, ChunkedBody):
            headers = {**(headers or {}), "Content-Length": str(len(body))}
        if body is not None and not isinstance(body, bytes):
            body = _pieces(body, timeout.sock_read or 0, connection)
        token = _connection.set(connection)
        try:
            response = await session.request(
                request.method,
                URL(url, encoded=True),
                headers=headers,
                data=body,
                allow_redirects=False,
                timeout=timeout,
                **settings,
            )
        finally:
            _connection.reset(token)
        return await self._received(response, request, connection)

    async def _received(self, response: aiohttp.ClientResponse, request: Request, connection: Connection) -> Response:
        headers: Mapping[str, str] = response.headers
        status = response.status
        coding = headers.get("Transfer-Encoding", "").lower()
        if status < 200 or coding not in ("", "chunked"):
            response.close()
            if status < 200:
                raise MalformedBody(f"informational response {status}")
            raise MalformedBody("the transfer encoding is not 'chunked'")
        # Whether the end of the body is confirmed.
        has_length = "Content-Length" in headers or bool(coding) or status in (204, 304)
        if request.stream and status in (200, 206):
            body = AsyncBody(response, connection, request, self.bodies)
            return Response(
                status, _join_headers(headers), reader=cast(Any, body), has_length=has_length, request=request
            )
        try:
            content = await read_body(response, self.max_response_size)
        except BaseException:
            response.close()
            raise
        if status >= 300 or not content:
            headers = _join_headers(headers)
        return Response(status, headers, content, has_length=has_length, request=request)

    def _has_headers(self, request: Request, auth: RequestAuth) -> bool:
        return bool(self._per_request or request.headers or auth.headers)

    def _settings_of_program(self, session: aiohttp.ClientSession, auth: RequestAuth) -> dict[str, Any]:
        is_personal = session.auth is not None or any(name.lower() in PERSONAL_HEADERS for name in session.headers)
        if auth is STRIP_AUTH and is_personal:
            raise NetworkError(
                "The server redirected to a host outside Firebase, which must not receive the credentials of the "
                "session; the redirect was not followed."
            )
        middlewares = (prevent_repeat, *getattr(session, "_middlewares", ()))
        return {"middlewares": middlewares, "auto_decompress": False, "raise_for_status": False}

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            bundle = ca_bundle() or certifi.where()
            is_folder = os.path.isdir(bundle)  # noqa: PTH112 - requests accepts both
            self._tls = ssl.create_default_context(
                cafile=None if is_folder else bundle, capath=bundle if is_folder else None
            )
        return self._tls

    def _proxy_of(self, url: str) -> str | None:
        host = url[: url.find("/", 8)]
        if host not in self._proxies:
            self._proxies[host] = environment_proxy(url)
        return self._proxies[host]


async def _close_at_end(session: aiohttp.ClientSession) -> AsyncGenerator[None, None]:
    """Close a session when the event loop ends or the App is deleted, because asyncio then closes this generator."""
    try:
        yield
    finally:
        await session.close()


async def _iterate(body: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in body:
        yield piece


async def _pieces(
    body: Iterable[bytes] | AsyncIterable[bytes], seconds: float, connection: Connection
) -> AsyncIterator[bytes]:
    """Yield a body in pieces. The server must accept each piece within `seconds`."""

    def stop() -> None:
        connection.error = asyncio.TimeoutError()
        connection.abort()

    loop = asyncio.get_running_loop()
    timer = loop.call_later(seconds, stop)
    try:
        async for piece in body if isinstance(body, AsyncIterable) else _iterate(body):
            timer.cancel()
            timer = loop.call_later(seconds, stop)
            yield piece
    except Exception as error:
        connection.error = error
        connection.abort()
        raise
    finally:
        timer.cancel()


def _join_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers by their lower-case names. Headers with the same name are joined by commas."""
    result: dict[str, str] = {}
    for name, value in headers.items():
        key = name.lower()
        result[key] = f"{result[key]}, {value}" if key in result else value
    return result
