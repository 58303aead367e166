"""Test clients of the SDKs' protocol over WebSocket and over long polling."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack

from websockets.sync.client import connect

from support.waiting import LIMIT


class RealtimeClient:
    """One session over WebSocket. Requests are numbered; messages are kept in their order."""

    def __init__(self, host, query="v=5&ns=demo-test-default-rtdb", **options):
        opening = connect(
            f"ws://{host}/.ws?{query}", compression=None, max_size=None, max_queue=None, proxy=None, **options
        )
        self._closing = ExitStack()
        self._socket = self._closing.enter_context(opening)
        self._number = 0
        self.hello = self.receive()["d"]["d"]

    def send_text(self, text):
        self._socket.send(text)

    def send(self, action, body):
        """Send a request and return its number."""
        self._number += 1
        text = json.dumps({"t": "d", "d": {"r": self._number, "a": action, "b": body}})
        pieces = [text[start : start + 16384] for start in range(0, len(text), 16384)]
        for frame in pieces if len(pieces) == 1 else [str(len(pieces)), *pieces]:
            self._socket.send(frame)
        return self._number

    def receive(self):
        """Return the next message."""
        frame = self._socket.recv(LIMIT)
        if frame.isdigit() and len(frame) <= 6:
            frame = "".join(self._socket.recv(LIMIT) for _ in range(int(frame)))
        return json.loads(frame)

    def frame(self):
        """Return the next frame."""
        return self._socket.recv(LIMIT)

    def data(self):
        """Return the next data message: (action, body) of a push, (number, status, data) of a response."""
        message = self.receive()
        assert message["t"] == "d", message
        data = message["d"]
        return (data["a"], data["b"]) if "a" in data else (data["r"], data["b"]["s"], data["b"]["d"])

    def ask(self, action, body):
        """Send a request; return the pushes before its response, its status and its data."""
        number, pushes = self.send(action, body), []
        while len(item := self.data()) == 2:
            pushes.append(item)
        assert item[0] == number
        return pushes, item[1], item[2]

    def do(self, action, body):
        """Send a request that succeeds; return the pushes before its response."""
        pushes, status, data = self.ask(action, body)
        assert status == "ok", (status, data)
        return pushes

    def ping(self):
        """Wait until the server has handled all earlier messages; return the pushes before the response."""
        self._socket.send('{"t":"c","d":{"t":"p","d":{}}}')
        pushes = []
        while (message := self.receive())["t"] == "d":
            pushes.append((message["d"]["a"], message["d"]["b"]))
        assert message == {"t": "c", "d": {"t": "o", "d": None}}
        return pushes

    def close(self):
        self._closing.close()

    def drop(self):
        """End the connection without a closing handshake."""
        self._socket.socket.shutdown(socket.SHUT_RDWR)
        self.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
