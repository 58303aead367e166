"""Run the unit tests that are not slow with the built wheel under every installed Python from 3.10 on.

The oldest Python runs them a second time with the oldest dependencies that pyproject.toml allows. If TESTS_DONE is
set, the Python of this program is left out, because the tests have run under it. The environments are kept in
.cache/matrix and created again when their requirements change. `python tools/matrix.py 3.12` runs one.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from environments import environment  # tools/environments.py
from wheel import build  # tools/wheel.py

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
TESTS = ["tests/unit", "tests/aio"]
PRINT_VERSION = "import sys; print('%d.%d' % sys.version_info[:2], sys.implementation.name)"


def interpreters() -> dict[str, str]:
    """Return version -> path of each CPython from 3.10 on, from pyenv and the PATH."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates = [*pyenv.glob("3.*/bin/python3")]
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        candidates += Path(folder).glob("python3.[0-9]*")
    by_version: dict[str, str] = {}
    for path in candidates:
        if not re.fullmatch(r"python3(\.\d+)?", path.name):
            continue
        # pyenv's shims of inactive versions fail and are skipped.
        process = subprocess.run([path, "-c", PRINT_VERSION], capture_output=True, text=True)
        if process.returncode or not process.stdout.endswith("cpython\n"):
            continue
        version = process.stdout.split()[0]
        if tuple(map(int, version.split("."))) >= (3, 10):
            by_version.setdefault(version, str(path))
    return dict(sorted(by_version.items(), key=lambda item: tuple(map(int, item[0].split(".")))))


def requirements() -> tuple[list[str], list[str]]:
    """Return the requirements of the package with the emulator and the async client, and those of the unit tests."""
    project = PROJECT["project"]
    extras = project["optional-dependencies"]
    return project["dependencies"] + extras["emulator"] + extras["async"], PROJECT["dependency-groups"]["unit"]


def python_with(version: str, base: str, *, oldest: bool) -> Path:
    """Return the Python of an environment with the requirements of the unit tests."""
    runtime, tests = requirements()
    if oldest:
        runtime = [line.replace(">=", "==") for line in runtime]
    return environment(f"matrix/{version}{'-oldest' if oldest else ''}", base, [*runtime, *tests])


def run(version: str, base: str, wheel: Path, *, oldest: bool = False) -> tuple[bool, str]:
    """Return whether the unit tests pass, and a report."""
    python = python_with(version, base, oldest=oldest)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-qq"]
    subprocess.run([*pip, "--force-reinstall", "--no-deps", str(wheel)], check=True)
    command = [str(python), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "not slow", *TESTS]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COV_"))}
    process = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    output = process.stdout[-4000:] if process.returncode else process.stdout.splitlines()[-1] + "\n"
    return process.returncode == 0, f"Python {version}{' with the oldest dependencies' if oldest else ''}: {output}"


def main(versions: list[str]) -> int:
    selected = {version: path for version, path in interpreters().items() if not versions or version in versions}
    if not selected:
        print("No Python 3.10 or newer was found; install one, or add it to the PATH.")
        return 1
    oldest = next(iter(selected))
    oldest_path = selected[oldest]
    if os.environ.get("TESTS_DONE"):
        selected.pop(f"{sys.version_info.major}.{sys.version_info.minor}", None)
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(max_workers=2) as pool:
        wheel = build(Path(folder))
        jobs = [pool.submit(run, oldest, oldest_path, wheel, oldest=True)]
        jobs += [pool.submit(run, version, path, wheel) for version, path in selected.items()]
        results = [job.result() for job in jobs]
    for _, report in results:
        print(report, end="")
    return 0 if all(has_passed for has_passed, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
