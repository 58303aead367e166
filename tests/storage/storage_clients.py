"""Clients of a Storage emulator, ours or the official one."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

from firebase_rest import App, Storage
from support.blocking import close_app, create_app

BUCKET = "demo-project.appspot.com"
ACCOUNT = {"client_email": "a@p.iam.gserviceaccount.com", "private_key": "never read", "type": "service_account"}


class Side:
    """An emulator. `rules` sets the security rules: "allow", "deny" or "signed-in". `close` closes all apps."""

    def __init__(self, host: str, rules: Callable[[str], None], *, official: bool, client: str = "blocking") -> None:
        self.host = host
        self.rules = rules
        self.official = official
        self._client = client
        self._apps: list[Any] = []

    def app(self, monkeypatch: Any, *, owner: bool = False, **options: Any) -> App:
        monkeypatch.setenv("FIREBASE_STORAGE_EMULATOR_HOST", self.host)
        config: dict[str, Any] = {"storageBucket": BUCKET, "projectId": "demo-project"}
        if owner:
            config["serviceAccount"] = ACCOUNT
        app = create_app(self._client, config, **options)
        self._apps.append(app)
        return app

    def close(self) -> None:
        for app in self._apps:
            close_app(app)


class Client:
    """`storage` has no credentials, `owner` is the administrator."""

    def __init__(self, side: Side, monkeypatch: Any) -> None:
        self.side = side
        self.official = side.official
        self.rules = side.rules
        self._monkeypatch = monkeypatch
        self.storage: Storage = side.app(monkeypatch).storage()
        self.owner: Storage = side.app(monkeypatch, owner=True).storage()

    def app(self, **options: Any) -> App:
        return self.side.app(self._monkeypatch, **options)


def id_token(uid: str = "ada", *, age: float = 0) -> str:
    """Return an unsigned ID token for emulators, issued `age` seconds ago."""
    now = int(time.time() - age)
    claims = {
        "iss": "https://securetoken.google.com/demo-project",
        "aud": "demo-project",
        "sub": uid,
        "user_id": uid,
        "iat": now,
        "exp": now + 3600,
    }
    return f"{_encoded({'alg': 'none', 'typ': 'JWT'})}.{_encoded(claims)}."


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
