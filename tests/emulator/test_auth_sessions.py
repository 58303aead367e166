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

from emulator.accounts import EMAIL, PASSWORD, auth_environment
from firebase_rest import KeyringStore, SessionExpired, UsageError
from firebase_rest.auth.stores import FileStore


@pytest.fixture
def env(monkeypatch):
    with auth_environment(monkeypatch) as environment:
        yield environment


def expired(env):
    """Return a session whose token has expired by its clock and by the emulator's."""
    user = env.someone().user
    env.clock.advance(3601)
    session = env.auth.session(user)
    session._tokens = type(session._tokens)(user["idToken"], user["refreshToken"], 3600, 0.0, 0.0)
    return session


def test_64_threads_with_one_expired_session_make_one_refresh(env):
    session = expired(env)
    env.sent.clear()
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
    assert env.refreshes() == 1


def test_64_threads_with_one_revoked_session_all_raise(env):
    session = expired(env)
    env.auth.admin.revoke_refresh_tokens(session.uid)
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


def test_rejected_token_is_refreshed_and_call_retried(env):
    session = env.someone()
    env.clock.advance(3601)  # not expired by the session's clock
    assert env.auth.get_account_info(session)["users"][0]["email"] == EMAIL
    assert env.refreshes() == 1
    env.auth.update_profile(session, "Ada")
    assert env.refreshes() == 1


def test_expired_token_without_a_session_raises(env):
    token = env.someone().id_token
    env.clock.advance(3601)
    with pytest.raises(SessionExpired) as error:
        env.auth.get_account_info(token)
    assert error.value.code == "TOKEN_EXPIRED"
    assert env.refreshes() == 0


def test_new_password_invalidates_tokens_and_updates_the_session(env):
    session = env.someone()
    before = session.user
    env.clock.advance(2)
    env.auth.change_password(session, "another horse", return_secure_token=False)
    assert session.user["idToken"] != before["idToken"]
    for dead in (
        lambda: env.auth.get_account_info(before["idToken"]),
        lambda: env.auth.refresh(before["refreshToken"]),
    ):
        with pytest.raises(SessionExpired):
            dead()
    env.sent.clear()
    assert env.auth.get_account_info(session)["users"][0]["localId"] == session.uid
    assert env.refreshes() == 0


def test_late_refresh_does_not_replace_newer_tokens(env):
    session = env.someone()
    env.clock.advance(2)
    real = session._refresh

    def overtaken(token):
        payload = real(token)
        env.auth.change_password(session, "another horse")
        return payload

    session._refresh = overtaken
    fresh = session.current_token(rejected=session.user["idToken"])
    assert env.auth.get_account_info(fresh)["users"][0]["localId"] == session.uid


def test_refresh_that_fails_after_a_change_does_not_raise(env):
    session = env.someone()
    env.clock.advance(2)
    real = session._refresh

    def overtaken(token):
        env.auth.change_password(session, "another horse")
        return real(token)

    session._refresh = overtaken
    fresh = session.current_token(rejected=session.user["idToken"])
    assert env.auth.get_account_info(fresh)["users"][0]["localId"] == session.uid


def test_session_rejects_tokens_of_another_user(env):
    session, other = env.someone(), env.someone("b@example.com")
    with pytest.raises(UsageError, match="session"):
        session.update_tokens(other.user)
    assert session.claims["sub"] == session.uid


def test_on_change_callback_is_called_until_removed(env, caplog):
    session = env.someone()
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


def test_signed_out_session_raises(env):
    session = env.someone()
    tokens = session.user
    session.sign_out()
    env.sent.clear()
    for use in (session.current_token, lambda: session.refresh_token, lambda: env.auth.get_account_info(session)):
        with pytest.raises(SessionExpired) as error:
            use()
        assert error.value.code == "SIGNED_OUT"
    assert env.sent == []
    assert "signed out" in repr(session)
    assert tokens["idToken"] not in repr(vars(session))


def test_session_authenticates_database_requests(env):
    session = expired(env)
    with env.app.database(session).child("notes").stream(lambda message: None) as stream:
        del stream
    env.app.database().as_user(session).child("notes").set(1)
    assert env.app.database(session).child("notes").get().val() == 1
    assert env.refreshes() == 1


# --- stores ---


def test_file_store_keeps_the_session_after_changes(env, tmp_path):
    path = tmp_path / "deep" / "session.json"
    session = env.someone()
    session.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    env.clock.advance(2)
    env.auth.change_password(session, "another horse")
    loaded = env.auth.load_session(str(path))
    assert loaded.uid == session.uid
    assert loaded.user == session.user
    assert loaded.user["email"] == EMAIL
    loaded.current_token(rejected=loaded.id_token)
    assert json.loads(path.read_text())["refreshToken"] == loaded.refresh_token
    loaded.sign_out()
    assert not path.exists()
    assert env.auth.load_session(path) is None


def test_file_is_replaced_atomically_without_following_links(env, tmp_path):
    session = env.someone()
    target = tmp_path / "somebody else's"
    target.write_text("precious")
    path = tmp_path / "session.json"
    path.symlink_to(target)
    session.save(path)
    assert target.read_text() == "precious"
    assert not path.is_symlink()
    assert set(tmp_path.iterdir()) == {target, path}, "no temporary file is left"


def test_failed_save_raises_and_leaves_no_file(env, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    session = env.someone()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        session.save(tmp_path / "session.json")
    assert list(tmp_path.iterdir()) == []


def test_file_without_a_session_is_rejected(env, tmp_path):
    path = tmp_path / "session.json"
    path.write_text("{}")
    with pytest.raises(UsageError, match="does not contain a session"):
        env.auth.load_session(path)
    with pytest.raises(UsageError, match="read, write and delete"):
        env.auth.load_session(5)


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


def test_keyring_store_keeps_the_session(env):
    before = keyring.get_keyring()
    keyring.set_keyring(Ring())
    try:
        store = KeyringStore("my program", "ada")
        assert env.auth.load_session(store) is None
        session = env.someone()
        session.save(store)
        assert env.auth.load_session(KeyringStore("my program", "ada")).uid == session.uid
        assert env.auth.load_session(KeyringStore("my program")) is None
        session.sign_out()
        session.sign_out()
        assert env.auth.load_session(store) is None
        assert session.uid not in repr(store)
    finally:
        keyring.set_keyring(before)


def test_missing_keyring_package_names_the_extra(env, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "keyring", None)
    with pytest.raises(UsageError, match=r"firebase-rest\[keyring\]"):
        env.auth.load_session(KeyringStore("my program"))


def test_tilde_in_a_path_is_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert FileStore("~/session.json").path == tmp_path / "session.json"


def test_session_of_a_custom_token_has_its_uid(env):
    user = env.auth.sign_in_with_custom_token(env.auth.create_custom_token("ada"))
    assert env.auth.session(user).uid == "ada"
    assert env.auth.session(env.auth.refresh(user["refreshToken"])).uid == "ada"
    assert PASSWORD not in repr(env.auth.session(user))


def test_session_cookie_is_no_id_token(env):
    cookie = env.auth.create_session_cookie(env.someone(), 3600)
    for use in (
        lambda: env.auth.get_account_info(cookie),
        lambda: env.auth.create_session_cookie(cookie, 3600),
        lambda: env.auth.change_password(cookie, "another horse"),
    ):
        with pytest.raises(SessionExpired) as rejected:
            use()
        assert rejected.value.code == "INVALID_ID_TOKEN"
