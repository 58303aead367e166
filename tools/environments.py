"""Virtual environments of their own, for what cannot live in `.venv`: kept in `.cache`, made anew when they change."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

CACHE = Path(__file__).parent.parent / ".cache"


def environment(name: str, base: str, wanted: Sequence[str]) -> Path:
    """The Python of `.cache/<name>`, made by the interpreter `base`, with the requirements `wanted` in it.

    Raises `subprocess.CalledProcessError` where pip cannot get them.
    """
    folder = CACHE / name
    stamp = folder / ".ready"
    digest = hashlib.sha256("\n".join([base, *wanted]).encode()).hexdigest()
    if not stamp.exists() or stamp.read_text() != digest:
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([base, "-m", "venv", "--without-pip", folder], check=True)
        pip = [sys.executable, "-m", "pip", "--python", str(folder / "bin" / "python"), "install", "-qq"]
        subprocess.run([*pip, *wanted], check=True)
        stamp.write_text(digest)
    return folder / "bin" / "python"
