"""TCP proxies that break connections: `CuttingProxy` at given bytes, `RandomFaultProxy` at random times.

`python fault_proxy.py HOST:PORT SEED` runs a `RandomFaultProxy` in its own process. It prints {"port": ...} as a line
of JSON. The line "calm" on standard input stops the faults. At the end of the input it prints
{"faults": {name: count}, "connects": {client: [seconds]}}, where the client is the value of the header X-Copy.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import socket
import struct
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress

BLOCK = 64 * 1024
IMMEDIATE_FAULTS = ("reset at once", "unavailable", "redirect")
DELAYED_FAULTS = ("close", "reset", "truncate", "stall")
FAULTS = IMMEDIATE_FAULTS + 3 * DELAYED_FAULTS
MEAN_LIFETIME = 6.0
"""Mean seconds until a delayed fault."""


def reset(writer: asyncio.StreamWriter) -> None:
    """Close the connection with an RST."""
    sock = writer.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class CuttingProxy:
    """A proxy in a thread that resets both sides when a number of bytes has passed. A context manager.

    Args:
        server: The address "HOST:PORT" of the server.
        up: Byte counts from client to server, summed over all connections, at which a connection is reset.
        down: Byte counts from server to client.

    Attributes:
        host: The address "127.0.0.1:PORT" of the proxy.
        cuts: The number of connections that were reset.
    """

    def __init__(self, server: str, up: Sequence[int] = (), down: Sequence[int] = ()) -> None:
        self._server = server.rpartition(":")
        self._points = {"up": sorted(up), "down": sorted(down)}
        self._passed = {"up": 0, "down": 0}
        self.cuts = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="cutting proxy", daemon=True)

    def __enter__(self) -> CuttingProxy:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, sock=self._listener))
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection(self._server[0], int(self._server[2]))
        both = (writer, server_writer)
        try:
            await asyncio.gather(
                self._pipe("up", reader, server_writer, both), self._pipe("down", server_reader, writer, both)
            )
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for side in both:
                side.close()

    async def _pipe(
        self,
        direction: str,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        both: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
    ) -> None:
        points = self._points[direction]
        while data := await source.read(BLOCK):
            cut = bool(points) and self._passed[direction] + len(data) >= points[0]
            if cut:
                data = data[: points.pop(0) - self._passed[direction]]
            self._passed[direction] += len(data)
            sink.write(data)
            await sink.drain()
            if cut:
                self.cuts += 1
                for side in both:
                    reset(side)
                raise ConnectionResetError
        with suppress(OSError):
            sink.write_eof()


class RandomFaultProxy:
    """A proxy that picks a fault for each connection of a stream."""

    def __init__(self, target: str, seed: int) -> None:
        host, port = target.rsplit(":", 1)
        self.target = (host, int(port))
        self.random = random.Random(seed)
        self.calm = asyncio.Event()
        self.faults: Counter[str] = Counter()
        self.connects: dict[str, list[float]] = defaultdict(list)
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            await self.handle(head, reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def handle(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        copy = re.search(rb"(?i)x-copy: (\S+)", head)
        self.connects[copy[1].decode() if copy else "?"].append(time.monotonic())
        fault = "none" if self.calm.is_set() else self.random.choice(FAULTS)
        if fault == "redirect" and b"sse=true" in head:
            fault = "close"
        self.faults[fault] += 1
        if fault == "reset at once":
            reset(writer)
        elif fault == "unavailable":
            writer.write(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        elif fault == "redirect":
            path = head.split(b" ", 2)[1].decode()
            location = f"http://127.0.0.1:{self.port}{path}{'&' if '?' in path else '?'}sse=true"
            writer.write(
                f"HTTP/1.1 307 No\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
            )
        else:
            await self.forward(fault, head, reader, writer)

    async def forward(
        self, fault: str, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        server_reader, server_writer = await asyncio.open_connection(*self.target)
        try:
            server_writer.write(head)
            until = time.monotonic() + self.random.expovariate(1 / MEAN_LIFETIME)
            disconnected = asyncio.ensure_future(reader.read(1))  # ends when the client does
            while not disconnected.done():
                calm = self.calm.is_set() or fault == "none"
                more = asyncio.ensure_future(server_reader.read(65_536))
                timeout = 0.5 if calm else max(0.0, until - time.monotonic())
                await asyncio.wait({more, disconnected}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                if more.done() and (calm or time.monotonic() < until):
                    if not more.result():
                        break
                    writer.write(more.result())
                    continue
                data = b""
                if fault == "truncate" and not calm and not disconnected.done():
                    data = await more
                more.cancel()
                if not calm and not disconnected.done():
                    await self.apply(fault, data, writer, disconnected)
                    break
            disconnected.cancel()
        finally:
            server_writer.close()

    async def apply(
        self, fault: str, data: bytes, writer: asyncio.StreamWriter, disconnected: asyncio.Future[bytes]
    ) -> None:
        if fault == "reset":
            reset(writer)
        elif fault == "truncate":
            writer.write(data[: self.random.randrange(len(data))] if data else b"")
        elif fault == "stall":
            await disconnected


async def main() -> None:
    proxy = RandomFaultProxy(sys.argv[1], int(sys.argv[2]))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=1 << 20)
    proxy.port = server.sockets[0].getsockname()[1]
    print(json.dumps({"port": proxy.port}), flush=True)  # noqa: T201 - the output of a program
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line.strip() == "calm":
            proxy.calm.set()
    print(json.dumps({"faults": proxy.faults, "connects": proxy.connects}), flush=True)  # noqa: T201
    os._exit(0)  # do not wait for open connections


if __name__ == "__main__":
    asyncio.run(main())
