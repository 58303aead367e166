"""An emulator, and an App of pyrebase that uses it."""

from __future__ import annotations

import json

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

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


@pytest.fixture(scope="session")
def key_file(tmp_path_factory):
    """A service account file with five fields, as some programs use."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    fields = {
        "type": "service_account",
        "project_id": "x",
        "private_key_id": "1",
        "private_key": pem,
        "client_email": "someone@x.iam.gserviceaccount.com",
    }
    path = tmp_path_factory.mktemp("keys") / "key.json"
    path.write_text(json.dumps(fields))
    return path


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
