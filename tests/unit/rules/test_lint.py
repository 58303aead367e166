"""Warnings about valid rules, and the command that prints them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from firebase_rest.rules.__main__ import check_text, main


def warnings(**tree: Any) -> list[str]:
    errors, problems = check_text(json.dumps({"rules": tree}), is_storage=False)
    assert not errors
    return [problem.message for problem in problems]


def test_sound_rules_have_no_warnings() -> None:
    rule = "auth != null && (auth.uid == $u || auth.token.admin == true)"
    assert warnings(users={"$u": {".read": rule, ".write": False, "age": {".validate": "newData.isNumber()"}}}) == []


def test_public_access() -> None:
    assert warnings(**{".read": True}) == [".read of /: everyone has access, even without signing in."]
    assert warnings(a={".write": "1 == 1"}) == [".write of /a: the rule is always true, so everyone has access."]
    assert warnings(a={".validate": True}) == []


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ("1 == 2", ""),
        ("'a' > 'b' || false", ""),
        ("auth.uid == 'a' && auth.uid == 'b'", ": auth.uid == 'a' contradicts auth.uid == 'b'"),
        ("auth != null && now > 1 && auth == null", ": auth == null cannot be both true and false"),
        ("data.exists() && !data.exists()", ": data.exists() cannot be both true and false"),
    ],
)
def test_rule_that_can_never_be_true(rule: str, reason: str) -> None:
    assert warnings(a={".read": rule}) == [f".read of /a: the rule can never be true{reason}."]


@pytest.mark.parametrize(
    "rule", ["auth.uid == 'a' || auth.uid == 'b'", "auth != null && auth.uid != 'x'", "now == now"]
)
def test_rule_that_can_be_true(rule: str) -> None:
    assert warnings(a={".read": rule}) == []


def test_rule_below_a_grant_has_no_effect() -> None:
    problems = warnings(a={".read": True, "b": {".read": "auth != null", ".write": "auth != null"}})
    assert problems[1] == ".read of /a/b: the rule has no effect, because .read of /a (line 1) is true."
    assert len(problems) == 2


def test_query_without_index() -> None:
    rule = "query.orderByChild == 'owner' && query.equalTo == auth.uid"
    assert warnings(a={".read": rule}) == [
        '.read of /a: queries by \'owner\' need ".indexOn": "owner" at this location.'
    ]
    assert warnings(a={".read": rule, ".indexOn": ["owner"]}) == []


def test_storage_warnings() -> None:
    text = "service firebase.storage { match /b/{b}/o { match /{f} { allow get; allow create: if user != null; } } }"
    _, problems = check_text(text, is_storage=True)
    assert [str(problem) for problem in problems] == [
        "1:58: allow get of /b/{b}/o/{f}: everyone has access, even without signing in.",
        "1:86: Unknown variable 'user'.",
    ]


def test_command_prints_errors_and_warnings_with_positions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.json").write_text('{"rules": {".read": "auth != null"}}')
    (tmp_path / "open.json").write_text('{"rules": {".read": true}}')
    (tmp_path / "bad.json").write_text('{"rules": {\n".read": "auth.x"}}')
    (tmp_path / "bad.rules").write_text("service firebase.storage {")
    (tmp_path / "bytes.rules").write_bytes(b"\xff")
    assert main(["check", "good.json"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["check", "good.json", "open.json"]) == 0
    assert main(["check", "--strict", "open.json"]) == 1
    line = "open.json:1:21: warning: .read of /: everyone has access, even without signing in.\n"
    assert capsys.readouterr().out == line * 2
    assert main(["check", "bad.json", "bad.rules"]) == 1
    assert capsys.readouterr().out.split("\n")[:2] == [
        "bad.json:2:11: error: The rule must evaluate to a boolean.",
        "bad.rules:1:27: error: Missing '}'.",
    ]
    assert main(["check", "missing.json", "bytes.rules"]) == 2
    assert capsys.readouterr().out.split("\n")[:2] == [
        "missing.json: error: No such file or directory",
        "bytes.rules: error: the file is not UTF-8 text",
    ]
