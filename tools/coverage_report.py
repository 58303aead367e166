"""Judge the branch coverage of src; measure it first, unless a test run just did and nothing has changed since."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
DATA = ROOT / ".coverage"


def is_fresh() -> bool:
    """Whether the data is newer than every file that it could depend on."""
    if not DATA.exists():
        return False
    measured = DATA.stat().st_mtime
    files = [ROOT / "pyproject.toml", *ROOT.glob("src/**/*.py"), *ROOT.glob("tests/**/*.py")]
    return all(file.stat().st_mtime < measured for file in files)


def main() -> int:
    if not is_fresh():
        tests = subprocess.run([sys.executable, "-m", "pytest", "-q", "--cov", "--cov-report="], cwd=ROOT)
        if tests.returncode:
            return tests.returncode
    return subprocess.run([sys.executable, "-m", "coverage", "report"], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
