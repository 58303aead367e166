"""Sessions on our emulator: refresh, changes of the account, and storage."""

from __future__ import annotations

import json
import logging
import os
import stat
import threading

import keyring
import keyring.backend
import keyring.errors
import pytest

from emulator.accounts import EMAIL, PASSWORD, world_with
from firebase_rest import KeyringStore, SessionExpired, UsageError
from firebase_rest.auth.stores import FileStore


@pytest.fixture
def world(monkeypatch):
    with world_with(monkeypatch) as found:
        yield found


def expired(world):
    """Return a session whose token has expired by its clock and by the emulator's."""
    user = world.someone().user
    world.clock.advance(3601)
    session = world.auth.session(user)
    session._tokens = type(session._tokens)(user["idToken"], user["refreshToken"], 3600, 0.0, 0.0)
    return session


def test_64_threads_with_one_expired_session_make_one_refresh(world):
    session = expired(world)
    world.sent.clear()
    gate = threading.Barrier(64)
    tokens = []

    def ask():
        gate.wait()
        tokens.append(session.id_token)

    threads = [threading.Thread(target=ask) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tokens) == 64
    assert len(set(tokens)) == 1
    assert world.refreshes() == 1


def test_64_threads_with_one_revoked_session_all_raise(world):
    session = expired(world)
    world.auth.admin.revoke_refresh_tokens(session.uid)
    gate = threading.Barrier(64)
    rejected = []

    def ask():
        gate.wait()
        try:
            session.current_token()
        except SessionExpired as error:
            rejected.append(error)

    threads = [threading.Thread(target=ask) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rejected) == 64


def test_rejected_token_is_refreshed_and_call_retried(world):
    session = world.someone()
    world.clock.advance(3601)  # not expired by the session's clock
    assert world.auth.get_account_info(session)["users"][0]["email"] == EMAIL
    assert world.refreshes() == 1
    world.auth.update_profile(session, "Ada")
    assert world.refreshes() == 1


def test_expired_token_without_a_session_raises(world):
    token = world.someone().id_token
    world.clock.advance(3601)
    with pytest.raises(SessionExpired) as error:
        world.auth.get_account_info(token)
    assert error.value.code == "TOKEN_EXPIRED"
    assert world.refreshes() == 0


def test_new_password_invalidates_tokens_and_updates_the_session(world):
    session = world.someone()
    before = session.user
    world.clock.advance(2)
    world.auth.change_password(session, "another horse", return_secure_token=False)
    assert session.user["idToken"] != before["idToken"]
    for dead in (
        lambda: world.auth.get_account_info(before["idToken"]),
        lambda: world.auth.refresh(before["refreshToken"]),
    ):
        with pytest.raises(SessionExpired):
            dead()
    world.sent.clear()
    assert world.auth.get_account_info(session)["users"][0]["localId"] == session.uid
    assert world.refreshes() == 0


def test_late_refresh_does_not_replace_newer_tokens(world):
    session = world.someone()
    world.clock.advance(2)
    real = session._refresh

    def overtaken(token):
        payload = real(token)
        world.auth.change_password(session, "another horse")
        return payload

    session._refresh = overtaken
    fresh = session.current_token(rejected=session.user["idToken"])
    assert world.auth.get_account_info(fresh)["users"][0]["localId"] == session.uid


def test_refresh_that_fails_after_a_change_does_not_raise(world):
    session = world.someone()
    world.clock.advance(2)
    real = session._refresh

    def overtaken(token):
        world.auth.change_password(session, "another horse")
        return real(token)

    session._refresh = overtaken
    fresh = session.current_token(rejected=session.user["idToken"])
    assert world.auth.get_account_info(fresh)["users"][0]["localId"] == session.uid


def test_session_rejects_tokens_of_another_user(world):
    session, other = world.someone(), world.someone("b@example.com")
    with pytest.raises(UsageError, match="session"):
        session.update_tokens(other.user)
    assert session.claims["sub"] == session.uid


