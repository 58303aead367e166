"""gevent and eventlet, which replace sockets, locks and threads of the standard library."""

from __future__ import annotations

import textwrap
from importlib.util import find_spec

import pytest

from environments.conftest import schemes

START = {
    "gevent": "from gevent import monkey; monkey.patch_all()",
    "eventlet": "import eventlet; eventlet.monkey_patch()",
}

BODY = """
import os, sys, threading, time
import firebase_rest
from firebase_rest import initialize_app
from support.waiting import wait_for

CONFIG = {"apiKey": "k", "databaseURL": sys.argv[1], "storageBucket": "b"}
"""

CASES = {
    "calls at the same time": """
        app = initialize_app(CONFIG)
        results = {}
        def work(number):
            for step in range(10):
                results[number, step] = app.database().child(f"{number}/{step}").get().val()
        threads = [threading.Thread(target=work, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == {(number, step): f"{number}/{step}" for number in range(20) for step in range(10)}
    """,
    "a deadline": """
        app = initialize_app(CONFIG, deadline=0.5)
        assert app.database().child("a").get().val() == "a"
        for _ in range(2):
            started = time.monotonic()
            try:
                app.database().child("slow").get()
            except firebase_rest.NetworkTimeout as error:
                assert "deadline" in str(error)
            else:
                raise AssertionError("no error")
            assert time.monotonic() - started < 2
        app.close()
    """,
    "closing a stream": """
        app = initialize_app(CONFIG)
        seen = []
        stream = app.database().stream(seen.append)
        wait_for(lambda: len(seen) > 3)
        started = time.monotonic()
        stream.close()
        stream.thread.join(10)
        assert not stream.thread.is_alive()
        assert time.monotonic() - started < 1
        assert app.database().child("a").get().val() == "a"
    """,
    "closing an idle stream": """
        app = initialize_app(CONFIG)
        seen = []
        stream = app.database().child("quiet").stream(seen.append)
        wait_for(lambda: len(seen) == 1)
        started = time.monotonic()
        stream.close()
        stream.thread.join(10)
        assert not stream.thread.is_alive()
        assert time.monotonic() - started < 1
    """,
    "leaving a live copy": """
        app = initialize_app(CONFIG)
        started = time.monotonic()
        with app.database().child("quiet").live() as live:
            assert live.value == {"n": 0}
        live._thread.join(10)
        assert time.monotonic() - started < 2
        with app.database().live() as live:
            live.wait_until(lambda value: value["n"] > 3, 10)
    """,
    "closing the app": """
        app = initialize_app(CONFIG, deadline=20)
        errors = []
        def call():
            try:
                app.database().child("slow").get()
            except firebase_rest.NetworkError as error:
                errors.append(error)
        thread = threading.Thread(target=call)
        thread.start()
        wait_for(lambda: app.database().child("received/slow").get().val())
        stream = app.database().child("quiet").stream(lambda message: None)
        wait_for(lambda: stream.state == "open")
        started = time.monotonic()
        app.close()
        thread.join(10)
        stream.thread.join(10)
        assert time.monotonic() - started < 2
        assert len(errors) == 1 and "close" in str(errors[0]), errors
    """,
    "a fork": """
        app = initialize_app(CONFIG)
        assert app.database().child("a").get().val() == "a"
        children = []
        for name in "abcd":
            pid = os.fork()
            if pid == 0:
                paths = [f"{name}/{number}" for number in range(50)]
                own = [app.database().child(path).get().val() for path in paths] == paths
                os._exit(0 if own else 1)
            children.append(pid)
        paths = [f"parent/{number}" for number in range(50)]
        assert [app.database().child(path).get().val() for path in paths] == paths
        assert [os.waitpid(pid, 0)[1] for pid in children] == [0] * 4
    """,
}


@pytest.mark.parametrize(("echo", "body"), schemes(CASES, "closing a stream", "a deadline"), indirect=["echo"])
@pytest.mark.parametrize("library", START)
def test_green_threads(run, echo, library, body) -> None:
    if find_spec(library) is None:
        pytest.skip(f"{library} is not installed")
    result = run(START[library] + BODY + textwrap.dedent(body), echo.url, options=("-W", "ignore::DeprecationWarning"))
    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    assert "Traceback" not in result.stderr
