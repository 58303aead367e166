"""The HTTP server: an ASGI application on uvicorn, in its own thread.

The application does its own routing because the emulator needs the raw path, in which `%2F` and `+` are significant.
"""

from __future__ import annotations

import asyncio
import io
import json
import socket
import struct
import threading
import time
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import parse_qsl

from firebase_rest.emulator.console import PREFIX as CONSOLE_PREFIX
from firebase_rest.emulator.console import STREAM_HEADERS as CONSOLE_STREAM_HEADERS
from firebase_rest.emulator.database.body import MAX_BODY_BYTES, TOO_LARGE
from firebase_rest.emulator.database.namespace import WAIT_SECONDS
from firebase_rest.emulator.database.realtime.delivery import in_slices, watch
from firebase_rest.emulator.database.realtime.frames import MAX_MESSAGE
from firebase_rest.emulator.database.realtime.long_polling import LongPolling
from firebase_rest.emulator.database.realtime.websocket import serve_websocket
from firebase_rest.emulator.database.rendering import trim_memory
from firebase_rest.emulator.database.responses import DatabaseHTTPError, LargeResponse, text_response
from firebase_rest.emulator.database.settings import RULES_PATH
from firebase_rest.emulator.database.stream import KEEP_ALIVE, STREAM_HEADERS, Ending, Subscription
from firebase_rest.emulator.exports.endpoints import PATHS as EXPORT_PATHS
from firebase_rest.emulator.hosts import is_allowed_host, is_loopback
from firebase_rest.emulator.router import Service
from firebase_rest.emulator.storage.asgi import serve as serve_storage
from firebase_rest.emulator.storage.faults import ConnectionDropped
from firebase_rest.emulator.urls import RequestUrl
from firebase_rest.transport.lifecycle import Closable
from firebase_rest.transport.wire import Request, Response

try:
    import uvicorn
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import StreamingResponse
    from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
except ImportError as error:  # pragma: no cover - the wheel's test runs this, in an environment without the extra
    raise ImportError(
        "The emulator's server needs Starlette, uvicorn and websockets: install them with "
        "pip install 'firebase-rest[emulator]'."
    ) from error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Mapping

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from firebase_rest.emulator.database.realtime.sessions import Sessions
    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.faults import Faults
    from firebase_rest.emulator.request_log import LoggedRequest, RequestLog
    from firebase_rest.emulator.storage import StorageEmulator

_SMALL_BODY = 64 * 1024
"""Requests with at most this many bytes are handled on the event loop, because handing them to a thread costs more."""

_MAX_KNOWN_HOSTS = 100

_LARGE_BODY = 1024 * 1024
_BLOCK = 64 * 1024
_WITHOUT_BODY = frozenset({204, 304})

_CORS = {"access-control-allow-origin": "*"}

_START_SECONDS = 10.0
_GRACE_SECONDS = 0.5


class ServedEmulator(Protocol):
    """The part of `Emulator` that a server uses, and tests through `server.emulator`."""

    project: str
    keep_alive: float
    require_auth: bool
    faults: Faults
    sessions: Sessions
    storage: StorageEmulator
    request_log: RequestLog

    def reset(self) -> None:
        """See `Emulator.reset`."""
        ...

    def route(self, request: Request, url: RequestUrl) -> Service:
        """See `Emulator.route`."""
        ...

    def dispatch(
        self, request: Request, url: RequestUrl | None = None, service: Service | None = None
    ) -> Response | Subscription:
        """See `Emulator.dispatch`."""
        ...

    def must_wait(self, method: str, url: RequestUrl) -> bool:
        """See `Emulator.must_wait`."""
        ...

    def database_work(self, request: Request, url: RequestUrl) -> Work[Response | Subscription]:
        """See `Emulator.database_work`."""
        ...


