"""The environment of a test run: an emulator, the programs' configuration, users, rules and data."""

from __future__ import annotations

import atexit
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import firebase_rest
from firebase_rest.emulator import Clock, Emulator
from firebase_rest.transport.wire import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.app import App
    from firebase_rest.database.reference import Database
    from firebase_rest.rules.coverage import Coverage
    from firebase_rest.storage.reference import Storage
    from firebase_rest.transport.wire import Json

_STORAGE_RULES = re.compile(r"^\s*service\b", re.MULTILINE)
_ADMIN = {"Authorization": "Bearer owner"}
_ACCOUNTS = "http://emulator/identitytoolkit.googleapis.com/v1/accounts"
_PROFILE = {
    "email": "email",
    "email_verified": "emailVerified",
    "name": "displayName",
    "picture": "photoUrl",
    "phone_number": "phoneNumber",
}
"""The claims that Firebase takes from the account, by name, and the field of the account."""

_environments: list[FirebaseEnvironment] = []
closed_coverage: list[Coverage] = []
"""The coverage of rules in the environments that are closed, for the report at the end of a test run."""

_shared: list[FirebaseEnvironment] = []


def shared_environment() -> FirebaseEnvironment:
    """Return the environment of this process, which is closed when the process exits.

    pytest's fixtures and unittest's test cases share it, because `os.environ` can name only one emulator.
    """
    if not _shared:
        _shared.append(FirebaseEnvironment())
        atexit.register(close_shared_environment)
    return _shared[0]


def close_shared_environment() -> None:
    """Close the environment of this process, if there is one."""
    while _shared:
        _shared.pop().close()


def current_emulator() -> Emulator:
    """Return the emulator of the environment that was opened last. Raises `RuntimeError` if none is open."""
    if not _environments:
        raise RuntimeError(
            "No emulator is running: use the fixture firebase_emulator or FirebaseTestCase, or pass emulator=."
        )
    return _environments[-1].emulator


class TestUser:
    """A signed-in user, or an unauthenticated client.

    Attributes:
        uid: The user ID, or None for an unauthenticated client.
        token: The ID token, or None for an unauthenticated client.
    """

    __test__ = False  # pytest would collect the class because of its name

    def __init__(self, app: App, uid: str | None, token: str | None) -> None:
        self.uid = uid
        self.token = token
        self._app = app

    def database(self) -> Database:
        """Return the root of the database; its requests are authenticated as this user."""
        return self._app.database(user=self.token)

    def storage(self) -> Storage:
        """Return the bucket; its requests are authenticated as this user."""
        return self._app.storage(user=self.token)


