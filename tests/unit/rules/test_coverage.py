"""Coverage of rules: counts, conditions, and reports."""

from __future__ import annotations

import re

import pytest

from firebase_rest.rules.coverage import Coverage, format_percent, percent, text_report
from firebase_rest.rules.coverage_html import html_report
from firebase_rest.rules.database import DatabaseRules
from firebase_rest.rules.database_snapshots import JsonReader
from firebase_rest.rules.storage import StorageRules

TEXT = """{
  "rules": {
    "a": {".read": "auth != null && (auth.uid == \\"x\\" || auth.admin == true)", ".write": false},
    "b": {".read": "data.val().length > 3"}
  }
}"""


def read(*users: str | None, path: str = "a") -> Coverage:
    coverage = Coverage("database", "database.rules.json", TEXT)
    rules = DatabaseRules(TEXT, coverage.observer)
    for user in users:
        rules.read(JsonReader(), {"b": None}, [path], user and {"uid": user}, 0)
    return coverage


def test_conditions_are_the_rule_and_the_operands_of_its_operators() -> None:
    conditions = read().conditions()
    assert [condition.text for condition in conditions] == [
        'auth != null && (auth.uid == \\"x\\" || auth.admin == true)',
        "auth != null",
        'auth.uid == \\"x\\" || auth.admin == true',
        'auth.uid == \\"x\\"',
        "auth.admin == true",
        "false",
        "data.val().length > 3",
    ]
    assert [(c.line, c.column) for c in conditions[:2]] == [(3, 21), (3, 21)]
    assert {condition.missing for condition in conditions} == {"never evaluated"}


def test_report_lists_what_was_not_evaluated() -> None:
    report = text_report([read("x", None)])
    assert report.split("\n") == [
        "database.rules.json: 6 of 13 outcomes (46 %)",
        "  .read of /a (line 3)",
        '    3:38 never false: auth.uid == \\"x\\" || auth.admin == true',
        '    3:38 never false: auth.uid == \\"x\\"',
        "    3:59 never evaluated: auth.admin == true",
        "  .write of /a (line 3)",
        "    3:91 never evaluated: false",
        "  .read of /b (line 4)",
        "    4:21 never evaluated: data.val().length > 3",
    ]


def test_failure_counts_as_false() -> None:
    [condition] = [c for c in read("x", path="b").conditions() if c.line == 4]
    assert (condition.count.errors, condition.missing) == (1, "never true")


def test_everything_covered_is_100_percent() -> None:
    text = '{"rules": {".read": "auth == null"}}'
    coverage = Coverage("database", "x", text)
    rules = DatabaseRules(text, coverage.observer)
    assert percent([coverage]) == 0
    rules.read(JsonReader(), None, [], None, 0)
    assert percent([coverage]) == 50
    rules.read(JsonReader(), None, [], {"uid": "u"}, 0)
    assert percent([coverage]) == 100
    assert text_report([coverage]) == "x: 2 of 2 outcomes (100 %)"
    assert percent([]) == 100


def test_percentages_are_rounded_down(monkeypatch: pytest.MonkeyPatch) -> None:
    for value, text in ((84.6, "84 %"), (84.999, "84 %"), (85.0, "85 %"), (0.9, "0 %"), (100.0, "100 %")):
        monkeypatch.setattr("firebase_rest.rules.coverage.percent", lambda _, value=value: value)
        assert format_percent([]) == text


def test_counts_of_other_processes_are_merged() -> None:
    merged = read("x")
    merged.merge(read(None).dump())
    assert merged.dump() == read("x", None).dump()


def test_storage_functions_are_covered() -> None:
    text = """service firebase.storage {
      function signedIn() { return request.auth != null; }
      match /b/{b}/o { match /{f} { allow get: if signedIn() && f == 'a'; } }
    }"""
    coverage = Coverage("storage", "storage.rules", text)
    rules = StorageRules(text, coverage.observer)
    for auth, name in (({"uid": "u"}, "a"), (None, "a")):
        rules.decide("get", ["b", "x", "o", name], {"auth": auth}, None)
    assert text_report([coverage]).split("\n") == [
        "storage.rules: 7 of 8 outcomes (87 %)",
        "  allow get of /b/{b}/o/{f} (line 3)",
        "    3:65 never false: f == 'a'",
    ]


def test_html_shows_the_complete_source_with_nested_spans() -> None:
    page = html_report([read("x", None)])
    body = re.search("<pre>(.*)</pre>", page, re.DOTALL)
    assert body
    plain = re.sub("<[^>]*>", "", body[1])
    assert plain.replace("&quot;", '"').replace("&amp;", "&").replace("&gt;", ">").replace("&lt;", "<") == TEXT
    assert body[1].count("<span") == body[1].count("</span>") == 7
    assert '<span class="never" title="true 0, false 0, errors 0">data.val().length &gt; 3</span>' in body[1]
    assert '<span class="full" title="true 1, false 1, errors 0">auth != null</span>' in body[1]
    assert "No rules were evaluated" in html_report([])
