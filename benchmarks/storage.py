"""100 MB up and down: this package against plain requests that also add up the MD5, in turn, on our emulator.

Prints megabytes per second and the median of the rounds' ratios. What was added up is compared with the server's sums.
`python benchmarks/storage.py without-crc32c` leaves google_crc32c out, as if it were not there. `make bench` runs both.
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

if "without-crc32c" in sys.argv:
    sys.modules["google_crc32c"] = None  # type: ignore[assignment]

import requests

import firebase_rest

SIZE = 100_000_000
ROUNDS = 7
PROMISED = 0.9
"""Of the throughput of plain requests."""

BUCKET = "demo-project.appspot.com"
SERVER = """
import sys
from firebase_rest.emulator import Emulator
with Emulator().serve() as server:
    print(server.host, flush=True)
    sys.stdin.read()
"""


class Adding:
    """A file that is added up while it is read."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("rb")
        self.md5 = hashlib.md5()
        self.size = path.stat().st_size

    def __len__(self) -> int:
        return self.size

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.md5.update(data)
        return data


def bare_up(session: requests.Session, url: str, path: Path) -> None:
    body = Adding(path)
    with body.file:
        answer = session.post(url, params={"name": "bare"}, data=body, headers={"Content-Type": "application/x-test"})
    assert answer.json()["md5Hash"] == base64.b64encode(body.md5.digest()).decode()


def bare_down(session: requests.Session, url: str, path: Path) -> None:
    md5 = hashlib.md5()
    with session.get(f"{url}/bare", params={"alt": "media"}, stream=True) as answer, path.open("wb") as file:
        for piece in answer.iter_content(1024 * 1024):
            md5.update(piece)
            file.write(piece)
    assert base64.b64encode(md5.digest()).decode() in answer.headers["x-goog-hash"]


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(host: str, folder: Path) -> bool:
    os.environ["FIREBASE_STORAGE_EMULATOR_HOST"] = host
    storage = firebase_rest.initialize_app({"storageBucket": BUCKET}).storage()
    session, url = requests.Session(), f"http://{host}/v0/b/{BUCKET}/o"
    there, back = folder / "there", folder / "back"
    there.write_bytes(random.Random(1).randbytes(SIZE))
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "100 MB up": (lambda: bare_up(session, url, there), lambda: storage.child("ours").put(there)),
        "100 MB down": (lambda: bare_down(session, url, back), lambda: storage.child("bare").download(back)),
    }
    good = True
    print(f"{'MB per second':16}{'requests':>12}{'firebase_rest':>16}{'share':>8}    promised")
    for case, (bare, ours) in pairs.items():
        rounds = [(seconds(bare), seconds(ours)) for _ in range(ROUNDS)]
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
