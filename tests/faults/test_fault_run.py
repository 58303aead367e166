"""Twenty live copies behind a proxy with random faults, while twenty writers change the data.

FAULT_SECONDS sets the duration (30 by default; `make faults SECONDS=600`), FAULT_SEED the seed.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

import firebase_rest
from firebase_rest.database import event_stream
from support import fault_proxy

SECONDS = float(os.environ.get("FAULT_SECONDS", "30"))
SEED = int(os.environ.get("FAULT_SEED", "1"))
KEEP_ALIVE = 2.0
COPIES = WRITERS = 20
LOCATIONS = 5
CALM = 90.0
"""Maximum seconds until all copies are in sync after the faults: the longest retry delay is 20 s, a read timeout 3
s."""


@contextmanager
def child(*command: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """Run a program that prints a line of JSON when it is ready, and ends when its input is closed."""
    process = subprocess.Popen(
        [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    )
    try:
        assert process.stdout is not None
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def resident() -> int:
    """Return the resident memory of this process in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Copy:
    """A live copy, and a second copy that is built from its child events."""

    def __init__(self, number: int, url: str) -> None:
        self.app = firebase_rest.initialize_app({"databaseURL": url}, headers={"X-Copy": str(number)})
        self.query = query(self.app.database(), number)
        self.shadow: dict[str, Any] = {}
        self.live = self.query.live(timeout=0)
        self.live.on_child_added(self.keep)
        self.live.on_child_changed(self.keep)
        self.live.on_child_removed(lambda child: self.shadow.pop(child.key()))

    def keep(self, child: Any, previous: str | None) -> None:
        self.shadow[child.key()] = child.val()

    def close(self) -> None:
        self.live.close()
        self.app.close()


def query(database: Any, number: int) -> Any:
    """Return the query of copy `number`: a complete path, the root, or a range."""
    reference = database.child(f"p{number % LOCATIONS}")
    return [
        reference,
        reference.order_by_child("n").limit_to_last(5),
        reference.order_by_key().start_at("k3").end_at("k7"),
        reference.order_by_child("n").start_at(200).end_before(700) if number % 2 else database,
    ][number // LOCATIONS]


def write(rng: random.Random, database: Any) -> None:
    reference = database.child(f"p{rng.randrange(LOCATIONS)}")
    key = f"k{rng.randrange(12)}"
    kind = rng.random()
    if kind < 0.4:
        reference.child(key).set({"n": rng.randrange(1000), "text": "x" * rng.randrange(200)})
    elif kind < 0.6:
        reference.child(key, "n").set(rng.randrange(1000))
    elif kind < 0.75:
        reference.child(key).remove()
    elif kind < 0.95:
        reference.update(
            {
                f"k{rng.randrange(6)}/n": rng.randrange(1000),
                f"k{6 + rng.randrange(6)}": None,
                "k99": 1,
            }
        )
    else:
        reference.set({f"k{number}": {"n": rng.randrange(1000)} for number in range(rng.randrange(12))})


class Writer(threading.Thread):
    """A thread that changes the data about five times a second until `done` is set."""

    def __init__(self, number: int, database: Any, done: threading.Event) -> None:
        super().__init__(daemon=True)
        self.rng = random.Random(number)
        self.database = database
        self.done = done
        self.writes = 0
        self.error: Exception | None = None

    def run(self) -> None:
        try:
            while not self.done.wait(self.rng.uniform(0, 0.4)):
                write(self.rng, self.database)
                self.writes += 1
        except Exception as error:  # noqa: BLE001 - checked after the run
            self.error = error


def differing(copies: list[Copy], database: Any) -> list[int]:
    """Return the numbers of the copies that differ from the database."""
    wrong = []
    for number, copy in enumerate(copies):
        now = query(database, number).get().val()
        children = {item.key(): item.val() for item in query(database, number).get().each() or []}
        if (copy.live.value or None) != (now or None) or {
            str(key): item for key, item in children.items()
        } != copy.shadow:
            wrong.append(number)
    return wrong


def busiest_minute(times: list[float]) -> int:
    return max(sum(start <= other < start + 60 for other in times) for start in times)


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 300)
def test_live_copies_are_in_sync_after_random_faults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "READ_TIMEOUT", 1.5 * KEEP_ALIVE)
    emulator = ("-m", "firebase_rest.emulator", "--port", "0", "--json", "--stdin", "--keep-alive", str(KEEP_ALIVE))
    with ExitStack() as stack:
        _, ready = stack.enter_context(child(*emulator))
        host = ready["host"]
        proxy, port = stack.enter_context(child(fault_proxy.__file__, host, str(SEED)))
        app = stack.enter_context(firebase_rest.initialize_app({"databaseURL": f"http://{host}/?ns=faults"}))
        database = app.database()
        copies = [Copy(number, f"http://127.0.0.1:{port['port']}/?ns=faults") for number in range(COPIES)]
        for copy in copies:
            stack.callback(copy.close)
        done = threading.Event()
        writers = [Writer(number, database, done) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        memory = run(writers, done)
        assert proxy.stdin is not None
        proxy.stdin.write("calm\n")
        proxy.stdin.flush()
        ends = time.monotonic() + CALM
        while (wrong := differing(copies, database)) and time.monotonic() < ends:
            threading.Event().wait(0.5)
        assert not wrong, [(number, copies[number].live) for number in wrong]
        assert [copy.live.is_alive() for copy in copies] == [True] * COPIES
        out, _ = proxy.communicate()
    report = json.loads(out)
    connects = {copy: busiest_minute(times) for copy, times in report["connects"].items()}
    print(  # noqa: T201 - the report of a manual run
        f"\n{sum(writer.writes for writer in writers)} writes, faults {report['faults']}, "
        f"connects in the busiest minute {sorted(connects.values())}, reconnects "
        f"{sum(copy.live.reconnects for copy in copies)}, memory {memory[0] >> 10} -> {memory[1] >> 10} kB"
    )
    assert [writer.error for writer in writers] == [None] * WRITERS
    assert len(connects) == COPIES
    assert max(connects.values()) <= 60
    assert memory[1] <= 1.2 * memory[0]


def run(writers: list[Writer], done: threading.Event) -> tuple[int, int]:
    """Wait for the end of the faults. Return the memory after the first tenth (at least 15 s) and at the end."""
    first = max(15.0, SECONDS / 10)
    done.wait(min(first, SECONDS))
    early = resident()
    done.wait(max(0.0, SECONDS - first))
    done.set()
    for writer in writers:
        writer.join(60)
    return early, resident()
