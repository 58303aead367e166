"""PyPI's pyrebase and Pyrebase4 also install the folder `pyrebase/`, and pip overwrites files without a warning.

The tests check the result of each order of installation and removal, its report by `firebase_rest.migrate`, and one
fix for all of them.
"""

from __future__ import annotations

import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from install.installation import OUTPUT, PROGRAM, ROOT, Installation

OURS = "install firebase-rest"
THEIRS = {
    # With the dependencies that matter here.
    "pyrebase4": "install --no-deps Pyrebase4 urllib3<2",
    "pyrebase": "install --no-deps Pyrebase six",
}
GUIDE = (ROOT / "docs" / "how-to" / "migration" / "index.md").read_text().partition("## Conflicting")[2]
CURE = re.findall(r"^pip (.*)$", GUIDE.split("```")[1], re.MULTILINE)
"""The commands in the guide."""

REPORT = {"pyrebase4": "Pyrebase4 4.9.0 is installed beside", "pyrebase": "Pyrebase 3.0.27 is installed beside"}
"""The report of the migration checker if both are installed."""

USE = "import pyrebase; pyrebase.initialize_app"
NO_NAME = "AttributeError: module 'pyrebase' has no attribute 'initialize_app'"
NO_MODULE = "ModuleNotFoundError: No module named 'pyrebase'"

BREAKS = {"pyrebase4": ("import firebase_rest; firebase_rest.initialize_app", "urllib3")}  # it requires urllib3<2
"""Code that fails after the other package was installed -> the name in the error."""

both = pytest.mark.parametrize("theirs", THEIRS)
orders = pytest.mark.parametrize(
    ("theirs", "order"),
    [
        pytest.param("pyrebase4", [OURS, THEIRS["pyrebase4"]], id="pyrebase4 after ours"),
        pytest.param("pyrebase4", [THEIRS["pyrebase4"], OURS], id="pyrebase4 before ours"),
        pytest.param("pyrebase", [OURS, THEIRS["pyrebase"]], id="pyrebase after ours"),
    ],
)


def whose(installation: Installation, name: str = "pyrebase/pyrebase.py") -> str:
    """Return the packages whose wheel contains the installed file `name`; "" if it is missing."""
    installed = installation.packages / name
    found = []
    for wheel in sorted(
        file for folder in installation.env["PIP_FIND_LINKS"].split() for file in Path(folder).glob("*.whl")
    ):
        with zipfile.ZipFile(wheel) as archive:
            if installed.exists() and name in archive.namelist() and archive.read(name) == installed.read_bytes():
                found.append(wheel.name.split("-")[0].lower())
    return " ".join(found)


def cure(installation: Installation, surroundings: dict[str, str]) -> str:
    """Return the output of a program after the fix."""
    for arguments in CURE:
        installation.pip(arguments.replace("uninstall", "uninstall -y"))
    return installation.run_python(str(PROGRAM), env=surroundings)


def check(installation: Installation) -> str:
    """Return the report of the migration checker for a program without findings."""
    (installation.folder / "clean.py").write_text("import pyrebase\n")
    command = [installation.python, "-I", "-m", "firebase_rest.migrate", "clean.py"]
    result = subprocess.run(command, cwd=installation.folder, capture_output=True, text=True)
    assert result.returncode == ("Nothing found" not in result.stdout), result
    assert result.stderr == ""
    return result.stdout


def test_drop_in_works_without_loading_google_auth(installation: Installation, surroundings: dict[str, str]) -> None:
    installation.pip(OURS)
    assert "google-auth is loaded: False" in OUTPUT
    assert installation.run_python(str(PROGRAM), env=surroundings) == OUTPUT


@both
def test_package_installed_later_replaces_the_drop_in(
    installation: Installation, surroundings: dict[str, str], theirs: str
) -> None:
    installation.pip(OURS)
    installation.pip(THEIRS[theirs])
    assert whose(installation) == theirs
    output = check(installation)
    assert REPORT[theirs].lower() in output.lower()
    assert all(f"pip {arguments}" in output for arguments in CURE)
    if theirs in BREAKS:
        breaks, error = BREAKS[theirs]
        assert error in installation.error(breaks)
    assert cure(installation, surroundings) == OUTPUT


@both
def test_drop_in_replaces_an_earlier_package(
    installation: Installation, surroundings: dict[str, str], theirs: str
) -> None:
    installation.pip(THEIRS[theirs])
    installation.pip(OURS)
    assert whose(installation) == "firebase_rest"
    assert REPORT[theirs].lower() in check(installation).lower()
    assert installation.run_python(str(PROGRAM), env=surroundings) == OUTPUT
    assert cure(installation, surroundings) == OUTPUT
    assert "is installed beside" not in check(installation)


@orders
def test_uninstalling_the_other_removes_the_drop_in(
    installation: Installation, surroundings: dict[str, str], theirs: str, order: list[str]
) -> None:
    for arguments in order:
        installation.pip(arguments)
    installation.pip(f"uninstall -y {theirs}")
    assert whose(installation) == ""
    assert installation.error(USE) == NO_NAME
    assert "[damaged-distribution]" in check(installation)
    assert cure(installation, surroundings) == OUTPUT
    assert "Nothing found" in check(installation)


@orders
def test_uninstalling_the_drop_in_removes_the_other(
    installation: Installation, surroundings: dict[str, str], theirs: str, order: list[str]
) -> None:
    for arguments in order:
        installation.pip(arguments)
    installation.pip("uninstall -y firebase-rest")
    assert whose(installation) == ""
    # Pyrebase4 has one more file in the folder, so an empty namespace package is left.
    assert installation.error(USE) == (NO_NAME if theirs == "pyrebase4" else NO_MODULE)
    assert cure(installation, surroundings) == OUTPUT


def test_works_with_urllib3_future(installation: Installation, surroundings: dict[str, str]) -> None:
    installation.pip(OURS)
    installation.pip("install urllib3-future")
    assert (
        installation.run_python("-c", "import urllib3; print(urllib3.__version__)")
        .strip()
        .split(".")[-1]
        .startswith("9")
    )
    assert installation.run_python(str(PROGRAM), env=surroundings) == OUTPUT
