"""Storage rules: the file's syntax, matching, values, methods, operators and errors."""

from __future__ import annotations

import time
from typing import Any

import pytest

from firebase_rest.rules.errors import RulesSyntaxError
from firebase_rest.rules.storage import StorageRules
from firebase_rest.rules.storage_values import Path, Timestamp

SERVICE = "rules_version = '2';\nservice firebase.storage {{ match /b/{{bucket}}/o {{ {} }} }}"
AUTH = {"uid": "ada", "token": {"admin": True, "email": "ada@example.com", "roles": ["a", "b"]}}
RESOURCE = {
    "name": "a.png",
    "size": 5,
    "contentType": "image/png",
    "metadata": {"owner": "ada"},
    "contentEncoding": None,
}


def rules(body: str) -> StorageRules:
    return StorageRules(SERVICE.format(body))


def allows(subject: StorageRules, method: str, name: str, auth: Any = None, **resources: Any) -> bool:
    request = {
        "auth": auth,
        "method": method,
        "path": Path(("b", "x", "o", *name.split("/"))),
        "resource": resources.get("after"),
        "time": Timestamp(1_700_000_000_123_000_000),
        "params": {},
    }
    path = ["b", "x", "o", *(name.split("/") if name else [])]
    return subject.decide(method, path, request, resources.get("before")).allowed


def decide(expression: str) -> Any:
    """The result of an expression: True, False, or the message of the error."""
    subject = rules(f"match /{{name}} {{ allow get: if {expression}; }}")
    request = {"auth": AUTH, "method": "get", "path": Path(("b", "x", "o", "a")), "resource": None, "params": {}}
    request["time"] = Timestamp(1_700_000_000_123_000_000)
    [evaluation] = subject.decide("get", ["b", "x", "o", "a"], request, RESOURCE).evaluations
    return evaluation.error or evaluation.result


