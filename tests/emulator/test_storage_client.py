"""The tests of `storage.cases` on our emulator."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("storage.cases")

from storage.cases import *  # noqa: E402, F403 - the same tests run on the official emulator
from storage.storage_clients import Client, Side  # noqa: E402


class Rules:
    """Security rules that `word` selects, as in the official emulator's launcher."""

    word = "allow"

    def allows(self, caller, access) -> bool:
        return self.word == "allow" or (self.word == "signed-in" and caller.auth is not None)


@pytest.fixture
def client(server, monkeypatch):
    before = server.emulator.storage.rules
    rules = server.emulator.storage.rules = Rules()
    side = Side(server.host, lambda word: setattr(rules, "word", word), official=False)
    yield Client(side, monkeypatch)
    side.close()
    server.emulator.storage.rules = before
