"""Database rules: the file's syntax, the cascade, validation, and explanations."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from firebase_rest.rules.database import DatabaseRules
from firebase_rest.rules.database_snapshots import JsonReader
from firebase_rest.rules.errors import RulesSyntaxError


def rules(**tree: Any) -> DatabaseRules:
    return DatabaseRules(json.dumps({"rules": tree}))


def can_read(subject: DatabaseRules, path: str, data: object = None, auth: Any = None) -> bool:
    return subject.read(JsonReader(), data, path.split("/") if path else [], auth, 0).allowed


def can_write(subject: DatabaseRules, path: str, before: object, after: object, auth: Any = None) -> bool:
    return subject.write(JsonReader(), before, after, [path.split("/") if path else []], auth, 0).allowed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: Parse error: Expected a value, got the end of the text."),
        ("[]", "1:1: Expected 'rules' property."),
        ("{}", "1:2: Expected 'rules' property."),
        ('{"rules": 5}', "1:11: Expected an object with the rules of '/'."),
        ('{"rules": {".read": 1}}', "1:21: '.read' must be a string or a boolean."),
        ('{"rules": {".foo": true}}', "1:12: Unknown property '.foo'."),
        ('{"rules": {".reed": true}}', "1:12: Unknown property '.reed'. Did you mean '.read'?"),
        ('{"rules": {".indexon": "a"}}', "1:12: Unknown property '.indexon'. Did you mean '.indexOn'?"),
        ('{"rules": {".read": true}', "1:26: Parse error: Expected ',' or '}', got the end of the text."),
        ('{"rules": {"a": {}, "a": {}}}', "1:21: Parse error: Duplicate key 'a'."),
        ('{"rules": {"$a": {}, "$b": {}}}', "1:22: A location can have only one wildcard, got '$a' and '$b'."),
        ('{"rules": {"$a": {"$a": {}}}}', "1:19: The wildcard '$a' is already used for a parent. Choose another name."),
        ('{"rules": {".indexOn": 3}}', "1:24: '.indexOn' must be a string or a list of strings."),
        ('{\n  "rules": {\n    ".read": "auth.uid = 1"\n  }\n}', "3:24: Unexpected character '='. Did you mean '=='?"),
        ('{"rules": {".read": "a \\" b"}}', "1:24: Unexpected character '\"'."),
        ('{"rules": {".read": "true}}', "1:21: Parse error: The string has no end."),
        ('{"rules": {} /* open', "1:14: Parse error: The comment has no end."),
    ],
)
def test_problem_is_reported_with_line_and_column(text: str, message: str) -> None:
    with pytest.raises(RulesSyntaxError) as caught:
        DatabaseRules(text)
    assert str(caught.value) == message


def test_every_problem_is_reported() -> None:
    with pytest.raises(RulesSyntaxError) as caught:
        DatabaseRules('{"rules": {\n".read": "5",\n".write": "auth.x"}}')
    assert [problem.line for problem in caught.value.problems] == [2, 3]


def test_comments_line_breaks_and_a_trailing_comma_are_accepted() -> None:
    text = '{ // rules\n "rules": { /* all */ ".read": "auth != null &&\n auth.uid == \'a\'", },\n}'
    assert can_read(DatabaseRules(text), "x", auth={"uid": "a"})


def test_read_rules_cascade_and_are_not_filters() -> None:
    subject = rules(public={".read": True, "secret": {".read": False}}, private={"part": {".read": True}})
    assert can_read(subject, "public/secret")
    assert can_read(subject, "private/part/deep")
    assert not can_read(subject, "private")
    assert not can_read(subject, "")


def test_literal_key_takes_precedence_over_the_wildcard() -> None:
    subject = rules(users={"admin": {".read": False}, "$user": {".read": "auth.uid == $user"}})
    assert can_read(subject, "users/7", auth={"uid": "7"})
    assert not can_read(subject, "users/admin", auth={"uid": "admin"})


def test_write_needs_a_grant_and_every_validation() -> None:
    subject = rules(
        **{".write": "auth != null"},
        users={"$id": {".validate": "newData.hasChildren(['name'])", "name": {".validate": "newData.isString()"}}},
    )
    ada = {"uid": "ada"}
    assert can_write(subject, "users/ada", None, {"users": {"ada": {"name": "Ada"}}}, ada)
    assert not can_write(subject, "users/ada", None, {"users": {"ada": {"name": "Ada"}}})
    assert not can_write(subject, "users/ada", None, {"users": {"ada": {"age": 3}}}, ada)
    assert not can_write(subject, "users", None, {"users": {"ada": {"name": 7}}}, ada)
    assert not can_write(subject, "users/ada/age", None, {"users": {"ada": {"age": 3}}}, ada)
    assert can_write(subject, "users/ada", {"users": {"ada": {"name": "Ada"}}}, None, ada)


def test_update_needs_every_path() -> None:
    subject = rules(open={".write": True}, closed={})
    after = {"open": 1, "closed": 1}
    assert not subject.write(JsonReader(), None, after, [["open"], ["closed"]], None, 0).allowed
    assert subject.write(JsonReader(), None, {"open": 1}, [["open"]], None, 0).allowed


def test_explanation_names_the_rule_and_the_values_it_saw() -> None:
    subject = DatabaseRules('{"rules": {\n"users": {"$uid": {".write": "auth.uid == $uid"}}}}')
    decision = subject.write(JsonReader(), None, {"users": {"ada": 1}}, [["users", "ada"]], {"uid": "bob"}, 0)
    assert decision.explain() == (
        "write /users/ada is denied.\n"
        "  .write of /users/$uid (line 2) at /users/ada: false: auth.uid == $uid\n"
        "    auth.uid = 'bob'\n"
        "    $uid = 'ada'"
    )


def test_explanation_of_a_path_without_rules() -> None:
    assert "No rule applies" in rules(a={}).read(JsonReader(), None, ["b"], None, 0).explain()


def test_indexes_are_those_of_the_location_itself() -> None:
    subject = rules(users={".indexOn": ["age", "/name/last/"], "$id": {"tags": {".indexOn": ".value"}}})
    assert subject.indexes(["users"]) == {"age", "name/last"}
    assert subject.indexes(["users", "x", "tags"]) == {".value"}
    assert subject.indexes(["other"]) == frozenset()


def test_large_write_is_validated_in_steps() -> None:
    subject = rules(**{".write": True}, list={"$key": {".validate": "newData.isNumber()"}})
    after = {"list": {str(number): number for number in range(1000)}}
    steps = list(subject.write_steps(JsonReader(), None, after, [["list"]], None, 0))
    assert len(steps) >= 4
    assert can_write(subject, "list", None, after)
    assert not can_write(subject, "list", None, {"list": {**after["list"], "x": "text"}})


def test_update_of_many_paths_is_checked_in_steps() -> None:
    subject = rules(list={"$key": {".write": True}})
    after = {"list": {str(number): number for number in range(1000)}}
    paths = [["list", key] for key in after["list"]]
    assert len(list(subject.write_steps(JsonReader(), None, after, paths, None, 0))) >= 4


def test_many_children_are_found_in_steps() -> None:
    class Reader(JsonReader):
        read = 0

        def keys(self, node: Any) -> Iterator[str]:
            for key in super().keys(node):
                self.read += 1
                yield key

    reader = Reader()
    subject = rules(**{".write": True}, list={"$key": {".validate": "newData.isNumber()"}})
    after = {"list": {str(number): number for number in range(10_000)}}
    next(subject.write_steps(reader, None, after, [["list"]], None, 0))
    assert reader.read < 500


def test_child_with_an_empty_path_has_no_data_and_no_parent() -> None:
    data = {"a": 1}
    assert can_read(rules(**{".read": "!data.child('').exists()"}), "", data)
    assert not can_read(rules(a={".read": "data.child('').parent().exists()"}), "a", data)
    assert not can_read(rules(a={".read": "!data.child('').parent().exists()"}), "a", data)
