"""gunicorn runs the application of the guide for threads, processes and green threads."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import requests

import firebase_rest
from firebase_rest.emulator import Emulator

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "how-to" / "threads-and-processes.md"


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [["--preload", "--threads=2"], ["--worker-class=gevent"]], ids=["threads", "gevent"]
)
def test_worker_opens_and_closes_its_live_copy(options: list[str], tmp_path: Path) -> None:
    for name, text in re.findall(
        r"^```python\n# (\S+\.py)\n(.*?)^```$", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "gunicorn", "--bind=127.0.0.1:0", *options, "myapp:app"]
    with Emulator().serve() as server, firebase_rest.initialize_app(server.config) as firebase:
        firebase.database().child("board").set({"note": "hello"})
        environ = {**os.environ, **server.environ, "PYTHONPATH": str(ROOT / "src")}
        with subprocess.Popen(command, cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            log = ""
            while not (address := re.search(r"Listening at: (http://\S+)", log)):
                line = process.stderr.readline()
                assert line, log
                log += line
            try:
                shown = requests.get(address[1], timeout=30).json()
            finally:
                process.terminate()
                log += process.communicate(timeout=30)[1]
    assert shown == {"board": {"note": "hello"}}
    assert not re.search("Traceback|Warning", log), log
