"""`KeyringStore` with the limits of Windows Credential Manager."""

from __future__ import annotations

import json
import time

import keyring
import keyring.backend
import keyring.errors
import pytest

from firebase_rest import KeyringStore, UsageError, initialize_app
from firebase_rest.auth import jwt

LIMIT = 2560  # bytes in UTF-16: CRED_MAX_CREDENTIAL_BLOB_SIZE


class WindowsCredentials(keyring.backend.KeyringBackend):
    """A keyring in memory with the limits of Windows."""

    priority = 1  # type: ignore[assignment]

    def __init__(self) -> None:
        super().__init__()
        self.entries: dict[str, str] = {}
        self.fail_after: int | None = None

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        if len(password.encode("utf-16-le")) > LIMIT:
            raise OSError(1783, "CredWrite", "The stub received bad data")
        if self.fail_after is not None:
            self.fail_after -= 1
            if self.fail_after < 0:
                raise OSError("The keyring is locked.")
        self.entries[username] = password

    def delete_password(self, service: str, username: str) -> None:
        if self.entries.pop(username, None) is None:
            raise keyring.errors.PasswordDeleteError("not found")


@pytest.fixture
def backend():
    before = keyring.get_keyring()
    replacement = WindowsCredentials()
    keyring.set_keyring(replacement)
    yield replacement
    keyring.set_keyring(before)


def id_token(uid: str = "ada", size: int = 100) -> str:
    now = int(time.time())
    claims = {"sub": uid, "iat": now, "exp": now + 3600, "role": "x" * size}
    return jwt.encode_unsigned(claims)


def user(refresh_token: str = "refresh-1", **more: object) -> dict[str, object]:
    return {
        "localId": "ada",
        "idToken": id_token(size=1000),
        "refreshToken": refresh_token,
        "expiresIn": "3600",
        **more,
    }


class Accounts:
    """An Auth whose refreshes return without a request."""

    def __init__(self) -> None:
        self.auth = initialize_app({"apiKey": "key"}).auth()
        self.refreshed: list[str] = []
        self.auth.refresh = self._refresh  # type: ignore[method-assign,assignment]

    def _refresh(self, refresh_token: str) -> dict[str, str]:
        self.refreshed.append(refresh_token)
        return {"idToken": id_token(), "refreshToken": refresh_token, "expiresIn": "3600"}


@pytest.mark.parametrize("size", [9, 300, 1100, 1250, 5000])
def test_session_survives_with_a_refresh_token_of_any_size(backend, size):
    accounts, store = Accounts(), KeyringStore("program")
    accounts.auth.session(user("r" * size, providerUserInfo=[{"photoUrl": "x" * 5000}])).save(store)
    session = accounts.auth.load_session(store)
    assert session is not None
    assert (session.uid, session.refresh_token) == ("ada", "r" * size)
    assert session.id_token.count(".") == 2
    assert accounts.refreshed == ["r" * size]
    session.sign_out()
    assert backend.entries == {}
    assert accounts.auth.load_session(store) is None


def test_loaded_session_refreshes_once_and_stores_the_new_token(backend):
    accounts, store = Accounts(), KeyringStore("program")
    accounts.auth.session(user()).save(store)
    session = accounts.auth.load_session(store)
    assert session is not None
    assert accounts.refreshed == []
    assert session.current_token() == session.current_token() == session.user["idToken"]
    assert len(accounts.refreshed) == 1


def test_user_of_a_custom_token_is_identified(backend):
    accounts, store = Accounts(), KeyringStore("program")
    accounts.auth.session({"idToken": id_token("grace"), "refreshToken": "r"}).save(store)
    session = accounts.auth.load_session(store)
    assert session is not None
    assert session.uid == "grace"


def test_session_stored_by_an_earlier_version_loads(backend):
    backend.entries["session"] = json.dumps(user())
    session = Accounts().auth.load_session(KeyringStore("program"))
    assert session is not None
    assert session.id_token == json.loads(backend.entries["session"])["idToken"]


def test_shorter_session_removes_the_parts_of_the_longer_one(backend):
    store = KeyringStore("program")
    store.write(user("r" * 5000))
    assert len(backend.entries) > 3
    store.write(user("r" * 4000))
    assert len(backend.entries) == 5
    store.write(user())
    assert list(backend.entries) == ["session"]


def test_failed_write_keeps_the_earlier_session(backend):
    store = KeyringStore("program")
    store.write(user("r" * 5000))
    for successes in range(4):
        backend.fail_after = successes
        with pytest.raises(OSError, match="locked"):
            store.write(user("s" * 5000))
        backend.fail_after = None
        assert store.read()["refreshToken"] == "r" * 5000
        assert len(backend.entries) == 6


@pytest.mark.parametrize("text", ["", "{}", "[]", "x", '{"parts": ["a"]}', '{"parts": 5}', '{"refreshToken": ""}'])
def test_entry_without_a_session_is_rejected(backend, text):
    backend.entries["session"] = text
    with pytest.raises(UsageError, match="session"):
        Accounts().auth.load_session(KeyringStore("program"))
