"""Measure the emulator with many children, and the time that other clients wait at the same time.

    python benchmarks/emulator.py [number of children]

Prints each figure with its limit on two idle cores, but does not check the limits. The emulator runs in a separate
process. Other work on the machine changes the figures, above all the longest times.
"""

from __future__ import annotations

import http.client
import json
import random
import resource
import selectors
import socket
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
        start = time.perf_counter()
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout
        self.host: str = json.loads(self._process.stdout.readline())["host"]
        self.start_seconds = time.perf_counter() - start

    def connect(self) -> socket.socket:
        """Return a new connection."""
        name, _, port = self.host.rpartition(":")
        return socket.create_connection((name, int(port)))

    def megabytes(self) -> float:
        """Return the resident memory."""
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * 4096 / 1e6

    def close(self) -> None:
        """Stop the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()

    def kill(self) -> None:
        """Stop the process at once."""
        self._process.kill()
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
def measured_reads(host: str, label: str, limit: float | None = None) -> Iterator[None]:
    """Send GETs from another client during the block, and print the longest time of a response."""
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
        show(f"  longest of {len(times)} GETs of another client, {label}", max(times, default=0.0), "ms", limit)


def show(label: str, value: float, unit: str = "ms", limit: float | None = None, *, at_least: bool = False) -> None:
    """Print a figure and its limit."""
    limit_text = ""
    if limit is not None:
        limit_text = f"  ({'at least' if at_least else 'at most'} {limit:g})"
    print(f"{label:64} {value:10.2f} {unit}{limit_text}", flush=True)


def records(count: int) -> bytes:
    """Return objects with three children."""
    return json.dumps(
        {f"k{index:07}": {"name": f"n{index}", "age": index * 7919 % count, "city": "Bern"} for index in range(count)}
    ).encode()


def integers(count: int, *, shuffled: bool) -> bytes:
    """Return integers with keys of 8 characters."""
    keys = [f"k{index:07}" for index in range(count)]
    if shuffled:
        random.Random(1).shuffle(keys)
    return json.dumps(dict(zip(keys, range(count), strict=True))).encode()


def measure_start() -> None:
    """Print the time until the emulator is ready."""
    times: list[float] = []
    for _ in range(5):
        emulator = Emulator()
        emulator.close()
        times.append(emulator.start_seconds)
    show("start of the emulator", min(times), "s", 0.3)


def measure_memory(count: int, *, shuffled: bool) -> None:
    """Print the memory of integers, of an index, and of the process after a DELETE."""
    emulator = Emulator()
    client = Client(emulator.host)
    client.request("PUT", "other", b"1")
    idle = emulator.megabytes()
    _, elapsed = client.request("PUT", "data", integers(count, shuffled=shuffled), "print=silent")
    order = "shuffled" if shuffled else "sorted"
    show(f"PUT of {count} {order} integers", elapsed, "ms")
    loaded = emulator.megabytes()
    client.request("GET", "data", query="orderBy=%22$value%22&limitToFirst=1")
    indexed = emulator.megabytes()
    client.request("DELETE", "data")
    millions = count / 1e6
    show("  memory", loaded - idle, "MB", (145 if shuffled else 120) * millions)
    show("  memory of an index", indexed - loaded, "MB", 110 * millions)
    show("  memory left after DELETE", emulator.megabytes() - idle, "MB", 20)
    emulator.close()


def measure_records(count: int) -> None:
    """Print the times of reads and writes among many records."""
    emulator = Emulator()
    client = Client(emulator.host)
    client.request("PUT", "other", b"1")
    body = records(count)
    with measured_reads(emulator.host, "PUT", 80):
        elapsed = client.request("PUT", "data", body, "print=silent")[1]
    show(f"PUT of {count} records, {len(body) >> 20} MB", elapsed, "ms")
    show("  memory", emulator.megabytes(), "MB")
    with measured_reads(emulator.host, "index", 50):
        elapsed = client.request("GET", "data", query=ORDERED)[1]
    show("first ordered GET, limitToFirst=10", elapsed, "ms", 3000)
    show("ordered GET", min(client.request("GET", "data", query=ORDERED)[1] for _ in range(20)), "ms", 5)
    leaf = f"data/k{count // 2:07}/age"
    show("PUT of one leaf", min(client.request("PUT", leaf, b"%d" % index)[1] for index in range(20)), "ms", 3)
    for label, method, query in (
        ("GET of everything", "GET", ""),
        ("indented GET of everything", "GET", "print=pretty"),
        ("GET of everything, ordered", "GET", "orderBy=%22age%22"),
        ("DELETE", "DELETE", ""),
    ):
        with measured_reads(emulator.host, label.split(maxsplit=1)[0], 50):
            elapsed = client.request(method, "data", query=query)[1]
        show(label, elapsed, "ms")
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
    show(f"write and event of a query stream of {count}", (time.perf_counter() - start) * 1000 / total, "ms", 1)
    emulator.close()


def open_stream(emulator: Emulator, path: str) -> socket.socket:
    """Return a connection with an event stream that has had its first event."""
    stream = emulator.connect()
    request = f"GET /{path}.json?{DATABASE} HTTP/1.1\r\nHost: {emulator.host}\r\nAccept: text/event-stream\r\n\r\n"
    stream.sendall(request.encode())
    received = b""
    while b"\n\n" not in received:
        received += stream.recv(65536)
    return stream


def measure_readers(count: int = 3000) -> None:
    """Print the time until many streams have an event, and how long other clients wait meanwhile."""
    emulator = Emulator()
    client = Client(emulator.host)
    client.request("PUT", "other", b"1")
    streams = [open_stream(emulator, "shared") for _ in range(count)]
    with measured_reads(emulator.host, f"write with {count} streams", 50):
        start = time.perf_counter()
        client.request("PUT", "shared", b"1")
        streams[-1].recv(65536)  # which is the last one to have its event
        elapsed = (time.perf_counter() - start) * 1000
    show(f"event of {count} streams", elapsed)
    emulator.kill()
    for stream in streams:
        stream.close()


def measure_update(count: int = 300_000) -> None:
    """Print the time of an update of many paths, and how long other clients wait meanwhile."""
    emulator = Emulator()
    client = Client(emulator.host)
    client.request("PUT", "data", records(count), "print=silent")
    paths = [f"k{number:07}/age" for number in range(count)]
    random.Random(1).shuffle(paths)
    body = json.dumps(dict.fromkeys(paths, 1)).encode()
    with measured_reads(emulator.host, "update", 50):
        elapsed = client.request("PATCH", "data", body, "print=silent")[1]
    show(f"PATCH of {count} paths", elapsed)
    emulator.close()


def measure_gets(connections: int = 64, seconds: float = 3.0) -> None:
    """Print how many small GETs a second the emulator serves on connections that stay open."""
    emulator = Emulator()
    Client(emulator.host).request("PUT", "other", b"1")
    message = f"GET /other.json?{DATABASE} HTTP/1.1\r\nHost: {emulator.host}\r\n\r\n".encode()
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            connection = emulator.connect()
            selector.register(connection, selectors.EVENT_READ)
            connection.sendall(message)
        count, start = 0, time.perf_counter()
        while time.perf_counter() < start + seconds:
            for key, _ in selector.select():
                connection = key.fileobj
                assert isinstance(connection, socket.socket)
                count += bool(connection.recv(65536))  # a whole response, because it is small
                connection.sendall(message)
        elapsed = time.perf_counter() - start
        for key in list(selector.get_map().values()):
            selector.unregister(key.fileobj)
            key.fileobj.close()  # type: ignore[union-attr]  # the selector has only sockets, no file numbers
    show(f"GETs on {connections} connections", count / elapsed, "/s", 9000, at_least=True)
    emulator.close()


def measure_listens(count: int = 9000) -> None:
    """Print the times of other requests while many event streams are open."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    emulator = Emulator()
    client = Client(emulator.host)
    client.request("PUT", "other", b"1")
    idle, start = emulator.megabytes(), time.perf_counter()
    streams = [open_stream(emulator, f"idle/{number}") for number in range(count)]
    show(f"opening of {count} event streams", time.perf_counter() - start, "s")
    show("  memory of each", (emulator.megabytes() - idle) * 1000 / count, "kB")
    show("  GET meanwhile", min(client.request("GET", "other")[1] for _ in range(20)), "ms")
    show("  PUT meanwhile", min(client.request("PUT", "other", b"1")[1] for _ in range(20)), "ms")
    emulator.kill()
    for stream in streams:
        stream.close()


def main() -> None:
    """Print all figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    measure_start()
    measure_gets()
    measure_listens()
    measure_readers()
    measure_update(min(count, 300_000))
    measure_stream(min(count, 100_000))
    measure_records(count)
    for shuffled in (False, True):
        measure_memory(count, shuffled=shuffled)


if __name__ == "__main__":
    main()
