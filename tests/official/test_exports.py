"""firebase-tools reads the exports of our emulator, and our emulator reads the exports of firebase-tools."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests

from firebase_rest.emulator import Emulator
from official.processes import Child

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PROJECT = "demo-project"
NAMESPACE = f"{PROJECT}-default-rtdb"
OWNER = {"Authorization": "Bearer owner"}
LIMIT = 20.0
DATA = {"a": {".value": 1, ".priority": 2}, "list": [1, 2, {"x": True}], "é": "ü"}
FILES = {"a/text.txt": b"text", "ü ?#[]*.bin": b"\x00\xff" * 1000, "empty": b""}
USERS = {"one@example.com": "secret1", "two@example.com": "secret2"}


class Tools(Child):
    """firebase-tools with its Auth and Storage emulators and a database of ours."""

    def __init__(self, database_host: str) -> None:
        super().__init__("export_tools.cjs", PROJECT, database_host)
        self.hosts = (database_host, self.ready["auth"], self.ready["storage"])

    def run(self, op: str, path: Path) -> None:
        self.write({"op": op, "path": str(path)})
        assert self.read() == {"ok": True}


@pytest.fixture(scope="module")
def tools(official_components: None) -> Iterator[Tools]:
    with Emulator(PROJECT).serve() as server, Tools(server.host) as found:
        yield found


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with Emulator(PROJECT).serve() as server:
        yield server


def request(method: str, host: str, path: str, **options: Any) -> requests.Response:
    response = requests.request(method, f"http://{host}{path}", headers=OWNER, timeout=LIMIT, **options)
    assert response.status_code == 200, response.text
    return response


def fill(database: str, auth: str, storage: str) -> None:
    request("PUT", database, f"/.json?ns={NAMESPACE}", json=DATA)
    request("PUT", database, "/.json?ns=second", json={"x": 1})
    config = {"signIn": {"allowDuplicateEmails": True}}
    request("PATCH", auth, f"/emulator/v1/projects/{PROJECT}/config", json=config)
    for email, password in USERS.items():
        body = {"email": email, "password": password, "displayName": email[:3], "emailVerified": True}
        request("POST", auth, f"/identitytoolkit.googleapis.com/v1/projects/{PROJECT}/accounts", json=body)
    tenants = f"/identitytoolkit.googleapis.com/v2/projects/{PROJECT}/tenants"
    tenant = request("POST", auth, tenants, json={"allowPasswordSignup": True}).json()["tenantId"]
    path = f"/identitytoolkit.googleapis.com/v1/projects/{PROJECT}/tenants/{tenant}/accounts"
    request("POST", auth, path, json={"email": "t@example.com", "password": "secret3"})
    for name, content in FILES.items():
        path = f"/upload/storage/v1/b/bucket/o?uploadType=media&name={quote(name, safe='')}"
        request("POST", storage, path, data=content)
        request("GET", storage, f"/v0/b/bucket/o/{quote(name, safe='')}")  # creates the download token
    request("PATCH", storage, "/v0/b/bucket/o/empty", json={"metadata": {"k": "v"}, "contentLanguage": "de"})


def state(database: str, auth: str, storage: str) -> dict[str, Any]:
    api = f"/identitytoolkit.googleapis.com/v1/projects/{PROJECT}"
    users = request("GET", auth, f"{api}/accounts:batchGet?maxResults=100").json()["users"]
    tenants = request("GET", auth, f"/identitytoolkit.googleapis.com/v2/projects/{PROJECT}/tenants").json()["tenants"]
    in_tenants = {
        tenant["tenantId"]: request(
            "GET", auth, f"{api}/tenants/{tenant['tenantId']}/accounts:batchGet?maxResults=100"
        ).json()["users"]
        for tenant in tenants
    }
    user_fields = (
        "localId",
        "email",
        "displayName",
        "emailVerified",
        "passwordHash",
        "salt",
        "createdAt",
        "providerUserInfo",
    )
    objects = {}
    for name in FILES:
        path = f"/v0/b/bucket/o/{quote(name, safe='')}"
        metadata = request("GET", storage, path).json()
        fields = ("name", "bucket", "size", "md5Hash", "contentType", "generation", "metageneration", "timeCreated")
        objects[name] = (
            {field: metadata[field] for field in (*fields, "downloadTokens")},
            metadata.get("metadata"),
            metadata.get("contentLanguage"),
            request("GET", storage, f"{path}?alt=media").content,
        )
    return {
        "data": request("GET", database, f"/.json?ns={NAMESPACE}&format=export").json(),
        "second": request("GET", database, "/.json?ns=second").json(),
        "config": request("GET", auth, f"/emulator/v1/projects/{PROJECT}/config").json()["signIn"],
        "users": [{key: user.get(key) for key in user_fields} for user in users],
        "tenants": {
            tenant: [{key: user.get(key) for key in user_fields} for user in found]
            for tenant, found in in_tenants.items()
        },
        "objects": objects,
    }


def reset(tools: Tools, server: Any) -> None:
    database, auth, storage = tools.hosts
    server.emulator.reset()
    for name in (NAMESPACE, "second"):
        request("PUT", database, f"/.json?ns={name}", data="null")
    request("DELETE", auth, f"/emulator/v1/projects/{PROJECT}/accounts")
    tenants = f"/identitytoolkit.googleapis.com/v2/projects/{PROJECT}/tenants"
    for tenant in request("GET", auth, tenants).json()["tenants"]:
        request("DELETE", auth, f"{tenants}/{tenant['tenantId']}")
    config = {"signIn": {"allowDuplicateEmails": False}}
    request("PATCH", auth, f"/emulator/v1/projects/{PROJECT}/config", json=config)
    request("POST", storage, "/internal/reset")


def test_firebase_tools_reads_our_export(tools: Tools, server: Any, tmp_path: Path) -> None:
    reset(tools, server)
    fill(server.host, server.host, server.host)
    server.emulator.export_data(tmp_path / "export")
    tools.run("import", tmp_path / "export")
    assert state(*tools.hosts) == state(server.host, server.host, server.host)


def test_we_read_the_export_of_firebase_tools(tools: Tools, server: Any, tmp_path: Path) -> None:
    reset(tools, server)
    fill(*tools.hosts)
    (tmp_path / "export").mkdir()
    tools.run("export", tmp_path / "export")
    assert server.emulator.import_data(tmp_path / "export") == []
    assert state(server.host, server.host, server.host) == state(*tools.hosts)
    for email, password in USERS.items():
        path = "/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=k"
        signed_in = request("POST", server.host, path, json={"email": email, "password": password})
        assert signed_in.json()["email"] == email


def test_data_survives_both_ways(tools: Tools, server: Any, tmp_path: Path) -> None:
    reset(tools, server)
    fill(*tools.hosts)
    (tmp_path / "first").mkdir()
    tools.run("export", tmp_path / "first")
    before = state(*tools.hosts)
    server.emulator.import_data(tmp_path / "first")
    server.emulator.export_data(tmp_path / "second")
    reset(tools, server)
    tools.run("import", tmp_path / "second")
    assert state(*tools.hosts) == before
    names = {
        name: sorted(path.name for path in (tmp_path / name / "auth_export").iterdir()) for name in ("first", "second")
    }
    assert names["first"] == names["second"]
    metadata = json.loads((tmp_path / "second" / "firebase-export-metadata.json").read_text())
    assert {name: metadata[name]["path"] for name in ("database", "auth", "storage")} == {
        name: entry["path"]
        for name, entry in json.loads((tmp_path / "first" / "firebase-export-metadata.json").read_text()).items()
        if name != "version"
    }
