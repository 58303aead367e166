"""Makes every call of the book with the `pyrebase` of this interpreter, against a recording server, and tells of it.

`python -m wire.teller` reads a service account from its standard input and prints JSON: {page: {"sent": [request, ...],
"outcome": text}}. It runs once in the project's environment and once in Pyrebase4's own: nothing is imported but the
standard library, requests and pyrebase. Every address is led to the recorder, below both libraries, in
`requests.Session.send`.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import threading
import warnings
from pathlib import Path
from typing import Any

import requests

import pyrebase
from loopback.server import LIMIT, Gone, Peer, Received, Server
from wire.book import BOOK
from wire.outcome import outcome
from wire.page import Desk, Page, Reply

HOST, TIMEOUT = "X-Wire-Host", "X-Wire-Timeout"


class Recorder:
    """Answers what the open page says, and keeps what came. At /token there is "ya29.1", then "ya29.2" ..."""

    def __init__(self) -> None:
        self.replies: tuple[Reply, ...] = ()
        self.sent: list[dict[str, Any]] = []
        self._answered = self._tokens = 0
        self._came = threading.Event()

    def open(self, page: Page) -> None:
        self.replies, self.sent, self._answered, self._tokens = page.replies, [], 0, 0
        self._came.clear()

    def wait(self) -> None:
        self._came.wait(LIMIT)

    def __call__(self, peer: Peer) -> None:
        while True:
            request = peer.request()
            self.sent.append(_noted(request))
            self._came.set()
            if request.path == "/token":
                self._tokens += 1
                token = {"access_token": f"ya29.{self._tokens}", "expires_in": 3600, "token_type": "Bearer"}
                peer.answer(json.dumps(token), headers={"Content-Type": "application/json"})
                continue
            reply = self.replies[min(self._answered, len(self.replies) - 1)]
            self._answered += 1
            if reply.drop:
                raise Gone
            if reply.hold or reply.headers.get("Content-Type", "").startswith("text/event-stream"):
                head = "".join(f"{name}: {value}\r\n" for name, value in reply.headers.items())
                peer.send(f"HTTP/1.1 {reply.status} OK\r\n{head}Connection: close\r\n\r\n{reply.body}")
                if reply.hold:
                    peer.silence()
                raise Gone
            peer.answer(reply.body, reply.status, {"Content-Type": "application/json", **reply.headers})


def _noted(request: Received) -> dict[str, Any]:
    headers = dict(request.headers)
    return {
        "method": request.method,
        "host": headers.pop(HOST.lower(), "http://127.0.0.1"),
        "target": request.target,
        "timeout": headers.pop(TIMEOUT.lower(), None),
        "headers": headers,
        "body": request.body.decode("latin-1"),
    }


def lead_to(server: Server) -> None:
    """From now on requests sends whatever it is told to send to `server`, with a note of where it would have gone."""
    send = requests.Session.send

    def led(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        found = re.match(r"https?://[^/?]*", request.url)
        if found[0] != server.url:
            request.url = server.url + request.url[found.end() :]
            request.headers[HOST] = found[0]
        request.headers[TIMEOUT] = str(options.get("timeout"))
        return send(session, request, **options)

    requests.Session.send = led


def tell(page: Page, recorder: Recorder, account: dict[str, Any], folder: Path) -> dict[str, Any]:
    recorder.open(page)
    desk = Desk(pyrebase, account, folder, recorder.wait)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        said = outcome(lambda: page.call(desk))
    names = [warning.category.__name__ for warning in warned]
    said += " and warns: RootWrite" if "RootWriteWarning" in names else ""
    for app in (desk.__dict__.get("firebase"), desk.__dict__.get("admin")):
        if app is not None:
            app.requests.close()
    return {"sent": recorder.sent, "outcome": said.replace(str(folder), "FOLDER")}


def main() -> None:
    recorder = Recorder()
    with Server(recorder) as server, tempfile.TemporaryDirectory() as place:
        lead_to(server)
        account = {**json.loads(sys.stdin.read()), "token_uri": f"{server.url}/token"}
        told = {}
        for number, (name, page) in enumerate(BOOK.items()):
            folder = Path(place, str(number))
            folder.mkdir()
            told[name] = tell(page, recorder, account, folder)
        sys.stdout.write(json.dumps(told))
        sys.stdout.flush()
    os._exit(0)  # a stream of Pyrebase4 that does not end would keep the process


if __name__ == "__main__":
    main()
