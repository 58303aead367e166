"""Make every call of the cases with the `pyrebase` of this interpreter, against a recording server.

`python -m wire.recorder` reads a service account from its standard input and prints JSON: {case: {"sent": [request,
...], "outcome": text}}. It runs in the project's environment and in one with Pyrebase4, so it imports only the
standard library, requests and pyrebase. `requests.Session.send` is replaced, so every request goes to the recorder.
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
from support.scripted_server import Disconnected, Peer, Received, ScriptedServer
from support.waiting import LIMIT
from wire.case import CaseContext, Response, WireCase
from wire.cases import CASES
from wire.outcome import outcome

HOST, TIMEOUT = "X-Wire-Host", "X-Wire-Timeout"


class Recorder:
    """Sends the responses of the current case and records the requests. /token returns "ya29.1", "ya29.2", ..."""

    def __init__(self) -> None:
        self.responses: tuple[Response, ...] = ()
        self.sent: list[dict[str, Any]] = []
        self._responded = self._tokens = 0
        self._came = threading.Event()

    def open(self, case: WireCase) -> None:
        self.responses, self.sent, self._responded, self._tokens = case.responses, [], 0, 0
        self._came.clear()

    def wait(self) -> None:
        self._came.wait(LIMIT)

    def __call__(self, peer: Peer) -> None:
        while True:
            request = peer.read_request()
            self.sent.append(_noted(request))
            self._came.set()
            if request.path == "/token":
                self._tokens += 1
                token = {"access_token": f"ya29.{self._tokens}", "expires_in": 3600, "token_type": "Bearer"}
                peer.respond(json.dumps(token), headers={"Content-Type": "application/json"})
                continue
            response = self.responses[min(self._responded, len(self.responses) - 1)]
            self._responded += 1
            if response.drop:
                raise Disconnected
            if response.hold or response.headers.get("Content-Type", "").startswith("text/event-stream"):
                head = "".join(f"{name}: {value}\r\n" for name, value in response.headers.items())
                peer.send(f"HTTP/1.1 {response.status} OK\r\n{head}Connection: close\r\n\r\n{response.body}")
                if response.hold:
                    peer.hold()
                raise Disconnected
            peer.respond(response.body, response.status, {"Content-Type": "application/json", **response.headers})


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


def lead_to(server: ScriptedServer) -> None:
    """Make requests send everything to `server`, with the original host in a header."""
    send = requests.Session.send

    def led(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        found = re.match(r"https?://[^/?]*", request.url)
        if found[0] != server.url:
            request.url = server.url + request.url[found.end() :]
            request.headers[HOST] = found[0]
        request.headers[TIMEOUT] = str(options.get("timeout"))
        return send(session, request, **options)

    requests.Session.send = led


def record(case: WireCase, recorder: Recorder, account: dict[str, Any], folder: Path) -> dict[str, Any]:
    recorder.open(case)
    context = CaseContext(pyrebase, account, folder, recorder.wait)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        result = outcome(lambda: case.call(context))
    names = [warning.category.__name__ for warning in warned]
    result += " and warns: RootWrite" if "RootWriteWarning" in names else ""
    for app in (context.__dict__.get("firebase"), context.__dict__.get("admin")):
        if app is not None:
            app.requests.close()
    return {"sent": recorder.sent, "outcome": result.replace(str(folder), "FOLDER")}


def main() -> None:
    recorder = Recorder()
    with ScriptedServer(recorder) as server, tempfile.TemporaryDirectory() as place:
        lead_to(server)
        account = {**json.loads(sys.stdin.read()), "token_uri": f"{server.url}/token"}
        recorded = {}
        for number, (name, case) in enumerate(CASES.items()):
            folder = Path(place, str(number))
            folder.mkdir()
            recorded[name] = record(case, recorder, account, folder)
        sys.stdout.write(json.dumps(recorded))
        sys.stdout.flush()
    os._exit(0)  # a stream of Pyrebase4 that does not end would keep the process


if __name__ == "__main__":
    main()
