"""Serves Storage over ASGI. Bodies are streamed in both directions."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from firebase_rest.emulator.storage.control_api import RULES_PATH
from firebase_rest.emulator.storage.faults import ConnectionDropped, DropMethod, FaultyReader
from firebase_rest.emulator.storage.handler import CHUNK_SIZE, CountingReader, IncomingRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message, Receive, Send

    from firebase_rest.emulator.storage.service import StorageEmulator
    from firebase_rest.emulator.urls import RequestUrl
    from firebase_rest.transport.wire import BodyReader, Request, Response

_POLL_SECONDS = 0.01
"""Seconds between two checks whether a stalled request can continue."""


async def serve(
    storage: StorageEmulator,
    request: Request,
    url: RequestUrl,
    receive: Receive,
    send: Send,
    drop: Callable[[DropMethod], None],
) -> None:
    """Handle one request, whose body is received with `receive`. `drop` ends the connection for an injected fault."""
    incoming = storage.begin(request, url)
    try:
        if await _receive_body(incoming, receive):
            is_slow = url.path == RULES_PATH  # parsing large rules takes long
            response = await asyncio.to_thread(incoming.finish) if is_slow else incoming.finish()
            await _send_response(storage, response, receive, send)
    except ConnectionDropped as error:
        drop(error.how)
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        incoming.abort()


async def _receive_body(incoming: IncomingRequest, receive: Receive) -> bool:
    """Pass the body to `incoming`. Return False if the client disconnects."""
    more_body = True
    while more_body:
        message = await receive()
        if message["type"] != "http.request":
            return False
        incoming.write(cast("bytes", message.get("body", b"")))
        more_body = message.get("more_body", False)
        while incoming.stalled:  # noqa: ASYNC110 - any thread can end the wait
            await asyncio.sleep(_POLL_SECONDS)
    return True


async def _send_response(storage: StorageEmulator, response: Response, receive: Receive, send: Send) -> None:
    """Send the response. Stop if the client disconnects."""
    headers = _raw_headers(response)
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    if response.reader is None:
        await send({"type": "http.response.body", "body": response.body})
        return
    disconnected = asyncio.ensure_future(receive())
    try:
        await _send_body(CountingReader(response.reader, storage.byte_counter), response.reader, disconnected, send)
    finally:
        disconnected.cancel()
        response.reader.close()


async def _send_body(reader: BodyReader, source: BodyReader, disconnected: asyncio.Future[Message], send: Send) -> None:
    """Send what `reader` reads from `source`."""
    while not disconnected.done():
        while isinstance(source, FaultyReader) and source.stalled and not disconnected.done():  # noqa: ASYNC110
            await asyncio.sleep(_POLL_SECONDS)
        piece = reader.read(CHUNK_SIZE)
        await send({"type": "http.response.body", "body": piece, "more_body": bool(piece)})
        if not piece:
            return
        await asyncio.sleep(0)  # let other requests run, because `send` does not wait for a client that reads fast


def _raw_headers(response: Response) -> list[tuple[bytes, bytes]]:
    """Return the headers as bytes, with a separate line for each checksum."""
    headers: list[tuple[bytes, bytes]] = []
    for name, value in response.headers.items():
        values = value.split(", ") if name == "x-goog-hash" else [value]
        headers += [(name.encode("latin-1"), text.encode("utf-8", "replace")) for text in values]
    if response.reader is None and "content-length" not in response.headers and response.status not in {204, 304}:
        headers.append((b"content-length", str(len(response.body)).encode()))
    return headers
