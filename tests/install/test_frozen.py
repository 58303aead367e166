"""The demo and a pyrebase program as executables and zip files work as if installed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path

import pytest
from google.auth import jwt

from install.installation import DEMO, FROZEN, OUTPUT, PROGRAM, ROOT, Installation, run
from support.google import key_file, key_pair

LINE = re.search(
    r"^requirements = (.*)$", (ROOT / "docs" / "how-to" / "package-your-program.md").read_text(), re.MULTILINE
)
ANDROID = [name for name in LINE[1].split(",") if name not in {"python3", "kivy"}] if LINE else []
"""The requirements for buildozer that pip can install."""

FOR_SERVICE_ACCOUNTS = ("google-auth", "pyasn1", "rsa")
SIGN = """
import json, os, pyrebase
firebase = pyrebase.initialize_app({"apiKey": "key", "serviceAccount": json.loads(os.environ["KEY"])})
print(firebase.auth().create_custom_token("morty"))
"""
ALONE = (sys.executable, "-I", "-S")  # without site-packages


@pytest.fixture
def own_pip(wheelhouse: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every pip use the local wheels."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", wheelhouse)


def keyless(output: str) -> str:
    """Replace all push keys by one, because they differ in each run."""
    return re.sub(r"-[\w-]{19}(?![\w-])", "-key", output)


def verified(token: str) -> str:
    """Return the uid in a custom token that the service account signed."""
    return jwt.decode(token.strip(), certs=key_pair()[1])["uid"]


def test_executable_demo_has_the_same_output(executables: dict[Path, Future[Path]], tmp_path: Path) -> None:
    output = run(str(executables[DEMO].result()), env={}, cwd=tmp_path)
    assert "live: put /-" in output
    assert keyless(output) == keyless(run(sys.executable, str(DEMO)))


def test_zipped_demo_has_the_same_output(own_pip: None, tmp_path: Path) -> None:
    zipped = FROZEN["zip_file"](DEMO, tmp_path, "firebase-rest", *FROZEN["PURE_EMULATOR"])
    output = run(*ALONE, str(zipped), cwd=tmp_path)
    assert "live: put /-" in output
    assert keyless(output) == keyless(run(sys.executable, str(DEMO)))
    with pytest.raises(subprocess.CalledProcessError, match="exit status 1"):
        run(*ALONE, "-c", "import firebase_rest", cwd=tmp_path)


def test_executable_program_has_all_names_and_keyring(
    executables: dict[Path, Future[Path]], surroundings: dict[str, str], tmp_path: Path
) -> None:
    output = run(str(executables[PROGRAM].result()), env=surroundings, cwd=tmp_path)
    assert output == OUTPUT.replace("extras: []", "extras: ['keyring']")


def test_zipped_program_with_buildozer_requirements(
    own_pip: None, surroundings: dict[str, str], tmp_path: Path
) -> None:
    needed = [name for name in ANDROID if not name.startswith(FOR_SERVICE_ACCOUNTS)]
    assert len(ANDROID) - len(needed) == 4
    zipped = FROZEN["zip_file"](PROGRAM, tmp_path, "--no-deps", *needed)
    assert run(*ALONE, str(zipped), env=surroundings, cwd=tmp_path) == OUTPUT


def test_buildozer_requirements_are_complete(installation: Installation) -> None:
    installation.pip(
        f"install --no-deps --target {installation.packages} --platform any --only-binary :all: {' '.join(ANDROID)}"
    )
    installation.pip("check")  # fails if a requirement is missing
    assert not [*installation.packages.rglob("*.so")]
    assert verified(installation.run_python("-c", SIGN, env={"KEY": json.dumps(key_file(""))})) == "morty"


def test_service_account_authenticates_in_a_zip_file(own_pip: None, tmp_path: Path) -> None:
    script = tmp_path / "sign.py"
    script.write_text(SIGN)
    zipped = FROZEN["zip_file"](script, tmp_path / "made", "firebase-rest")
    assert verified(run(*ALONE, str(zipped), env={"KEY": json.dumps(key_file(""))}, cwd=tmp_path)) == "morty"
