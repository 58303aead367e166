"""Sessions over WebSocket, as an ASGI application."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from firebase_rest.emulator.database.realtime.delivery import handle, in_slices, watch
from firebase_rest.emulator.database.realtime.frames import FrameError, MessageAssembler, frames_work
from firebase_rest.emulator.database.realtime.messages import parse_message_work
from firebase_rest.emulator.database.realtime.outbox import control
from firebase_rest.emulator.database.responses import DatabaseHTTPError, compact
from firebase_rest.emulator.database.slices import finish

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from starlette.types import Receive, Send

    from firebase_rest.emulator.database.realtime.long_polling import LongPolling, PollingTransport
    from firebase_rest.emulator.database.realtime.outbox import Message, Outbox
    from firebase_rest.emulator.database.realtime.session import Session
    from firebase_rest.emulator.database.realtime.sessions import Sessions
    from firebase_rest.emulator.urls import RequestUrl

_GOING_AWAY = 1001
_FRAMES_AT_ONCE = 16


class _Reader:
    """Reads complete messages. A cancelled call of `next` loses no message."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._assembler = MessageAssembler()

    async def next(self) -> str | None:
        """Return the next message, or None if the client disconnects or violates the protocol."""
        while (event := await self._receive())["type"] == "websocket.receive":
            frame = event.get("text")
            if frame is None:
                continue  # the protocol does not use binary frames
            try:
                message = self._assembler.feed(frame)
            except FrameError:
                return None
            if message is not None:
                return message
        return None


async def serve_websocket(
    sessions: Sessions, polling: LongPolling, url: RequestUrl, receive: Receive, send: Send
) -> None:
    """Serve one connection until either side ends it."""
    await receive()  # websocket.connect
    params = dict(url.params)
    try:
        if url.path.rstrip("/") != "/.ws":
            await send({"type": "websocket.close"})  # rejects the handshake
        elif "s" in params:
            await _upgrade(sessions, polling.find(params["s"]), url, _Reader(receive), send)
        else:
            session = sessions.open(url.host, params)
            try:
                await send({"type": "websocket.accept"})
                await _exchange(sessions, session, _Reader(receive), send)
            finally:
                sessions.end(session)
    except DatabaseHTTPError:
        await send({"type": "websocket.close"})
    except OSError:
        pass  # the client has closed the connection


async def _exchange(sessions: Sessions, session: Session, reader: _Reader, send: Send) -> None:
    await _until_first(_receive_all(sessions, session, reader), _send_all(session.outbox, send))
    with suppress(RuntimeError):  # the client has closed the connection
        await send({"type": "websocket.close", "code": _GOING_AWAY})


async def _until_first(*coroutines: Coroutine[None, None, object]) -> None:
    """Run coroutines until one of them returns, then cancel the others. Raises an exception of any of them."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


async def _receive_all(sessions: Sessions, session: Session, reader: _Reader) -> None:
    while (message := await reader.next()) is not None:
        await handle(session, message)
    # Commit the pending writes now, so that requests that other clients send after the disconnect see them.
    sessions.end(session)


async def _send_all(outbox: Outbox, send: Send) -> None:
    """Send messages until the outbox is closed."""
    added = watch(outbox.on_added)
    while True:
        added.clear()
        closed = outbox.closed  # read before `take_work`, so that messages before the end are sent
        texts = await in_slices(outbox.take_work())
        for text in texts:
            for number, frame in enumerate(await in_slices(frames_work(text))):
                await send({"type": "websocket.send", "text": frame})
                if number % _FRAMES_AT_ONCE == _FRAMES_AT_ONCE - 1:
                    await asyncio.sleep(0)
        if not texts:
            if closed:
                return
            await added.wait()


async def _upgrade(
    sessions: Sessions, transport: PollingTransport | None, url: RequestUrl, reader: _Reader, send: Send
) -> None:
    """Continue a session over long polling on a WebSocket."""
    await send({"type": "websocket.accept"})
    if transport is None:
        await send({"type": "websocket.send", "text": _text(control("r", url.host))})
        await send({"type": "websocket.close", "code": _GOING_AWAY})
        return
    await send({"type": "websocket.send", "text": _text(control("a", {}))})
    early_messages: list[str] = []
    await _until_first(_respond_to_pings(reader, early_messages, send), transport.switched.wait())
    if not transport.switched.is_set():
        return  # the client has cancelled the upgrade; the session continues over long polling
    session = transport.session
    try:
        for message in early_messages:
            await handle(session, message)
        await _exchange(sessions, session, reader, send)
    finally:
        sessions.end(session)


def _text(message: Message) -> str:
    return compact(message).decode()


async def _respond_to_pings(reader: _Reader, early_messages: list[str], send: Send) -> None:
    """Respond to the pings with which a client tests the WebSocket. Collect the other messages."""
    while (message := await reader.next()) is not None:
        if finish(parse_message_work(message)) == "p":
            await send({"type": "websocket.send", "text": _text(control("o", None))})
        else:
            early_messages.append(message)
