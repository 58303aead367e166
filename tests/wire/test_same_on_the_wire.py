"""Every case with Pyrebase4 and with this library: equal requests and equal results.

Differences are documented with their reason and both sides.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from wire.cases import CASES
from wire.known_differences import DIFFERENCES, DIFFERENT, Lines
from wire.recording import Recording, apart
from wire.shared_differences import RULES, converted


def as_ours(recording: Recording) -> Recording:
    """Return the recording without the shared differences."""
    return replace(recording, sent=tuple(converted(line) for line in recording.sent))


@pytest.mark.parametrize("name", [name for name in CASES if name not in DIFFERENT])
def test_call_equals_pyrebase4(name, ours, theirs) -> None:
    assert ours[name].complete == as_ours(theirs[name]).complete


@pytest.mark.parametrize("name", DIFFERENT)
def test_call_differs_from_pyrebase4_as_documented(name, ours, theirs) -> None:
    only_ours, only_theirs = apart(ours[name], as_ours(theirs[name]))
    assert Lines(only_theirs, only_ours) == DIFFERENT[name]


NAMES = """
import pyrebase.pyrebase as inside
for kind in ("Auth", "Database", "Storage", "Stream", "PyreResponse", "Pyre"):
    print(*(f"{kind}.{name}" for name in dir(getattr(inside, kind)) if not name.startswith("_")), sep="\\n")
"""
INSIDE = {
    "Database.build_headers",
    "Database.build_request_url",
    "Database.check_token",
    "Stream.make_session",
    "Stream.start_stream",
}
"""Methods that only Pyrebase4 itself calls."""


def test_every_method_of_pyrebase4_is_tested(pyrebase4) -> None:
    theirs, ours = (
        set(subprocess.run([python, "-E", "-c", NAMES], capture_output=True, text=True, check=True).stdout.split())
        for python in (pyrebase4, sys.executable)
    )
    assert theirs - ours == INSIDE
    cases = "".join(path.read_text(encoding="utf-8") for path in (Path(__file__).parent / "cases").glob("*.py"))
    called = {name for name in theirs if re.search(rf"\b{name.partition('.')[2]}\b", cases)}
    assert theirs - called <= INSIDE


def test_every_documented_difference_has_a_case() -> None:
    assert DIFFERENT.keys() <= CASES.keys()
    assert all(DIFFERENCES.values()), "a reason without a case"


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_shared_difference_occurs(rule, theirs) -> None:
    assert any(rule(line) != line for recording in theirs.values() for line in recording.sent)
