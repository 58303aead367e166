"""Record the cases once with each library, each in its own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.google import key_file
from wire.recording import Recording

TESTS = Path(__file__).parent.parent
TIMEOUT = 600
"""Maximum seconds to create Pyrebase4's environment, once per machine."""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(TIMEOUT))
            item.add_marker(pytest.mark.xdist_group("wire"))  # one worker makes the session fixtures


@pytest.fixture(scope="session")
def pyrebase4() -> str:
    """Return a Python with PyPI's Pyrebase4. Without it the tests are skipped with the reason; in CI they fail."""
    command = [sys.executable, TESTS.parent / "tools" / "pyrebase4.py"]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode == 0:
        return result.stdout.split()[-1]
    errors = [line for line in result.stderr.splitlines() if line.startswith("ERROR")] or [result.stderr[-500:]]
    reason = f"Pyrebase4 cannot be installed: {errors[-1]}"
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must compare with Pyrebase4: {reason}")
    pytest.skip(reason)


def record(python: str) -> dict[str, Recording]:
    """Record the cases with the `pyrebase` of an interpreter."""
    env = {name: value for name, value in os.environ.items() if not _leads_elsewhere(name)}
    account = json.dumps(key_file("", client_id="1"))
    command = [python, "-m", "wire.recorder"]
    result = subprocess.run(
        command, cwd=TESTS, env={**env, "PYTHONPATH": str(TESTS)}, input=account, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return {name: Recording.of(recorded) for name, recorded in json.loads(result.stdout).items()}


def _leads_elsewhere(name: str) -> bool:
    return "EMULATOR" in name or "PROXY" in name.upper() or name.startswith(("FIREBASE_", "GOOGLE_"))


@pytest.fixture(scope="session")
def ours() -> dict[str, Recording]:
    return record(sys.executable)


@pytest.fixture(scope="session")
def theirs(pyrebase4: str) -> dict[str, Recording]:
    return record(pyrebase4)


@pytest.fixture
def recorded(request: pytest.FixtureRequest) -> dict[str, Recording]:
    """One test for both libraries."""
    return request.getfixturevalue("ours" if request.param == "ours" else "theirs")
