"""Expressions of database rules: syntax, static types and values."""

from __future__ import annotations

import json

import pytest

from firebase_rest.rules.database import DatabaseRules
from firebase_rest.rules.database_snapshots import JsonReader
from firebase_rest.rules.errors import RulesSyntaxError

DATA = {"users": {"ada": {"name": "Ada", "age": 36, "admin": True}}, "empty": "", "price": 2.5}
AUTH = {"uid": "ada", "n": 1, "text": "one", "flag": True, "list": ["a"], "token": {"role": "editor"}}


def evaluate(expression: str, auth: object = AUTH, data: object = DATA, **query: object) -> bool:
    rules = DatabaseRules(json.dumps({"rules": {".read": expression}}))
    decision = rules.read(JsonReader(), data, [], auth, 1000, query or {"orderByKey": True})  # type: ignore[arg-type]
    return decision.allowed


def problem(expression: str, kind: str = ".read") -> str:
    with pytest.raises(RulesSyntaxError) as caught:
        DatabaseRules(json.dumps({"rules": {"$key": {kind: expression}}}))
    return str(caught.value).partition(": ")[2]


@pytest.mark.parametrize(
    "expression",
    [
        "auth != null && auth.uid == 'ada'",
        "root.child('users/ada/name').val() === 'Ada'",
        "root.child('users').child(auth.uid).child('age').val() >= 36",
        "root.child('users').hasChildren(['ada'])",
        "!root.child('users').hasChildren(['ada', 'bob'])",
        "root.child('users').val() != null",
        "root.child('users/ada').parent().parent().child('price').val() * 2 == 5",
        "root.child('users/ada/name').val().length == 3",
        "'Ada Lovelace'.replace('a', 'o').toUpperCase().endsWith('E')",
        "'aa'.endsWith('a')",
        "auth.token.role.beginsWith('ed') && auth.token.role.contains('it')",
        "'x-1'.matches(/^[a-z]-\\d+$/) && 'ABC'.matches(/b/i)",
        "1 + 2 * 3 == 7 && (1 + 2) * 3 == 9 && 7 % 4 == 3 && -7 % 4 == -3",
        "'n' + 1 == 'n1' && 1.5 + 'x' == '1.5x' && 0.1 + 0.2 != 0.3",
        "3 / 0 + '' == 'NaN'",
        "auth.flag == true ? true : false",
        "auth['token']['role'] == 'editor'",
        "auth.none.deeper == null",
        "root['child']('price').exists()",
        "now == 1000",
        "query.orderByKey == true",
        "root.child('e.mail@example').exists() == false",
        "false || false || true",
        "'\\u0041' == 'A' && \"it's\" == 'it\\'s'",
    ],
)
def test_expression_is_true(expression: str) -> None:
    assert evaluate(expression)


@pytest.mark.parametrize(
    "expression",
    [
        "auth.text == 1",
        "1 == true",
        "'1' == auth.n",
        "root.child('missing').val() > 3",
        "!(root.child('missing').val() > 3)",
        "(root.child('missing').val() + 'x') == 'x'",
        "root.child(auth.missing).exists() == false",
        "root.parent().exists()",
        "auth.n.contains('a')",
        "auth.flag - 1 == 0",
        "(3 / 0) > 2 || (3 / 0) < 2",
        "root.child('users').val() == root.child('users').val()",
        "auth.n > 0 == auth.missing > 0",
    ],
)
def test_false_or_an_error_denies(expression: str) -> None:
    assert not evaluate(expression)


