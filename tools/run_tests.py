"""Run all tests: `make test`. Options such as --cov are passed to pytest.

Tests of threads, processes and timing run one at a time, after all others have run in parallel. At most MAX_REPEATED
failed tests of a run are repeated alone, because a test can exceed a time limit while others use the machine. A
test that passes then is reported as unstable. The output ends with a list of all failures.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / ".cache/tests"
SERIAL = ("tests/environments", "tests/faults", "tests/streams")
MAX_REPEATED = 3

TESTS_FAILED = 1
"""The exit code of pytest if tests failed, but nothing else did."""


class Failure(NamedTuple):
    """A failed test: its node ID for pytest, and the first line of its message."""

    test: str
    message: str


def run_pytest(name: str, arguments: list[str]) -> tuple[int, list[Failure]]:
    """Return the exit code of a pytest run and its failures."""
    folder = RESULTS / name
    shutil.rmtree(folder, ignore_errors=True)
    report = folder / "report.xml"
    command = [sys.executable, "-m", "pytest", f"--junitxml={report}", "-o", f"cache_dir={folder}", *arguments]
    code = subprocess.run(command, cwd=ROOT).returncode
    failed = folder / "v/cache/lastfailed"
    if not failed.exists():
        return code, []
    tests = sorted(without_group(test) for test in json.loads(failed.read_text()))
    messages = read_messages(report)
    return code, [Failure(test, messages.get(last_part(test), "")) for test in tests]


def read_messages(report: Path) -> dict[str, str]:
    """Return the first line of each failure in a JUnit report, by the name of the test."""
    if not report.exists():
        return {}
    cases = ET.parse(report).iter("testcase")  # noqa: S314 - pytest has just written the file
    return {
        without_group(case.get("name", "")): problem.get("message", "").partition("\n")[0][:300]
        for case in cases
        for problem in case
        if problem.tag in {"failure", "error"}
    }


def without_group(test: str) -> str:
    """Return a node ID without "@" and the group, which the scheduler `loadgroup` of pytest-xdist appends."""
    return re.sub(r"@[\w-]+$", "", test)


def last_part(test: str) -> str:
    """Return the function and parameters of a node ID, which are its name in a JUnit report."""
    return re.sub(r"^[^\[]*::", "", test)


def run_and_repeat(name: str, arguments: list[str], options: list[str]) -> tuple[bool, list[str]]:
    """Return whether all tests of a run have passed, and a line for each failure."""
    code, failures = run_pytest(name, [*arguments, *options])
    if code != TESTS_FAILED or not 1 <= len(failures) <= MAX_REPEATED:
        return code == 0, [f"FAILED: {failure.test} - {failure.message}" for failure in failures]
    print(f"Repeating {len(failures)} failed tests, one at a time ...", flush=True)
    tests = [failure.test for failure in failures]
    code, repeated = run_pytest(f"{name}-repeated", [*tests, *with_append(options)])
    failed_twice = {failure.test for failure in repeated} if code in {0, TESTS_FAILED} else set(tests)
    return code == 0, [
        f"{'FAILED TWICE' if test in failed_twice else 'UNSTABLE, passed when repeated'}: {test} - {message}"
        for test, message in failures
    ]


def with_append(options: list[str]) -> list[str]:
    """Return the options for a run that adds to the coverage of an earlier one."""
    return [*options, "--cov-append"] if any(option.startswith("--cov") for option in options) else options


def main(options: list[str]) -> int:
    in_parallel = ["-n", "auto", "--dist", "loadgroup", *(f"--ignore={folder}" for folder in SERIAL)]
    has_passed, failures = run_and_repeat("parallel", in_parallel, options)
    serial_has_passed, serial_failures = run_and_repeat("serial", list(SERIAL), with_append(options))
    for line in failures + serial_failures:
        print(line)
    return 0 if has_passed and serial_has_passed else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
