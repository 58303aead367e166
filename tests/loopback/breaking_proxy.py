"""A TCP proxy on loopback that breaks the connection at given points of the stream of bytes through it.

A point is a number of bytes, counted over all connections in one direction ("up": client to server). Where it is
reached, the bytes until there have been passed on, and both sides are reset.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Sequence
from contextlib import suppress

PIECE = 64 * 1024


class BreakingProxy:
    """A context manager; `host` is "127.0.0.1:PORT", `breaks` how many connections it has broken so far."""

    def __init__(self, server: str, up: Sequence[int] = (), down: Sequence[int] = ()) -> None:
        self._server = server.rpartition(":")
        self._points = {"up": sorted(up), "down": sorted(down)}
        self._passed = {"up": 0, "down": 0}
        self.breaks = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="breaking proxy", daemon=True)

    def __enter__(self) -> BreakingProxy:
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
        there, back = await asyncio.open_connection(self._server[0], int(self._server[2]))
        both = (writer, back)
        try:
            await asyncio.gather(self._pipe("up", reader, back, both), self._pipe("down", there, writer, both))
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            for side in both:
                side.close()

    async def _pipe(
        self,
        way: str,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        both: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
    ) -> None:
        points = self._points[way]
        while data := await source.read(PIECE):
            breaks = bool(points) and self._passed[way] + len(data) >= points[0]
            if breaks:
                data = data[: points.pop(0) - self._passed[way]]
            self._passed[way] += len(data)
            sink.write(data)
            await sink.drain()
            if breaks:
                self.breaks += 1
                for side in both:
                    _reset(side)
                raise ConnectionResetError
        with suppress(OSError):
            sink.write_eof()


def _reset(side: asyncio.StreamWriter) -> None:
    raw = side.get_extra_info("socket")
    if raw is not None:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    side.transport.abort()
