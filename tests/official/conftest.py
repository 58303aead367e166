"""The official Firebase components, one process of each for the whole test run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from official.processes import OfficialAuthEmulator, OfficialStorageEmulator, Oracle, Unavailable, install

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.official)


@pytest.fixture(scope="session")
def official_components() -> None:
    """They are installed. Without Node a developer's run skips with the reason; CI must have them."""
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
    """With no objects in it, open to everybody."""
    official_storage_process.reset()
    return official_storage_process


@pytest.fixture(scope="session")
def oracle(official_components: None) -> Iterator[Oracle]:
    with Oracle() as judge:
        yield judge
