"""`dev.py`, which `make app` runs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from app.conftest import APP


@pytest.mark.slow
def test_dev_server_starts_the_emulator_and_the_application() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    command = [sys.executable, str(APP / "dev.py"), "--port", str(port)]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = []
            for line in process.stderr:
                lines.append(line)
                if "Running on" in line:
                    break
            else:
                pytest.fail("".join(lines))
            assert "Create an account" in requests.get(f"http://127.0.0.1:{port}/", timeout=30).text
            assert "No e-mails." in requests.get(f"http://127.0.0.1:{port}/mailbox", timeout=30).text
        finally:
            process.terminate()
            process.communicate(timeout=30)


@pytest.mark.slow
def test_flask_command_finds_the_application(firebase, tmp_path) -> None:
    environ = {
        **os.environ,
        **firebase.server.environ,
        "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
        "FLASK_STORE": str(tmp_path / "store.sqlite"),
    }
    command = [sys.executable, "-m", "flask", "--app", "webapp", "routes"]
    done = subprocess.run(command, cwd=APP, env=environ, capture_output=True, text=True, timeout=60)
    assert "/board/events" in done.stdout, done.stderr
