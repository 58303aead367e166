"""The emulator behind a port: Starlette's request and response over uvicorn, in a thread of its own.

There is one ASGI function and no router: the raw path must reach the emulator as it was sent (`%2F` and `+` mean
something in it), and a small read costs little more than uvicorn itself.
"""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl

from firebase_rest.emulator.database.body import MAX_BODY_BYTES, TOO_LARGE
from firebase_rest.emulator.database.responses import RefusedError
from firebase_rest.emulator.database.stream import HEADERS as STREAM_HEADERS
from firebase_rest.emulator.database.stream import KEEP_ALIVE, Ending, Subscription
from firebase_rest.emulator.storage.asgi import serve as serve_storage
from firebase_rest.transport.wire import Request

try:
    import uvicorn
    from starlette.concurrency import run_in_threadpool
    from starlette.responses import Response as HttpResponse
    from starlette.responses import StreamingResponse
except ImportError as error:  # pragma: no cover - the wheel's test runs this, in an environment without the extra
    raise ImportError(
        "The emulator's server needs Starlette and uvicorn: install them with pip install 'firebase-rest[emulator]'."
    ) from error

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType

    from starlette.types import ASGIApp, Receive, Scope, Send
    from typing_extensions import Self

    from firebase_rest.emulator.emulator import Emulator
    from firebase_rest.emulator.storage import StorageEmulator
    from firebase_rest.transport.wire import Response

_SMALL_BODY = 64 * 1024
"""Bytes up to which a request is answered on the event loop itself: handing it to a thread would cost more."""

_START_SECONDS = 10.0
_GRACE_SECONDS = 0.5


