"""Compare this package with plain requests, firebase-admin and PyPI's Pyrebase4, and print ratios.

The unit is CPU seconds of the client's process. Each round runs every client once, so that changes of the machine's
speed affect all clients. The output is the median of the ratios to plain requests. `make bench` runs it.
"""

from __future__ import annotations

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
"""The limits of firebase_rest relative to plain requests, plain `sorted`, and a loop that splits and parses."""

ONLY = {"20,001 events": {"requests", "firebase_rest", "pyrebase4"}, "20 MB event": {"requests", "firebase_rest"}}
"""The clients of each case. The streams of the others need quadratic time in the size of an event."""

TIMES_PYREBASE4 = 15
"""The minimum ratio of events per second to Pyrebase4."""


def pyrebase4() -> str:
    """Return the Python of Pyrebase4's environment, which pins other versions of our dependencies."""
    command = [sys.executable, HERE.parent / "tools" / "pyrebase4.py"]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-1]


def measure(python: str, case: str, client: str, port: str) -> float:
    if case == "import":
        module = {"pyrebase4": "pyrebase"}.get(client, client)
        code = f"import time; t=time.process_time(); import {module}; print(time.process_time()-t)"
        command = [python, "-c", code]
    else:
        command = [python, str(HERE / "contestants.py"), case, client, port]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main() -> None:
    pythons = dict.fromkeys(("requests", "firebase_rest", "firebase_admin"), sys.executable) | {
        "pyrebase4": pyrebase4()
    }
    cases = sys.argv[1:] or list(LIMITS)
    with subprocess.Popen(
        [sys.executable, HERE / "server.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        port = server.stdout.readline().strip()
        print(f"{'CPU, as a share of requests':28}" + "".join(f"{name:>16}" for name in pythons) + "     promised")
        for case in cases:
            rounds = [
                {
                    client: measure(python, case, client, port)
                    for client, python in pythons.items()
                    if client in ONLY.get(case, pythons)
                }
                for _ in range(ROUNDS)
            ]
            ratios = {name: statistics.median(one[name] / one["requests"] for one in rounds) for name in rounds[0]}
            row = "".join(f"{ratios[name]:16.2f}" if name in ratios else f"{'-':>16}" for name in pythons)
            print(f"{case:28}{row}{LIMITS[case]:13.2f}", flush=True)
            if case == "20,001 events":
                times = statistics.median(one["pyrebase4"] / one["firebase_rest"] for one in rounds)
                print(f"  events per second: {times:.1f} times Pyrebase4's, promised {TIMES_PYREBASE4}", flush=True)


if __name__ == "__main__":
    main()