@pytest.mark.parametrize(
    "expression",
    [
        "1 + 2 * 3 == 7 && 7 / 2 == 3 && -7 / 2 == -3 && 7 % 4 == 3 && -7 % 4 == -3 && 7.0 / 2 == 3.5",
        "1 == 1.0 && [1] != [1.0] && {'a': 1} != {'a': 1.0} && 1 != '1' && null == null && 1 != true",
        "'a' + 'b' == 'ab' && 'a' < 'b' && 1 < 1.5 && 2 >= 2 && !(3 <= 2)",
        "'a' in ['a', 'b'] && !(1 in ['1']) && 'k' in {'k': 1} && 'a' in ['a'].toSet()",
        "name is string && 1 is int && 1.5 is float && 1 is number && true is bool && [] is list",
        "{} is map && request.time is timestamp && duration.value(1, 's') is duration && request.path is path",
        "['a'].toSet() is set && hashing.md5('x') is bytes && !(1 is string)",
        "true ? 1 == 1 : false",
        "request.auth.uid == 'ada' && request.auth.token.admin && request.auth['uid'] == 'ada'",
        "resource.metadata.owner == request.auth.uid && resource.contentEncoding == null",
        "'AbC'.lower() == 'abc' && 'AbC'.upper() == 'ABC' && 'é'.upper() == 'é' && ' a '.trim() == 'a'",
        "'abc'.size() == 3 && '😀'.size() == 2 && 'abc'[1] == 'b' && 'abcd'[1:3] == 'bc'",
        "'a-b_c'.split('[-_]') == ['a', 'b', 'c'] && 'aXbX'.replace('X', '-') == 'a-b-' && 'abc'.split('') == ['abc']",
        "'image/png'.matches('image/.*') && !'my image/png'.matches('image/.*') && 'ab'.matches('(?i)AB')",
        "'a1'.matches('[[:alpha:]]\\\\d') && 'ab'.matches('(?:a|b)+?') && 'x'.matches('^x$|y') && ''.matches('a|')",
        "[1, 2].concat([3]) == [1, 2, 3] && [1, 2, 3].removeAll([2]) == [1, 3] && ['a', 'b'].join('/') == 'a/b'",
        "[1, 2].hasAll([1]) && [1, 2].hasAny([2, 5]) && [1].hasOnly([1, 2]) && ![1, 3].hasOnly([1, 2])",
        "[1, 2].size() == 2 && [1, 1].toSet().size() == 1 && [1, 2, 3][1:2] == [2] && [1, 2][0] == 1",
        "{'a': 1}.get('a', 0) == 1 && {'a': 1}.get('b', 0) == 0 && {'a': {'b': 2}}.get(['a', 'b'], 0) == 2",
        "{'a': 1}.keys() == ['a'] && {'a': 1}.values() == [1] && {'a': 1}.size() == 1",
        "{'a': 1, 'b': 2}.diff({'a': 5, 'c': 3}).affectedKeys() == ['a', 'b', 'c'].toSet()",
        "{'a': 1, 'b': 2}.diff({'a': 1, 'c': 3}).unchangedKeys().hasOnly(['a'])",
        "{'b': 2}.diff({}).addedKeys() == ['b'].toSet() && {}.diff({'c': 3}).removedKeys() == ['c'].toSet()",
        "{'a': 1}.diff({'a': 2}).changedKeys() == ['a'].toSet()",
        "['a'].toSet().union(['b'].toSet()) == ['a', 'b'].toSet()",
        "['a', 'b'].toSet().intersection(['b'].toSet()).size() == 1",
        "['a', 'b'].toSet().difference(['b'].toSet()) == ['a'].toSet()",
        "request.time.year() == 2023 && request.time.month() == 11 && request.time.day() == 14",
        "request.time.hours() == 22 && request.time.minutes() == 13 && request.time.seconds() == 20",
        "request.time.dayOfWeek() == 2 && request.time.dayOfYear() == 318 && request.time.nanos() == 123000000",
        "request.time.toMillis() == 1700000000123 && request.time.date() == timestamp.date(2023, 11, 14)",
        "request.time.time() == duration.time(22, 13, 20, 123000000) && timestamp.value(0) < request.time",
        "request.time - duration.value(1, 'd') < request.time && duration.value(1, 'w') == duration.value(7, 'd')",
        "(request.time - timestamp.value(0)).seconds() == 1700000000",
        "duration.abs(duration.value(-5, 's')).seconds() == 5 && duration.value(-1500, 'ms').nanos() == -500000000",
        "request.path[0] == 'b' && request.path[3] == 'a' && /a/$('b')/c == path('a/b/c') && string(/a/b) == '/a/b'",
        "/users/(default)/x == path('/users/(default)/x')",
        "math.abs(-1) == 1 && math.ceil(1.2) == 2 && math.floor(1.8) == 1 && math.round(1.5) == 2 && math.sqrt(4) == 2",
        "math.pow(2, 3) == 8 && math.isNaN(math.sqrt(-1)) && !math.isInfinite(1.0)",
        "hashing.sha256('').toHexString().size() == 64 && hashing.md5('a').toBase64() == 'DMF1ucDxtqgxw5niaXcmYQ=='",
        "hashing.crc32('a').toHexString() == 'e8b7be43' && hashing.crc32c('a').toHexString() == 'c1d04330'",
        "'é'.toUtf8().size() == 2 && int('5') == 5 && float('1.5') == 1.5 && string(5) == '5' && bool('true')",
        "debug(true)",
        "(1 / 0 == 0) || true",
        "true || (1 / 0 == 0)",
        "!((1 / 0 == 0) && false) && !(false && missing.x)",
    ],
)  # fmt: skip
def test_expression_is_true(expression: str) -> None:
    assert decide(expression) is True


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("resource.missing == 1", "Property missing is undefined."),
        ("null.x == 1", "null has no property x."),
        ("1 / 0 == 1", "1 / 0 has no result."),
        ("'a' + 1 == 'a1'", "+ is not defined for string and int."),
        ("[1] + [2] == [1, 2]", "+ is not defined for list and list."),
        ("'a' < 1", "< cannot compare string with int."),
        ("1 && true", "&& needs bool, got int."),
        ("(1 / 0 == 0) || false", "1 / 0 has no result."),
        ("true && (1 / 0 == 0)", "1 / 0 has no result."),
        ("!1", "Expected bool, got int."),
        ("(1 ? true : false)", "Expected bool, got int."),
        ("611686018427387904 * 20 > 0", "exceeds 64 bits"),
        ("missing == 1", "Unknown variable 'missing'."),
        ("requests.auth == null", "Unknown variable 'requests'. Did you mean 'request'?"),
        ("request.auth == nul", "Unknown variable 'nul'. Did you mean 'null'?"),
        ("missing(1)", "Unknown function 'missing'."),
        ("'a'.missing()", "Unknown method 'missing'."),
        ("'a'.match('a')", "Unknown method 'match'. Did you mean 'matches'?"),
        ("'a'.size(1) == 1", "string has no method size() with 1 arguments."),
        ("resource.size.lower() == 'x'", "int has no method lower() with 0 arguments."),
        ("'a'.matches('(')", "Invalid regular expression '('"),
        ("[1][5] == 1", "list has no element 5."),
        ("'abc'[2:9] == 'c'", "string has no range 2:9."),
        ("[[1]].toSet().size() == 1", "A set cannot contain lists or maps."),
        ("int('x') == 1", "'x' cannot be converted to int."),
        ("timestamp.date(2023, 13, 1) == request.time", "2023-13-1 is not a valid date."),
        ("duration.value(1, 'y') is duration", "The unit of a duration must be one of w, d, h, m, s, ms, ns"),
        ("firestore.exists(/a/b)", "the emulator has no Cloud Firestore"),
        ("'aab'.split('a+?') == []", "does not support lazy quantifiers"),
    ],
)
def test_expression_is_an_error(expression: str, message: str) -> None:
    assert message in decide(expression)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "1:1: Expected 'service firebase.storage'."),
        ("service cloud.firestore {}", "1:9: Expected 'service firebase.storage', got 'service cloud.firestore'."),
        ("rules_version = '3'; service firebase.storage {}", "1:17: rules_version must be '1' or '2'."),
        ("service firebase.storage {", "1:27: Missing '}'."),
        ("service firebase.storage {} x", "1:29: Unexpected 'x'."),
        ("service firebase.storage { match b {} }", "1:34: Expected a path such as /users/{uid} after 'match'."),
        ("service firebase.storage { match /{a}/{a} {} }", "1:34: The path /{a}/{a} uses a wildcard twice."),
        ("service firebase.storage { match /a { allow edit; } }", "1:45: Unknown method 'edit'; expected one of read"),
        ("service firebase.storage { match /a { allow read: true; } }", "1:51: Expected 'if' after ':'."),
        ("service firebase.storage { match /a {\n allow read: if 1 +; } }", "2:20: Unexpected ';'."),
        (
            "service firebase.storage { match /a {\n allow read: if a = 1; } }",
            "2:19: Unexpected '='. Did you mean '=='?",
        ),
        ("service firebase.storage { function f() { let a = 1; } }", "1:54: Expected 'return'."),
        ("service firebase.storage { function f() { return 1; } function f() { return 1; } }", "is defined twice"),
        ("service firebase.storage { match /{a=**}/b { allow read; } }", "In version 1 a recursive wildcard must be"),
        ("service firebase.storage { match /a { allow read: if 'a' is thing; } }", "Expected the name of a type after"),
    ],
)
def test_invalid_file_is_rejected_with_line_and_column(text: str, message: str) -> None:
    with pytest.raises(RulesSyntaxError) as caught:
        StorageRules(text)
    assert message in str(caught.value)


