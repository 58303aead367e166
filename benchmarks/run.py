"""Compare this package with plain requests, firebase-admin and PyPI's Pyrebase4, and print ratios.

The unit is CPU seconds of the client's process. Each round runs every client once, so that changes of the machine's
speed affect all clients. The output is the median of the ratios to plain requests. `make bench` runs it.

    python benchmarks/run.py [--json FILE] [CASE ...]

`--json` writes the ratios to a file, from which `chart.py` draws the chart of the documentation.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROUNDS = 5

LIMITS = {
    "small get": 0.65,
    "large get": 0.8,
    "ordered get": 1.5,
    "import": 1.15,
    "20,001 events": 1 / 0.6,
    "20 MB event": 1.5,
}
"""Maximum CPU time of firebase_rest, relative to plain requests with `sorted` and a loop that parses the stream."""

ASYNC = "firebase_rest.aio"
ASYNC_LIMITS = {"small get": 0.35, "small get, deadline, token": 0.4, "async import": 1.15}
"""Maximum CPU time of the async client, relative to plain requests; of its import, relative to aiohttp and requests."""

ONLY = {
    "async import": {"requests", ASYNC},
    "small get, deadline, token": {"requests", ASYNC},
    "16 small gets at once": {"requests", "firebase_rest", "pyrebase4", ASYNC},
    "20,001 events": {"requests", "firebase_rest", "pyrebase4", ASYNC},
    "20 MB event": {"requests", "firebase_rest", ASYNC},
}
"""The clients of some cases. The streams of the other clients need quadratic time in the size of an event."""

MIN_EVENTS_RATIO = 15
"""Minimum number of events per second, relative to Pyrebase4."""
MIN_CALLS_RATIO = 4
"""Minimum number of calls per second of 16 tasks, relative to 16 threads of Pyrebase4."""


def pyrebase4() -> str:
    """Return the Python of Pyrebase4's environment, which pins other versions of our dependencies."""
    command = [sys.executable, HERE.parent / "tools" / "pyrebase4.py"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-1]


def measure(python: str, case: str, client: str, port: str) -> float:
    if case.endswith("import"):
        baseline = "aiohttp, requests" if case == "async import" else "requests"
        module = {"pyrebase4": "pyrebase", "requests": baseline}.get(client, client)
        code = f"import time; t=time.process_time(); import {module}; print(time.process_time()-t)"
        command = [python, "-c", code]
    else:
        command = [python, str(HERE / "clients.py"), case, client, port]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)


def main() -> None:
    pythons = dict.fromkeys(("requests", "firebase_rest", ASYNC, "firebase_admin"), sys.executable)
    pythons["pyrebase4"] = pyrebase4()
    parser = argparse.ArgumentParser()
    parser.add_argument("cases", nargs="*", metavar="CASE")
    parser.add_argument("--json", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    cases = arguments.cases or [*LIMITS, *ONLY.keys() - LIMITS.keys()]
    results: dict[str, dict[str, float]] = {}
    with subprocess.Popen(
        [sys.executable, HERE / "server.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        print(
            f"{'CPU, as a share of requests':28}"
            + "".join(f"{name:>18}" for name in pythons)
            + "             limit       limit (aio)"
        )
        for case in cases:
            rounds = [
                {
                    client: measure(python, case, client, port)
                    for client, python in pythons.items()
                    if client in ONLY.get(case, pythons)
                }
                for _ in range(ROUNDS)
            ]
            ratios = {
                name: statistics.median(times[name] / times["requests"] for times in rounds) for name in rounds[0]
            }
            results[case] = {name: round(ratio, 2) for name, ratio in ratios.items()}
            row = "".join(f"{ratios[name]:18.2f}" if name in ratios else f"{'-':>18}" for name in pythons)
            limits = "".join(
                f"{limits[case]:18.2f}" if case in limits else f"{'-':>18}" for limits in (LIMITS, ASYNC_LIMITS)
            )
            print(f"{case:28}{row}{limits}", flush=True)
            if case == "16 small gets at once":
                ratio = statistics.median(times["pyrebase4"] / times[ASYNC] for times in rounds)
                print(
                    f"  calls of 16 tasks: {ratio:.1f} times 16 threads of Pyrebase4, at least {MIN_CALLS_RATIO}",
                    flush=True,
                )
            if case == "20,001 events":
                ratio = statistics.median(times["pyrebase4"] / times["firebase_rest"] for times in rounds)
                print(f"  events per second: {ratio:.1f} times Pyrebase4's, at least {MIN_EVENTS_RATIO}", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
