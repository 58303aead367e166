"""Measure the emulator with a data folder: writes, the delay of other clients by background work, and recovery.

    python benchmarks/emulator_data.py [number of leaves]

Prints figures, but does not check them. The emulator runs in a separate process, except for the recovery.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import firebase_rest.emulator
from emulator import Client, Emulator, integers, measured_reads, show

WRITES = 5_000
ROWS = 50_000
"""Number of rows after which the emulator writes all data again."""


def measure_writes(label: str, *arguments: str) -> None:
    emulator = Emulator(*arguments)
    client = Client(emulator.host)
    start = time.perf_counter()
    for number in range(WRITES):
        client.request("PUT", f"w/{number % 100}", b"1", "print=silent")
    show(f"write, {label}", (time.perf_counter() - start) * 1000 / WRITES)
    emulator.close()


def measure_recovery(label: str, folder: Path) -> None:
    start = time.perf_counter()
    emulator = firebase_rest.emulator.Emulator(data=folder)
    show(f"recovery, {label}", (time.perf_counter() - start) * 1000)
    emulator.close()


def measure_background_work(count: int, folder: Path) -> None:
    emulator = Emulator("--data", str(folder))
    client = Client(emulator.host)
    _, elapsed = client.request("PUT", "big", integers(count, shuffled=False), "print=silent")
    show(f"PUT of {count} leaves", elapsed)
    with measured_reads(emulator.host, f"{ROWS + 500} writes, with the data written as a whole"):
        start = time.perf_counter()
        for number in range(ROWS + 500):
            client.request("PUT", f"big/k{number:07}", b"1", "print=silent")
        show("writes", (time.perf_counter() - start) * 1000 / (ROWS + 500))
        time.sleep(3)  # until the background work has ended
    emulator.close()


def main() -> None:
    """Print all figures."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure_writes("in memory")
        measure_writes("--data", "--data", str(folder / "small"))
        measure_writes("--data --sync-data", "--data", str(folder / "sync"), "--sync-data")
        measure_background_work(count, folder / "big")
        measure_recovery(f"{count} leaves", folder / "big")
        with firebase_rest.emulator.Emulator(data=folder / "big").serve() as server:
            client = Client(server.host)
            for number in range(ROWS - 2_000):
                client.request("PUT", f"big/k{number * 19 % count:07}", b"2", "print=silent")
            server.emulator.close()  # type: ignore[attr-defined]  # the protocol of servers has no close()
        measure_recovery(f"and {ROWS - 2_000} writes", folder / "big")


if __name__ == "__main__":
    main()
