"""Fixtures of the installation tests: our wheel, its dependencies, other packages, and temporary environments."""

from __future__ import annotations

import json
import os
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.metadata import requires
from pathlib import Path
from typing import NoReturn

import pytest
from PyInstaller.compat import check_requirements
from PyInstaller.depend.bindepend import get_python_library_path

from firebase_rest.emulator import Emulator
from firebase_rest.emulator.server import Server
from install.installation import DEMO, FROZEN, PIP, PROGRAM, ROOT, Installation, run

HERE = Path(__file__).parent
CACHE = ROOT / ".cache" / "wheelhouse" / "{}.{}".format(*sys.version_info)

TIMEOUT = 600
"""Timeout in seconds of the first test, which downloads wheels or builds two executables."""

PURE = ("--platform", "any", "--only-binary", ":all:")
REQUIRED = [line.split(";")[0] for line in requires("firebase-rest") or () if "extra" not in line or "emulator" in line]
OURS = [line for line in REQUIRED if not line.startswith("httptools")]  # it has no wheel for any platform
DOWNLOADS = [
    [*PURE, *OURS],
    ["--no-deps", *PURE, "charset-normalizer==2.1.1"],
    ["--no-deps", *PURE, "Pyrebase4==4.9.0"],
    ["--no-deps", *PURE, "Pyrebase==3.0.27", "six"],
    ["--no-deps", *PURE, "urllib3<2"],  # a dependency of Pyrebase4
    ["urllib3-future"],  # a dependency of niquests that replaces urllib3
]


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.slow)
            item.add_marker(pytest.mark.timeout(TIMEOUT))
            item.add_marker(pytest.mark.xdist_group("install"))  # one worker makes the session fixtures


def download() -> None:
    """Download the wheels of other packages, once for each list of requirements."""
    stamp = CACHE / ".ready"
    if stamp.exists() and stamp.read_text() == repr(DOWNLOADS):
        return
    shutil.rmtree(CACHE, ignore_errors=True)
    for requirements in DOWNLOADS:
        run(*PIP, "download", "-qq", "--dest", str(CACHE), *requirements)
    stamp.write_text(repr(DOWNLOADS))


def give_up(reason: str) -> NoReturn:
    """Skip with the reason, or fail in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the folders of our newly built wheel and of the others, in the format of PIP_FIND_LINKS."""
    try:
        download()
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        give_up(f"pip cannot get others' wheels: {error.output}")
    folder = tmp_path_factory.mktemp("wheel")
    runpy.run_path(str(ROOT / "tools" / "wheel.py"))["build"](folder)
    return f"{folder} {CACHE}"


@pytest.fixture(scope="session")
def executables(wheelhouse: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Path, Future[Path]]]:
    """Script -> the executable that PyInstaller builds in the background, in an environment with our wheel."""
    try:
        check_requirements()
        get_python_library_path()
    except SystemExit as error:  # Python has no shared library (pyenv's default), or binutils are missing
        give_up(f"PyInstaller cannot work here: {error}")
    folder = tmp_path_factory.mktemp("frozen")
    installation = Installation(folder, wheelhouse)
    installation.pip("install --no-deps firebase-rest")
    # PyInstaller and the other packages come from the environment of the tests.
    (installation.packages / "rest.pth").write_text(f"{Path(pytest.__file__).parents[1]}\n")
    without = ("google", "cryptography", "pytest")  # keyring's package contains its tests, which import pytest
    options = {DEMO: (), PROGRAM: [f"--exclude-module={name}" for name in without]}
    with ThreadPoolExecutor(max_workers=1) as pool:
        yield {
            script: pool.submit(FROZEN["one_file"], script, folder, *options[script], python=installation.python)
            for script in options
        }


@pytest.fixture(scope="session", autouse=True)
def start_long_builds_first(request: pytest.FixtureRequest) -> None:
    """Run the tests of the executables last, while PyInstaller works."""
    if any("executables" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("executables")


@pytest.fixture
def installation(wheelhouse: str, tmp_path: Path) -> Installation:
    return Installation(tmp_path, wheelhouse)


@pytest.fixture
def server() -> Iterator[Server]:
    with Emulator().serve() as server:
        yield server


@pytest.fixture
def surroundings(server: Server) -> dict[str, str]:
    """Return the environment variables that tests/install/program.py needs."""
    return {**server.environ, "CONFIG": json.dumps(server.config)}
