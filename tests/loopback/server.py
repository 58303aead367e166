"""A server on a raw socket that runs a script, for responses that well-behaved servers never send.

A script is a function of a `Peer`, run once per connection in a separate thread; the last script serves all further
connections. `with Server(script, ...) as server` ends every connection and checks that no script failed.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

LIMIT = 20.0
"""Seconds after which a test has failed rather than waits on."""


@dataclass
class Received:
    """One request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]


class Gone(Exception):
    """The client closed its side, or the test is over."""


@dataclass
class Peer:
    """One connection, seen from the server."""

    sock: socket.socket
    server: Server
    number: int
    """Which connection it is, from 0."""
    buffer: bytearray = field(default_factory=bytearray)

    # --- reading ---

    def request(self) -> Received:
        """The next request, whole. Raises `Gone` at the end of the connection."""
        while b"\r\n\r\n" not in self.buffer:
            self._more()
        head, _, rest = bytes(self.buffer).partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.buffer[:] = rest
        received = Received(method, target, headers)
        if "chunked" in headers.get("transfer-encoding", ""):
            received.body = self._chunks()
        else:
            received.body = self._exactly(int(headers.get("content-length", 0)))
        self.server.requests.append(received)
        return received

    def closed(self) -> bool:
        """Wait for the client to close its side."""
        try:
            while True:
                self._more()
        except Gone:
            return True

    def _more(self) -> None:
        try:
            data = self.sock.recv(65_536)
        except (OSError, ValueError):
            data = b""
        if not data:
            raise Gone
        self.buffer += data

    def _exactly(self, size: int) -> bytes:
        while len(self.buffer) < size:
            self._more()
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    def _line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            self._more()
        line, _, rest = bytes(self.buffer).partition(b"\r\n")
        self.buffer[:] = rest
        return line

    def _chunks(self) -> bytes:
        whole = b""
        while size := int(self._line(), 16):
            whole += self._exactly(size)
            self._line()
        self._line()
        return whole

    # --- answering ---

    def send(self, data: bytes | str) -> None:
        try:
            self.sock.sendall(data.encode() if isinstance(data, str) else data)
        except (OSError, ValueError):
            raise Gone from None

    def answer(self, body: bytes | str = b"null", status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """A whole answer with its Content-Length."""
        data = body.encode() if isinstance(body, str) else body
        lines = [f"HTTP/1.1 {status} Some Reason", f"Content-Length: {len(data)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.send("\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + data)

    def drip(self, data: bytes | str, seconds: float) -> None:
        """A byte, a pause, a byte ...: until everything is sent or the client has gone."""
        for byte in data.encode() if isinstance(data, str) else data:
            self.send(bytes([byte]))
            if self.server.over.wait(seconds):
                raise Gone

    def silence(self) -> None:
        """Send nothing until the client goes away."""
        self.closed()

    def reset(self) -> None:
        """Break the connection off: an RST, not a FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def start_tls(self) -> None:
        assert self.server.tls is not None
        try:
            self.sock = self.server.tls.wrap_socket(self.sock, server_side=True)
        except (OSError, ValueError):
            raise Gone from None
        self.server.track(self.sock)


Script = Callable[[Peer], Any]


class Server:
    """Listens on a free port of 127.0.0.1. `requests` are those read so far, `connections` counts them."""

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None, handshake: bool = True) -> None:
        self.scripts = scripts
        self.tls = tls
        self.handshake = handshake
        self.requests: list[Received] = []
        self.connections = 0
        self.over = threading.Event()
        self.failures: list[BaseException] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://{self.host}"

    def __enter__(self) -> Server:
        self._spawn(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.stop_listening()
        for sock in self._sockets:
            with suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(LIMIT)
        for sock in self._sockets:
            sock.close()
        assert not self.failures, self.failures

    def stop_listening(self) -> None:
        """Refuse new connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept(), which close() does not
        self._listener.close()

    def track(self, sock: socket.socket) -> None:
        self._sockets.append(sock)

    def _spawn(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.track(sock)
            peer = Peer(sock, self, self.connections)
            script = self.scripts[min(self.connections, len(self.scripts) - 1)]
            self.connections += 1
            self._spawn(lambda peer=peer, script=script: self._serve(peer, script))

    def _serve(self, peer: Peer, script: Script) -> None:
        try:
            if self.tls is not None and self.handshake:
                peer.start_tls()
            script(peer)
        except Gone:
            pass
        except BaseException as error:  # noqa: BLE001 - told at the end, in the test's own thread
            self.failures.append(error)
        finally:
            peer.sock.close()


# --- scripts that many tests use ---


def answers(*answers: tuple[int, bytes | str] | tuple[int, bytes | str, Mapping[str, str]]) -> Script:
    """Answer one request after the other, whatever the connection, the last for ever."""
    count = iter(range(1_000_000))

    def script(peer: Peer) -> None:
        while True:
            peer.request()
            status, body, *headers = answers[min(next(count), len(answers) - 1)]
            peer.answer(body, status, *headers)

    return script


def ok(body: bytes | str = b"null") -> Script:
    return answers((200, body))


def silent(peer: Peer) -> None:
    """Read the request, and never answer."""
    peer.request()
    peer.silence()


def drop(peer: Peer) -> None:
    """Read the request, and close."""
    peer.request()


def raw(data: bytes | str) -> Script:
    """Read the request, send these bytes, and close."""

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(data)

    return script


def refused_port() -> int:
    """Return a port that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
