"""The end of a WebSocket and the requests of other clients, in the order in which they reach the server."""

from __future__ import annotations

import asyncio
import json

from firebase_rest.emulator import Emulator
from firebase_rest.emulator.database import tree
from firebase_rest.emulator.database.realtime.long_polling import LongPolling
from firebase_rest.emulator.database.realtime.websocket import serve_websocket
from firebase_rest.emulator.database.slices import finish
from firebase_rest.emulator.urls import RequestUrl
from firebase_rest.rules.database import DatabaseRules
from support.waiting import LIMIT

URL = RequestUrl("ws", "127.0.0.1:9000", "/.ws", (("v", "5"), ("ns", "demo-test-default-rtdb")))


class _Client:
    """A client whose connection is a pair of queues."""

    def __init__(self, emulator: Emulator) -> None:
        self.to_server: asyncio.Queue = asyncio.Queue()
        self._sent: asyncio.Queue = asyncio.Queue()
        self._serving = asyncio.ensure_future(
            serve_websocket(emulator.sessions, LongPolling(emulator.sessions), URL, self.to_server.get, self._sent.put)
        )
        self.to_server.put_nowait({"type": "websocket.connect"})

    def send(self, action, body):
        text = json.dumps({"t": "d", "d": {"r": 1, "a": action, "b": body}})
        self.to_server.put_nowait({"type": "websocket.receive", "text": text})

    def leave(self):
        self.to_server.put_nowait({"type": "websocket.disconnect"})

    async def answer(self):
        """Return the data of the next answer."""
        while True:
            event = await asyncio.wait_for(self._sent.get(), LIMIT)
            message = json.loads(event.get("text", "{}"))
            if message.get("t") == "d":
                assert message["d"]["b"]["s"] == "ok", message
                return message["d"]["b"]["d"]

    async def end(self):
        self.leave()
        await asyncio.wait_for(self._serving, LIMIT)


def test_request_after_a_disconnect_sees_the_on_disconnect_writes():
    async def run():
        emulator = Emulator("demo-test")
        leaving, reading = _Client(emulator), _Client(emulator)
        leaving.send("o", {"p": "/state", "d": "off"})
        await leaving.answer()
        reading.send("g", {"p": "/state", "q": {}})
        assert await reading.answer() is None
        leaving.leave()
        reading.send("g", {"p": "/state", "q": {}})
        assert await reading.answer() == "off"
        await leaving.end()
        await reading.end()

    asyncio.run(run())


def test_priority_is_written_although_the_rules_reject_another_write_of_the_disconnect():
    emulator = Emulator("demo-test")
    session = emulator.sessions.open(URL.host, dict(URL.params))
    for action, path, value in [("p", "/open", 1), ("o", "/open/.priority", 2), ("o", "/shut", 1)]:
        message = {"t": "d", "d": {"r": 1, "a": action, "b": {"p": path, "d": value}}}
        finish(session.receive_work(json.dumps(message)))
    session.namespace.publish(DatabaseRules('{"rules": {"open": {".write": true}}}'))
    emulator.sessions.end(session)
    assert tree.export(session.namespace.root) == {"open": {".value": 1, ".priority": 2}}
