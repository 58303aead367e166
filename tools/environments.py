"""Additional virtual environments in `.cache`. An environment is created again when its requirements change."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CACHE = Path(__file__).parent.parent / ".cache"


def environment(name: str, base: str, requirements: Sequence[str]) -> Path:
    """Return the Python of `.cache/<name>`, created with the interpreter `base` and the requirements.

    Raises `subprocess.CalledProcessError` if pip cannot install the requirements.
    """
    folder = CACHE / name
    marker = folder / ".ready"
    digest = hashlib.sha256("\n".join([base, *requirements]).encode()).hexdigest()
    if not marker.exists() or marker.read_text() != digest:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([base, "-m", "venv", "--without-pip", folder], check=True)
        pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "-qq"]
        subprocess.run([*pip, *requirements], check=True)
        marker.write_text(digest)
    return folder / "bin" / "python"
