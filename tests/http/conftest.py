"""Fixtures of the transport tests: no proxies, no retry delays, and certificates for loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from firebase_rest.transport import exchange
from support.blocking import clients_of, close_app, create_app
from support.process_state import clear_environment
from support.tls import authority, ca_file, server_tls  # noqa: F401 - fixtures


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_environment(monkeypatch)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "FIREBASE_CONFIG", "GOOGLE_APPLICATION_CREDENTIALS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The delays before retries, which are recorded instead of waited for."""
    delays: list[float] = []
    real = exchange.backoff_delay

    def backoff_delay(attempt: int, retry_after: str | None = None) -> float:
        delays.append(real(attempt, retry_after))
        return 0.0

    monkeypatch.setattr(exchange, "backoff_delay", backoff_delay)
    return delays


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
