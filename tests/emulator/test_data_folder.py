"""`Emulator(data=DIR)`: everything is there again after a restart, and what cannot be saved is rejected."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
import time

import pytest

from firebase_rest.emulator import Emulator
from firebase_rest.emulator.persistence import journal
from firebase_rest.emulator.persistence.sqlite_file import SqliteFile
from firebase_rest.transport.wire import Request

OWNER = {"authorization": "Bearer owner"}
AUTH = "/identitytoolkit.googleapis.com"


def call(emulator, method, path, body=None, *, headers=OWNER, **params):
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    return emulator.handle(Request(method, f"http://localhost{path}", tuple(params.items()), headers, data))


def value(emulator, path="/", **params):
    return json.loads(call(emulator, "GET", f"{path}.json", **params).body)


def auth(emulator, method, path, body=None, *, headers=OWNER):
    content = {"content-type": "application/json"} if method in {"POST", "PATCH"} else {}
    return call(emulator, method, f"{AUTH}{path}", body, headers={**headers, **content}, key="k")


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def restart(folder):
    """A function that opens the folder, after closing what it opened before."""
    opened = []

    def open_again(**options):
        for emulator in opened:
            emulator.close()
        opened.append(Emulator(data=folder, **options))
        return opened[-1]

    yield open_again
    for emulator in opened:
        emulator.close()


# --- database ---------------------------------------------------------------------------------------------------------


def test_writes_of_every_kind_are_there_after_a_restart(restart):
    emulator = restart()
    call(emulator, "PUT", "/a.json", {"b": 1, "c": {".value": "x", ".priority": 2}, "d": [1, None, {"e": 0.5}]})
    call(emulator, "PATCH", "/.json", {"a/b": None, "x/y": True, "a/d/1": "é\ud83d\ude00"})
    call(emulator, "PUT", "/a/.priority.json", 7)
    call(emulator, "POST", "/list.json", {"at": {".sv": "timestamp"}})
    call(emulator, "PUT", "/count.json", 1)
    call(emulator, "PUT", "/count.json", {".sv": {"increment": 4}})
    call(emulator, "PUT", "/gone.json", {"z": 1})
    call(emulator, "DELETE", "/gone/z.json")
    call(emulator, "PUT", "/other.json", 5, ns="second")
    before = value(emulator, format="export"), value(emulator, ns="second")
    emulator = restart()
    assert (value(emulator, format="export"), value(emulator, ns="second")) == before
    assert value(emulator, "/count") == 5
    assert value(emulator, "/gone") is None


def test_large_data_is_there_after_a_restart(restart):
    data = {f"k{number:05}": {"n": number, "t": "x" * 20} for number in range(5000)}
    emulator = restart()
    call(emulator, "PUT", "/big.json", data)
    call(emulator, "PATCH", "/.json", {"copy/one": data, "copy/two": data, "small": 1})
    call(emulator, "PUT", "/big/.priority.json", 3)
    call(emulator, "PUT", "/big/k00017/n.json", -1)
    emulator = restart()
    assert value(emulator, "/copy/one") == value(emulator, "/copy/two") == data
    assert value(emulator, "/big/.priority") == 3
    assert value(emulator, "/big") == {**data, "k00017": {"n": -1, "t": "x" * 20}}


def test_data_is_there_after_compaction_during_writes(restart, monkeypatch):
    monkeypatch.setattr(journal, "MAX_ROWS", 100)
    emulator = restart()
    call(emulator, "PUT", "/big.json", {f"k{number}": number for number in range(3000)})
    for number in range(1000):
        call(emulator, "PUT", f"/w/{number % 50}.json", number, ns=("one", "two")[number % 2])
        call(emulator, "PUT", f"/big/k{number}.json", -number)
    file = emulator._data._file
    deadline = time.monotonic() + 20
    while file.query("SELECT count(*) FROM journal")[0][0] > 200 and time.monotonic() < deadline:
        call(emulator, "PUT", "/more.json", time.monotonic())
    assert file.query("SELECT count(*) FROM journal")[0][0] <= 200
    before = [value(emulator, format="export", ns=name) for name in ("demo-project-default-rtdb", "one", "two")]
    emulator = restart()
    assert [value(emulator, format="export", ns=name) for name in ("demo-project-default-rtdb", "one", "two")] == before
    assert value(emulator, "/big/k999") == -999


def test_data_that_is_not_needed_any_more_is_deleted_from_the_file(restart, monkeypatch):
    monkeypatch.setattr(journal, "MAX_ROWS", 20)
    emulator = restart()
    for number in range(20):
        call(emulator, "PUT", "/big.json", {f"k{index}": index + number for index in range(3000)})
    work = emulator._data._journal.maintenance_work()
    emulator._data._maintenance.close()
    for _ in work:
        pass
    [(documents,)] = emulator._data._file.query("SELECT count(DISTINCT document) FROM pieces")
    assert documents == 1
    assert emulator._data._file.query("SELECT count(*) FROM journal") == [(0,)]


def test_write_ahead_log_starts_again_during_writes_without_a_pause(tmp_path):
    file = SqliteFile(tmp_path / "file")
    done = threading.Event()

    def write():
        number = 0
        while not done.is_set():
            number += 1
            file.execute("INSERT OR REPLACE INTO heads VALUES (?, 1, 1)", f"n{number % 100}")

    thread = threading.Thread(target=write)
    thread.start()
    log = tmp_path / "file-wal"
    try:
        deadline = time.monotonic() + 30
        while log.stat().st_size < 100_000 and time.monotonic() < deadline:
            time.sleep(0.01)
        header = log.read_bytes()[:32]
        file.checkpoint()
        while log.read_bytes()[:32] == header and time.monotonic() < deadline:
            time.sleep(0.01)
        assert log.read_bytes()[:32] != header
    finally:
        done.set()
        thread.join()
        file.close()


def test_rules_and_settings_of_a_client_are_there_after_a_restart(restart):
    emulator = restart()
    rules = '{"rules": {".read": false, ".write": false}}'
    call(emulator, "PUT", "/.settings/rules.json", rules.encode())
    call(emulator, "PUT", "/.settings/defaultWriteSizeLimit.json", "small")
    emulator = restart()
    assert call(emulator, "GET", "/.settings/rules.json").body.decode() == rules
    assert value(emulator, "/.settings/defaultWriteSizeLimit") == "small"
    assert call(emulator, "GET", "/a.json", headers={}).status == 401


def test_rules_of_the_constructor_replace_saved_ones(restart):
    call(restart(), "PUT", "/.settings/rules.json", {"rules": {".read": False}})
    emulator = restart(database_rules='{"rules": {".read": true}}')
    assert call(emulator, "GET", "/a.json", headers={}).status == 200


def test_reset_is_saved(restart):
    emulator = restart()
    call(emulator, "PUT", "/a.json", 1)
    call(emulator, "PUT", "/.settings/rules.json", {"rules": {".read": False}})
    auth(emulator, "POST", "/v1/accounts:signUp", {"email": "a@example.com", "password": "secret1"})
    call(emulator, "POST", "/v0/b/bucket/o", b"x", name="file")
    emulator.reset()
    emulator = restart()
    assert value(emulator) is None
    assert call(emulator, "GET", "/a.json", headers={}).status == 200
    assert auth(emulator, "GET", "/v1/projects/demo-project/accounts:batchGet").json_object()["users"] == []
    assert call(emulator, "GET", "/v0/b/bucket/o").json_object()["items"] == []


# --- auth -------------------------------------------------------------------------------------------------------------


def sign_in(emulator, email, password):
    return auth(emulator, "POST", "/v1/accounts:signInWithPassword", {"email": email, "password": password})


def test_accounts_and_their_changes_are_there_after_a_restart(restart):
    emulator = restart()
    for name in ("one", "two", "three"):
        auth(emulator, "POST", "/v1/accounts:signUp", {"email": f"{name}@example.com", "password": "secret1"})
    session = sign_in(emulator, "one@example.com", "secret1").json_object()
    auth(emulator, "POST", "/v1/accounts:update", {"idToken": session["idToken"], "password": "changed"}, headers={})
    claims = {"localId": session["localId"], "customAttributes": '{"role": "x"}', "displayName": "One"}
    auth(emulator, "POST", "/v1/projects/demo-project/accounts:update", claims)
    two = sign_in(emulator, "two@example.com", "secret1").json_object()
    auth(emulator, "POST", "/v1/accounts:delete", {"idToken": two["idToken"]}, headers={})
    before = auth(emulator, "GET", "/v1/projects/demo-project/accounts:batchGet").body
    emulator = restart()
    assert auth(emulator, "GET", "/v1/projects/demo-project/accounts:batchGet").body == before
    assert sign_in(emulator, "one@example.com", "secret1").status == 400
    assert sign_in(emulator, "one@example.com", "changed").status == 200
    assert sign_in(emulator, "two@example.com", "secret1").status == 400
    third = sign_in(emulator, "three@example.com", "secret1").json_object()
    assert third["registered"] is True


def test_tokens_stay_valid_and_revoked_ones_stay_revoked(restart):
    emulator = restart()
    body = {"email": "a@example.com", "password": "secret1"}
    session = auth(emulator, "POST", "/v1/accounts:signUp", body, headers={}).json_object()
    emulator = restart()
    assert auth(emulator, "POST", "/v1/accounts:lookup", {"idToken": session["idToken"]}, headers={}).status == 200
    update = {"idToken": session["idToken"], "password": "changed"}
    auth(emulator, "POST", "/v1/accounts:update", update, headers={})
    emulator = restart()
    refresh = {"grantType": "refresh_token", "refreshToken": session["refreshToken"]}
    path = "/securetoken.googleapis.com/v1/token"
    headers = {"content-type": "application/json"}
    assert call(emulator, "POST", path, refresh, headers=headers, key="k").status == 400


def test_settings_and_tenants_are_there_after_a_restart(restart):
    emulator = restart()
    config = {"signIn": {"allowDuplicateEmails": True}}
    auth(emulator, "PATCH", "/v2/projects/demo-project/config", config)
    tenant = auth(emulator, "POST", "/v2/projects/demo-project/tenants", {"allowPasswordSignup": True}).json_object()
    other = auth(emulator, "POST", "/v2/projects/demo-project/tenants", {"displayName": "x"}).json_object()
    body = {"email": "a@example.com", "password": "secret1", "tenantId": tenant["tenantId"]}
    assert auth(emulator, "POST", "/v1/accounts:signUp", body, headers={}).status == 200
    name = f"/v2/{tenant['name']}"
    auth(emulator, "PATCH", name, {"allowPasswordSignup": True, "displayName": "changed"})
    auth(emulator, "DELETE", f"/v2/{other['name']}")
    emulator = restart()
    found = auth(emulator, "GET", "/v2/projects/demo-project/config").json_object()
    assert found["signIn"] == {"allowDuplicateEmails": True}
    tenants = auth(emulator, "GET", "/v2/projects/demo-project/tenants").json_object()["tenants"]
    assert [item["displayName"] for item in tenants] == ["changed"]
    assert auth(emulator, "POST", "/v1/accounts:signInWithPassword", body, headers={}).status == 200


def test_new_defaults_apply_to_a_project_whose_settings_were_not_changed(restart):
    auth(restart(), "POST", "/v1/accounts:signUp", {"email": "a@example.com", "password": "secret1"})
    emulator = restart(enumeration_protection=True)
    config = auth(emulator, "GET", "/v2/projects/demo-project/config").json_object()
    assert config["emailPrivacyConfig"] == {"enableImprovedEmailPrivacy": True}


# --- storage ----------------------------------------------------------------------------------------------------------


def upload(emulator, name, content, bucket="bucket"):
    return call(emulator, "POST", f"/v0/b/{bucket}/o", content, name=name).json_object()


def download(emulator, name, bucket="bucket"):
    return call(emulator, "GET", f"/v0/b/{bucket}/o/{name.replace('/', '%2F')}", alt="media")


def test_files_and_their_metadata_are_there_after_a_restart(restart, folder):
    emulator = restart()
    large = os.urandom(3_000_000)
    upload(emulator, "a/empty", b"")
    upload(emulator, "a/small", b"first")
    upload(emulator, "a/small", b"second")
    upload(emulator, "a/large", large)
    upload(emulator, "a/deleted", b"x")
    call(emulator, "PATCH", "/v0/b/bucket/o/a%2Fsmall", {"metadata": {"k": "v"}, "contentLanguage": "de"})
    call(emulator, "POST", "/storage/v1/b/bucket/o/a%2Fsmall/copyTo/b/other/o/copy", {})
    call(emulator, "DELETE", "/v0/b/bucket/o/a%2Fdeleted")
    before = call(emulator, "GET", "/v0/b/bucket/o/a%2Fsmall").json_object()
    emulator = restart()
    assert call(emulator, "GET", "/v0/b/bucket/o/a%2Fsmall").json_object() == before
    assert download(emulator, "a/small").body == b"second"
    assert download(emulator, "a/large").body == large
    assert download(emulator, "a/empty").body == b""
    assert download(emulator, "copy", "other").body == b"second"
    assert download(emulator, "a/deleted").status == 404
    assert len(list((folder / "objects").iterdir())) == 3
    call(emulator, "DELETE", "/v0/b/bucket/o/a%2Fsmall")
    emulator = restart()
    assert download(emulator, "copy", "other").body == b"second"
    newer = upload(emulator, "a/small", b"third")
    assert int(newer["generation"]) > int(before["generation"])


def test_renamed_file_exists_once_after_a_restart(restart):
    emulator = restart()
    upload(emulator, "old", b"x")
    assert call(emulator, "POST", "/storage/v1/b/bucket/o/old/moveTo/o/new", {}).status == 200
    emulator = restart()
    assert (download(emulator, "old").status, download(emulator, "new").body) == (404, b"x")


def test_download_continues_after_the_file_was_deleted(restart, folder):
    emulator = restart()
    upload(emulator, "file", b"x" * 600_000)
    request = Request("GET", "http://localhost/v0/b/bucket/o/file", (("alt", "media"),), OWNER, stream=True)
    response = emulator.handle(request)
    start = response.reader.read(1000)
    call(emulator, "DELETE", "/v0/b/bucket/o/file")
    rest = b""
    while piece := response.reader.read(100_000):
        rest += piece
    assert start + rest == b"x" * 600_000
    response.reader.close()
    del response, request
    assert not list((folder / "objects").iterdir())


def test_storage_rules_of_a_client_are_there_after_a_restart(restart):
    text = "service firebase.storage { match /b/{b}/o { match /{p=**} { allow read: if false; } } }"
    body = {"rules": {"files": [{"name": "storage.rules", "content": text}]}}
    assert call(restart(), "PUT", "/internal/setRules", body).status == 200
    assert call(restart(), "GET", "/v0/b/bucket/o/file", headers={}).status == 403


# --- the folder -------------------------------------------------------------------------------------------------------


def test_only_the_owner_can_read_the_folder(restart, folder):
    upload(restart(), "file", b"x")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))}
    assert {modes.pop("data"), modes.pop("objects")} == {0o700}
    assert set(modes.values()) == {0o600}
    assert {"emulator.sqlite", "emulator.sqlite-wal"} <= modes.keys()


def test_folder_in_use_is_rejected(restart, folder):
    restart()
    with pytest.raises(OSError, match="is in use by another emulator"):
        Emulator(data=folder)


def test_folder_is_free_after_close(restart, folder):
    emulator = restart()
    emulator.close()
    with Emulator(data=folder) as other:
        assert call(other, "PUT", "/a.json", 1).status == 200
    assert call(other, "PUT", "/a.json", 2).status == 507


def test_file_instead_of_a_folder_is_rejected(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match=r"is a file\. Choose a folder for the data"):
        Emulator(data=tmp_path / "file")


def test_folder_with_other_files_is_rejected_and_unchanged(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    tmp_path.chmod(0o755)
    with pytest.raises(OSError, match=r"contains other files \('notes.txt'"):
        Emulator(data=tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_folder_that_cannot_be_created_is_rejected(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match="cannot be used as a data folder: Not a directory"):
        Emulator(data=tmp_path / "file" / "data")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write to every folder")
def test_folder_that_is_not_writable_is_rejected(folder):
    folder.mkdir()
    folder.chmod(0o500)
    with pytest.raises(OSError, match="cannot be used as a data folder: Permission denied"):
        Emulator(data=folder)


def test_permissions_of_an_existing_folder_are_reduced(folder):
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    with Emulator(data=folder):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_folder_of_a_newer_version_is_rejected(restart, folder):
    restart().close()
    with sqlite3.connect(folder / "emulator.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(OSError, match="newer version of firebase_rest"):
        Emulator(data=folder)
    with pytest.raises(OSError, match="newer version of firebase_rest"):  # and the lock was released
        Emulator(data=folder)


@pytest.mark.parametrize(("start", "size"), [(0, 100), (4096, 200), (0, 10**6)])
def test_damaged_file_is_rejected(restart, folder, start, size):
    emulator = restart()
    for number in range(100):
        call(emulator, "PUT", f"/a/{number}.json", "x" * 100)
    emulator.close()
    content = bytearray((folder / "emulator.sqlite").read_bytes())
    end = min(start + size, len(content))
    content[start:end] = b"\xa5" * (end - start)
    (folder / "emulator.sqlite").write_bytes(content)
    with pytest.raises(OSError, match="is damaged"):
        Emulator(data=folder)


@pytest.mark.parametrize("damage", ["cut", "overwrite", "append"])
def test_damaged_end_of_the_write_ahead_log_loses_only_the_last_writes(restart, folder, tmp_path, damage):
    emulator = restart()
    for number in range(50):
        call(emulator, "PUT", f"/a/{number:02}.json", number)
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "emulator.sqlite").write_bytes((folder / "emulator.sqlite").read_bytes())
    log = bytearray((folder / "emulator.sqlite-wal").read_bytes())
    if damage == "cut":
        del log[-1000:]
    elif damage == "overwrite":
        log[-5000:] = os.urandom(5000)
    else:
        log += b"\x00\xff" * 3000
    (copy / "emulator.sqlite-wal").write_bytes(log)
    with Emulator(data=copy) as other:
        stored = value(other, "/a")
        numbers = stored if isinstance(stored, list) else list(stored.values())
        assert numbers == list(range(len(numbers)))
        assert len(numbers) == 50 if damage == "append" else 40 <= len(numbers) < 50
        assert call(other, "PUT", "/b.json", 1).status == 200


@pytest.mark.slow
def test_emulator_without_data_folder_loads_no_sqlite():
    code = (
        "import sys; before = set(sys.modules); from firebase_rest.emulator import Emulator; Emulator().reset(); "
        "print('sqlite3' in sys.modules.keys() - before)"
    )
    # Without coverage, which loads sqlite3 itself.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, env=environment)
    assert (result.stdout, result.stderr) == ("False\n", "")


# --- what cannot be saved ---------------------------------------------------------------------------------------------


@pytest.fixture
def full_disk(restart, folder, monkeypatch):
    """An emulator with an account and a file whose disk is full from now on; call the result to free the disk."""
    emulator = restart()
    auth(emulator, "POST", "/v1/accounts:signUp", {"email": "a@example.com", "password": "secret1"})
    call(emulator, "PUT", "/a.json", 1)
    upload(emulator, "file", b"x")
    connection = emulator._data._file._connection
    [(pages,)] = connection.execute("PRAGMA page_count").fetchall()
    connection.execute(f"PRAGMA max_page_count = {pages}")
    # Fill the free space in the last pages.
    while call(emulator, "PUT", "/filler.json", "x" * 300).status == 200:
        pass
    return emulator, lambda: connection.execute("PRAGMA max_page_count = 1000000")


def test_write_that_cannot_be_saved_is_an_error_and_changes_nothing(full_disk, restart):
    emulator, free = full_disk
    stream = emulator.handle(Request("GET", "http://localhost/a.json", (), {**OWNER, "accept": "text/event-stream"}))
    stream.reader.read(4096)
    response = call(emulator, "PUT", "/a.json", "y" * 10_000)
    assert response.status == 507
    assert "Cannot save" in response.json_object()["error"]
    assert "disk is full" in response.json_object()["error"]
    assert value(emulator, "/a") == 1
    free()
    assert call(emulator, "PUT", "/a.json", 2).status == 200
    assert b"2" in stream.reader.read(4096)
    stream.reader.close()
    assert value(restart(), "/a") == 2


def test_large_write_that_cannot_be_saved_is_an_error(full_disk, restart):
    emulator, free = full_disk
    data = {f"k{number}": "x" * 20 for number in range(5000)}
    assert call(emulator, "PUT", "/big.json", data).status == 507
    assert value(emulator, "/big") is None
    free()
    assert call(emulator, "PUT", "/big.json", data).status == 200
    assert value(restart(), "/big") == data


def test_account_and_file_that_cannot_be_saved_are_errors(full_disk, restart):
    emulator, free = full_disk
    body = {"email": "b@example.com", "password": "secret1", "displayName": "x" * 10_000}
    response = auth(emulator, "POST", "/v1/accounts:signUp", body)
    assert response.status == 507
    assert "Cannot save" in response.json_object()["error"]["message"]
    name = "n" * 1000
    metadata = {"metadata": {"k": "v" * 10_000}}
    assert call(emulator, "PATCH", "/v0/b/bucket/o/file", metadata).status == 507
    assert "metadata" not in call(emulator, "GET", "/v0/b/bucket/o/file").json_object()
    free()
    assert call(emulator, "POST", "/v0/b/bucket/o", b"x", name=name).status == 200


def test_content_that_cannot_be_written_is_an_error(restart, folder, monkeypatch):
    emulator = restart()
    upload(emulator, "file", b"before")
    (folder / "objects").rename(folder / "away")
    response = call(emulator, "POST", "/v0/b/bucket/o", b"after", name="file")
    assert response.status == 507
    (folder / "away").rename(folder / "objects")
    assert download(emulator, "file").body == b"before"


def test_failed_transaction_changes_nothing(tmp_path):
    file = SqliteFile(tmp_path / "file")

    def fail():
        with file.transaction():
            file.execute("INSERT INTO heads VALUES ('a', 1, 1)")
            with file.transaction():
                file.execute("INSERT INTO heads VALUES ('b', 1, 1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert file.query("SELECT * FROM heads") == []
    file.execute("INSERT INTO heads VALUES ('c', 1, 1)")
    assert file.query("SELECT * FROM heads") == [("c", 1, 1)]
    file.close()


def test_writes_of_many_threads_are_saved_in_the_order_in_which_they_became_visible(restart):
    emulator = restart()

    def write(name):
        for number in range(100):
            call(emulator, "PUT", "/same.json", f"{name}{number}")
            call(emulator, "PUT", "/count.json", {".sv": {"increment": 1}})

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    last = value(emulator, "/same")
    emulator = restart()
    assert (value(emulator, "/same"), value(emulator, "/count")) == (last, 400)