class Server:
    """A running emulator. A context manager; `close` may be called from any thread, and twice.

    `host` is "127.0.0.1:PORT"; `environ` are the variables that make Firebase clients talk to it; `config` is what
    `firebase_rest.initialize_app` takes.
    """

    def __init__(self, emulator: Emulator, host: str = "127.0.0.1", port: int = 0) -> None:
        self.emulator = emulator
        self._streams: set[Subscription] = set()
        self._socket = _listen(host, port)
        address = f"[{host}]" if ":" in host else host
        self.host = f"{address}:{self._socket.getsockname()[1]}"
        self._ready = threading.Event()
        self._closing = threading.Lock()
        self._uvicorn = _Uvicorn(self._application, self._ready, self._end_streams)
        self._thread = threading.Thread(target=self._run, name=f"firebase-emulator-{self.host}", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_SECONDS) or not self._thread.is_alive():  # pragma: no cover
            raise RuntimeError(f"The emulator did not start on {self.host}.")

    def __repr__(self) -> str:
        return f"<Server {self.host}>"

    @property
    def environ(self) -> dict[str, str]:
        """The environment variables that point Firebase's clients here, and the configuration they start with."""
        return {
            "FIREBASE_AUTH_EMULATOR_HOST": self.host,
            "FIREBASE_DATABASE_EMULATOR_HOST": self.host,
            "FIREBASE_STORAGE_EMULATOR_HOST": self.host,
            "STORAGE_EMULATOR_HOST": f"http://{self.host}",  # google-cloud-storage's own
            "FIREBASE_CONFIG": json.dumps(self.config),
        }

    @property
    def config(self) -> dict[str, str]:
        """A configuration for `firebase_rest.initialize_app`. Auth is found through `environ`."""
        project = self.emulator.project
        return {
            "apiKey": "emulator",
            "authDomain": f"{project}.firebaseapp.com",
            "projectId": project,
            "databaseURL": f"http://{self.host}/?ns={project}-default-rtdb",
            "storageBucket": f"{project}.appspot.com",
        }

    def close(self) -> None:
        """End all streams, finish what is being answered (for half a second), and free the port."""
        with self._closing:
            self._uvicorn.should_exit = True
            self._thread.join()
            self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _run(self) -> None:
        try:
            asyncio.run(self._uvicorn.serve([self._socket]))
        finally:
            self._ready.set()

    def _end_streams(self) -> None:
        for stream in list(self._streams):
            stream.end()

    async def _application(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _is_for_storage(self.emulator.storage, scope):

            def hang_up(how: str) -> None:
                self._uvicorn.hang_up(scope["client"], reset=how == "rst")

            await serve_storage(self.emulator.storage, _request(scope, b""), receive, send, hang_up)
            return
        try:
            body = await _body(receive)
        except RefusedError as refused:
            await _over_http(refused.response())(scope, receive, send)
            return
        if body is None:
            return
        request = _request(scope, body)
        if len(body) <= _SMALL_BODY:
            answer = self.emulator.open(request)
        else:
            answer = await run_in_threadpool(self.emulator.open, request)
        if not isinstance(answer, Subscription):
            await _over_http(answer)(scope, receive, send)
            return
        self._streams.add(answer)
        try:
            await StreamingResponse(self._events(answer, scope), headers=STREAM_HEADERS)(scope, receive, send)
        finally:
            answer.end()
            self._streams.discard(answer)

    async def _events(self, stream: Subscription, scope: Scope) -> AsyncIterator[bytes]:
        """The bytes of an event stream as they come, until either side ends it."""
        loop, written = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with suppress(
                RuntimeError
            ):  # the loop may be gone when a thread writes to an emulator whose server has closed
                loop.call_soon_threadsafe(written.set)

        stream.when_written(wake)
        since = time.monotonic()
        while True:
            written.clear()
            over = stream.ended  # looked at first: what was queued before the end must still come out
            data = stream.take()
            if data:
                yield data
                since = time.monotonic()
            elif self._uvicorn.should_exit or (over and not stream.stalled):
                break
            else:
                with suppress(asyncio.TimeoutError):  # another class before Python 3.11
                    await asyncio.wait_for(written.wait(), stream.patience(since, self.emulator.keep_alive))
                    continue
                if not stream.patience(since, self.emulator.keep_alive):
                    yield KEEP_ALIVE
                    since = time.monotonic()
        if stream.ending in {Ending.CUT, Ending.RESET}:
            self._uvicorn.hang_up(scope["client"], reset=stream.ending is Ending.RESET)
            await asyncio.Event().wait()  # Starlette cancels this when it hears that the connection is gone


class _Uvicorn(uvicorn.Server):
    """uvicorn that says when it is ready, and that does not wait for watchers to leave when it shall stop."""

    def __init__(self, application: ASGIApp, ready: threading.Event, end_streams: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(
                application,
                interface="asgi3",
                ws="none",
                lifespan="off",
                # Logging is the program's business: this server may share its process with another uvicorn.
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=120,
            )
        )
        self._ready = ready
        self._end_streams = end_streams

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_streams()
        last_call = asyncio.get_running_loop().call_later(_GRACE_SECONDS, self._abort)
        await super().shutdown(sockets)
        last_call.cancel()

    def hang_up(self, client: tuple[str, int], *, reset: bool) -> None:
        """Close a client's connection in the middle of the answer."""
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
        """Drop whoever does not read his answer."""
        for task in list(self.server_state.tasks):
            task.cancel()
        for connection in list(self.server_state.connections):
            connection.transport.abort()


# Bytes that one connection may have on their way. Left alone, the kernel takes several megabytes over loopback, all of
# them given for nothing when the connection breaks; no network between a program and Firebase holds as many.
_ON_THE_WAY = 256 * 1024


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named: asyncio switches Nagle off only for sockets that say that they are TCP, and each answer would wait 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ON_THE_WAY)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


def _is_for_storage(storage: StorageEmulator, scope: Scope) -> bool:
    """Whether a request may carry a file, so that its body must not be collected; as `Emulator.open` decides it."""
    if scope["method"] == "OPTIONS":
        return False
    query: bytes = scope["query_string"]
    names = [pair.partition("=")[0] for pair in query.decode("latin-1").split("&")]
    return "ns" not in names and storage.takes(scope["method"], scope["raw_path"].decode("latin-1"), names)


async def _body(receive: Receive) -> bytes | None:
    """The whole body; `None` where the client left before it was there. Raises `RefusedError` 413 above 256 MB."""
    parts: list[bytes] = []
    size = 0
    while (message := await receive())["type"] == "http.request":
        part = cast("bytes", message.get("body", b""))
        parts.append(part)
        size += len(part)
        if size > MAX_BODY_BYTES:
            raise RefusedError(413, TOO_LARGE)
        if not message.get("more_body"):
            return b"".join(parts)
    return None


def _request(scope: Scope, body: bytes) -> Request:
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    url = f"http://{headers.get('host', 'localhost')}{scope['raw_path'].decode('latin-1')}"
    query: bytes = scope["query_string"]
    params = parse_qsl(query.decode("latin-1"), keep_blank_values=True) if query else []
    return Request(scope["method"], url, tuple(params), headers, body)


def _over_http(answer: Response) -> HttpResponse:
    headers = {"access-control-allow-origin": "*", **answer.headers}
    return HttpResponse(answer.body, answer.status, headers)