def test_short_circuit_skips_an_error() -> None:
    assert evaluate("auth != null || auth.n.contains('a')")
    assert not evaluate("auth.n.contains('a') || true")


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("5", "The rule must evaluate to a boolean."),
        ("auth.admin", "The rule must evaluate to a boolean."),
        ("auth.admin && true", "Left operand of && must be boolean."),
        ("true || 1", "Right operand of || must be boolean."),
        ("!auth.admin", "! only operates on booleans."),
        ("root != null", "Invalid != expression: left operand is not a number, boolean, string, or null."),
        ("data.val() > true", "Invalid > expression: right operand is not a number, string, or null."),
        ("data.exists(1)", "exists expects 0 arguments, but got 1."),
        ("data.isArray()", "No such method/property 'isArray'."),
        ("data.isstring()", "No such method/property 'isstring'. Did you mean 'isString'?"),
        ("auht == null", "Unknown variable 'auht'. Did you mean 'auth'?"),
        ("Auth == null", "Unknown variable 'Auth'. Did you mean 'auth'?"),
        ("query.orderbychild == 'a'", "No such method/property 'orderbychild'. Did you mean 'orderByChild'?"),
        ("true & true", "Unexpected character '&'. Did you mean '&&'?"),
        ("auth.x.contains(7)", "contains expects argument 1 to be a string, but got number."),
        ("auth.x.matches('a')", "matches expects argument 1 to be a regex, but got string."),
        ("root.hasChildren([])", "hasChildren got an empty array, expected some strings in there."),
        ("root.hasChildren([1])", "hasChildren got an array with a non-string value."),
        ("root['exi' + 'sts']()", "Invalid property access."),
        ("$other == 'a'", "Unknown variable '$other'."),
        ("newData.exists()", "Unknown variable 'newData'."),
        ("query.foo == 1", "No such method/property 'foo'."),
        ("auth.x.matches(/a/ig)", "Invalid flags 'ig' of a regular expression; only 'i' is allowed."),
        ("auth.x.matches(/(a|)/)", "Empty alternative in the regular expression."),
        ("auth.x.matches(/(^a)/)", "'^' is allowed only at the start in the regular expression."),
        ("auth == null &&", "Unexpected end of expression."),
        ("var a", "Unexpected 'var'."),
        ("+1 == 1", "Unexpected '+'."),
        ("true; true", "Unexpected character ';'."),
        ("(true", "Expected ')', got the end of the expression."),
        ("", "Expected an expression."),
    ],
)
def test_invalid_expression_is_rejected(expression: str, message: str) -> None:
    assert problem(expression) == message


def test_new_data_is_available_in_write_rules() -> None:
    DatabaseRules('{"rules": {".write": "newData.exists()", ".validate": "newData.exists()"}}')


def test_query_of_a_plain_read_is_ordered_by_key() -> None:
    assert evaluate("query.orderByChild == null && query.limitToFirst == null", orderByChild=None)
    assert evaluate("query.limitToFirst <= 10", limitToFirst=10)
    assert not evaluate("query.limitToFirst <= 10", orderByKey=True)


def test_long_chains_of_operators_need_no_recursion() -> None:
    assert evaluate(" && ".join(["1 + 1 == 2"] * 3000))
    assert evaluate(" + ".join(["1"] * 3000) + " == 3000")


def test_deep_nesting_is_rejected() -> None:
    assert "nested more than 100 levels deep" in problem("(" * 200 + "true" + ")" * 200)


def test_rule_of_ten_thousand_operators_is_evaluated() -> None:
    assert evaluate(" && ".join(["auth.uid == 'ada'"] * 5000))
    assert not evaluate(" && ".join(["auth.uid == 'ada'"] * 4999 + ["auth.uid == 'bob'"]))
    assert evaluate("+".join(["1"] * 10_000) + " == 10000")


@pytest.mark.parametrize("step", [".replace('a', 'aa')", ".replace('a', 'aaaaaaaaaa')"])
def test_string_that_grows_with_each_call_is_bounded(step: str) -> None:
    assert evaluate(f"'a'{step}.length > 1")
    assert not evaluate(f"'a'{step * 40}.length > 1")


def test_paths_that_no_key_can_have_do_not_exist() -> None:
    for path in ("a.b", ".priority", "a/.value", "$a", "[0]", "a#", "\u0001"):
        assert evaluate(f"!data.child({path!r}).exists() && data.child({path!r}).val() == null", data={"a": 1}), path
