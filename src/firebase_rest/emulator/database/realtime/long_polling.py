"""Sessions over long polling, which browsers use before or instead of a WebSocket.

The client loads scripts. It sends its messages in the parameters of the requests, divided into segments. The server
sends its messages as function calls in the scripts; a request waits until there is a message.
"""

from __future__ import annotations

import asyncio
import binascii
import json
import time
from base64 import b64decode
from typing import TYPE_CHECKING

from firebase_rest.emulator.database.realtime.delivery import handle, in_slices, watch
from firebase_rest.emulator.database.realtime.frames import MAX_MESSAGE
from firebase_rest.emulator.database.realtime.outbox import control
from firebase_rest.emulator.database.realtime.sessions import random_id
from firebase_rest.emulator.database.responses import LargeResponse, compact
from firebase_rest.transport.wire import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.types import Receive

    from firebase_rest.emulator.database.realtime.session import Session
    from firebase_rest.emulator.database.realtime.sessions import Sessions
    from firebase_rest.emulator.urls import RequestUrl

HOLD_SECONDS = 20.0
"""How long a request waits for messages."""

SILENCE_SECONDS = 60.0
"""A session ends if it receives no request for this time."""

ABANDONED_SECONDS = 5.0
"""A session ends if it receives no request for this time after the client has closed the connection of a request."""

_CLOSE = b"pLPCommand('close');"

_START_SCRIPT = """\
function pLPCommand(c,a1,a2,a3,a4){{parent.window["pLPCommand{cb}"]&&parent.window["pLPCommand{cb}"](c,a1,a2,a3,a4);}}
function pRTLPCB(n,d){{parent.window["pRTLPCB{cb}"]&&parent.window["pRTLPCB{cb}"](n,d);}}
pLPCommand("start",{id},{password});
"""

_DISCONNECT_PAGE = """\
<!DOCTYPE html>
<html><body><script>
var url = "/.lp?disconn=t&id=" + {id} + "&pw=" + {password};
function disconnect() {{
  if (navigator.sendBeacon) {{ navigator.sendBeacon(url); }} else {{ new Image().src = url; }}
}}
window.addEventListener("pagehide", disconnect);
window.addEventListener("unload", disconnect);
</script></body></html>
"""


class PollingTransport:
    """Receives and sends the messages of one session.

    Attributes:
        session: The session.
        password: Authenticates the requests of the session.
        switched: Set when the session has been upgraded to a WebSocket.
        expires: When the session ends without another request, as a result of `time.monotonic()`.
    """

    def __init__(self, session: Session) -> None:
        self.session = session
        self.password = random_id()
        self.switched = asyncio.Event()
        self.expires = time.monotonic() + SILENCE_SECONDS
        self._serial = 0
        self._segments: dict[int, tuple[int, str]] = {}
        self._size = 0
        self._next_segment = 0
        self._receiving = asyncio.Lock()
        self._taking = asyncio.Lock()
        self._polls = 0
        self._added = asyncio.Event()

    async def receive(self, params: Mapping[str, str]) -> None:
        """Handle the messages that the segments of a request complete."""
        async with self._receiving:
            number = 0
            while f"seg{number}" in params:
                self._store(params, number)
                number += 1
            while (message := self._next_message()) is not None:
                if await handle(self.session, message) == "n":
                    self.session.outbox.add_switch(self.switched.set)

    def _store(self, params: Mapping[str, str], number: int) -> None:
        try:
            segment, total = int(params[f"seg{number}"]), int(params.get(f"ts{number}", ""))
        except ValueError:
            return
        data = params.get(f"d{number}", "")
        if segment >= self._next_segment and segment not in self._segments:
            self._segments[segment] = (total, data)
            self._size += len(data)
        if self._size > MAX_MESSAGE:
            self.session.outbox.close()

    def _next_message(self) -> str | None:
        """Return the next message, or "" if it is malformed, or None if segments are missing."""
        first = self._segments.get(self._next_segment)
        if first is None:
            return None
        numbers = range(self._next_segment, self._next_segment + max(first[0], 1))
        if len(numbers) > len(self._segments) or not all(number in self._segments for number in numbers):
            return None
        text = "".join([self._segments.pop(number)[1] for number in numbers])
        self._next_segment, self._size = numbers.stop, self._size - len(text)
        try:
            return b64decode(text.replace(".", "="), altchars=b"-_").decode()
        except (binascii.Error, ValueError):
            return ""

    async def poll(self) -> list[bytes]:
        """Wait for messages and return a script with them, in pieces."""
        self._added.set()  # an earlier request that still waits returns now
        self._added = added = watch(self.session.outbox.on_added)
        self._polls += 1
        poll, deadline = self._polls, time.monotonic() + HOLD_SECONDS
        self.expires = deadline + SILENCE_SECONDS
        while poll == self._polls:
            added.clear()
            closed = self.session.outbox.closed  # read before `take`, so that messages before the end are sent
            script = await self.take()
            if script:
                return script
            if closed:
                return [_CLOSE]
            try:
                await asyncio.wait_for(added.wait(), deadline - time.monotonic())
            except asyncio.TimeoutError:  # before Python 3.11 it is not the built-in TimeoutError
                break
        return []

    async def take(self) -> list[bytes]:
        """Return a script with the queued messages, in pieces, or [] without messages."""
        async with self._taking:
            texts = await in_slices(self.session.outbox.take_work())
            close = b""
            if self.switched.is_set():
                texts.append([compact(control("n", {}))])
                close = b"pLPCommand('close',%d);" % self._serial
            if not texts:
                return []
            script = [b"pRTLPCB(%d,[" % self._serial, *texts[0]]
            for text in texts[1:]:
                script += [b",", *text]
            self._serial += 1
            return [*script, b"]);", close]

    def abandon(self) -> None:
        """Shorten the time until the session ends, because the client has closed the connection of a request."""
        self.expires = min(self.expires, time.monotonic() + ABANDONED_SECONDS)


