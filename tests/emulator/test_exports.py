"""Export folders and JSON files: written and read again, and no path in them or in a request leads elsewhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading

import pytest
import requests

from emulator.wire import LIMIT
from firebase_rest.emulator import Emulator
from firebase_rest.transport.wire import Request

OWNER = {"authorization": "Bearer owner"}
JSON = {"content-type": "application/json"}
AUTH = "/identitytoolkit.googleapis.com"


def call(emulator, method, path, body=None, *, headers=OWNER, **params):
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    return emulator.handle(Request(method, f"http://localhost{path}", tuple(params.items()), headers, data))


def auth(emulator, method, path, body=None):
    return call(emulator, method, f"{AUTH}{path}", body, headers={**OWNER, **JSON}).json_object()


def fill(emulator):
    call(emulator, "PUT", "/.json", {"a": {".value": 1, ".priority": 2}, "list": [1, 2], "é": "ü"})
    call(emulator, "PUT", "/.json", {"x": 1}, ns="second")
    call(emulator, "GET", "/.json", ns="empty")
    call(emulator, "PATCH", "/emulator/v1/projects/demo-project/config", {"signIn": {"allowDuplicateEmails": True}})
    for name in ("one", "two"):
        body = {"email": f"{name}@example.com", "password": "secret1", "displayName": name}
        auth(emulator, "POST", "/v1/projects/demo-project/accounts", body)
    tenant = auth(emulator, "POST", "/v2/projects/demo-project/tenants", {"allowPasswordSignup": True})["tenantId"]
    body = {"email": "t@example.com", "password": "secret1"}
    auth(emulator, "POST", f"/v1/projects/demo-project/tenants/{tenant}/accounts", body)
    for bucket, name, content in (("b1", "a/ü.txt", b"text"), ("b1", "empty", b""), ("b2", "large", b"x" * 2_000_000)):
        call(emulator, "POST", f"/v0/b/{bucket}/o", content, headers={**OWNER, "content-type": "text/x"}, name=name)
    call(emulator, "PATCH", "/v0/b/b1/o/empty", {"metadata": {"k": "v"}, "cacheControl": "no-store"})
    return tenant


def state(emulator, tenant):
    users = [
        sorted(
            (
                {key: user.get(key) for key in ("localId", "email", "displayName", "passwordHash", "salt")}
                for user in page
            ),
            key=lambda user: user["email"],
        )
        for page in (
            auth(emulator, "POST", "/v1/projects/demo-project/accounts:query", {})["userInfo"],
            auth(emulator, "POST", f"/v1/projects/demo-project/tenants/{tenant}/accounts:query", {})["userInfo"],
        )
    ]
    files = {}
    for bucket in ("b1", "b2"):
        for item in call(emulator, "GET", f"/v0/b/{bucket}/o").json_object()["items"]:
            path = f"/v0/b/{bucket}/o/{requests.utils.quote(item['name'], safe='')}"
            files[bucket, item["name"]] = (
                call(emulator, "GET", path).json_object(),
                call(emulator, "GET", path, alt="media").body,
            )
    return {
        "default": json.loads(call(emulator, "GET", "/.json", format="export").body),
        "second": json.loads(call(emulator, "GET", "/.json", ns="second", format="export").body),
        "config": call(emulator, "GET", "/emulator/v1/projects/demo-project/config").json_object()["signIn"],
        "users": users,
        "files": files,
    }


@pytest.fixture
def emulator():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def exported(emulator, tmp_path):
    """A folder with an export of `fill`."""
    fill(emulator)
    emulator.export_data(tmp_path / "export")
    return tmp_path / "export"


# --- round trips ------------------------------------------------------------------------------------------------------


def test_everything_is_there_after_export_and_import(emulator, tmp_path):
    tenant = fill(emulator)
    emulator.export_data(tmp_path / "export")
    other = Emulator()
    call(other, "PUT", "/old.json", 1)
    assert other.import_data(tmp_path / "export") == []
    assert state(other, tenant) == state(emulator, tenant)
    other.export_data(tmp_path / "again")
    for name in ("database_export/demo-project-default-rtdb.json", "database_export/second.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "export" / name).read_bytes()


def test_export_has_the_files_of_the_official_emulators(exported):
    metadata = json.loads((exported / "firebase-export-metadata.json").read_text())
    assert {name: metadata[name]["path"] for name in ("database", "auth", "storage")} == {
        "database": "database_export",
        "auth": "auth_export",
        "storage": "storage_export",
    }
    assert {path.name for path in (exported / "database_export").iterdir()} == {
        "demo-project-default-rtdb.json",
        "second.json",
    }
    names = {path.name for path in (exported / "auth_export").iterdir()}
    assert {"accounts.json", "config.json"} < names
    assert len(names) == 3
    buckets = json.loads((exported / "storage_export" / "buckets.json").read_text())
    assert buckets == {"buckets": [{"id": "b1"}, {"id": "b2"}]}
    blobs = {path.name for path in (exported / "storage_export" / "blobs").iterdir()}
    assert {path.name for path in (exported / "storage_export" / "metadata").iterdir()} == {f"{x}.json" for x in blobs}


def test_only_the_owner_can_read_an_export(exported):
    for path in (exported, *exported.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_console_json_is_exported_and_imported(emulator, tmp_path):
    call(emulator, "PUT", "/.json", {"a": {".value": 1, ".priority": 2}})
    emulator.export_data(tmp_path / "database.json")
    assert (tmp_path / "database.json").stat().st_mode & 0o777 == 0o600
    other = Emulator()
    assert other.import_data(tmp_path / "database.json") == []
    assert json.loads(call(other, "GET", "/.json", format="export").body) == {"a": {".value": 1, ".priority": 2}}


def test_import_into_a_data_folder_replaces_its_data(exported, tmp_path):
    with Emulator(data=tmp_path / "data") as emulator:
        call(emulator, "PUT", "/old.json", 1)
        call(emulator, "POST", "/v0/b/b1/o", b"x", name="old")
        emulator.import_data(exported)
    with Emulator(data=tmp_path / "data") as emulator:
        assert json.loads(call(emulator, "GET", "/list.json").body) == [1, 2]
        assert json.loads(call(emulator, "GET", "/old.json").body) is None
        assert call(emulator, "GET", "/v0/b/b1/o/old").status == 404
        assert call(emulator, "GET", "/v0/b/b2/o/large", alt="media").body == b"x" * 2_000_000
        assert len(list((tmp_path / "data" / "objects").iterdir())) == 3


def test_failed_import_leaves_a_data_folder_unchanged(exported, tmp_path):
    with Emulator(data=tmp_path / "data") as emulator:
        call(emulator, "PUT", "/old.json", 1)
        call(emulator, "POST", "/v0/b/b1/o", b"content", name="old")
    (exported / "storage_export" / "buckets.json").write_text("{")
    with Emulator(data=tmp_path / "data") as emulator, pytest.raises(ValueError, match="is not valid JSON"):
        emulator.import_data(exported)
    with Emulator(data=tmp_path / "data") as emulator:
        assert json.loads(call(emulator, "GET", "/.json").body) == {"old": 1}
        assert call(emulator, "GET", "/v0/b/b1/o/old", alt="media").body == b"content"
        assert auth(emulator, "POST", "/v1/projects/demo-project/accounts:query", {})["userInfo"] == []
        assert len(list((tmp_path / "data" / "objects").iterdir())) == 1


def test_import_while_others_write_does_not_block(exported, tmp_path):
    with Emulator(data=tmp_path / "data") as emulator:
        done = threading.Event()

        def write(number):
            while not done.is_set():
                call(emulator, "PUT", f"/w{number}.json", number)
                auth(emulator, "POST", "/v1/projects/demo-project/accounts", {"displayName": "x"})
                call(emulator, "POST", "/v0/b/w/o", b"x", name=f"file{number}")

        threads = [threading.Thread(target=write, args=(number,), daemon=True) for number in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            emulator.import_data(exported)
        done.set()
        for thread in threads:
            thread.join(30)
            assert not thread.is_alive()
    with Emulator(data=tmp_path / "data") as emulator:
        assert json.loads(call(emulator, "GET", "/list.json").body) == [1, 2]


def test_users_that_cannot_be_imported_are_reported(exported):
    accounts = exported / "auth_export" / "accounts.json"
    content = json.loads(accounts.read_text())
    content["users"][1]["email"] = "no address"
    accounts.write_text(json.dumps(content))
    [problem] = Emulator().import_data(exported)
    assert problem == f"{accounts}: user 1 was not imported: email is invalid"


def test_objects_without_content_are_reported(exported):
    next((exported / "storage_export" / "blobs").iterdir()).unlink()
    [problem] = Emulator().import_data(exported)
    assert "was not imported" in problem


# --- paths ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["../secret", "/etc", "database_export/../../secret", ".", "..", "", "a\\b", "C:/x"])
def test_import_rejects_paths_that_lead_out_of_the_folder(exported, path):
    (exported.parent / "secret").mkdir()
    (exported.parent / "secret" / "demo-project-default-rtdb.json").write_text('{"secret": 1}')
    metadata = {"version": "1", "database": {"version": "1", "path": path}}
    (exported / "firebase-export-metadata.json").write_text(json.dumps(metadata))
    emulator = Emulator()
    with pytest.raises(ValueError, match="is not a path inside"):
        emulator.import_data(exported)
    assert json.loads(call(emulator, "GET", "/.json").body) is None


@pytest.mark.parametrize(
    "name",
    [
        "firebase-export-metadata.json",
        "database_export",
        "database_export/demo-project-default-rtdb.json",
        "auth_export",
        "auth_export/accounts.json",
        "auth_export/config.json",
        "storage_export",
        "storage_export/buckets.json",
        "storage_export/blobs",
        "storage_export/metadata",
        "storage_export/blobs/*",
        "storage_export/metadata/*",
    ],
)
def test_import_rejects_links(exported, name):
    [path, *_] = sorted(exported.glob(name))
    target = exported.parent / "target"
    path.rename(target)
    path.symlink_to(target)
    with pytest.raises(ValueError, match=r"is a link\. An export to import must not contain links"):
        Emulator().import_data(exported)


@pytest.mark.parametrize("name", ["..json", ".json", "a b.json", "a$.json"])
def test_import_rejects_files_that_are_not_named_after_a_database(exported, name):
    (exported / "database_export" / name).write_text("1")
    with pytest.raises(ValueError, match="must be the name of a database"):
        Emulator().import_data(exported)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "../x", "bucket": None},
        {"name": ""},
        {"name": 5},
        {"bucket": ""},
        {"generation": "x"},
        {"generation": 1e400},
        {"generation": 0},
        {"metageneration": 10**30},
        {"timeCreated": "yesterday"},
        {"timeCreated": "0001-01-01T00:00:00+14:00"},
        {"updated": "9999-12-31T23:59:59-14:00"},
        {"customMetadata": {"a": 1}},
        {"customMetadata": ["a"]},
        {"downloadTokens": 5},
    ],
)
def test_import_rejects_invalid_metadata_of_objects(exported, change):
    path = min((exported / "storage_export" / "metadata").iterdir())
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(ValueError, match="is not valid metadata of an object"):
        Emulator().import_data(exported)


def test_object_whose_name_looks_like_a_path_stays_an_object(exported, tmp_path):
    path = min((exported / "storage_export" / "metadata").iterdir())
    path.write_text(json.dumps({**json.loads(path.read_text()), "name": "../../outside", "bucket": "../b"}))
    with Emulator(data=tmp_path / "data") as emulator:
        emulator.import_data(exported)
        emulator.export_data(tmp_path / "again")
    assert {entry.name for entry in tmp_path.iterdir()} == {"export", "data", "again"}


@pytest.mark.parametrize("content", ["", "[]", "{}x", '{"database": 1}', '{"database": {"path": 5}}'])
def test_import_rejects_invalid_metadata(exported, content):
    (exported / "firebase-export-metadata.json").write_text(content)
    with pytest.raises(ValueError, match=r"firebase-export-metadata\.json"):
        Emulator().import_data(exported)


def test_import_of_something_else_is_rejected(emulator, tmp_path):
    with pytest.raises(ValueError, match="does not exist"):
        emulator.import_data(tmp_path / "missing")
    with pytest.raises(
        ValueError, match=r"is not an export folder: it does not contain firebase-export-metadata\.json"
    ):
        emulator.import_data(tmp_path)
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(ValueError, match=r"bad\.json cannot be loaded into the database: Invalid data"):
        emulator.import_data(tmp_path / "bad.json")


def test_export_replaces_only_an_export(emulator, tmp_path):
    target = tmp_path / "target"
    target.mkdir()
    emulator.export_data(target)
    (target / "database_export" / "stale.json").write_text("1")
    call(emulator, "PUT", "/.json", {"a": 1})
    emulator.export_data(target)
    assert {path.name for path in (target / "database_export").iterdir()} == {"demo-project-default-rtdb.json"}
    other = tmp_path / "other"
    other.mkdir()
    (other / "notes.txt").write_text("x")
    with pytest.raises(ValueError, match="contains files that are not an export"):
        emulator.export_data(other)
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(ValueError, match="is a link"):
        emulator.export_data(tmp_path / "link")
    assert (other / "notes.txt").read_text() == "x"
    assert {path.name for path in tmp_path.iterdir()} == {"target", "other", "link"}


def test_export_that_fails_leaves_the_earlier_one(emulator, tmp_path, monkeypatch):
    call(emulator, "PUT", "/.json", {"a": 1})
    emulator.export_data(tmp_path / "export")
    monkeypatch.setattr(emulator.storage, "objects", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        emulator.export_data(tmp_path / "export")
    assert [path.name for path in tmp_path.iterdir()] == ["export"]
    assert json.loads((tmp_path / "export" / "database_export" / "demo-project-default-rtdb.json").read_text()) == {
        "a": 1
    }


# --- requests ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def root(tmp_path):
    (tmp_path / "exports").mkdir()
    return tmp_path / "exports"


def export(host, path, body, **headers):
    return requests.post(f"http://{host}{path}", json=body, headers=headers, timeout=LIMIT)


def test_requests_export_below_the_folder(root):
    emulator = Emulator(exports=root)
    call(emulator, "PUT", "/a.json", 1)
    call(emulator, "POST", "/v0/b/b1/o", b"x", name="file")
    with emulator.serve() as server:
        response = export(server.host, "/_admin/export", {"path": "all", "initiatedBy": "test"})
        assert (response.status_code, response.json()) == (200, {"message": "OK"})
        assert export(server.host, "/_admin/export", {"path": "db", "targets": ["database"]}).status_code == 200
        assert export(server.host, "/internal/export", {"path": str(root / "files")}).status_code == 200
        assert export(server.host, "/internal/export", {"path": str(root / "files")}).status_code == 200
    names = {"firebase-export-metadata.json", "database_export", "auth_export", "storage_export"}
    assert {path.name for path in (root / "all").iterdir()} == names
    assert {path.name for path in (root / "db").iterdir()} == {"firebase-export-metadata.json", "database_export"}
    assert {path.name for path in (root / "files").iterdir()} == {"buckets.json", "blobs", "metadata"}


@pytest.mark.parametrize("path", ["/internal/export", "/_admin/export"])
@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost", "http://127.0.0.1:5000", "null", ""])
def test_requests_of_web_pages_are_rejected(root, path, origin):
    response = call(Emulator(exports=root), "POST", path, {"path": "x"}, headers={**OWNER, "Origin": origin})
    assert response.status == 403
    assert not list(root.iterdir())


@pytest.mark.parametrize("path", ["/internal/export", "/_admin/export"])
@pytest.mark.parametrize("folder", ["../out", "/tmp/out", "a/../../out", ".", "..", "a/..", "link/out", "~/../../out"])
def test_requests_for_other_folders_are_rejected(root, path, folder):
    (root / "link").symlink_to(root.parent)
    response = call(Emulator(exports=root), "POST", path, {"path": folder})
    assert response.status == 403, response.body
    assert [entry.name for entry in root.iterdir()] == ["link"]
    assert [entry.name for entry in root.parent.iterdir()] == ["exports"]


@pytest.mark.parametrize("path", ["/internal/export", "/_admin/export"])
def test_requests_are_rejected_without_a_folder(path):
    response = call(Emulator(), "POST", path, {"path": "/tmp/out"})
    assert response.status == 403
    assert "--exports DIR" in response.json_object()["message"]
    assert call(Emulator(), "GET", path).status == 405


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"path": 1}', b'{"path": ""}', b'{"path": "x", "targets": 1}', b'"']
)
def test_malformed_requests_are_rejected(root, body):
    assert call(Emulator(exports=root), "POST", "/_admin/export", body).status == 400
    assert not list(root.iterdir())


# --- the command ------------------------------------------------------------------------------------------------------


def run(*arguments, number=signal.SIGTERM, before=lambda root: None):
    """Run the command until it is ready, call `before`, and end it. Return the status and its errors."""
    command = [sys.executable, "-m", "firebase_rest.emulator", "--json", "--stdin", *map(str, arguments)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        line = process.stdout.readline()
        if line:
            before(f"http://{json.loads(line)['host']}")
            process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        return process.returncode, errors


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_command_imports_and_exports(tmp_path, number):
    def write(root):
        assert requests.put(f"{root}/a.json", data="1", timeout=LIMIT).status_code == 200

    def check(root):
        assert requests.get(f"{root}/a.json", timeout=LIMIT).json() == 1

    folder = tmp_path / "export"
    assert run("--import", folder, "--export-on-exit", folder, number=number, before=write) == (0, "")
    assert run("--import", folder, "--export-on-exit", number=number, before=check) == (0, "")
    database = tmp_path / "a.json"
    assert run("--import", folder, "--export-on-exit", database, number=number, before=check) == (0, "")
    assert json.loads(database.read_text()) == {"a": 1}
    assert run("--import", database, "--data", tmp_path / "data", before=check) == (0, "")
    assert run("--data", tmp_path / "data", before=check) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize(("options", "lines"), [([], 1), (["--json"], 0)])
def test_command_reports_a_successful_export_to_people(tmp_path, options, lines):
    command = [
        sys.executable,
        "-m",
        "firebase_rest.emulator",
        "--stdin",
        "--export-on-exit",
        tmp_path / "out",
        *options,
    ]
    folder = tmp_path / "export"
    result = subprocess.run(
        [*command, "--export-on-exit", folder], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.count(f"# The data was exported to {folder}.") == lines


@pytest.mark.slow
def test_command_reports_what_it_cannot_import_or_export(tmp_path):
    status, errors = run("--import", tmp_path / "missing")
    assert (status, errors) == (
        1,
        f"{tmp_path / 'missing'} does not exist. Expected an export folder or a JSON file.\n",
    )
    status, errors = run("--export-on-exit")
    assert status == 2
    assert "--export-on-exit needs a PATH if --import is not used" in errors
    (tmp_path / "notes").write_text("x")
    status, errors = run("--export-on-exit", tmp_path)
    assert status == 1
    assert errors.startswith(f"The data was not exported: {tmp_path} contains files that are not an export")


def test_umask_does_not_matter(emulator, tmp_path):
    before = os.umask(0)
    try:
        emulator.export_data(tmp_path / "export")
        with Emulator(data=tmp_path / "data") as other:
            call(other, "POST", "/v0/b/b1/o", b"x", name="file")
            paths = [*tmp_path.rglob("*")]
            modes = {path: path.stat().st_mode & 0o777 for path in paths}
    finally:
        os.umask(before)
    assert all(mode == (0o700 if path.is_dir() else 0o600) for path, mode in modes.items()), modes
