"""The command line's import and export of users, on our Auth emulator and on the official one."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
import requests

from firebase_rest.emulator import Emulator
from official.processes import HERE, node

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from firebase_rest.emulator import Server
    from official.processes import OfficialAuthEmulator

SCRYPT = {
    "hashAlgo": "SCRYPT",
    "hashKey": "jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==",
    "saltSeparator": "Bw==",
    "rounds": "8",
    "memCost": "14",
}
USERS: list[dict[str, Any]] = [
    {
        "localId": "u1",
        "email": "user1@example.com",
        "emailVerified": True,
        "passwordHash": "lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==",
        "salt": "42xEC+ixf3L2lw==",
        "displayName": "Ada",
        "createdAt": "1000",
        "lastSignedInAt": "2000",
        "customAttributes": '{"admin":true}',
        "providerUserInfo": [{"providerId": "google.com", "rawId": "g1", "email": "g@example.com"}],
    },
    {"localId": "u2", "phoneNumber": "+15550100", "disabled": True},
    {"localId": "u3", "photoUrl": "https://example.com/a.png"},
]


@pytest.fixture
def ours(official_components: None) -> Iterator[Server]:
    with Emulator().serve() as server:
        yield server


def transfer(host: str, folder: Path, users: list[dict[str, Any]], **options: str) -> list[dict[str, Any]]:
    """Import users, and return what an export contains then."""
    file = folder / "users.json"
    file.write_text(json.dumps({"users": users}))
    command = [node(), "account_files.cjs", f"http://{host}/www.googleapis.com", "demo-project", str(file)]
    result = subprocess.run(
        [*command, json.dumps(options)], cwd=HERE, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_exported_users_are_those_imported(ours: Server, tmp_path: Path) -> None:
    exported = transfer(ours.host, tmp_path, USERS, **SCRYPT)
    by_id = {user["localId"]: user for user in exported}
    assert by_id.keys() == {"u1", "u2", "u3"}
    first = by_id["u1"]
    assert {name: first[name] for name in USERS[0] if name != "providerUserInfo"} == {
        name: value for name, value in USERS[0].items() if name != "providerUserInfo"
    }
    assert first["providerUserInfo"] == USERS[0]["providerUserInfo"]
    assert by_id["u2"]["phoneNumber"] == "+15550100"
    assert by_id["u2"]["disabled"]


def test_imported_user_signs_in(ours: Server, tmp_path: Path) -> None:
    transfer(ours.host, tmp_path, USERS, **SCRYPT)
    url = f"http://{ours.host}/identitytoolkit.googleapis.com/v1/accounts:signInWithPassword?key=any"
    right = {"email": "user1@example.com", "password": "user1password"}
    assert requests.post(url, json=right, timeout=20).json()["localId"] == "u1"
    assert requests.post(url, json={**right, "password": "user2password"}, timeout=20).status_code == 400


def test_exported_file_can_be_imported_again(ours: Server, tmp_path: Path) -> None:
    exported = transfer(ours.host, tmp_path, USERS, **SCRYPT)
    with Emulator().serve() as other:
        again = transfer(other.host, tmp_path, json.loads(json.dumps(exported)), **SCRYPT)
    assert again == exported


def test_export_is_that_of_the_official_emulator(
    ours: Server, official_auth: OfficialAuthEmulator, tmp_path: Path
) -> None:
    url = f"http://{official_auth.host}/emulator/v1/projects/demo-project/accounts"
    requests.delete(url, timeout=20).raise_for_status()
    plain = [{name: value for name, value in user.items() if name not in {"passwordHash", "salt"}} for user in USERS]
    mine, theirs = (transfer(host, tmp_path, plain) for host in (ours.host, official_auth.host))
    for exported in (*mine, *theirs):
        if exported["localId"] != "u1":
            exported.pop("createdAt")  # the time of the import
    assert mine == theirs
