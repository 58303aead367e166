"""The official components start, answer, and end with the process that started them."""

from __future__ import annotations

import subprocess

import requests

from official.processes import HERE, OfficialAuthEmulator, Oracle, node


def test_the_oracle_answers_cases_in_order_and_names_refused_ones(oracle: Oracle) -> None:
    cases = [{"id": n, "data": {"b": n, "a": {".value": n, ".priority": 1}}} for n in range(500)]
    answers = oracle.ask([*cases, {"id": "bad", "data": {"a.b": 1}}])
    assert [answer["id"] for answer in answers] == [*range(500), "bad"]
    assert [answer["keys"] for answer in answers[:-1]] == [["b", "a"]] * 500
    assert answers[7]["value"] == {"a": 7, "b": 7}
    assert answers[7]["exportVal"] == {"a": {".value": 7, ".priority": 1}, "b": 7}
    assert "invalid key" in answers[-1]["error"]


def test_the_oracle_applies_writes_and_server_values(oracle: Oracle) -> None:
    writes = [
        {"op": "update", "value": {"n": {".sv": {"increment": 2}}, "x/y": 1}},
        {"op": "setWithPriority", "path": "p", "value": "v", "priority": "high"},
        {"op": "remove", "path": "gone"},
        {"op": "set", "path": "at", "value": {".sv": "timestamp"}},
    ]
    [answer] = oracle.ask([{"id": 0, "data": {"n": 40, "gone": 1}, "writes": writes}])
    at = answer["value"].pop("at")
    assert answer["now"][0] <= at <= answer["now"][1]
    assert answer["value"] == {"n": 42, "x": {"y": 1}, "p": "v"}


def test_the_auth_emulator_is_ready_when_it_says_so(official_auth: OfficialAuthEmulator) -> None:
    assert requests.get(f"http://{official_auth.host}/", timeout=10).json()["authEmulator"]["ready"] is True


def test_a_component_ends_when_its_stdin_closes(official_components: None) -> None:
    for script in ("auth_emulator.cjs", "sdk_oracle.cjs"):
        done = subprocess.run([node(), script], cwd=HERE, stdin=subprocess.DEVNULL, timeout=30, check=False)
        assert done.returncode == 0
