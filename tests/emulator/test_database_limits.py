"""The limits of requests, `timeout` and `writeSizeLimit`, and staged rules."""

from __future__ import annotations

import itertools
import json
from types import SimpleNamespace

import pytest

from firebase_rest.emulator import Emulator
from firebase_rest.emulator.database import limits
from firebase_rest.transport.wire import Request

TOO_LARGE = "Data to write exceeds the maximum size that can be modified with a single request."
OWNER = {"Authorization": "Bearer owner"}
RULES = '{"rules": {".read": false}}'


@pytest.fixture
def large(db, monkeypatch):
    """A database with about 3,000 nodes below `large`, where a write of 1,000 nodes takes a second."""
    monkeypatch.setattr(limits, "NODES_PER_SECOND", 1000)
    db.put("large", {f"k{number}": {"a": 1, "b": 2} for number in range(1000)})
    return db


@pytest.mark.parametrize(("method", "data"), [("DELETE", None), ("PUT", 1), ("PATCH", None)])
def test_write_that_replaces_much_data_exceeds_the_limit(large, method, data):
    text = json.dumps(data) if method != "DELETE" else None
    response = large.request(method, "large", text, writeSizeLimit="tiny")
    assert (response.status_code, response.json()) == (400, {"error": TOO_LARGE})
    assert len(large.get("large", shallow="true").json()) == 1000
    for size in ("small", "medium", "large", "unlimited"):
        assert large.put("other", {"a": 1}, writeSizeLimit=size).status_code == 200
    assert large.request(method, "large", text, writeSizeLimit="small").status_code == 200


def test_small_write_in_a_large_database_is_within_the_limit(large):
    assert large.put("large/k1/a", 5, writeSizeLimit="tiny").status_code == 200
    assert large.patch("large", {"k1/a": 6, "k2": None}, writeSizeLimit="tiny").status_code == 200
    assert large.post("list", 1, writeSizeLimit="tiny").status_code == 200
    assert large.delete("large/k3", writeSizeLimit="tiny").status_code == 200


def test_update_counts_all_its_paths(large):
    halves = {f"k{number}": None for number in range(600)}
    assert large.patch("large", halves, writeSizeLimit="tiny").json() == {"error": TOO_LARGE}
    assert len(large.get("large", shallow="true").json()) == 1000


def test_new_data_counts_too(large):
    data = {f"n{number}": number for number in range(2000)}
    assert large.put("new", data, writeSizeLimit="tiny").json() == {"error": TOO_LARGE}
    assert large.post("new", data, writeSizeLimit="tiny").json() == {"error": TOO_LARGE}
    assert large.get("new").json() is None


def test_long_text_counts_by_its_length(db, monkeypatch):
    monkeypatch.setattr(limits, "BYTES_PER_SECOND", 1000)
    assert db.put("text", json.dumps("x" * 2000), writeSizeLimit="tiny").json() == {"error": TOO_LARGE}
    assert db.put("text", json.dumps("x" * 2000), writeSizeLimit="small").status_code == 200


def test_limit_of_the_database_is_the_default(large):
    setting = ".settings/defaultWriteSizeLimit"
    assert large.get(setting, headers=OWNER).json() == "large"
    large.put(setting, '"small"', headers=OWNER)
    data = {f"n{number}": number for number in range(11_000)}
    assert large.put("new", data).json() == {"error": TOO_LARGE}
    assert large.put("new", data, writeSizeLimit="medium").status_code == 200
    assert large.put(setting, '"tiny"', headers=OWNER).status_code == 400


def test_read_that_exceeds_its_timeout_is_rejected(monkeypatch):
    emulator = Emulator()
    body = json.dumps({f"k{number}": number for number in range(20_000)}).encode()
    emulator.handle(Request("PUT", "http://h/a.json", body=body))
    seconds = itertools.count()
    # Only in this module: the event loops of other servers in this process use time.monotonic too.
    monkeypatch.setattr(limits, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    for text in ("1ms", "900ms", "1s"):
        response = emulator.handle(Request("GET", "http://h/a.json", (("timeout", text),)))
        assert response.status == 400
        assert f"timeout of {text}" in response.text
    assert emulator.handle(Request("GET", "http://h/a.json", (("timeout", "15min"),))).status == 200
    assert emulator.handle(Request("GET", "http://h/a.json")).status == 200


@pytest.mark.parametrize("text", ["0s", "16min", "1", "-1s", "1.5s", "1h", "", "901s", "1 s"])
def test_invalid_timeout_is_rejected(db, text):
    response = db.get("a", timeout=text)
    assert response.status_code == 400
    assert "timeout" in response.json()["error"]


def test_staged_rules_are_published_by_a_label(db):
    staged = db.post(".settings/rulesets", RULES, headers=OWNER).json()["id"]
    assert db.get("a").status_code == 200
    assert db.get(".settings/rulesets", headers=OWNER).json() == {"rulesets": [{"id": staged}]}
    canary = {"canary": staged}
    assert db.put(".settings/ruleset_labels", canary, headers=OWNER).json() == canary
    assert db.get("a").status_code == 200
    labels = {"stable": staged}
    assert db.put(".settings/ruleset_labels", labels, headers=OWNER).json() == labels
    assert db.get(".settings/ruleset_labels", headers=OWNER).json() == labels
    assert db.get("a").status_code == 401
    assert db.get(".settings/rules", headers=OWNER).json() == json.loads(RULES)


@pytest.mark.parametrize(
    ("method", "name", "data", "status"),
    [
        ("POST", "rulesets", '{"rules": {".read": "nonsense("}}', 400),
        ("POST", "rulesets", "", 400),
        ("PUT", "rulesets", RULES, 405),
        ("PUT", "ruleset_labels", '{"stable": "unknown"}', 400),
        ("PUT", "ruleset_labels", '{"stable": [1]}', 400),
        ("PUT", "ruleset_labels", '{"other": "x"}', 400),
        ("PUT", "ruleset_labels", "1e999", 400),
        ("POST", "ruleset_labels", "{}", 405),
    ],
)
def test_invalid_staged_rules_are_rejected(db, method, name, data, status):
    assert db.request(method, f".settings/{name}", data, headers=OWNER).status_code == status
    assert db.request(method, f".settings/{name}", data).status_code == 401
