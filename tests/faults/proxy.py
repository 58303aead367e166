"""A TCP proxy that treats event streams badly: python proxy.py HOST:PORT SEED. Prints its port as a line of JSON.

Each connection for a stream meets one fate, at once or after a while: it is refused, answered by 503, redirected,
reset, closed, cut in the middle of what is being sent, or falls silent while it stays open. A line "calm" on standard
input ends that. At the end of the input it prints what it did: {"fates": {name: times}, "connects": {copy: [seconds]}},
where the copy is what the client said in its header X-Copy.
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
import time
from collections import Counter, defaultdict
from contextlib import suppress

AT_THE_DOOR = ("refuse", "unavailable", "redirect")
LATER = ("close", "reset", "truncate", "stall")
MEAN_LIFE = 6.0
"""Seconds that a connection lives, on average."""


class Proxy:
    def __init__(self, target: str, seed: int) -> None:
        host, port = target.rsplit(":", 1)
        self.target = (host, int(port))
        self.random = random.Random(seed)
        self.calm = asyncio.Event()
        self.fates: Counter[str] = Counter()
        self.connects: dict[str, list[float]] = defaultdict(list)
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            await self.decide(head, reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def decide(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        copy = re.search(rb"(?i)x-copy: (\S+)", head)
        self.connects[copy[1].decode() if copy else "?"].append(time.monotonic())
        fate = "pass" if self.calm.is_set() else self.random.choice((*AT_THE_DOOR, *LATER, *LATER, *LATER))
        if fate == "redirect" and b"sse=true" in head:
            fate = "close"
        self.fates[fate] += 1
        if fate == "refuse":
            reset(writer)
        elif fate == "unavailable":
            writer.write(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        elif fate == "redirect":
            path = head.split(b" ", 2)[1].decode()
            where = f"http://127.0.0.1:{self.port}{path}{'&' if '?' in path else '?'}sse=true"
            writer.write(
                f"HTTP/1.1 307 No\r\nLocation: {where}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
            )
        else:
            await self.carry(fate, head, reader, writer)

    async def carry(self, fate: str, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(*self.target)
        try:
            inner_writer.write(head)
            until = time.monotonic() + self.random.expovariate(1 / MEAN_LIFE)
            left = asyncio.ensure_future(reader.read(1))  # ends when the client does
            while not left.done():
                calm = self.calm.is_set() or fate == "pass"
                more = asyncio.ensure_future(inner_reader.read(65_536))
                timeout = 0.5 if calm else max(0.0, until - time.monotonic())
                await asyncio.wait({more, left}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
                if more.done() and (calm or time.monotonic() < until):
                    if not more.result():
                        break
                    writer.write(more.result())
                    continue
                data = b""
                if fate == "truncate" and not calm and not left.done():
                    data = await more
                more.cancel()
                if not calm and not left.done():
                    await self.end(fate, data, writer, left)
                    break
            left.cancel()
        finally:
            inner_writer.close()

    async def end(self, fate: str, data: bytes, writer: asyncio.StreamWriter, left: asyncio.Future[bytes]) -> None:
        if fate == "reset":
            reset(writer)
        elif fate == "truncate":
            writer.write(data[: self.random.randrange(len(data))] if data else b"")
        elif fate == "stall":
            await left


def reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def main() -> None:
    proxy = Proxy(sys.argv[1], int(sys.argv[2]))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=1 << 20)
    proxy.port = server.sockets[0].getsockname()[1]
    print(json.dumps({"port": proxy.port}), flush=True)  # noqa: T201 - a program
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        if line.strip() == "calm":
            proxy.calm.set()
    print(json.dumps({"fates": proxy.fates, "connects": proxy.connects}), flush=True)  # noqa: T201
    os._exit(0)  # what is still open needs no farewell


if __name__ == "__main__":
    asyncio.run(main())
