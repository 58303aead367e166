"""Upload and download 100 MB with this package and with plain requests that also compute the checksum, on our
emulator.

Both compute CRC-32C if google_crc32c is installed, else MD5, and compare it with the server's. Both write new files,
because the file system needs longer to free a replaced file than the download takes.
Prints megabytes per second and the median of the rounds' ratios.
`python benchmarks/storage.py without-crc32c` measures without google_crc32c. `make bench` runs both.
"""

from __future__ import annotations

import base64
import hashlib
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

if "without-crc32c" in sys.argv:
    sys.modules["google_crc32c"] = None  # type: ignore[assignment]

import requests

import firebase_rest

try:
    import google_crc32c
except ImportError:
    google_crc32c = None

SIZE = 100_000_000
ROUNDS = 15
PROMISED = 0.9
"""The minimum share of the throughput of plain requests."""

BUCKET = "demo-project.appspot.com"
SERVER = """
import sys
from firebase_rest.emulator import Emulator
with Emulator().serve() as server:
    print(server.host, flush=True)
    sys.stdin.read()
"""


def new_sum() -> Any:
    return hashlib.md5() if google_crc32c is None else google_crc32c.Checksum()


def in_base64(total: Any) -> str:
    return base64.b64encode(total.digest()).decode()


class Adding:
    """A file that computes its checksum while it is read."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("rb")
        self.sum = new_sum()
        self.size = path.stat().st_size

    def __len__(self) -> int:
        return self.size

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.sum.update(data)
        return data


def bare_up(session: requests.Session, url: str, path: Path) -> None:
    body = Adding(path)
    with body.file:
        response = session.post(url, params={"name": "bare"}, data=body, headers={"Content-Type": "application/x-test"})
    assert in_base64(body.sum) in (response.json()["md5Hash"], response.json()["crc32c"])


def bare_down(session: requests.Session, url: str, path: Path) -> None:
    total = new_sum()
    with session.get(f"{url}/bare", params={"alt": "media"}, stream=True) as response, path.open("wb") as file:
        for piece in response.iter_content(1024 * 1024):
            total.update(piece)
            file.write(piece)
    assert in_base64(total) in response.headers["x-goog-hash"]


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(host: str, folder: Path) -> bool:
    os.environ["FIREBASE_STORAGE_EMULATOR_HOST"] = host
    storage = firebase_rest.initialize_app({"storageBucket": BUCKET}).storage()
    session, url = requests.Session(), f"http://{host}/v0/b/{BUCKET}/o"
    source, target = folder / "there", folder / "back"
    source.write_bytes(random.Random(1).randbytes(SIZE))
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "100 MB up": (lambda: bare_up(session, url, source), lambda: storage.child("ours").put(source)),
        "100 MB down": (lambda: bare_down(session, url, target), lambda: storage.child("bare").download(target)),
    }
    good = True
    print(f"{'MB per second':16}{'requests':>12}{'firebase_rest':>16}{'share':>8}    promised")
    for case, (bare, ours) in pairs.items():
        rounds: list[list[float]] = []
        for _ in range(ROUNDS):
            rounds.append([])
            for work in (bare, ours):
                target.unlink(missing_ok=True)
                rounds[-1].append(seconds(work))
        share = statistics.median(one / other for one, other in rounds)
        rates = [SIZE / 1e6 / statistics.median(times) for times in zip(*rounds, strict=True)]
        print(f"{case:16}{rates[0]:12.0f}{rates[1]:16.0f}{share:8.2f}{PROMISED:12.2f}", flush=True)
        good = good and share >= PROMISED
    return good


def main() -> int:
    with (
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(
            [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server,
    ):
        assert server.stdout is not None
        return 0 if measure(server.stdout.readline().strip(), Path(folder)) else 1


if __name__ == "__main__":
    sys.exit(main())
