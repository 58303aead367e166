"""The official components start, respond, and end with the process that started them."""

from __future__ import annotations

import subprocess
from urllib.parse import quote

import requests

from official.processes import HERE, OfficialAuthEmulator, OfficialStorageEmulator, Oracle, node


def test_sdk_oracle_returns_results_in_order_with_rejections(oracle: Oracle) -> None:
    cases = [{"id": n, "data": {"b": n, "a": {".value": n, ".priority": 1}}} for n in range(500)]
    results = oracle.ask([*cases, {"id": "bad", "data": {"a.b": 1}}])
    assert [result["id"] for result in results] == [*range(500), "bad"]
    assert [result["keys"] for result in results[:-1]] == [["b", "a"]] * 500
    assert results[7]["value"] == {"a": 7, "b": 7}
    assert results[7]["exportVal"] == {"a": {".value": 7, ".priority": 1}, "b": 7}
    assert "invalid key" in results[-1]["error"]


def test_sdk_oracle_applies_writes_and_server_values(oracle: Oracle) -> None:
    writes = [
        {"op": "update", "value": {"n": {".sv": {"increment": 2}}, "x/y": 1}},
        {"op": "setWithPriority", "path": "p", "value": "v", "priority": "high"},
        {"op": "remove", "path": "gone"},
        {"op": "set", "path": "at", "value": {".sv": "timestamp"}},
    ]
    [result] = oracle.ask([{"id": 0, "data": {"n": 40, "gone": 1}, "writes": writes}])
    at = result["value"].pop("at")
    assert result["now"][0] <= at <= result["now"][1]
    assert result["value"] == {"n": 42, "x": {"y": 1}, "p": "v"}


def test_auth_emulator_is_ready_when_reported(official_auth: OfficialAuthEmulator) -> None:
    assert requests.get(f"http://{official_auth.host}/", timeout=10).json()["authEmulator"]["ready"] is True


def test_storage_emulator_keeps_percent_sign_in_name(official_storage: OfficialStorageEmulator) -> None:
    objects = f"http://{official_storage.host}/v0/b/bucket/o"
    stored = requests.post(objects, params={"name": "100% é"}, data=b"whole", timeout=10)
    assert stored.json()["name"] == "100% é"
    path = f"{objects}/{quote('100% é', safe='')}"
    assert requests.get(path, timeout=10).json()["name"] == "100% é"
    assert requests.get(path, params={"alt": "media"}, timeout=10).content == b"whole"


def test_storage_rules_stub_allows_denies_and_requires_token(
    official_storage: OfficialStorageEmulator,
) -> None:
    url = f"http://{official_storage.host}/v0/b/bucket/o"
    signed_in = {"Authorization": "Firebase x.eyJzdWIiOiJ1In0."}
    for word, anonymous, user in (("deny", 403, 403), ("signed-in", 403, 200), ("allow", 200, 200)):
        official_storage.rules(word)
        assert requests.get(url, timeout=10).status_code == anonymous
        assert requests.get(url, headers=signed_in, timeout=10).status_code == user
        assert requests.get(url, headers={"Authorization": "Bearer owner"}, timeout=10).status_code == 200


def test_component_ends_when_stdin_closes(official_components: None) -> None:
    for script in ("auth_emulator.cjs", "storage_emulator.cjs", "sdk_oracle.cjs"):
        result = subprocess.run([node(), script], cwd=HERE, stdin=subprocess.DEVNULL, timeout=30, check=False)
        assert result.returncode == 0