def test_on_change_callback_is_called_until_removed(world, caplog):
    session = world.someone()
    changes = []
    stop = session.on_change(lambda changed: changes.append(changed.signed_in))

    def failing(changed):
        raise RuntimeError(changed.refresh_token)

    end = session.on_change(failing)
    with caplog.at_level(logging.WARNING, "firebase_rest"):
        session.current_token(rejected=session.id_token)
    assert "RuntimeError" in caplog.text
    assert session.refresh_token not in caplog.text
    end()
    session.sign_out()
    assert changes == [True, False]
    stop()
    stop()


def test_signed_out_session_raises(world):
    session = world.someone()
    tokens = session.user
    session.sign_out()
    world.sent.clear()
    for use in (session.current_token, lambda: session.refresh_token, lambda: world.auth.get_account_info(session)):
        with pytest.raises(SessionExpired) as error:
            use()
        assert error.value.code == "SIGNED_OUT"
    assert world.sent == []
    assert "signed out" in repr(session)
    assert tokens["idToken"] not in repr(vars(session))


def test_session_authenticates_database_requests(world):
    session = expired(world)
    with world.app.database(session).child("notes").stream(lambda message: None) as stream:
        del stream
    world.app.database().as_user(session).child("notes").set(1)
    assert world.app.database(session).child("notes").get().val() == 1
    assert world.refreshes() == 1


# --- stores ---


def test_file_store_keeps_the_session_after_changes(world, tmp_path):
    path = tmp_path / "deep" / "session.json"
    session = world.someone()
    session.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    world.clock.advance(2)
    world.auth.change_password(session, "another horse")
    loaded = world.auth.load_session(str(path))
    assert loaded.uid == session.uid
    assert loaded.user == session.user
    assert loaded.user["email"] == EMAIL
    loaded.current_token(rejected=loaded.id_token)
    assert json.loads(path.read_text())["refreshToken"] == loaded.refresh_token
    loaded.sign_out()
    assert not path.exists()
    assert world.auth.load_session(path) is None


def test_file_is_replaced_atomically_without_following_links(world, tmp_path):
    session = world.someone()
    target = tmp_path / "somebody else's"
    target.write_text("precious")
    path = tmp_path / "session.json"
    path.symlink_to(target)
    session.save(path)
    assert target.read_text() == "precious"
    assert not path.is_symlink()
    assert set(tmp_path.iterdir()) == {target, path}, "no temporary file is left"


def test_failed_save_raises_and_leaves_no_file(world, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    session = world.someone()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        session.save(tmp_path / "session.json")
    assert list(tmp_path.iterdir()) == []


def test_file_without_a_session_is_rejected(world, tmp_path):
    path = tmp_path / "session.json"
    path.write_text("{}")
    with pytest.raises(UsageError, match="does not contain a session"):
        world.auth.load_session(path)
    with pytest.raises(UsageError, match="read, write and delete"):
        world.auth.load_session(5)


class Ring(keyring.backend.KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self):
        super().__init__()
        self.stored = {}

    def get_password(self, service, username):
        return self.stored.get((service, username))

    def set_password(self, service, username, password):
        self.stored[service, username] = password

    def delete_password(self, service, username):
        if self.stored.pop((service, username), None) is None:
            raise keyring.errors.PasswordDeleteError("there is none")


def test_keyring_store_keeps_the_session(world):
    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    try:
        store = KeyringStore("my program", "ada")
        assert world.auth.load_session(store) is None
        session = world.someone()
        session.save(store)
        assert world.auth.load_session(KeyringStore("my program", "ada")).uid == session.uid
        assert world.auth.load_session(KeyringStore("my program")) is None
        session.sign_out()
        session.sign_out()
        assert world.auth.load_session(store) is None
        assert session.uid not in repr(store)
    finally:
        keyring.set_keyring(before)


def test_missing_keyring_package_names_the_extra(world, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "keyring", None)
    with pytest.raises(UsageError, match=r"firebase-rest\[keyring\]"):
        world.auth.load_session(KeyringStore("my program"))


def test_tilde_in_a_path_is_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert FileStore("~/session.json").path == tmp_path / "session.json"


def test_session_of_a_custom_token_knows_its_uid(world):
    user = world.auth.sign_in_with_custom_token(world.auth.create_custom_token("ada"))
    assert world.auth.session(user).uid == "ada"
    assert world.auth.session(world.auth.refresh(user["refreshToken"])).uid == "ada"
    assert PASSWORD not in repr(world.auth.session(user))
