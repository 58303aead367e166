"""Build the wheel, install it into an empty environment, and check that its packages and commands work."""

from __future__ import annotations

import email
import json
import re
import subprocess
import sys
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
NEEDED = {"google-auth", "requests", "urllib3"}
UNWANTED = ("google.auth", "starlette", "uvicorn", "websockets", "tqdm", "keyring", "firebase_rest.emulator")
IMPORT = f"""
import sys, firebase_rest, pyrebase
loaded = [name for name in {UNWANTED!r} if name in sys.modules]
assert not loaded, f"the imports load {{loaded}}"
print(firebase_rest.__version__)
"""


def build(folder: Path) -> Path:
    """Build a wheel into `folder` and return its path."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    built = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert built.returncode == 0, built.stdout
    (wheel,) = folder.glob("*.whl")
    return wheel


def check_contents(wheel: Path, version: str) -> None:
    """Check the metadata and the list of files."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata_file,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        metadata = email.message_from_bytes(archive.read(metadata_file))
    assert metadata["Name"] == "firebase-rest"
    assert metadata["Version"] == version, (metadata["Version"], version)
    assert metadata["Requires-Python"] == ">=3.10"
    assert metadata["License-Expression"] == "MIT"
    assert {"emulator", "progress"} <= set(metadata.get_all("Provides-Extra", []))
    requires = metadata.get_all("Requires-Dist", [])
    always = {re.split(r"[^\w-]", line)[0] for line in requires if "extra ==" not in line}
    assert always == NEEDED, always
    capped = [line for line in requires if re.search(r"<|==(?! *['\"])|~=", line.split(";")[0])]
    assert not capped, f"dependencies with an upper cap: {capped}"
    assert {"firebase_rest/py.typed", "pyrebase/py.typed"} <= set(names)
    unexpected = [name for name in names if not name.startswith(("firebase_rest/", "firebase_rest-", "pyrebase/"))]
    assert not unexpected, f"the wheel contains {unexpected}"
    tests = [name for name in names if re.search(r"(^|/)(tests?/|test_|conftest)", name)]
    assert not tests, f"the wheel contains tests: {tests}"


def check_installation(wheel: Path, folder: Path, version: str) -> None:
    """Check that the packages can be imported without extras, and that the emulator runs with its extra.

    Without the extra, the emulator's command must name it.
    """
    environment = folder / "env"
    venv.create(environment, with_pip=False)
    python = environment / "bin" / "python"

    def install(requirement: str) -> None:
        pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-qq", requirement]
        subprocess.run(pip, check=True)

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        # -I excludes this checkout and the user's site; -P does not exist on 3.10.
        command = [python, "-I", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=folder, stdin=subprocess.DEVNULL, timeout=60)

    install(str(wheel))
    imported = call("-W", "error", "-c", IMPORT)
    assert imported.returncode == 0, imported.stderr
    assert imported.stdout.strip() == version
    help_text = call("-m", "firebase_rest.emulator", "--help")
    assert help_text.returncode == 0, help_text.stderr
    assert "firebase-rest[emulator]" in help_text.stdout, help_text.stdout
    without_extra = call("-m", "firebase_rest.emulator")
    assert without_extra.returncode == 1, without_extra
    assert "firebase-rest[emulator]" in without_extra.stderr, f"the extra is not named: {without_extra.stderr}"
    assert "Traceback" not in without_extra.stderr, without_extra.stderr
    install(f"{wheel}[emulator]")
    with_extra = call("-m", "firebase_rest.emulator", "--json", "--stdin")  # ends with its empty input
    assert with_extra.returncode == 0, with_extra.stderr
    assert json.loads(with_extra.stdout)["ready"] is True, with_extra.stdout


def main() -> int:
    version = re.findall(r'__version__ = "(.+)"', (ROOT / "src/firebase_rest/_version.py").read_text())[0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = build(folder)
        check_contents(wheel, version)
        check_installation(wheel, folder, version)
    return 0


if __name__ == "__main__":
    sys.exit(main())
