"""The files in the guides on testing are complete: pytest and unittest run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = re.compile(r"^```\w+\n(?:#|//) ([\w.-]+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def write_files(page: str, folder: Path) -> list[str]:
    """Write each block that begins with a file name in a comment. A second block with that name is appended."""
    names = []
    for name, text in FILE.findall((ROOT / "docs" / "how-to" / page).read_text(encoding="utf-8")):
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(text)
        names.append(name)
    return names


def run(folder: Path, *arguments: str) -> str:
    environ = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command = [sys.executable, "-m", *arguments]
    result = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=100)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


@pytest.mark.parametrize(
    ("page", "number"), [("test-security-rules.md", 10), ("test-your-app.md", 11), ("web-sessions.md", 7)]
)
def test_pytest_runs_the_files_of_the_guide(page: str, number: int, tmp_path: Path) -> None:
    assert "conftest.py" in write_files(page, tmp_path)
    assert f"{number} passed" in run(tmp_path, "pytest", "-q", "-p", "no:cacheprovider")


@pytest.mark.parametrize("page", ["test-security-rules.md", "test-your-app.md"])
def test_unittest_runs_the_files_of_the_guide(page: str, tmp_path: Path) -> None:
    write_files(page, tmp_path)
    assert "Ran 1 test" in run(tmp_path, "unittest", "test_with_unittest")


def test_coverage_report_is_that_of_the_guide(tmp_path: Path) -> None:
    write_files("test-security-rules.md", tmp_path)
    page = (ROOT / "docs" / "how-to" / "test-security-rules.md").read_text(encoding="utf-8")
    [report] = re.findall(r"^```console\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert report in run(
        tmp_path, "pytest", "test_rules.py", "-q", "-p", "no:cacheprovider", "--firebase-rules-coverage=90"
    )
