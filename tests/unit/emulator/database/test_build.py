"""From JSON to nodes: server values, priorities, numbers and errors."""

from __future__ import annotations

import pytest

from firebase_rest.emulator.database import tree
from firebase_rest.emulator.database.node_builder import Builder, InvalidDataError, InvalidKeyError, normalize_number

NOW = 1_700_000_000_000


def build(value, existing=None, level=0):
    return Builder(NOW).build(value, existing, level)


def read(value, existing=None):
    return tree.export(build(value, build(existing)))


def test_timestamps_of_one_request_are_equal():
    value = {
        "a": {".sv": "timestamp"},
        "b": [{".sv": "timestamp"}],
        "c": {".value": 1, ".priority": {".sv": "timestamp"}},
    }
    assert read(value) == {"a": NOW, "b": {"0": NOW}, "c": {".value": 1, ".priority": NOW}}


@pytest.mark.parametrize(
    ("current", "delta", "expected"),
    [
        (None, 3, 3),
        ("text", 3, 3),
        (True, 3, 3),
        ({"a": 1}, 3, 3),
        (2, 3, 5),
        (2, -3, -1),
        (2, 0.5, 2.5),
        (1.5, 1.5, 3),
        (2**63 - 1, 1, float(2**63)),
        (-(2**63), -1, float(-(2**63))),
        ({".value": 4, ".priority": "p"}, 1, 5),
    ],
)
def test_increment_adds_to_numbers_and_replaces_other_values(current, delta, expected):
    result = read({".sv": {"increment": delta}}, current)
    assert result == expected
    assert type(result) is type(expected)


def test_nested_increments_use_the_existing_values():
    assert read({"a": [{".sv": {"increment": 1}}], "b": {".sv": {"increment": 1}}}, {"a": [10]}) == {
        "a": {"0": 11},
        "b": 1,
    }


def test_increment_of_a_priority():
    value = {".value": 1, ".priority": {".sv": {"increment": 2}}}
    assert read(value, {".value": 9, ".priority": 5}) == {".value": 1, ".priority": 7}


def test_server_value_with_priority():
    assert read({".sv": "timestamp", ".priority": 1}) == {".value": NOW, ".priority": 1}
    assert read({".value": {".sv": "timestamp"}, ".priority": 1}) == {".value": NOW, ".priority": 1}
    assert read({".value": None, ".sv": "timestamp"}) == NOW


@pytest.mark.parametrize(
    "operation", ["now", None, 1, {}, {"increment": "1"}, {"increment": True}, {"decrement": 1}, ["timestamp"]]
)
def test_unknown_server_value_is_rejected(operation):
    with pytest.raises(InvalidDataError, match="server value"):
        build({".sv": operation})


def test_value_wrapper_is_unwrapped():
    assert read({".value": 5}) == 5
    assert read({".value": [1, 2]}) == {"0": 1, "1": 2}
    assert read({".value": {"a": 1}, ".priority": 3}) == {"a": 1, ".priority": 3}
    assert read({".value": None, ".priority": 3}) is None


def test_value_wrapper_with_children_is_rejected():
    with pytest.raises(InvalidDataError, match="both"):
        build({".value": 1, "a": 2})


def test_empty_node_has_no_priority():
    assert build({".priority": 1}) is None
    assert read({"a": {".priority": 1}, "b": 2}) == {"b": 2}


@pytest.mark.parametrize("priority", [True, [], {}, {"a": 1}])
def test_priority_must_be_null_number_or_string(priority):
    with pytest.raises(InvalidDataError, match="priority"):
        build({"a": 1, ".priority": priority})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (1.0, 1),
        (-0.0, 0),
        (1e15, 10**15),
        (2.0**53, 2.0**53),
        (1.5, 1.5),
        (2**63 - 1, 2**63 - 1),
        (2**63, float(2**63)),
        (-(2**63) - 1, float(-(2**63))),
    ],
)
def test_numbers_are_64_bit_integers_or_doubles(given, expected):
    assert normalize_number(given) == expected
    assert type(normalize_number(given)) is type(expected)


@pytest.mark.parametrize("value", [float("inf"), float("nan"), 10**400])
def test_number_beyond_a_double_is_rejected(value):
    with pytest.raises(InvalidDataError, match="too large"):
        normalize_number(value)


@pytest.mark.parametrize("key", ["", "a.b", "a$", "#", "[", "]", "a/b", "\n", "\x7f", ".prio"])
def test_forbidden_key_is_rejected(key):
    with pytest.raises(InvalidKeyError):
        build({"fine": [{key: 1}]})


def test_key_length_is_limited_to_768_bytes():
    build({"é" * 384: 1})
    with pytest.raises(InvalidDataError, match="768 bytes"):
        build({"é" * 385: 1})


def nested(levels):
    value = 1
    for _ in range(levels):
        value = {"k": value}
    return value


def test_depth_is_limited_to_32_levels():
    build(nested(32))
    build(nested(30), level=2)
    with pytest.raises(InvalidDataError, match="32 levels"):
        build(nested(33))
    with pytest.raises(InvalidDataError, match="32 levels"):
        build(nested(31), level=2)


def test_string_length_is_limited_to_ten_megabytes():
    ten = 10 * 1024 * 1024
    build("a" * ten)
    with pytest.raises(InvalidDataError, match="string is longer"):
        build({"a": "é" * (ten // 2 + 1)})
