"""`dev.py`, which `make app` runs."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from app.conftest import APP


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def wait_until_running(server: subprocess.Popen[str]) -> None:
    lines = []
    for line in server.stderr:
        lines.append(line)
        if "Running on" in line:
            return
    pytest.fail("".join(lines))


@pytest.mark.slow
def test_dev_server_starts_the_emulator_and_the_application() -> None:
    port = free_port()
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    command = [sys.executable, str(APP / "dev.py"), "--port", str(port)]
    with subprocess.Popen(command, env=environ, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_until_running(process)
            assert "Create an account" in requests.get(f"http://127.0.0.1:{port}/", timeout=30).text
            assert "No e-mails." in requests.get(f"http://127.0.0.1:{port}/mailbox", timeout=30).text
        finally:
            process.terminate()
            process.communicate(timeout=30)


def test_dev_server_names_the_port_that_is_in_use() -> None:
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        command = [sys.executable, str(APP / "dev.py"), "--port", str(port)]
        process = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert process.returncode == 1
    assert process.stderr.startswith(f"Cannot use port {port}: ")
    assert "make app PORT=" in process.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform == "win32" or shutil.which("make") is None, reason="make and process groups")
def test_make_app_starts_without_an_environment() -> None:
    """The first run creates `.cache/app` and installs the packages."""
    root, port = APP.parents[1], free_port()
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    command = ["make", "app", f"PORT={port}"]
    with subprocess.Popen(
        command, cwd=root, env=environ, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as make:
        try:
            wait_until_running(make)
            assert "Create an account" in requests.get(f"http://127.0.0.1:{port}/", timeout=30).text
        finally:
            os.killpg(make.pid, signal.SIGTERM)
            make.communicate(timeout=30)


@pytest.mark.slow
def test_flask_command_finds_the_application(firebase, tmp_path) -> None:
    environ = {
        **os.environ,
        **firebase.server.environ,
        "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
        "FLASK_STORE": str(tmp_path / "store.sqlite"),
    }
    command = [sys.executable, "-m", "flask", "--app", "webapp", "routes"]
    result = subprocess.run(command, cwd=APP, env=environ, capture_output=True, text=True, timeout=60)
    assert "/board/events" in result.stdout, result.stderr
