"""An emulator and an App on it, set up as pyrebase's programs do."""

from __future__ import annotations

import pytest

import pyrebase
from firebase_rest.emulator import Emulator


@pytest.fixture(scope="session")
def served():
    with Emulator().serve() as server:
        yield server


@pytest.fixture
def server(served, monkeypatch):
    served.emulator.reset()
    monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", served.host)
    return served


@pytest.fixture
def firebase(server):
    with pyrebase.initialize_app(server.config) as firebase:
        yield firebase


@pytest.fixture
def auth(firebase):
    return firebase.auth()


@pytest.fixture
def db(firebase):
    return firebase.database()


@pytest.fixture
def user(auth):
    return auth.create_user_with_email_and_password("ada@example.com", "correct horse")