class Server(Closable):
    """A running HTTP server of an emulator. Use it as a context manager, or call `close`.

    Args:
        emulator: The emulator to serve.
        host: The address to listen on.
        port: The port to listen on; 0 selects a free one.
        allowed_hosts: Further host names that requests to a server on a loopback address may have.

    Raises:
        OSError: If the address or port is not available.

    Attributes:
        emulator: The served emulator.
        host: Address and port, such as "127.0.0.1:9000".
    """

    def __init__(
        self, emulator: ServedEmulator, host: str = "127.0.0.1", port: int = 0, allowed_hosts: Collection[str] = ()
    ) -> None:
        self.emulator = emulator
        self._polling = LongPolling(emulator.sessions)
        self._allowed_hosts = frozenset(name.lower() for name in allowed_hosts) if is_loopback(host) else None
        self._known_hosts: set[str] = set()
        self._streams: set[Subscription] = set()
        self._socket = _listen(host, port)
        address = f"[{host}]" if ":" in host else host
        self.host = f"{address}:{self._socket.getsockname()[1]}"
        self._ready = threading.Event()
        self._closing = threading.Lock()
        self._uvicorn = _Uvicorn(self._application, self._ready, self._end_streams, self._check_sessions)
        self._thread = threading.Thread(target=self._run, name=f"firebase-emulator-{self.host}", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_SECONDS) or not self._thread.is_alive():  # pragma: no cover
            raise RuntimeError(f"The emulator did not start on {self.host} within {_START_SECONDS:g} s.")

    def __repr__(self) -> str:
        return f"<Server {self.host}>"

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables that make Firebase clients use this emulator."""
        return {
            "FIREBASE_AUTH_EMULATOR_HOST": self.host,
            "FIREBASE_DATABASE_EMULATOR_HOST": self.host,
            "FIREBASE_STORAGE_EMULATOR_HOST": self.host,
            "STORAGE_EMULATOR_HOST": f"http://{self.host}",  # for google-cloud-storage
            "FIREBASE_CONFIG": json.dumps(self.config),
        }

    @property
    def config(self) -> dict[str, str | dict[str, str]]:
        """The configuration for `firebase_rest.initialize_app`.

        `emulatorHosts` has the address of each service, as in `__FIREBASE_DEFAULTS__` of the JavaScript SDK.
        """
        project = self.emulator.project
        return {
            "apiKey": "emulator",
            "authDomain": f"{project}.firebaseapp.com",
            "projectId": project,
            "databaseURL": f"http://{self.host}/?ns={project}-default-rtdb",
            "storageBucket": f"{project}.appspot.com",
            "emulatorHosts": dict.fromkeys(("auth", "database", "storage"), self.host),
        }

    def close(self) -> None:
        """End all streams, wait up to half a second for other requests, and release the port.

        Thread-safe and idempotent.
        """
        with self._closing:
            self._uvicorn.should_exit = True
            self._thread.join()
            self._socket.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._uvicorn.serve([self._socket]))
        finally:
            self._ready.set()

    def _end_streams(self) -> None:
        for stream in list(self._streams):
            stream.end()
        self.emulator.sessions.end_all()

    def _check_sessions(self) -> None:
        self.emulator.sessions.check_tokens()
        self._polling.check_timeouts()

    async def _application(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, url = _parse(scope)
        if not self._is_allowed_host(url.host):
            prefix = "websocket." if scope["type"] == "websocket" else ""
            await _send(_host_error(url.host), send, prefix=prefix)
        elif scope["type"] == "websocket":
            await serve_websocket(self.emulator.sessions, self._polling, url, receive, send)
        elif "x-console-token" in request.headers or url.path.startswith(CONSOLE_PREFIX):
            await self._respond(request, url, scope, receive, send)
        else:
            entry = self.emulator.request_log.start(request.method, url)
            try:
                await self._respond(request, url, scope, receive, _recording(send, entry))
            finally:
                entry.finish()

    def _is_allowed_host(self, host: str) -> bool:
        """Return whether requests with this Host header are handled."""
        if self._allowed_hosts is None or host in self._known_hosts:
            return True
        if not is_allowed_host(host, self._allowed_hosts):
            return False
        if len(self._known_hosts) < _MAX_KNOWN_HOSTS:
            self._known_hosts.add(host)
        return True

    async def _respond(self, request: Request, url: RequestUrl, scope: Scope, receive: Receive, send: Send) -> None:
        service = self.emulator.route(request, url)
        shared_headers = {} if service is Service.CONSOLE else _CORS
        if service is Service.STORAGE and request.method != "OPTIONS":

            def drop(how: str) -> None:
                self._uvicorn.drop(scope["client"], reset=how == "rst")

            await serve_storage(self.emulator.storage, request, url, receive, send, drop)
            return
        try:
            body = await _read_body(receive)
            if url.path == "/.lp" and body is not None:
                await _send(await self._polling.handle(url, receive), send)
                return
        except DatabaseHTTPError as error:
            await _send(error.response(), send)
            return
        if body is None:
            return
        coroutine = self._handle_with_faults(replace(request, body=body), url, service)
        del request, body  # only the coroutine refers to a large body now, and frees it as soon as it is parsed
        try:
            response = await coroutine
        except ConnectionDropped as error:
            self._uvicorn.drop(scope["client"], reset=error.how == "rst")
            while (await receive())["type"] != "http.disconnect":
                pass
            return
        if not isinstance(response, Subscription):
            await _send(response, send, shared_headers)
            return
        self._streams.add(response)
        headers = CONSOLE_STREAM_HEADERS if service is Service.CONSOLE else STREAM_HEADERS
        try:
            await StreamingResponse(self._events(response, scope), headers=headers)(scope, receive, send)
        finally:
            response.end()
            self._streams.discard(response)

    async def _handle_with_faults(self, request: Request, url: RequestUrl, service: Service) -> Response | Subscription:
        """Return the response to a request that is not for Storage. Raises `ConnectionDropped` for a fault."""
        fault = self.emulator.faults.for_request(service, request, url)
        if fault is None:
            coroutine = self._handle(request, url, service)
            del request
            return await coroutine
        await fault.wait_async()
        response = fault.before_request() or await self._handle(request, url, service)
        fault.after_request()
        return response

    async def _handle(self, request: Request, url: RequestUrl, service: Service) -> Response | Subscription:
        """Return the response to a request that is not for Storage."""
        size = len(cast("bytes", request.body))
        if url.path == RULES_PATH or url.path in EXPORT_PATHS:  # these may take long, and are not divided into slices
            return await run_in_threadpool(self.emulator.dispatch, request, url, service)
        if service is Service.DATABASE:
            while self.emulator.must_wait(request.method, url):  # noqa: ASYNC110 - any thread can end the wait
                await asyncio.sleep(WAIT_SECONDS)
            work = self.emulator.database_work(request, url)
            del request
            response = await in_slices(work)
            if size > _LARGE_BODY:
                trim_memory()
            return response
        if size <= _SMALL_BODY:
            return self.emulator.dispatch(request, url, service)
        return await run_in_threadpool(self.emulator.dispatch, request, url, service)

    async def _events(self, stream: Subscription, scope: Scope) -> AsyncIterator[bytes]:
        """Yield the bytes of an event stream until either side ends it."""
        written = watch(stream.on_written)
        last_sent = time.monotonic()
        while True:
            written.clear()
            ended = stream.ended  # read before `take_work`, so that events queued before the end are delivered
            pieces = await in_slices(stream.take_work())
            if any(pieces):
                for block in _blocks(pieces):
                    yield block
                    if len(block) >= _BLOCK:
                        await asyncio.sleep(0)
                last_sent = time.monotonic()
            elif self._uvicorn.should_exit or (ended and not stream.stalled):
                break
            else:
                with suppress(asyncio.TimeoutError):  # before Python 3.11 it is not the built-in TimeoutError
                    timeout = stream.seconds_until_keepalive(last_sent, self.emulator.keep_alive)
                    await asyncio.wait_for(written.wait(), timeout)
                    continue
                if not stream.seconds_until_keepalive(last_sent, self.emulator.keep_alive):
                    yield KEEP_ALIVE
                    last_sent = time.monotonic()
        if stream.ending in {Ending.CUT, Ending.RESET}:
            self._uvicorn.drop(scope["client"], reset=stream.ending is Ending.RESET)
            await asyncio.Event().wait()  # Starlette cancels this when the connection is closed


class _Uvicorn(uvicorn.Server):
    """A uvicorn server that sets an event when it is ready, and ends streams when it stops."""

    def __init__(
        self,
        application: ASGIApp,
        ready: threading.Event,
        end_streams: Callable[[], None],
        check_sessions: Callable[[], None],
    ) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                interface="asgi3",
                ws=WebSocketsSansIOProtocol,
                ws_max_size=MAX_MESSAGE,
                ws_per_message_deflate=False,
                lifespan="off",
                # Leave logging to the application, which may run another uvicorn server.
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=120,
            )
        )
        self._ready = ready
        self._end_streams = end_streams
        self._check_sessions = check_sessions

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        # Libraries that freeze the clock replace time.monotonic. Without timers, `close` would never return.
        if hasattr(time, "clock_gettime"):
            asyncio.get_running_loop().time = partial(time.clock_gettime, time.CLOCK_MONOTONIC)  # type: ignore[method-assign]
        await super().startup(sockets)
        self._ready.set()

    async def on_tick(self, counter: int) -> bool:
        self._check_sessions()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_streams()
        abort_timer = asyncio.get_running_loop().call_later(_GRACE_SECONDS, self._abort)
        await super().shutdown(sockets)
        abort_timer.cancel()

    def drop(self, client: tuple[str, int], *, reset: bool) -> None:
        """Close the connection of a client during a response."""
        for connection in list(self.server_state.connections):
            transport = connection.transport
            if transport.get_extra_info("peername")[:2] == tuple(client):
                if reset:
                    linger = struct.pack("ii", 1, 0)
                    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    transport.abort()
                else:
                    transport.close()

    def _abort(self) -> None:
        """Close the connections of clients that do not read their responses."""
        for task in list(self.server_state.tasks):
            task.cancel()
        for connection in list(self.server_state.connections):
            connection.transport.abort()


_SEND_BUFFER = 256 * 1024
"""Size of the send buffer of a connection. The kernel's default on loopback is several megabytes. A dropped download
would count these bytes as sent, unlike on a real network."""


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # IPPROTO_TCP, because asyncio disables Nagle's algorithm only then; otherwise each response takes 40 ms longer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        listener.bind((host, port))
        listener.listen(1024)
    except (OSError, OverflowError) as error:
        listener.close()
        number = error.errno if isinstance(error, OSError) else None
        reason = error.strerror if isinstance(error, OSError) else "the port must be from 0 to 65535"
        raise OSError(number, f"Cannot listen on {host} port {port}: {reason}.") from None
    return listener


async def _send(response: Response, send: Send, shared_headers: Mapping[str, str] = _CORS, prefix: str = "") -> None:
    """Send a response. To reject a WebSocket handshake, `prefix` must be "websocket."."""
    pieces = response.pieces if isinstance(response, LargeResponse) else (response.body or b"",)
    headers = {**shared_headers, **response.headers}
    if response.status not in _WITHOUT_BODY:
        headers["content-length"] = str(sum(map(len, pieces)))
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": f"{prefix}http.response.start", "status": response.status, "headers": raw})
    if isinstance(response, LargeResponse):
        for block in _blocks(pieces):
            await send({"type": "http.response.body", "body": block, "more_body": True})
            await asyncio.sleep(0)
        pieces = (b"",)
    await send({"type": f"{prefix}http.response.body", "body": pieces[0]})


def _blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces joined to blocks of at least 64 KiB; the last block may be smaller."""
    pending: list[bytes] = []
    size = 0
    for piece in pieces:
        pending.append(piece)
        size += len(piece)
        if size >= _BLOCK:
            yield b"".join(pending)
            pending, size = [], 0
    if pending:
        yield b"".join(pending)


