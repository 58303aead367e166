"""The tests of `storage.cases` on the official emulator."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("storage.cases")

from storage.cases import *  # noqa: E402, F403 - the same tests run on our emulator
from storage.storage_clients import Client, Side  # noqa: E402


def pytest_generate_tests(metafunc):
    if "client" in metafunc.fixturenames:
        is_blocking = metafunc.definition.get_closest_marker("blocking_client") is not None
        metafunc.parametrize("client", ["blocking"] if is_blocking else ["blocking", "async"], indirect=True)


@pytest.fixture
def client(request, official_storage, monkeypatch):
    side = Side(official_storage.host, official_storage.rules, official=True, client=request.param)
    yield Client(side, monkeypatch)
    side.close()
