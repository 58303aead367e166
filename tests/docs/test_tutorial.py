"""The demo, and the calls of a tutorial written for pyrebase, pasted into a Python prompt."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs import tutorial
from firebase_rest.emulator import Emulator
from firebase_rest.emulator.server import Server

ROOT = Path(__file__).parents[2]
DEMO = [sys.executable, str(ROOT / "examples" / "narrate.py"), str(ROOT / "examples" / "tutorial.py")]
COLOR = "\033["

RESULTS = [
    (
        '>>> user = auth.create_user_with_email_and_password("morty@example.com", "1234567")',
        "'email': 'morty@example.com'",
    ),
    (">>> auth.get_account_info(token)", "'kind': 'identitytoolkit#GetAccountInfoResponse'"),
    ('>>> db.child("users").child("Morty").get(token).val()', "{'name': 'Mortiest Morty', 'score': 7}"),
    (
        '>>> [item.val()["name"] for item in by_score.start_at(3).end_at(9).get(token).each()]',
        "['Summer Smith', 'Mortiest Morty']",
    ),
    ('>>> notes.put(b"Buy apples and pears.", token)', "'contentType': 'text/plain'"),
    (">>> notes.get_bytes(token=token)", "b'Buy apples and pears.'"),
    ('>>> copy.read_text(encoding="utf-8")', "'Buy apples and pears.'"),
]


@pytest.fixture
def server() -> Iterator[Server]:
    with Emulator().serve() as server:
        yield server


def test_pyrebase_tutorial_works_in_a_python_prompt(server: Server) -> None:
    output = tutorial.paste(tutorial.AUTH + tutorial.DATABASE, server.config, server.environ)
    expected = tutorial.AUTH_OUTPUT.strip() + tutorial.DATABASE_OUTPUT.rstrip()
    assert re.fullmatch(expected, output), output


def test_demo_prints_each_call_and_its_result() -> None:
    demo = subprocess.run(DEMO, capture_output=True, text=True, timeout=60)
    assert demo.returncode == 0, demo.stderr
    assert demo.stderr == ""
    assert COLOR not in demo.stdout
    lines = demo.stdout.splitlines()
    for call, result in RESULTS:
        following = lines[lines.index(call) + 1 :][:6]
        assert result in "\n".join(following), call
    live = [line.split()[1:3] for line in lines if line.startswith("   live:")]
    assert [event for event, _ in live] == ["put", "put", "patch", "put", "put"]
    assert [path[:2] for _, path in live] == ["/", "/-", "/-", "/-", "/"]
    assert lines.index(">>> my_stream.close()") > max(number for number, line in enumerate(lines) if "live:" in line)


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals are Unix")
@pytest.mark.parametrize(("no_color", "colored"), [("", True), ("1", False)])
def test_demo_uses_color_on_a_terminal_only(no_color: str, colored: bool) -> None:
    master, slave = pty.openpty()
    with subprocess.Popen(DEMO, stdout=slave, env={**os.environ, "NO_COLOR": no_color}) as demo:
        os.close(slave)
        shown = read_terminal(master)
    assert demo.returncode == 0
    assert (COLOR in shown) is colored


def read_terminal(master: int) -> str:
    """Return the output of a terminal until its last writer closes it."""
    shown = b""
    with open(master, "rb", buffering=0) as terminal:
        try:
            while piece := terminal.read(4096):
                shown += piece
        except OSError:  # Linux raises this when the other end is closed
            pass
    return shown.decode()
