"""One served emulator for the tests of this folder; it is empty at the start of every test."""

from __future__ import annotations

import pytest

import firebase_rest
from emulator.files import Files
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


@pytest.fixture
def files(server):
    """The default bucket, accessed with plain requests."""
    files = Files(server.host)
    yield files
    files.close()


@pytest.fixture
def app(server):
    """Our client for it, without credentials."""
    with firebase_rest.initialize_app(server.config) as app:
        yield app


@pytest.fixture
def root(app):
    return app.database()