class FirebaseEnvironment:
    """A served emulator whose address is in `os.environ`, so that the program under test uses it. Not thread-safe.

    Args:
        project: The project ID.

    Attributes:
        emulator: The emulator.
        clock: The emulator's clock; `clock.advance(3600)` expires tokens. `reset` sets it to the current time.
        server: The HTTP server of the emulator. `server.config` is a configuration for `initialize_app`.
    """

    def __init__(self, project: str = "demo-project") -> None:
        self.clock = Clock()
        self.emulator = Emulator(project, clock=self.clock)
        self.server = self.emulator.serve()
        self._app: App | None = None
        self._previous_environ = {name: os.environ.get(name) for name in self.server.environ}
        os.environ.update(self.server.environ)
        _environments.append(self)

    def close(self) -> None:
        """Stop the emulator and restore `os.environ`."""
        closed_coverage.extend(self.emulator.rules_coverage())
        _environments.remove(self)
        self._close_app()
        self.server.close()
        for name, value in self._previous_environ.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value

    def reset(self) -> None:
        """Delete all data, users, files and rules, and set the clock to the current time."""
        self._close_app()
        self.emulator.set_database_rules(None)
        self.emulator.set_storage_rules(None)
        self.emulator.reset()
        self.clock.reset()

    @property
    def app(self) -> App:
        """An App for the emulator, without credentials. It is closed by `reset`."""
        if self._app is None:
            self._app = firebase_rest.initialize_app(self.server.config)
        return self._app

    def load_rules(self, *rules: str | os.PathLike[str]) -> None:
        """Enforce security rules until the next `reset`.

        Args:
            rules: Rules of the database (JSON) and of Storage: the paths of files, or the text of the rules.

        Raises:
            FileNotFoundError: A file does not exist.
            RulesSyntaxError: The rules are invalid. The message lists every problem with its line and column.
        """
        for item in rules:
            text = _read_rules(item)
            if _STORAGE_RULES.search(text):
                self.emulator.set_storage_rules(text, _file_name(item, "storage.rules"))
            else:
                self.emulator.set_database_rules(text, _file_name(item, "database.rules.json"))

    def as_user(self, uid: str | None, **claims: Any) -> TestUser:
        """Return a signed-in user. The user is created if necessary.

        Args:
            uid: The user ID; None for an unauthenticated client.
            claims: Claims of the ID token, which rules read as `auth.token.NAME`: custom claims, and the claims of the
                account (email, email_verified, name, picture, phone_number).
        """
        if uid is None:
            return TestUser(self.app, None, None)
        profile = {_PROFILE[name]: claims.pop(name) for name in _PROFILE if name in claims}
        token = self._sign_in(uid, claims)
        if profile:
            self._send("POST", f"{_ACCOUNTS}:update", json.dumps({"localId": uid, **profile}).encode())
            token = self._sign_in(uid, claims)
        return TestUser(self.app, uid, token)

    def _sign_in(self, uid: str, claims: Mapping[str, Any]) -> str:
        body = {"token": json.dumps({"uid": uid, "claims": claims}), "returnSecureToken": True}
        response = self._send("POST", f"{_ACCOUNTS}:signInWithCustomToken?key=any", json.dumps(body).encode())
        return str(response["idToken"])

    def seed(self, data: Json, path: str = "") -> None:
        """Write `data` at `path` in the database, by default at the root. Rules do not apply."""
        self._send("PUT", f"http://emulator/{quote(path.strip('/'))}.json", json.dumps(data).encode())

    def read(self, path: str = "") -> Any:
        """Return the data at `path` in the database. Rules do not apply."""
        return self._send("GET", f"http://emulator/{quote(path.strip('/'))}.json")

    def seed_file(
        self, name: str, content: bytes, *, content_type: str = "", metadata: Mapping[str, str] | None = None
    ) -> None:
        """Store a file in the bucket of `server.config`. Rules do not apply.

        Args:
            name: The name of the object, such as "avatars/ada.png".
            content: The bytes of the object.
            content_type: The media type of the object.
            metadata: The custom metadata of the object.
        """
        url = f"http://emulator/v0/b/{self.server.config['storageBucket']}/o"
        headers = {"Content-Type": content_type} if content_type else {}
        self._send("POST", f"{url}?name={quote(name, safe='')}", content, headers)
        if metadata:
            body = json.dumps({"metadata": dict(metadata)}).encode()
            self._send("PATCH", f"{url}/{quote(name, safe='')}", body, {"Content-Type": "application/json"})

    def _send(self, method: str, url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Any:
        response = self.emulator.handle(Request(method, url, headers={**_ADMIN, **(headers or {})}, body=body))
        if response.status >= 400:
            raise ValueError(f"The emulator rejected the request to {url}: {response.text}")
        return response.json()

    def _close_app(self) -> None:
        if self._app is not None:
            self._app.close()
            self._app = None


def _read_rules(rules: str | os.PathLike[str]) -> str:
    """Return the text of rules, from their text or from the file at a path."""
    return str(rules) if _is_text(rules) else Path(rules).read_text(encoding="utf-8")


def _file_name(rules: str | os.PathLike[str], default: str) -> str:
    return default if _is_text(rules) else os.fspath(rules)


def _is_text(rules: str | os.PathLike[str]) -> bool:
    return isinstance(rules, str) and ("{" in rules or "\n" in rules)
