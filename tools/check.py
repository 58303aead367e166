"""Run all checks except the tests, two at a time: `make check`. Prints a line for each, and the output of failures.

`python tools/check.py ruff types` runs only the checks whose name starts with "ruff" or "types". The coverage check
runs all tests, unless TESTS_DONE is set. .ci/run sets it, because it has run the tests with coverage before.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


class Step(NamedTuple):
    name: str
    command: tuple[str, ...]


def tool(name: str, *arguments: str) -> tuple[str, ...]:
    return (str(BIN / name), *arguments)


# Long checks come first, so that both workers end at about the same time.
STEPS = [
    Step("coverage", tool("coverage", "report") if os.environ.get("TESTS_DONE") else tool("pytest", "-q", "--cov")),
    Step("interpreters", tool("python", "tools/matrix.py")),
    Step("wheel", tool("python", "tools/wheel.py")),
    Step("types: pyright", tool("pyright")),
    Step("types: mypy", tool("mypy")),
    Step("docs", tool("sphinx-build", "-q", "-E", "-W", "--keep-going", "docs", "docs/_build/html")),
    Step("async client", tool("python", "tools/generate_aio.py", "--check")),
    Step("imports", tool("lint-imports", "--no-cache")),
    Step("spelling", tool("codespell")),
    Step("ruff check", tool("ruff", "check", "--no-cache")),
    Step("ruff format", tool("ruff", "format", "--no-cache", "--check")),
]


def run(step: Step) -> bool:
    start = time.monotonic()
    process = subprocess.run(step.command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    has_passed = process.returncode == 0
    report = f"{'ok  ' if has_passed else 'FAIL'} {step.name:<16} {time.monotonic() - start:6.1f} s\n"
    sys.stdout.write(report if has_passed else report + process.stdout)
    sys.stdout.flush()
    return has_passed


def main(prefixes: list[str]) -> int:
    steps = [step for step in STEPS if not prefixes or step.name.startswith(tuple(prefixes))]
    with ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(run, steps))
    print(f"{sum(results)} of {len(results)} checks passed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
