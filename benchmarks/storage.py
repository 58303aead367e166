"""Compare uploads and downloads of 100 MB with plain requests that also compute the checksum, on our emulator.

Both clients compute CRC-32C if google_crc32c is installed, else MD5, and compare it with the server's. Both write new
files, because the file system needs longer to free a replaced file than the download takes. Prints megabytes per second
and the median of the rounds' ratios.

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
    sys.modules["google_crc32c"] = None  # type: ignore[assignment]  # None makes the import fail

import requests

import firebase_rest

try:
    import google_crc32c
except ImportError:
    google_crc32c = None

SIZE = 100_000_000
ROUNDS = 15
MIN_SHARE = 0.9
"""The minimum share of the throughput of plain requests."""

BUCKET = "demo-project.appspot.com"
SERVER = """
import sys
from firebase_rest.emulator import Emulator
with Emulator().serve() as server:
    print(server.host, flush=True)
    sys.stdin.read()
"""


def new_checksum() -> Any:
    return hashlib.md5() if google_crc32c is None else google_crc32c.Checksum()


def in_base64(checksum: Any) -> str:
    return base64.b64encode(checksum.digest()).decode()


class ChecksumFile:
    """A file that computes its checksum while it is read."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("rb")
        self.checksum = new_checksum()
        self.size = path.stat().st_size

    def __len__(self) -> int:
        return self.size

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.checksum.update(data)
        return data


def upload_with_requests(session: requests.Session, url: str, path: Path) -> None:
    body, headers = ChecksumFile(path), {"Content-Type": "application/x-test"}
    with body.file:
        response = session.post(url, params={"name": "requests"}, data=body, headers=headers)
    assert in_base64(body.checksum) in (response.json()["md5Hash"], response.json()["crc32c"])


def download_with_requests(session: requests.Session, url: str, path: Path) -> None:
    checksum = new_checksum()
    with session.get(f"{url}/requests", params={"alt": "media"}, stream=True) as response, path.open("wb") as file:
        for piece in response.iter_content(1024 * 1024):
            checksum.update(piece)
            file.write(piece)
    assert in_base64(checksum) in response.headers["x-goog-hash"]


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(host: str, folder: Path) -> bool:
    os.environ["FIREBASE_STORAGE_EMULATOR_HOST"] = host
    storage = firebase_rest.initialize_app({"storageBucket": BUCKET}).storage()
    session, url = requests.Session(), f"http://{host}/v0/b/{BUCKET}/o"
    source, target = folder / "source", folder / "target"
    source.write_bytes(random.Random(1).randbytes(SIZE))
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "100 MB up": (
            lambda: upload_with_requests(session, url, source),
            lambda: storage.child("firebase_rest").put(source),
        ),
        "100 MB down": (
            lambda: download_with_requests(session, url, target),
            lambda: storage.child("requests").download(target),
        ),
    }
    is_fast_enough = True
    print(f"{'MB per second':16}{'requests':>12}{'firebase_rest':>16}{'share':>8}{'minimum':>12}")
    for case, operations in pairs.items():
        rounds: list[list[float]] = []
        for _ in range(ROUNDS):
            rounds.append([])
            for work in operations:
                target.unlink(missing_ok=True)
                rounds[-1].append(seconds(work))
        share = statistics.median(requests_time / own_time for requests_time, own_time in rounds)
        rates = [SIZE / 1e6 / statistics.median(times) for times in zip(*rounds, strict=True)]
        print(f"{case:16}{rates[0]:12.0f}{rates[1]:16.0f}{share:8.2f}{MIN_SHARE:12.2f}", flush=True)
        is_fast_enough = is_fast_enough and share >= MIN_SHARE
    return is_fast_enough


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
