"""`tools/run_tests.py` on a small project: what it repeats, and what it reports."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools/run_tests.py"

pytestmark = pytest.mark.slow

FAILS_ONCE = """
from pathlib import Path

def test_of_timing():
    marker = Path(__file__).with_suffix(".ran")
    first = not marker.exists()
    marker.touch()
    assert not first, "too slow"
"""


@pytest.fixture
def project(tmp_path):
    """A folder with a copy of the tool and, for each serial folder, one test that passes."""
    for folder in ("tools", "tests/unit", "tests/environments", "tests/faults", "tests/streams"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / f"test_{Path(folder).name}.py").write_text("def test_passes(): pass\n")
    shutil.copy(TOOL, tmp_path / "tools")
    return tmp_path


def run(project):
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
    environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # the other plugins are slow to import
    command = [sys.executable, "tools/run_tests.py", "-p", "xdist"]
    return subprocess.run(command, cwd=project, env=environ, capture_output=True, text=True, timeout=100)


def test_passing_tests_are_not_repeated(project):
    result = run(project)
    assert result.returncode == 0, result.stdout
    assert "Repeating" not in result.stdout
    assert "3 passed" in result.stdout.splitlines()[-1]


def test_tests_that_pass_when_repeated_are_reported_as_unstable(project):
    names = ["tests/unit/test_parallel.py", "tests/streams/test_serial.py"]
    for name in names:
        (project / name).write_text(FAILS_ONCE)
    result = run(project)
    assert result.returncode == 0, result.stdout
    for name, line in zip(names, result.stdout.splitlines()[-2:], strict=True):
        assert line.startswith(f"UNSTABLE, passed when repeated: {name}::test_of_timing - AssertionError: too slow")


def test_test_that_fails_twice_fails_the_run(project):
    (project / "tests/unit/test_broken.py").write_text(
        "import pytest\n\n@pytest.mark.xdist_group('one')\n"
        "@pytest.mark.parametrize('text', ['a::b'])\ndef test_it(text): raise ValueError(text)\n"
    )
    result = run(project)
    assert result.returncode == 1, result.stdout
    assert result.stdout.splitlines()[-1] == "FAILED TWICE: tests/unit/test_broken.py::test_it[a::b] - ValueError: a::b"


def test_many_failures_are_not_repeated(project):
    (project / "tests/unit/test_broken.py").write_text(
        "import pytest\n\n@pytest.mark.parametrize('n', range(4))\ndef test_it(n): assert n > 3\n"
    )
    result = run(project)
    assert result.returncode == 1, result.stdout
    assert "Repeating" not in result.stdout
    assert [line for line in result.stdout.splitlines() if line.startswith("FAILED: ")] == [
        f"FAILED: tests/unit/test_broken.py::test_it[{n}] - assert {n} > 3" for n in range(4)
    ]


def test_file_that_cannot_be_imported_fails_the_run(project):
    (project / "tests/unit/test_import.py").write_text("import a_module_that_is_not_there\n")
    assert run(project).returncode == 1
