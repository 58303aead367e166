"""One served emulator for the tests of this folder; every test starts with nothing in it."""

from __future__ import annotations

import pytest

from emulator.wire import Database
from firebase_rest.emulator import Emulator


@pytest.fixture(scope="session")
def served():
    with Emulator("demo-test").serve() as server:
        yield server


@pytest.fixture
def server(served):
    served.emulator.reset()
    return served


@pytest.fixture
def db(server):
    database = Database(server.host)
    yield database
    database.close()