def test_function_with_wrong_number_of_arguments_is_rejected() -> None:
    with pytest.raises(RulesSyntaxError, match="f expects 1 argument, but got 0"):
        rules("function f(a) { return a; } match /a { allow get: if f(); }")


def test_recursive_function_is_rejected() -> None:
    with pytest.raises(RulesSyntaxError, match="The function 'f' calls itself"):
        rules("function f() { return g(); } function g() { return f() || g(); } match /a { allow get: if f(); }")


def test_functions_have_parameters_bindings_and_the_wildcards_around_them() -> None:
    body = """
      function twice(n) { return n * 2; }
      match /{name} {
        function isName(text) { let other = text + ''; let same = other == name; return same && twice(2) == 4; }
        allow get: if isName('a');
      }"""
    assert allows(rules(body), "get", "a")
    assert not allows(rules(body), "get", "b")


def test_function_does_not_see_inner_wildcards() -> None:
    subject = rules("function f() { return inner == 'a'; } match /{inner} { allow get: if f(); }")
    assert not allows(subject, "get", "a")
    assert [str(warning) for warning in subject.warnings] == ["2:72: Unknown variable 'inner'."]


def test_methods_are_grouped() -> None:
    subject = rules("match /r { allow read; } match /w { allow write; } match /c { allow create, delete; }")
    assert [m for m in ("get", "list", "create", "update", "delete") if allows(subject, m, "r")] == ["get", "list"]
    assert [m for m in ("get", "create", "update", "delete") if allows(subject, m, "w")] == [
        "create",
        "update",
        "delete",
    ]
    assert [m for m in ("get", "create", "update", "delete") if allows(subject, m, "c")] == ["create", "delete"]


