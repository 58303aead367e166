"""`close()`: within 100 ms it has returned, the thread has ended and the connection is closed.

The environment variable CLOSE_TRIES sets how often each case runs (100 by default).
"""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import requests

from firebase_rest.database import event_stream
from firebase_rest.errors import UsageError
from support.stream_server import StreamPeer, StreamServer, put
from support.waiting import LIMIT, wait_for

CLIENTS = ("blocking", "async")

TRIES = int(os.environ.get("CLOSE_TRIES", "100"))
AT_ONCE = 0.1


@contextmanager
def unresponsive_port() -> Iterator[str]:
    """A port where connecting blocks, because its queue is full."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=0)
    fillers = [socket.socket() for _ in range(4)]
    for filler in fillers:
        filler.setblocking(False)
        with suppress(BlockingIOError):
            filler.connect(listener.getsockname())
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        for item in (*fillers, listener):
            item.close()


class StreamPhase:
    """The state in which a stream is closed: a script for the server, and a condition for the state."""

    def __init__(self, script: Callable[[StreamPeer], None], is_reached: Callable[[Any, Any], bool]) -> None:
        self.script = script
        self.is_reached = is_reached


PHASES = {
    "waiting for headers": StreamPhase(StreamPeer.hold, lambda stream, server: len(server.requests) > 0),
    "before the first event": StreamPhase(
        lambda peer: (peer.open(), peer.hold()), lambda stream, _: stream.state == "open"
    ),
    "in the middle of an event": StreamPhase(
        lambda peer: (peer.open(), peer.send_chunk(b'event: put\ndata: {"pa'), peer.hold()),
        lambda stream, _: stream.state == "open",
    ),
    "idle": StreamPhase(put(1), lambda stream, server: server.handled > 0),
    "during backoff": StreamPhase(
        lambda peer: peer.respond_error(503, "no", "Retry-After: 60\r\n"), lambda stream, _: stream.state == "waiting"
    ),
}


@pytest.fixture(params=["http", "https"])
def tls(request, server_tls, monkeypatch):
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    return server_tls if request.param == "https" else None


@pytest.fixture
def app(connect, ca_file):
    """A function `app(url)` that returns an App for a scripted server."""

    def app(url):
        app_ = connect(url, timeout=30)
        app_.requests.verify = ca_file
        return app_

    return app


def closed_at_once(stream, *, closers=1):
    started = time.monotonic()
    for _ in range(closers):
        assert stream.close() is stream
    stream.thread.join(LIMIT)
    seconds = time.monotonic() - started
    assert not stream.thread.is_alive()
    assert stream.state == "closed"
    return seconds


def overdue(times):
    late = [seconds for seconds in times if seconds >= AT_ONCE]
    return f"{len(late)} of {len(times)} took 100 ms or more: {sorted(late)[-5:]}" if late else None


@pytest.mark.slow
@pytest.mark.parametrize("phase", PHASES.values(), ids=PHASES.keys())
def test_close_ends_thread_and_connection_immediately(app, tls, phase):
    times = []
    with StreamServer(phase.script, tls=tls) as server:
        database = app(server.url).database()
        for _ in range(TRIES):
            server.requests.clear()
            server.handled = 0

            def handler(message, server=server):
                server.handled += 1

            stream = database.stream(handler)
            wait_for(lambda stream=stream: phase.is_reached(stream, server))
            times.append(closed_at_once(stream, closers=2))
        wait_for(lambda: server.closed == TRIES, description="the end of every connection")
    assert not overdue(times)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.blocking_client
def test_close_while_connecting(app, scheme):
    times = []
    with unresponsive_port() as host:
        database = app(f"{scheme}://{host}/?ns=x").database()
        for _ in range(TRIES):
            stream = database.stream(print)
            wait_for(lambda stream=stream: stream.state == "connecting" and stream._events._handle.slot)
            times.append(closed_at_once(stream))
    assert not overdue(times)


@pytest.mark.slow
def test_close_during_tls_handshake(app):
    times = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        database = app(f"https://127.0.0.1:{listener.getsockname()[1]}/?ns=x").database()
        for _ in range(TRIES):
            stream = database.stream(print)
            accepted, _ = listener.accept()
            accepted.settimeout(LIMIT)
            assert accepted.recv(5)  # the client's hello
            times.append(closed_at_once(stream))
            accepted.close()
    assert not overdue(times)


@pytest.mark.slow
@pytest.mark.blocking_client
def test_close_in_the_handler(app, tls):
    times = []
    with StreamServer(put(1), tls=tls) as server:
        database = app(server.url).database()
        for _ in range(TRIES):
            closed: queue.Queue = queue.Queue()
            ready = threading.Event()
            app_ = []

            def handler(message, closed=closed, ready=ready, app_=app_):
                ready.wait(LIMIT)
                started = time.monotonic()
                app_[0].close()
                closed.put(started)

            app_.append(database.stream(handler))
            ready.set()
            started = closed.get(timeout=LIMIT)
            app_[0].thread.join(LIMIT)
            times.append(time.monotonic() - started)
            assert not app_[0].is_alive()
    assert not overdue(times)


@pytest.mark.slow
def test_close_in_another_thread_ends_the_iteration(app, tls):
    times = []
    with StreamServer(put(1), tls=tls) as server:
        database = app(server.url).database()
        for _ in range(TRIES):
            events = database.stream()
            assert next(events).data == 1
            started = []

            def close(events=events, started=started):
                started.append(time.monotonic())
                events.close()

            closer = threading.Timer(0.005, close)
            closer.start()
            assert list(events) == []
            times.append(time.monotonic() - started[0])
            closer.join()
    assert not overdue(times)


@pytest.mark.slow
def test_close_while_waiting_to_reconnect(app, monkeypatch):
    monkeypatch.setattr(event_stream, "MIN_RECONNECT_INTERVAL", 30.0)
    times = []
    with StreamServer(put(1, StreamPeer.send_last_chunk)) as server:
        database = app(server.url).database()
        for _ in range(TRIES):
            stream = database.stream(lambda message: None)
            wait_for(lambda stream=stream: stream.state == "waiting")
            times.append(closed_at_once(stream))
    assert not overdue(times)


class Stuck:
    """A token source that waits for an unresponsive server."""

    def __init__(self):
        self.asked = threading.Event()
        self.go = threading.Event()

    def current_token(self, *, rejected=None):
        self.asked.set()
        self.go.wait(LIMIT)
        return "token"


def test_close_while_token_is_refreshed(app):
    tokens = Stuck()
    with StreamServer(put(1)) as server:
        stream = app(server.url).database().stream(print, tokens)
        assert tokens.asked.wait(LIMIT)
        assert closed_at_once(stream) < AT_ONCE
        tokens.go.set()
    assert server.requests == []


@pytest.mark.blocking_client
def test_close_of_a_live_copy(app, tls):
    with StreamServer(put({"a": 1}), tls=tls) as server:
        live = app(server.url).database().live()
        started = time.monotonic()
        live.close()
        live.close()
        live._thread.join(LIMIT)
        assert time.monotonic() - started < AT_ONCE


def test_unread_stream_is_closed(app):
    states: list[str] = []
    with StreamServer(put(1)) as server:
        events = app(server.url).database().stream(on_state=states.append)
        events.close()
        assert (events.state, states, list(events), server.requests) == ("closed", ["closed"], [], [])


def test_app_close_closes_streams(app):
    with StreamServer(put(1)) as server:
        app_ = app(server.url)
        stream = app_.database().stream(lambda message: None)
        live = app_.database().live()
        wait_for(lambda: stream.state == "open")
        app_.close()
        stream.thread.join(LIMIT)
        assert (stream.state, live.is_alive()) == ("closed", False)


def test_app_close_closes_streams_opened_concurrently(app):
    app_ = app("http://127.0.0.1:9")
    database, opened, begun = app_.database(), [], threading.Barrier(5)

    def open_streams():
        begun.wait(LIMIT)
        with suppress(UsageError):  # the App may be closed
            while True:
                opened.append(database.stream())

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=open_streams) for _ in range(4)]
        for thread in threads:
            thread.start()
        begun.wait(LIMIT)
        wait_for(lambda: len(opened) > 3000)
        app_.close()
        for thread in threads:
            thread.join(LIMIT)
    finally:
        sys.setswitchinterval(interval)
    assert {stream.is_alive() for stream in opened} == {False}


def test_abandoned_iteration_closes_its_connection(app):
    with StreamServer(put(1)) as server:
        with app(server.url).database().stream() as events:
            for _ in events:
                break
        wait_for(lambda: server.closed == 1)


@pytest.mark.blocking_client
def test_close_with_custom_adapter(connect):
    with requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter())
        with StreamServer(put(1)) as server:
            app = connect(server.url, session=session)
            received: queue.Queue = queue.Queue()
            stream = app.database().stream(received.put)
            received.get(timeout=LIMIT)
            assert closed_at_once(stream) < AT_ONCE


PROGRAM = """
    import os, signal, sys, threading, time
    import firebase_rest
    app = firebase_rest.initialize_app({{"databaseURL": sys.argv[1]}})
    {body}
