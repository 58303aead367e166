"""A server with fixed responses, so that only the client is measured. Prints its port; stops at the end of stdin."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from typing import ClassVar

SMALL = json.dumps({"name": "Ada Lovelace", "born": 1815, "fields": ["mathematics", "computing"]}).encode()


def large() -> bytes:
    """Return 100,000 children in no order, about 20 MB."""
    rng = random.Random(7)
    children = {
        f"-N{index:018d}": {
            "name": f"person {rng.randrange(10**9)}",
            "score": rng.randrange(10**6),
            "note": "x" * 130,
            "tags": {"a": True, "b": False},
        }
        for index in range(100_000)
    }
    return json.dumps(children, separators=(",", ":")).encode()


def http_response(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def chunk(event: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(event), event)


def events() -> bytes:
    """Return a stream of 20,000 small changes, one in each chunk as Firebase sends them. The stream stays open."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    parts = [head, chunk(b'event: put\ndata: {"path":"/","data":null}\n\n')]
    for number in range(20_000):
        data = {"path": f"/-N{number:018d}", "data": {"name": f"person {number}", "score": number, "active": True}}
        parts.append(chunk(b"event: put\ndata: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"))
    return b"".join(parts)


def large_event() -> bytes:
    """Return a stream with one event of 20 MB in chunks of 64 kB. The stream stays open."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    raw = b'event: put\ndata: {"path":"/","data":' + large() + b"}\n\n"
    return head + b"".join(chunk(raw[start : start + 65_536]) for start in range(0, len(raw), 65_536))


class FixedResponses(asyncio.Protocol):
    """Send the response of each path over a persistent connection."""

    responses: ClassVar[dict[bytes, bytes]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            request, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
            path = request.split(b" ", 2)[1].split(b"?")[0]
            self.transport.write(self.responses.get(path, self.responses[b"/small.json"]))


async def main() -> None:
    FixedResponses.responses = {b"/small.json": http_response(SMALL), b"/large.json": http_response(large())}
    FixedResponses.responses |= {b"/events.json": events(), b"/event.json": large_event()}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(FixedResponses, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
