"""The live board: one stream from Firebase for all visitors of a process."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from app.conftest import APP
from app.visitors import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT = 60


def events(visitor) -> Iterator[str]:
    response = visitor.client.get("/board/events")
    assert response.status_code == 200
    assert response.content_type.startswith("text/event-stream")
    return response.response


def next_notes(stream: Iterator[bytes]) -> list[str]:
    """Return the texts of the next version of the board."""
    for event in stream:
        if event.startswith(b"data: "):
            return [note["text"] for note in json.loads(event.removeprefix(b"data: "))]
    raise AssertionError("the stream has ended")


def until(stream: Iterator[bytes], expected: list[str]) -> None:
    end = time.monotonic() + LIMIT
    while next_notes(stream) != expected:
        assert time.monotonic() < end, expected


def test_visitors_see_changes_without_reloading(ada, bob) -> None:
    seen_by_ada, seen_by_bob = events(ada), events(bob)
    assert next_notes(seen_by_ada) == next_notes(seen_by_bob) == []
    bob.post("/board/", page="/board/", text="Hello")
    for stream in (seen_by_ada, seen_by_bob):
        until(stream, ["Hello"])
    ada.post("/board/", page="/board/", text="<b>Hi</b>")
    for stream in (seen_by_ada, seen_by_bob):
        until(stream, ["<b>Hi</b>", "Hello"])
        stream.close()
    assert [note["name"] for note in ada.get("/board/notes").json] == ["Ada", "Bob"]


def test_200_visitors_share_one_stream(ada, app, firebase) -> None:
    streams = [events(ada) for _ in range(200)]
    for stream in streams:
        assert next_notes(stream) == []
    assert app.extensions["webapp"].board.visitors == 200
    response = ada.get("/board/events")
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert ada.get("/board/notes").json == []
    ada.post("/board/", page="/board/", text="Hello")
    for stream in streams:
        until(stream, ["Hello"])
    assert firebase.emulator.faults.drop() == 1
    streams.pop().close()
    again = events(ada)
    until(again, ["Hello"])
    for stream in (*streams, again):
        stream.close()
    assert app.extensions["webapp"].board.visitors == 0


def test_slow_visitor_skips_versions(ada) -> None:
    stream = events(ada)
    assert next_notes(stream) == []
    for number in range(5):
        ada.post("/board/", page="/board/", text=str(number))
    until(events(ada), ["4", "3", "2", "1", "0"])  # this process has received all changes
    assert next_notes(stream) == ["4", "3", "2", "1", "0"]
    stream.close()


def test_board_reconnects_after_a_fault(ada, firebase) -> None:
    stream = events(ada)
    assert next_notes(stream) == []
    firebase.emulator.faults.drop(how="rst")
    ada.post("/board/", page="/board/", text="After the fault")
    until(stream, ["After the fault"])
    stream.close()


def test_board_starts_again_when_its_stream_has_ended(ada, app, firebase, monkeypatch) -> None:
    monkeypatch.setattr("webapp.live_board.KEEP_ALIVE", 0.05)
    stream = events(ada)
    assert next_notes(stream) == []
    firebase.emulator.faults.cancel()
    ada.post("/board/", page="/board/", text="After the end")
    until(stream, ["After the end"])
    stream.close()


def test_stream_ends_so_that_the_session_is_verified_again(ada, monkeypatch) -> None:
    monkeypatch.setattr("webapp.live_board.LONGEST_STREAM", 0.2)
    monkeypatch.setattr("webapp.live_board.KEEP_ALIVE", 0.05)
    started = list(events(ada))
    assert started[0].startswith(b"retry:")
    assert started[-1].startswith((b":", b"data:"))


def test_nothing_starts_before_the_first_visitor(app, firebase, ada) -> None:
    ada.text("/board/")
    assert firebase.emulator.faults.drop() == 0


# --- several worker processes ----------------------------------------------------------------------------------------


@contextmanager
def gunicorn(store: Path, config: dict[str, Any]) -> Iterator[tuple[str, list[int]]]:
    """Yield the address and the process IDs of two workers."""
    environ = {
        **os.environ,
        "PYTHONPATH": str(Path(__file__).parents[2] / "src"),
        "FIREBASE_CONFIG": json.dumps(config),
        "FLASK_STORE": str(store),
        "FLASK_SECRET_KEY": "of a test",
    }
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--workers", "2", "webapp:create_app()"]
    with subprocess.Popen(command, cwd=APP, env=environ, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            lines, workers = [], []
            for line in process.stderr:
                lines.append(line)
                workers += map(int, re.findall(r"Booting worker with pid: (\d+)", line))
                if len(workers) == 2:
                    break
            else:
                pytest.fail("".join(lines))
            yield re.search(r"Listening at: (http://\S+)", "".join(lines))[1], workers
        finally:
            process.terminate()
            process.communicate(timeout=LIMIT)


def cookies_of_a_user(url: str) -> dict[str, str]:
    with requests.Session() as browser:
        token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(f"{url}/sign-up", timeout=LIMIT).text)[1]
        form = {"csrf_token": token, "email": "a@example.com", "password": PASSWORD, "name": "A"}
        assert browser.post(f"{url}/sign-up", data=form, timeout=LIMIT).url == f"{url}/todos/"
        return browser.cookies.get_dict()


@contextmanager
def stopped(process: int) -> Iterator[None]:
    """Stop a worker, so that the other one accepts all connections."""
    os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(process, signal.SIGCONT)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_each_worker_has_one_stream_and_a_limit_of_visitors(firebase, tmp_path) -> None:
    with gunicorn(tmp_path / "store.sqlite", firebase.server.config) as (url, (first, second)):
        cookies = cookies_of_a_user(url)

        def connect(count: int) -> list[requests.Response]:
            options = {"cookies": cookies, "stream": True, "timeout": LIMIT}
            return [requests.get(f"{url}/board/events", **options) for _ in range(count)]

        with stopped(second):
            opened = connect(205)
            assert [response.status_code for response in opened] == [200] * 200 + [503] * 5
            assert opened[-1].headers["Retry-After"] == "30"
            for response in opened[:200]:
                assert next(line for line in response.iter_lines() if line.startswith(b"data:")) == b"data: []"
            # The other worker created the session, or this one; both know it. Pages have threads left.
            assert requests.get(f"{url}/todos/", cookies=cookies, timeout=LIMIT).url == f"{url}/todos/"
            threads = re.search(r"Threads:\s+(\d+)", Path(f"/proc/{first}/status").read_text())[1]
            assert int(threads) <= 230
        with stopped(first):
            others = connect(3)
            assert [response.status_code for response in others] == [200] * 3
            for response in others:
                assert next(line for line in response.iter_lines() if line.startswith(b"data:")) == b"data: []"
        assert firebase.emulator.faults.drop() == 2
        for response in (*opened, *others):
            response.close()