class LongPolling:
    """Handles the requests of all sessions over long polling. Must be used in the thread of the server."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions
        self._transports: dict[str, PollingTransport] = {}

    def find(self, session_id: str) -> PollingTransport | None:
        """Return the transport of a session, or None."""
        return self._transports.get(session_id)

    async def handle(self, url: RequestUrl, receive: Receive) -> Response:
        """Return the response to a request for `/.lp`. Raises `DatabaseHTTPError`."""
        params = dict(url.params)
        if params.get("start") == "t":
            return _script(await self._start(url, params))
        transport = self._transports.get(params.get("id", ""))
        if transport is None or transport.password != params.get("pw"):
            return _script([_CLOSE])
        if params.get("disconn") == "t":
            self._end(transport)
            return _script([])
        if params.get("dframe") == "t":
            page = _DISCONNECT_PAGE.format(id=json.dumps(transport.session.id), password=json.dumps(transport.password))
            return Response(200, {"content-type": "text/html; charset=utf-8"}, page.encode())
        return _script(await self._poll(transport, params, receive))

    def check_timeouts(self) -> None:
        """End the sessions that have received no request for too long."""
        for transport in list(self._transports.values()):
            if transport.expires < time.monotonic():
                self._end(transport)

    async def _start(self, url: RequestUrl, params: Mapping[str, str]) -> list[bytes]:
        callback = params.get("cb", "")
        session = self._sessions.open(url.host, params)
        transport = self._transports[session.id] = PollingTransport(session)
        names = {
            "cb": callback if callback.isdigit() and callback.isascii() else "",
            "id": json.dumps(session.id),
            "password": json.dumps(transport.password),
        }
        return [_START_SCRIPT.format(**names).encode(), *(await transport.take())]

    async def _poll(self, transport: PollingTransport, params: Mapping[str, str], receive: Receive) -> list[bytes]:
        await transport.receive(params)
        poll, disconnect = asyncio.ensure_future(transport.poll()), asyncio.ensure_future(receive())
        try:
            await asyncio.wait({poll, disconnect}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            disconnect.cancel()
            if not poll.done():
                transport.abandon()
                poll.cancel()
        script = [] if poll.cancelled() or not poll.done() else poll.result()
        if transport.switched.is_set():
            self._transports.pop(transport.session.id, None)  # the WebSocket ends the session
        elif transport.session.outbox.closed and _CLOSE in script:
            self._end(transport)
        return script

    def _end(self, transport: PollingTransport) -> None:
        self._transports.pop(transport.session.id, None)
        self._sessions.end(transport.session)


def _script(pieces: Sequence[bytes]) -> LargeResponse:
    headers = {"content-type": "application/javascript; charset=utf-8", "cache-control": "no-cache"}
    return LargeResponse(200, headers, pieces=pieces)
