"""The tests of `storage.cases` on the official emulator."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("storage.cases")

from storage.cases import *  # noqa: E402, F403 - the same tests run on our emulator
from storage.storage_clients import Client, Side  # noqa: E402


@pytest.fixture
def client(official_storage, monkeypatch):
    side = Side(official_storage.host, official_storage.rules, official=True)
    yield Client(side, monkeypatch)
    side.close()