async def _read_body(receive: Receive) -> bytes | None:
    """Return the body, or None if the client disconnects. Raises `DatabaseHTTPError` 413 above 256 MB."""
    body = io.BytesIO()  # it grows in place; joining parts would copy the body in one step
    while (message := await receive())["type"] == "http.request":
        body.write(cast("bytes", message.get("body", b"")))
        if body.tell() > MAX_BODY_BYTES:
            raise DatabaseHTTPError(413, TOO_LARGE)
        if not message.get("more_body"):
            return body.getvalue()
    return None


def _parse(scope: Scope) -> tuple[Request, RequestUrl]:
    """Return the request without its body, and its URL."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query: bytes = scope["query_string"]
    params = tuple(parse_qsl(query.decode("latin-1"), keep_blank_values=True)) if query else ()
    host, path = headers.get("host", "localhost"), scope["raw_path"].decode("latin-1")
    request = Request(scope.get("method", "GET"), f"http://{host}{path}", params, headers)
    return request, RequestUrl("http", host, path, params)


def _host_error(host: str) -> Response:
    message = (
        f"The emulator does not accept requests for the host {host[:100]!r}, because they may come from a web site. "
        "Use 127.0.0.1 or localhost, or allow the name with --allow-host or allowed_hosts."
    )
    return text_response(403, message)


def _recording(send: Send, entry: LoggedRequest) -> Send:
    """Return a `send` that records the status of the response."""

    async def record(message: Message) -> None:
        if message["type"] == "http.response.start":
            entry.status = message["status"]
        await send(message)

    return record
