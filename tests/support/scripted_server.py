"""A server on a raw socket that runs a script per connection, so that it can break HTTP's rules.

A script is a function of a `Peer` and runs in a thread. The n-th connection runs the n-th script, further connections
the last one. `with ScriptedServer(script, ...) as server` closes all connections and fails if a script failed.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from support.waiting import LIMIT


@dataclass
class Received:
    """A request that the server has read."""

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


class Disconnected(Exception):
    """The client closed the connection, or the server was closed."""


@dataclass
class Peer:
    """The server's side of one connection."""

    sock: socket.socket
    server: ScriptedServer
    number: int
    """The number of the connection, from 0."""
    buffer: bytearray = field(default_factory=bytearray)

    # --- reading ---

    def read_request(self) -> Received:
        """Read the next request with its body. Raises `Disconnected` at the end of the connection."""
        while b"\r\n\r\n" not in self.buffer:
            self._read_more()
        head, _, rest = bytes(self.buffer).partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        self.buffer[:] = rest
        received = Received(method, target, headers)
        if "chunked" in headers.get("transfer-encoding", ""):
            received.body = self._read_chunks()
        else:
            received.body = self._read_exactly(int(headers.get("content-length", 0)))
        self.server.requests.append(received)
        return received

    def wait_closed(self) -> bool:
        """Wait until the client closes the connection; return True."""
        try:
            while True:
                self._read_more()
        except Disconnected:
            return True

    def hold(self) -> None:
        """Keep the connection open and send nothing until the client closes it."""
        self.wait_closed()

    def _read_more(self) -> None:
        try:
            data = self.sock.recv(65_536)
        except (OSError, ValueError):
            data = b""
        if not data:
            raise Disconnected
        self.buffer += data

    def _read_exactly(self, size: int) -> bytes:
        while len(self.buffer) < size:
            self._read_more()
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    def _read_line(self) -> bytes:
        while b"\r\n" not in self.buffer:
            self._read_more()
        line, _, rest = bytes(self.buffer).partition(b"\r\n")
        self.buffer[:] = rest
        return line

    def _read_chunks(self) -> bytes:
        body = b""
        while size := int(self._read_line(), 16):
            body += self._read_exactly(size)
            self._read_line()
        self._read_line()
        return body

    # --- writing ---

    def send(self, data: bytes | str) -> None:
        try:
            self.sock.sendall(data.encode() if isinstance(data, str) else data)
        except (OSError, ValueError):
            raise Disconnected from None

    def respond(self, body: bytes | str = b"null", status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Send a complete response with a Content-Length."""
        data = body.encode() if isinstance(body, str) else body
        lines = [f"HTTP/1.1 {status} Some Reason", f"Content-Length: {len(data)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self.send("\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + data)

    def send_slowly(self, data: bytes | str, seconds: float) -> None:
        """Send one byte at a time with a pause of `seconds` after each."""
        for byte in data.encode() if isinstance(data, str) else data:
            self.send(bytes([byte]))
            if self.server.closing.wait(seconds):
                raise Disconnected

    def reset(self) -> None:
        """Close the connection with an RST instead of a FIN."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def start_tls(self) -> None:
        assert self.server.tls is not None
        try:
            self.sock = self.server.tls.wrap_socket(self.sock, server_side=True)
        except (OSError, ValueError):
            raise Disconnected from None
        self.server.track(self.sock)


S = TypeVar("S", bound="ScriptedServer")

Script = Callable[[Any], Any]
"""A function of a `Peer` (or of the server's `peer_class`)."""


class ScriptedServer:
    """Listens on a free port of 127.0.0.1 and records the requests.

    Attributes:
        requests: The requests that the scripts have read.
        connections: The number of accepted connections.
        closed: The number of connections that have ended.
    """

    peer_class: ClassVar[type[Peer]] = Peer

    def __init__(self, *scripts: Script, tls: ssl.SSLContext | None = None, handshake: bool = True) -> None:
        self.scripts = scripts
        self.tls = tls
        self.handshake = handshake
        self.requests: list[Received] = []
        self.connections = 0
        self.closed = 0
        self.closing = threading.Event()
        self.failures: list[BaseException] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http{'s' if self.tls else ''}://{self.host}"

    def __enter__(self: S) -> S:
        self._spawn(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
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
        """Accept no further connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept(), which close() does not
        self._listener.close()

    def track(self, sock: socket.socket) -> None:
        self._sockets.append(sock)

    def run(self, script: Script, peer: Any) -> None:
        """Run `script` for a connection. Subclasses may do something before it."""
        script(peer)

    def _spawn(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self.closing.is_set():
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.track(sock)
            peer = self.peer_class(sock, self, self.connections)
            script = self.scripts[min(self.connections, len(self.scripts) - 1)]
            self.connections += 1
            self._spawn(lambda peer=peer, script=script: self._serve(peer, script))

    def _serve(self, peer: Peer, script: Script) -> None:
        try:
            if self.tls is not None and self.handshake:
                peer.start_tls()
            self.run(script, peer)
        except Disconnected:
            pass
        except BaseException as error:  # noqa: BLE001 - reported at the end, in the test's own thread
            self.failures.append(error)
        finally:
            peer.sock.close()
            self.closed += 1


# --- scripts that many tests use ---


def respond_with(*responses: tuple[int, bytes | str] | tuple[int, bytes | str, Mapping[str, str]]) -> Script:
    """Send these responses in order over all connections, and then repeat the last one."""
    count = iter(range(1_000_000))

    def script(peer: Peer) -> None:
        while True:
            peer.read_request()
            status, body, *headers = responses[min(next(count), len(responses) - 1)]
            peer.respond(body, status, *headers)

    return script


def ok(body: bytes | str = b"null") -> Script:
    return respond_with((200, body))


def silent(peer: Peer) -> None:
    """Read the request and never respond."""
    peer.read_request()
    peer.hold()


def drop(peer: Peer) -> None:
    """Read the request and close the connection."""
    peer.read_request()


def raw(data: bytes | str) -> Script:
    """Read the request, send these bytes and close the connection."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(data)

    return script


def refused_port() -> int:
    """Return a port that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]
