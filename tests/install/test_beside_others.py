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

from install.place import PROGRAM, ROOT, SAID, Place

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


def whose(place: Place, name: str = "pyrebase/pyrebase.py") -> str:
    """Return the packages whose wheel contains the installed file `name`; "" if it is missing."""
    installed = place.packages / name
    found = []
    for wheel in sorted(file for folder in place.env["PIP_FIND_LINKS"].split() for file in Path(folder).glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            if installed.exists() and name in archive.namelist() and archive.read(name) == installed.read_bytes():
                found.append(wheel.name.split("-")[0].lower())
    return " ".join(found)


def cure(place: Place, surroundings: dict[str, str]) -> str:
    """Return the output of a program after the fix."""
    for arguments in CURE:
        place.pip(arguments.replace("uninstall", "uninstall -y"))
    return place.says(str(PROGRAM), env=surroundings)


def check(place: Place) -> str:
    """Return the report of the migration checker for a program without findings."""
    (place.folder / "clean.py").write_text("import pyrebase\n")
    command = [place.python, "-I", "-m", "firebase_rest.migrate", "clean.py"]
    done = subprocess.run(command, cwd=place.folder, capture_output=True, text=True)
    assert done.returncode == ("Nothing found" not in done.stdout), done
    assert done.stderr == ""
    return done.stdout


def test_drop_in_works_without_loading_google_auth(place: Place, surroundings: dict[str, str]) -> None:
    place.pip(OURS)
    assert "google-auth is loaded: False" in SAID
    assert place.says(str(PROGRAM), env=surroundings) == SAID


@both
def test_package_installed_later_replaces_the_drop_in(place: Place, surroundings: dict[str, str], theirs: str) -> None:
    place.pip(OURS)
    place.pip(THEIRS[theirs])
    assert whose(place) == theirs
    said = check(place)
    assert REPORT[theirs].lower() in said.lower()
    assert all(f"pip {arguments}" in said for arguments in CURE)
    if theirs in BREAKS:
        breaks, error = BREAKS[theirs]
        assert error in place.error(breaks)
    assert cure(place, surroundings) == SAID


@both
def test_drop_in_replaces_an_earlier_package(place: Place, surroundings: dict[str, str], theirs: str) -> None:
    place.pip(THEIRS[theirs])
    place.pip(OURS)
    assert whose(place) == "firebase_rest"
    assert REPORT[theirs].lower() in check(place).lower()
    assert place.says(str(PROGRAM), env=surroundings) == SAID
    assert cure(place, surroundings) == SAID
    assert "is installed beside" not in check(place)


@orders
def test_uninstalling_the_other_removes_the_drop_in(
    place: Place, surroundings: dict[str, str], theirs: str, order: list[str]
) -> None:
    for arguments in order:
        place.pip(arguments)
    place.pip(f"uninstall -y {theirs}")
    assert whose(place) == ""
    assert place.error(USE) == NO_NAME
    assert "[damaged-distribution]" in check(place)
    assert cure(place, surroundings) == SAID
    assert "Nothing found" in check(place)


@orders
def test_uninstalling_the_drop_in_removes_the_other(
    place: Place, surroundings: dict[str, str], theirs: str, order: list[str]
) -> None:
    for arguments in order:
        place.pip(arguments)
    place.pip("uninstall -y firebase-rest")
    assert whose(place) == ""
    # Pyrebase4 has one more file in the folder, so an empty namespace package is left.
    assert place.error(USE) == (NO_NAME if theirs == "pyrebase4" else NO_MODULE)
    assert cure(place, surroundings) == SAID


def test_works_with_urllib3_future(place: Place, surroundings: dict[str, str]) -> None:
    place.pip(OURS)
    place.pip("install urllib3-future")
    assert place.says("-c", "import urllib3; print(urllib3.__version__)").strip().split(".")[-1].startswith("9")
    assert place.says(str(PROGRAM), env=surroundings) == SAID
