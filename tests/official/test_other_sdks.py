"""The programs of the guide for other SDKs run with Node, and its script starts our emulator in the place of Java."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

from firebase_rest.emulator import Emulator
from official.processes import HERE, node
from support.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from firebase_rest.emulator import Server

GUIDE = Path(__file__).parents[2] / "docs" / "how-to" / "other-sdks.md"
BLOCK = r"^```\w+\n((?:#!.*\n)?(?://|#) {}\n.*?)^```$"


@pytest.fixture
def server(official_components: None) -> Iterator[Server]:
    with Emulator().serve() as server:
        yield server


def block(name: str) -> str:
    """Return the block of the guide whose first comment is `name`."""
    found = re.search(BLOCK.format(re.escape(name)), GUIDE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert found is not None, name
    return found[1]


@pytest.mark.parametrize("name", ["app.mjs", "admin.cjs"])
def test_program_of_the_guide_reads_what_it_wrote(server: Server, tmp_path: Path, name: str) -> None:
    port = server.host.rpartition(":")[2]
    text = block(name).replace("9000", port).replace('"firebase/', '"@firebase/')
    program = tmp_path / name
    program.write_text(text + ("\nprocess.exit();\n" if name == "app.mjs" else ""))
    (tmp_path / "node_modules").symlink_to(HERE / "node_modules")
    environ = {**os.environ, **server.environ, "NODE_NO_WARNINGS": "1"}
    result = subprocess.run(
        [node(), str(program)], env=environ, capture_output=True, text=True, timeout=60, check=False, cwd=tmp_path
    )
    assert (result.returncode, result.stdout) == (0, "hello\n"), result.stderr
    owner = {"Authorization": "Bearer owner"}
    users = requests.get(f"http://{server.host}/users.json", headers=owner, timeout=20).json()
    assert list(users.values()) == ["hello"]


@pytest.mark.skipif(os.name == "nt", reason="the script is for a POSIX shell")
def test_script_of_the_guide_takes_the_place_of_java(tmp_path: Path) -> None:
    java = tmp_path / "java"
    java.write_text(block("java").replace("exec python ", f"exec '{sys.executable}' "))
    java.chmod(0o755)
    version = subprocess.run([java, "-Duser.language=en", "-version"], capture_output=True, text=True, check=True)
    assert 'version "21' in version.stderr
    arguments = ["-Duser.language=en", "-jar", str(java), "--host", "127.0.0.1", "--port", "0"]
    command = [java, *arguments, "--single_project_mode", "Warning"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    ) as process:
        assert process.stdout is not None
        try:
            lines = iter(process.stdout.readline, "")
            address = next(line for line in lines if "FIREBASE_DATABASE_EMULATOR_HOST" in line).split("'")[1]
            wait_for(lambda: requests.get(f"http://{address}/a.json", timeout=20).text == "null")
        finally:
            process.send_signal(2)
            assert process.wait(20) == 0