"""


def program(body: str, url: str) -> subprocess.Popen[str]:
    source = textwrap.dedent(PROGRAM).format(body=textwrap.dedent(body))
    return subprocess.Popen(
        [sys.executable, "-X", "dev", "-W", "error", "-c", source, url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


CLOSED_BY_A_SIGNAL = """
took = []
def on_signal(number, frame):
    started = time.monotonic()
    stream.close()
    took.append(started)
def asleep():
    # Python handles a signal that arrives just before a system call only after the call; so send it again.
    with open(f"/proc/self/task/{{os.getpid()}}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "S"
def send(stream):
    while stream.state != "{state}" or not asleep():
        time.sleep(0.001)
    before = len(took)
    while len(took) == before:
        os.kill(os.getpid(), signal.SIGUSR1)
        end = time.monotonic() + 0.05
        while len(took) == before and time.monotonic() < end:
            time.sleep(0.001)
signal.signal(signal.SIGUSR1, on_signal)
late = 0
for number in range(100):
    {make}
    sender = threading.Thread(target=send, args=(stream,))
    sender.start()
    {use}
    late += time.monotonic() - took[-1] >= 0.1
    sender.join()
print("late:", late)
"""
FORMS = {
    "iterating": ("stream = app.database().stream()", "list(stream)"),
    "a thread": ("stream = app.database().stream(lambda message: None)", "stream.thread.join()"),
    "the caller's thread": (
        "stream = app.database().stream()",
        "from firebase_rest.database.stream import Stream; Stream(stream, lambda message: None).run()",
    ),
}


STATES = {
    "connecting": StreamPeer.hold,
    "open": put(1),
    "waiting": lambda peer: peer.respond_error(503, "no", "Retry-After: 60\r\n"),
}


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("state", STATES)
def test_close_in_a_signal_handler(state, form):
    make, use = form
    with StreamServer(STATES[state]) as server:
        child = program(CLOSED_BY_A_SIGNAL.format(make=make, use=use, state=state), server.url)
        out, errors = child.communicate(timeout=60)
    assert (out, errors, child.returncode) == ("late: 0\n", "", 0)


WAITING = {
    "while main waits": "app.database().stream(lambda message: print('ready', flush=True))\ntime.sleep(60)",
    "when main has ended": "app.database().stream(lambda message: print('ready', flush=True))",
    "while it runs in main": "app.database().stream(lambda message: print('ready', flush=True), is_async=False)",
    "while main iterates": "for event in app.database().stream(): print('ready', flush=True)",
    "while main waits for it": "app.database().stream(lambda message: print('ready', flush=True)).thread.join()",
    "while a live copy waits": (
        "live = app.database().live()\nprint('ready', flush=True)\nlive.wait_until(lambda value: value == 2, 60)"
    ),
}


def asleep(pid: int) -> bool:
    """Return whether the main thread waits in a system call."""
    return Path(f"/proc/{pid}/task/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"


@pytest.mark.parametrize("body", WAITING.values(), ids=WAITING.keys())
def test_ctrl_c_ends_a_waiting_program(body):
    with StreamServer(put(1)) as server:
        child = program(body, server.url)
        try:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            wait_for(lambda: asleep(child.pid))
            child.send_signal(signal.SIGINT)
            _, errors = child.communicate(timeout=LIMIT)
        finally:
            child.kill()
            child.communicate()
        assert "KeyboardInterrupt" in errors
        assert "ResourceWarning" not in errors


def test_program_exits_after_close():
    body = """
    stream = app.database().stream(lambda message: stream.close())
    """
    with StreamServer(put(1)) as server:
        child = program(textwrap.dedent(body), server.url)
        out, errors = child.communicate(timeout=LIMIT)
    assert (out, child.returncode) == ("", 0)
    assert "Error" not in errors
