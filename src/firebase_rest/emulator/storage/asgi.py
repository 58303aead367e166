"""Storage over ASGI: bodies go through as they come, in both directions, and are never whole in memory."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from firebase_rest.emulator.storage.faults import Dropped, FaultyReader
from firebase_rest.emulator.storage.service import PIECE, CountedReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message, Receive, Send

    from firebase_rest.emulator.storage.faults import How
    from firebase_rest.emulator.storage.handler import Exchange
    from firebase_rest.emulator.storage.service import StorageEmulator
    from firebase_rest.transport.wire import BodyReader, Request, Response

_POLL = 0.01
"""Seconds between two looks at whether a fault's silence is over, or the client gone."""


async def serve(
    storage: StorageEmulator, request: Request, receive: Receive, send: Send, hang_up: Callable[[How], None]
) -> None:
    """Carry one request and its answer. `request` is without its body; `hang_up` ends the connection for a fault."""
    exchange = storage.begin(request)
    try:
        if await _take_body(exchange, receive):
            await _give(storage, exchange.finish(), receive, send)
    except Dropped as dropped:
        hang_up(dropped.how)
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        exchange.abort()


async def _take_body(exchange: Exchange, receive: Receive) -> bool:
    """Feed the body to the exchange. False where the client left before its end."""
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return False
        exchange.write(cast("bytes", message.get("body", b"")))
        more = message.get("more_body", False)
        while exchange.stalled:  # noqa: ASYNC110 - any thread may end it
            await asyncio.sleep(_POLL)
    return True


async def _give(storage: StorageEmulator, answer: Response, receive: Receive, send: Send) -> None:
    """Send the answer. Of a body that is read on the way, as much as the client takes."""
    headers = _raw_headers(answer)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    if answer.reader is None:
        await send({"type": "http.response.body", "body": answer.body})
        return
    gone = asyncio.ensure_future(receive())
    try:
        await _pump(CountedReader(answer.reader, storage.traffic), answer.reader, gone, send)
    finally:
        gone.cancel()
        answer.reader.close()


async def _pump(reader: BodyReader, source: BodyReader, gone: asyncio.Future[Message], send: Send) -> None:
    while not gone.done():
        while isinstance(source, FaultyReader) and source.stalled and not gone.done():  # noqa: ASYNC110
            await asyncio.sleep(_POLL)
        piece = reader.read(PIECE)
        await send({"type": "http.response.body", "body": piece, "more_body": bool(piece)})
        if not piece:
            return
        await asyncio.sleep(0)  # a client that reads fast must not keep the others waiting


def _raw_headers(answer: Response) -> list[tuple[bytes, bytes]]:
    """Header lines as bytes; both checksums have a line of their own."""
    headers: list[tuple[bytes, bytes]] = []
    for name, value in answer.headers.items():
        values = value.split(", ") if name == "x-goog-hash" else [value]
        headers += [(name.encode("latin-1"), text.encode("utf-8", "replace")) for text in values]
    if answer.reader is None and "content-length" not in answer.headers and answer.status not in {204, 304}:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    return headers
