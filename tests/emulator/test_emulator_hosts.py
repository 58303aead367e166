"""A program that passes `server.config` and sets no environment variable connects only to the emulator."""

from __future__ import annotations

from typing import Any

import pytest

import firebase_rest
import pyrebase
from firebase_rest.emulator import Emulator

VARIABLES = ("AUTH", "DATABASE", "STORAGE")


@pytest.mark.parametrize("package", [firebase_rest, pyrebase])
def test_emulator_hosts_in_config_apply_to_every_service(package, monkeypatch):
    for service in VARIABLES:
        monkeypatch.delenv(f"FIREBASE_{service}_EMULATOR_HOST", raising=False)
    with Emulator().serve() as server:
        config: dict[str, Any] = server.config
        with package.initialize_app(config) as app:
            user = app.auth().sign_in_anonymous()
            app.database().child("a").set(1, user["idToken"])
            app.storage().child("a.txt").put(b"x", user["idToken"])
            assert app.database().child("a").get().val() == 1
            assert app.storage().child("a.txt").get_bytes() == b"x"
            assert app.auth().verify_id_token(user["idToken"])["uid"] == user["localId"]
            assert app.auth().admin.get_user(user["localId"]).uid == user["localId"]
