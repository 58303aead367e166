"""Measure one case in one process: python contestants.py CASE CLIENT PORT. Prints CPU seconds per operation.

Runs in the project's environment and in Pyrebase4's, so it imports only the dependencies of the client.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable

PORT = sys.argv[3]
BASE = f"http://127.0.0.1:{PORT}"


def plain_requests() -> dict[str, Callable[[], object]]:
    import requests

    session = requests.Session()

    def ordered() -> object:
        data = session.get(f"{BASE}/large.json").json()
        return sorted(data.items(), key=lambda pair: pair[1]["score"])

    def follow(path: str, number: int) -> None:
        """Split at empty lines and parse."""
        with session.get(f"{BASE}/{path}.json", headers={"Accept": "text/event-stream"}, stream=True) as response:
            pieces: list[bytes] = []
            for piece in response.iter_content(None):
                pieces.append(piece)
                if b"\n\n" not in piece:
                    continue
                *complete, rest = b"".join(pieces).split(b"\n\n")
                pieces = [rest]
                for event in complete:
                    json.loads(event.split(b"\n", 1)[1][6:])
                    number -= 1
                if not number:
                    return

    return {
        "small get": lambda: session.get(f"{BASE}/small.json").json(),
        "large get": lambda: session.get(f"{BASE}/large.json").json(),
        "ordered get": ordered,
        "20,001 events": lambda: follow("events", 20_001),
        "20 MB event": lambda: follow("event", 1),
    }


def pyrebase_api(module: str) -> dict[str, Callable[[], object]]:
    pyrebase = __import__(module)
    config = {"apiKey": "k", "authDomain": "", "databaseURL": BASE, "storageBucket": ""}
    db = pyrebase.initialize_app(config).database()

    def follow(path: str, number: int) -> None:
        done = threading.Event()
        left = number

        def handler(_: object) -> None:
            nonlocal left
            left -= 1
            if not left:
                done.set()

        stream = db.child(path).stream(handler)
        done.wait()
        if module == "firebase_rest":  # Pyrebase4's close() waits for another event
            stream.close()

    return {
        "small get": lambda: db.child("small").get().val(),
        "large get": lambda: db.child("large").get().val(),
        "ordered get": lambda: db.child("large").order_by_child("score").get().val(),
        "20,001 events": lambda: follow("events", 20_001),
        "20 MB event": lambda: follow("event", 1),
    }


def firebase_admin() -> dict[str, Callable[[], object]]:
    os.environ["FIREBASE_DATABASE_EMULATOR_HOST"] = f"127.0.0.1:{PORT}"
    import firebase_admin
    from firebase_admin import db

    firebase_admin.initialize_app(options={"databaseURL": "https://demo.firebaseio.com", "projectId": "demo"})
    small, large = db.reference("small"), db.reference("large")
    return {"small get": small.get, "large get": large.get, "ordered get": large.order_by_child("score").get}


CLIENTS: dict[str, Callable[[], dict[str, Callable[[], object]]]] = {
    "requests": plain_requests,
    "firebase_rest": lambda: pyrebase_api("firebase_rest"),
    "pyrebase4": lambda: pyrebase_api("pyrebase"),
    "firebase_admin": firebase_admin,
}
TIMES = {"small get": 1500, "large get": 3, "ordered get": 3, "20,001 events": 2, "20 MB event": 3}


def main() -> None:
    case, client = sys.argv[1:3]
    operation = CLIENTS[client]()[case]
    for _ in range(max(1, TIMES[case] // 10)):
        operation()
    started = time.process_time()
    for _ in range(TIMES[case]):
        operation()
    print((time.process_time() - started) / TIMES[case], flush=True)
    os._exit(0)  # an open stream of Pyrebase4 would keep the program running


main()