def test_any_matching_allow_grants() -> None:
    subject = rules(
        "match /a { allow get: if false; } match /{x} { allow get: if missing; } match /{y=**} { allow get; }"
    )
    assert allows(subject, "get", "a")


@pytest.mark.parametrize(
    ("version", "pattern", "name", "matches"),
    [
        ("2", "/a/{rest=**}", "a", True),
        ("2", "/a/{rest=**}", "a/b/c", True),
        ("1", "/a/{rest=**}", "a", False),
        ("1", "/a/{rest=**}", "a/b/c", True),
        ("2", "/{any=**}/end", "x/y/end", True),
        ("2", "/{any=**}/end", "end", True),
        ("2", "/{any=**}/end", "x/y", False),
        ("2", "/{one}", "a/b", False),
        ("2", "/{one}/{two}", "a/b", True),
        ("2", "/a.png", "a.png", True),
        ("2", "/a", "b", False),
    ],
)
def test_path_matches(version: str, pattern: str, name: str, matches: bool) -> None:
    block = f"match /b/{{b}}/o {{ match {pattern} {{ allow get; }} }}"
    subject = StorageRules(f"rules_version = '{version}'; service firebase.storage {{ {block} }}")
    assert allows(subject, "get", name) is matches


def test_recursive_wildcards_nest_and_hold_paths() -> None:
    subject = rules(
        "match /{a=**} { match /x/{b=**} { allow get: if a == path('p') && b == path('q/r') && b[1] == 'r'; } }"
    )
    assert allows(subject, "get", "p/x/q/r")
    assert not allows(subject, "get", "p/y/q/r")


def test_comments_and_optional_semicolons() -> None:
    subject = rules("// all\n match /a /* b */ { allow get: if true } ")
    assert allows(subject, "get", "a")


def test_text_with_deep_nesting_is_rejected() -> None:
    for text in ("(" * 5000 + "true" + ")" * 5000, "!" * 5000 + "true", "[" * 5000):
        with pytest.raises(RulesSyntaxError, match=r"nested|operators"):
            rules(f"match /a {{ allow get: if {text}; }}")
    with pytest.raises(RulesSyntaxError, match="nested"):
        rules("match /a { " * 5000)


def test_long_condition_is_parsed_quickly() -> None:
    start = time.process_time()
    subject = rules("match /a { allow get: if " + " || ".join(["request.auth.uid == 'b'"] * 5000) + "; }")
    assert time.process_time() - start < 5  # 0.08 s on an idle machine without coverage
    assert not allows(subject, "get", "a", AUTH)


def test_hostile_regular_expressions_are_bounded() -> None:
    start = time.process_time()
    for call in (
        "matches('(a+)+b')",
        "matches('(a|b)*a(a|b){900}c')",
        "split('a*b') == []",
        "replace('(a|aa)+$', '') == ''",
    ):
        subject = rules(f"match /a {{ allow get: if resource.name.{call}; }}")
        allows(subject, "get", "a", before={"name": "ab" * 10_000 + "a" * 5000})
    assert time.process_time() - start < 5  # 0.05 s each on an idle machine without coverage


def test_condition_with_exponentially_many_calls_fails() -> None:
    functions = "function f0() { return false; } " + " ".join(
        f"function f{number}() {{ return f{number - 1}() || f{number - 1}(); }}" for number in range(1, 19)
    )
    subject = rules(f"{functions} match /{{name}} {{ allow get: if f18(); allow list: if f5() || true; }}")
    assert not allows(subject, "get", "a")
    assert allows(subject, "list", "a")


@pytest.mark.parametrize("expression", ["a + a", "a.replace('x', 'xx')", "[a, a].join(a)"])
def test_string_that_doubles_with_each_call_is_bounded(expression: str) -> None:
    functions = " ".join(f"function f{number}(a) {{ return f{number - 1}({expression}); }}" for number in range(1, 19))
    subject = rules(
        f"function f0(a) {{ return a.size() > 0; }} {functions} match /{{name}} {{ allow get: if f18('{'x' * 100}'); }}"
    )
    assert not allows(subject, "get", "a")


def test_file_above_the_size_limit_of_firebase_is_rejected() -> None:
    with pytest.raises(
        RulesSyntaxError, match=r"^1:1: The rules have 262,2\d\d bytes, but Firebase accepts at most 262,144"
    ):
        rules("// " + "ä" * (128 * 1024))
