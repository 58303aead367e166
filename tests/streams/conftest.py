"""Fixtures of the stream tests: no pauses, no inherited proxies, no leaked threads or sockets."""

from __future__ import annotations

import gc
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme

from firebase_rest.database import event_stream
from firebase_rest.emulator import Emulator, Server
from firebase_rest.transport import retries
from support.blocking import clients_of, close_app, create_app
from support.waiting import wait_for


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "MIN_RECONNECT_INTERVAL", 0.0)
    monkeypatch.setattr(retries, "BASE", 0.001)
    monkeypatch.setattr(retries, "CAP", 0.01)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for service in ("AUTH", "DATABASE", "STORAGE"):
        monkeypatch.delenv(f"FIREBASE_{service}_EMULATOR_HOST", raising=False)


def sockets() -> int:
    """Return the number of open sockets of this process."""
    count = 0
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            count += str(link.readlink()).startswith("socket:")
    return count


@pytest.fixture(autouse=True)
def no_leaks() -> Iterator[None]:
    """Fail if a test leaves a thread or socket open."""
    threads, before = set(threading.enumerate()), sockets() if Path("/proc/self/fd").exists() else None
    yield
    gc.collect()
    wait_for(lambda: threads.issuperset(threading.enumerate()), what="the end of all threads of the test")
    wait_for(lambda: before is None or sockets() <= before, what=f"at most {before} open sockets")


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


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)
