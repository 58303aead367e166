"""A temporary virtual environment and the output of programs in it."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("program.py")
DEMO = ROOT / "examples" / "tutorial.py"
FROZEN = runpy.run_path(str(ROOT / "tools" / "frozen.py"))
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")

OUTPUT = """\
morty@example.com
[('morty', {'score': 7})]
{'morty': {'score': 7}}
hello
google-auth is loaded: False
certificates: True
names missing: []
names missing: []
extras: []
"""
"""The output of tests/install/program.py without optional packages."""


def run(*command: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> str:
    """Run a program and return its output with errors. Raises `CalledProcessError` if it fails."""
    environ = {**os.environ, **env} if env is not None else None
    result = subprocess.run(
        command, env=environ, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300
    )
    if result.returncode:
        raise subprocess.CalledProcessError(result.returncode, command, result.stdout)
    return result.stdout


class Installation:
    """An empty environment whose pip uses the wheels in the folders `links` and no index."""

    def __init__(self, folder: Path, links: str) -> None:
        self.folder = folder / "environment"
        run(sys.executable, "-m", "venv", "--without-pip", str(self.folder))
        self.python = str(self.folder / "bin" / "python")
        self.env = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": links, "PIP_NO_COMPILE": "1"}
        self.packages = next(self.folder.glob("lib/python*/site-packages"))

    def pip(self, arguments: str) -> str:
        """Run `pip` with these arguments for this environment."""
        return run(*PIP, "--python", self.python, *arguments.split(), env=self.env)

    def run_python(self, *arguments: str, env: Mapping[str, str] = {}) -> str:
        """Run its Python with these arguments, without the modules and settings of the test run; return the
        output."""
        return run(self.python, "-I", *arguments, env=env, cwd=self.folder)

    def error(self, code: str) -> str:
        """Return the last line of the traceback of `code`."""
        result = subprocess.run([self.python, "-I", "-c", code], cwd=self.folder, capture_output=True, text=True)
        assert result.returncode, f"{code} works"
        return result.stderr.splitlines()[-1]
