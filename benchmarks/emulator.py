"""Times of the emulator with many children, and how long other clients wait meanwhile.

    python benchmarks/emulator.py [number of children]

Prints figures; it checks nothing. The emulator runs in a separate process.
"""

from __future__ import annotations

import http.client
import json
import random
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASE = "ns=demo-project-default-rtdb"
ORDERED = "orderBy=%22age%22&limitToFirst=10"


class Emulator:
    """The emulator in a process, with further arguments of its command."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "firebase_rest.emulator", "--json", "--stdin", *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout
        self.host: str = json.loads(self._process.stdout.readline())["host"]

    def megabytes(self) -> float:
        """Return the resident memory."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * 4096 / 1e6

    def close(self) -> None:
        """Stop the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


class Client:
    """One connection."""

    def __init__(self, host: str) -> None:
        self._connection = http.client.HTTPConnection(host)

    def request(self, method: str, path: str, body: bytes | None = None, query: str = "") -> tuple[bytes, float]:
        """Return the body of a response, and the milliseconds until it was complete."""
        start = time.perf_counter()
        self._connection.request(method, f"/{path}.json?{DATABASE}&{query}", body)
        response = self._connection.getresponse()
        data = response.read()
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {data[:200]!r}")
        return data, (time.perf_counter() - start) * 1000


@contextmanager
def bystander(host: str, label: str) -> Iterator[None]:
    """Print the longest GET of another client during a block."""
    done = threading.Event()
    times: list[float] = []
    client = Client(host)

    def read() -> None:
        while not done.is_set():
            times.append(client.request("GET", "other")[1])
            time.sleep(0.001)

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        times.sort()
        worst = times[-1] if times else 0.0
        print(f"  {label}: GETs of another client took at most {worst:.1f} ms (of {len(times)})")


def show(label: str, milliseconds: float) -> None:
    """Print one figure."""
    print(f"{label:40} {milliseconds:10.2f} ms")


def records(count: int) -> bytes:
    """Return objects with three children."""
    return json.dumps(
        {f"k{i:07}": {"name": f"n{i}", "age": i * 7919 % count, "city": "Bern"} for i in range(count)}
    ).encode()


def integers(count: int, *, shuffled: bool) -> bytes:
    """Return integers with keys of 8 characters."""
    keys = [f"k{i:07}" for i in range(count)]
    if shuffled:
        random.Random(1).shuffle(keys)
    return json.dumps(dict(zip(keys, range(count), strict=True))).encode()


def measure_memory(count: int, *, shuffled: bool) -> None:
    """Print the memory of integers and of an index, and the memory that remains after a DELETE."""
    emulator = Emulator()
    client = Client(emulator.host)
    client.request("PUT", "other", b"1")
    idle = emulator.megabytes()
    _, elapsed = client.request("PUT", "data", integers(count, shuffled=shuffled), "print=silent")
    order = "shuffled" if shuffled else "sorted"
    show(f"PUT of {count} {order} integers", elapsed)
    loaded = emulator.megabytes()
    client.request("GET", "data", query="orderBy=%22$value%22&limitToFirst=1")
    indexed = emulator.megabytes()
    client.request("DELETE", "data")
    print(
        f"  memory: {loaded - idle:.0f} MB, index {indexed - loaded:.0f} MB, left {emulator.megabytes() - idle:.0f} MB"
    )
    emulator.close()


def measure_records(count: int) -> None:
    """Print the times of reads and writes among many records."""
    emulator = Emulator()
    client = Client(emulator.host)
    client.request("PUT", "other", b"1")
    body = records(count)
    with bystander(emulator.host, "PUT"):
        show(f"PUT of {count} records, {len(body) >> 20} MB", client.request("PUT", "data", body, "print=silent")[1])
    print(f"  memory: {emulator.megabytes():.0f} MB")
    with bystander(emulator.host, "index"):
        show("first ordered GET, limitToFirst=10", client.request("GET", "data", query=ORDERED)[1])
    show("ordered GET", min(client.request("GET", "data", query=ORDERED)[1] for _ in range(20)))
    leaf = f"data/k{count // 2:07}/age"
    show("PUT of one leaf", min(client.request("PUT", leaf, b"%d" % i)[1] for i in range(20)))
    with bystander(emulator.host, "GET"):
        show("GET of everything", client.request("GET", "data")[1])
    with bystander(emulator.host, "DELETE"):
        show("DELETE", client.request("DELETE", "data")[1])
    emulator.close()


def measure_stream(count: int) -> None:
    """Print the time of an event of a query stream."""
    emulator = Emulator()
    client = Client(emulator.host)
    client.request("PUT", "data", records(count), "print=silent")
    stream = http.client.HTTPConnection(emulator.host)
    stream.request("GET", f"/data.json?{DATABASE}&{ORDERED}", headers={"accept": "text/event-stream"})
    response: Any = stream.getresponse()
    while response.readline() != b"\n":
        pass
    total, start = 500, time.perf_counter()
    for number in range(total):
        client.request("PUT", f"data/k{number:07}/age", b"%d" % (-number - 1), "print=silent")
        while response.readline() != b"\n":
            pass
    show(f"write and event of a query stream ({count})", (time.perf_counter() - start) * 1000 / total)
    emulator.close()


def main() -> None:
    """Print all figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    measure_records(count)
    measure_stream(min(count, 100_000))
    for shuffled in (False, True):
        measure_memory(count, shuffled=shuffled)


if __name__ == "__main__":
    main()
