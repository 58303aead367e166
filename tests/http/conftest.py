"""Fixtures of the transport tests: no proxies, no retry delays, and certificates for loopback."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from firebase_rest.transport import exchange
from support.blocking import clients_of, close_app, create_app


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "FIREBASE_CONFIG", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)
    for service in ("AUTH", "DATABASE", "STORAGE"):
        monkeypatch.delenv(f"FIREBASE_{service}_EMULATOR_HOST", raising=False)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The delays before retries, which are recorded instead of waited for."""
    seen: list[float] = []
    real = exchange.backoff_delay

    def backoff_delay(attempt: int, retry_after: str | None = None) -> float:
        seen.append(real(attempt, retry_after))
        return 0.0

    monkeypatch.setattr(exchange, "backoff_delay", backoff_delay)
    return seen


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of a module with `CLIENTS = ("blocking", "async")` with both clients."""
    if "client" in metafunc.fixturenames:
        metafunc.parametrize("client", clients_of(metafunc))


@pytest.fixture
def connect(pauses: list[float], client: str) -> Iterator[Callable[..., Any]]:
    """A function `connect(server)` or `connect(url)` that returns an App for its database, closed after the test."""
    apps: list[Any] = []

    def connect(server: Any, **options: Any) -> Any:
        url = server if isinstance(server, str) else server.url
        config = {"apiKey": "AIza-api-key", "databaseURL": url, **options.pop("config", {})}
        app = create_app(client, config, **{"timeout": 5, **options})
        apps.append(app)
        return app

    yield connect
    for app in apps:
        close_app(app)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def server_tls(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost", "db.firebaseio.com").configure_cert(context)
    return context


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)
