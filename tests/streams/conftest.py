"""Fixtures of the stream tests: no pauses, no inherited proxies, no leaked threads or sockets."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from firebase_rest.emulator import Emulator, Server
from support.blocking import clients_of, close_app, create_app
from support.process_state import clear_environment, open_sockets, shorten_pauses
from support.tls import authority, ca_file, server_tls  # noqa: F401 - fixtures
from support.waiting import wait_for


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_environment(monkeypatch)
    shorten_pauses(monkeypatch)


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """Fail if a test leaves a thread or socket open."""
    threads, before = set(threading.enumerate()), open_sockets()
    yield
    gc.collect()
    wait_for(lambda: threads.issuperset(threading.enumerate()), description="the end of all threads of the test")
    wait_for(lambda: open_sockets() <= before, description=f"at most {before} open sockets")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of a module with `CLIENTS = ("blocking", "async")` with both clients."""
    if "client" in metafunc.fixturenames:
        metafunc.parametrize("client", clients_of(metafunc))


@pytest.fixture
def connect(client: str) -> Iterator[Callable[..., Any]]:
    """A function `connect(url)` that returns an App for the database at `url`, closed after the test."""
    apps: list[Any] = []

    def connect(url: str, **options: Any) -> Any:
        apps.append(create_app(client, {"apiKey": "k", "databaseURL": url}, **{"timeout": 5, **options}))
        return apps[-1]

    yield connect
    for app in apps:
        close_app(app)


@pytest.fixture
def server() -> Iterator[Server]:
    with Emulator("demo").serve() as server:
        yield server


@pytest.fixture
def db(server: Server, client: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in server.environ.items():
        monkeypatch.setenv(name, value)
    with create_app(client, server.config) as app:
        yield app.database()
