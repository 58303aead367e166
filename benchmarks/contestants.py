"""One measurement in one process: python contestants.py CASE CLIENT PORT. Prints seconds of CPU per operation.

Runs in the project's environment and in Pyrebase4's own, so it imports only what the client needs.
"""

from __future__ import annotations

import os
import sys
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

    return {
        "small get": lambda: session.get(f"{BASE}/small.json").json(),
        "large get": lambda: session.get(f"{BASE}/large.json").json(),
        "ordered get": ordered,
    }


def pyrebase_api(module: str) -> dict[str, Callable[[], object]]:
    pyrebase = __import__(module)
    config = {"apiKey": "k", "authDomain": "", "databaseURL": BASE, "storageBucket": ""}
    db = pyrebase.initialize_app(config).database()
    return {
        "small get": lambda: db.child("small").get().val(),
        "large get": lambda: db.child("large").get().val(),
        "ordered get": lambda: db.child("large").order_by_child("score").get().val(),
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
TIMES = {"small get": 1500, "large get": 3, "ordered get": 3}


def main() -> None:
    case, client = sys.argv[1:3]
    operation = CLIENTS[client]()[case]
    for _ in range(max(1, TIMES[case] // 10)):
        operation()
    started = time.process_time()
    for _ in range(TIMES[case]):
        operation()
    print((time.process_time() - started) / TIMES[case])


main()
