"""Measure a case with a client: python clients.py CASE CLIENT PORT. Prints CPU seconds per operation.

The script runs in the project's environment and in Pyrebase4's, so it imports only the dependencies of the client.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any, cast

PORT = sys.argv[3]
BASE = f"http://127.0.0.1:{PORT}"


def plain_requests() -> dict[str, Callable[[], object]]:
    import requests

    session = requests.Session()

    def ordered() -> object:
        data = session.get(f"{BASE}/large.json").json()
        return sorted(data.items(), key=lambda pair: pair[1]["score"])

    def follow(path: str, number: int) -> None:
        """Read a stream until `number` events have arrived: split it at empty lines and parse the data."""
        with session.get(f"{BASE}/{path}.json", headers={"Accept": "text/event-stream"}, stream=True) as response:
            pieces: list[bytes] = []
            for piece in response.iter_content(None):
                pieces.append(piece)
                if b"\n\n" not in piece:
                    continue
                *complete, incomplete = b"".join(pieces).split(b"\n\n")
                pieces = [incomplete]
                for event in complete:
                    json.loads(event.split(b"\n", 1)[1][6:])
                    number -= 1
                if not number:
                    return

    return {
        "small get": lambda: session.get(f"{BASE}/small.json").json(),
        "small get, deadline, token": lambda: session.get(f"{BASE}/small.json").json(),
        "16 small gets at once": lambda: many_threads(lambda: session.get(f"{BASE}/small.json").json()),
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
        remaining = number

        def handler(_: object) -> None:
            nonlocal remaining
            remaining -= 1
            if not remaining:
                done.set()

        stream = db.child(path).stream(handler)
        done.wait()
        if module == "firebase_rest":  # Pyrebase4's close() waits for another event
            stream.close()

    return {
        "small get": lambda: db.child("small").get().val(),
        "16 small gets at once": lambda: many_threads(lambda: db.child("small").get().val()),
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


def many_threads(operation: Callable[[], object]) -> None:
    """Call an operation in 16 threads at the same time."""
    threads = [threading.Thread(target=operation) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def asynchronous() -> dict[str, Callable[[], object]]:
    """Return the operations of the async client. Each runs in one event loop, `TIMES` times in a row."""
    import asyncio

    from firebase_rest import aio

    loop = asyncio.new_event_loop()
    app = aio.initialize_app({"apiKey": "k", "databaseURL": BASE})
    db = app.database()
    bounded = app.with_options(deadline=30).database()
    token = "header." + "x" * 900 + ".signature"

    async def follow(path: str, number: int) -> None:
        async with db.child(path).stream() as events:
            async for _ in events:
                number -= 1
                if not number:
                    return

    async def at_once() -> None:
        await asyncio.gather(*(db.child("small").get() for _ in range(AT_ONCE)))

    async def value(ref: Any, token: str | None = None) -> object:
        return (await ref.get(token)).val()

    cases = {
        "small get": lambda: value(db.child("small")),
        "small get, deadline, token": lambda: value(bounded.child("small"), token),
        "16 small gets at once": at_once,
        "large get": lambda: value(db.child("large")),
        "ordered get": lambda: value(db.child("large").order_by_child("score")),
        "20,001 events": lambda: follow("events", 20_001),
        "20 MB event": lambda: follow("event", 1),
    }

    def repeated(case: str) -> Callable[[], object]:
        async def run(times: int) -> None:
            for _ in range(times):
                await cases[case]()

        def operation(times: int = 1) -> None:
            loop.run_until_complete(run(times))

        return operation

    return {case: repeated(case) for case in cases}


CLIENTS: dict[str, Callable[[], dict[str, Callable[[], object]]]] = {
    "requests": plain_requests,
    "firebase_rest": lambda: pyrebase_api("firebase_rest"),
    "pyrebase4": lambda: pyrebase_api("pyrebase"),
    "firebase_admin": firebase_admin,
    "firebase_rest.aio": asynchronous,
}
AT_ONCE = 16
TIMES = {
    "small get": 1500,
    "small get, deadline, token": 1500,
    "16 small gets at once": 150,
    "large get": 3,
    "ordered get": 3,
    "20,001 events": 2,
    "20 MB event": 3,
}


def repeat(operation: Callable[[], object], times: int) -> None:
    for _ in range(times):
        operation()


def main() -> None:
    case, client = sys.argv[1:3]
    operation = CLIENTS[client]()[case]
    run = partial(repeat, operation) if client != "firebase_rest.aio" else cast(Callable[[int], object], operation)
    run(max(1, TIMES[case] // 10))
    started = time.process_time()
    run(TIMES[case])
    print((time.process_time() - started) / TIMES[case], flush=True)
    os._exit(0)  # an open stream of Pyrebase4 would keep the program running


main()
