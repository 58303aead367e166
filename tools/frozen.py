"""Build the demo as an executable (PyInstaller) and as a zip file (zipapp).

`make frozen` writes both to dist/frozen. Both contain the emulator.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipapp
from pathlib import Path

ROOT = Path(__file__).parent.parent
DEMO = ROOT / "examples" / "tutorial.py"


PURE_EMULATOR = ("starlette", "uvicorn", "websockets")
"""The extra `emulator` without httptools, which has no pure Python wheel. The server works without it."""


def call(*command: str) -> None:
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.returncode == 0, process.stdout


def one_file(script: Path, folder: Path, *options: str, python: str = sys.executable) -> Path:
    """Build an executable with Python and all imports of `script`, as the interpreter `python` finds them."""
    work = folder / "work" / script.stem
    paths = ["--distpath", str(folder), "--workpath", str(work), "--specpath", str(work)]
    call(python, "-m", "PyInstaller", "--onefile", "--noconfirm", "--log-level", "WARN", *paths, *options, str(script))
    return next(path for path in folder.iterdir() if path.stem == script.stem and path.is_file())


def zip_file(script: Path, folder: Path, *requirements: str) -> Path:
    """Build a zip file with `script` and pure Python packages, which any Python can run."""
    app = folder / script.stem
    options = ["--no-compile", "--target", str(app), "--platform", "any", "--only-binary", ":all:"]
    call(sys.executable, "-m", "pip", "install", "-qq", *options, *requirements)
    shutil.copy(script, app / "__main__.py")
    target = folder / f"{script.stem}.pyz"
    zipapp.create_archive(app, target, interpreter="/usr/bin/env python3", compressed=True)
    return target


def main() -> int:
    from wheel import build  # tools/wheel.py

    output = ROOT / "dist" / "frozen"
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built = [one_file(DEMO, folder), zip_file(DEMO, folder / "zip", str(build(folder / "wheel")), *PURE_EMULATOR)]
        for path in built:
            target = output / path.name
            shutil.copy(path, target)
            print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
