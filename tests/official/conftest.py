"""The official Firebase components, one process of each for the whole test run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from firebase_rest.emulator import Emulator
from official.auth_environment import PROJECT, AuthEnvironment, create_environment
from official.processes import OfficialAuthEmulator, OfficialStorageEmulator, Oracle, Unavailable, install

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
TIMEOUT = 600
"""The first test installs the packages; the others wait for it. Seconds."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.official)
            item.add_marker(pytest.mark.timeout(TIMEOUT))


@pytest.fixture(scope="session")
def official_components() -> None:
    """Install the components. Without Node the tests are skipped with the reason; in CI they fail."""
    try:
        install()
    except Unavailable as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must run the official components: {error}")
        pytest.skip(f"official components: {error}")


@pytest.fixture(scope="session")
def official_auth(official_components: None) -> Iterator[OfficialAuthEmulator]:
    with OfficialAuthEmulator() as emulator:
        yield emulator


@pytest.fixture(scope="session")
def official_storage_process(official_components: None) -> Iterator[OfficialStorageEmulator]:
    with OfficialStorageEmulator() as emulator:
        yield emulator


@pytest.fixture
def official_storage(official_storage_process: OfficialStorageEmulator) -> OfficialStorageEmulator:
    """An emulator without objects whose rules allow all requests."""
    official_storage_process.reset()
    return official_storage_process


@pytest.fixture(scope="session")
def rules_oracle(official_components: None) -> Iterator[Oracle]:
    with Oracle("rules_oracle.cjs") as oracle_process:
        yield oracle_process


@pytest.fixture(scope="session")
def oracle(official_components: None) -> Iterator[Oracle]:
    with Oracle() as oracle_process:
        yield oracle_process


@pytest.fixture(scope="session")
def our_auth_host() -> Iterator[str]:
    with Emulator(PROJECT).serve() as server:
        yield server.host


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "environment" in metafunc.fixturenames:
        is_blocking = metafunc.definition.get_closest_marker("blocking_client") is not None
        clients = ["ours", "official"] if is_blocking else ["ours", "official", "official, async client"]
        metafunc.parametrize("environment", clients, indirect=True)


@pytest.fixture
def environment(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[AuthEnvironment]:
    """Our Auth client with an empty Auth emulator. Tests that use this fixture run on both emulators."""
    official = request.param != "ours"
    client = "async" if "async" in request.param else "blocking"
    host = request.getfixturevalue("official_auth").host if official else request.getfixturevalue("our_auth_host")
    with create_environment(host, monkeypatch, client) as result:
        yield result
