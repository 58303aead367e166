"""Our client on the official Storage emulator: the promises of `storage.cases`, but for that emulator's own quirks."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("storage.cases")

from storage.cases import *  # noqa: E402, F403 - the same tests run on our emulator
from storage.side import Client, Side  # noqa: E402

QUIRKS: dict[str, str] = {}
"""Tests that cannot hold on the official emulator, and why."""


@pytest.fixture
def client(official_storage, monkeypatch, request):
    if request.node.name in QUIRKS:
        pytest.skip(QUIRKS[request.node.name])
    side = Side(official_storage.host, official_storage.rules, official=True)
    yield Client(side, monkeypatch)
    side.close()
