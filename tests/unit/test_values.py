"""What may be stored, and how it becomes a body."""

from __future__ import annotations

import enum
import json
from collections import OrderedDict
from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import pytest

from firebase_rest import SERVER_TIMESTAMP, UsageError, increment
from firebase_rest.database.path import MAX_DEPTH
from firebase_rest.database.values import MAX_STRING_BYTES, encode, encode_update


class Color(enum.IntEnum):
    RED = 1


class Name(str, enum.Enum):
    ADA = "ada"


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (None, "null"),
        (True, "true"),
        (0, "0"),
        (-0.5, "-0.5"),
        ("", '""'),
        ("é😀\n", '"é😀\\n"'),
        ({}, "{}"),
        ([], "[]"),
        ({"a": {"b": [1, None, "x"]}}, '{"a":{"b":[1,null,"x"]}}'),
        ((1, 2), "[1,2]"),
        (MappingProxyType({"a": MappingProxyType({"b": 1})}), '{"a":{"b":1}}'),
        (OrderedDict(b=1, a=2), '{"b":1,"a":2}'),
        ({1: "a", -2: "b"}, '{"1":"a","-2":"b"}'),
        ({Color.RED: Color.RED}, '{"1":1}'),
        ({"name": Name.ADA}, '{"name":"ada"}'),
        ({"a b": 1, "%": 2, "é": 3}, '{"a b":1,"%":2,"é":3}'),
        ({".value": 1, ".priority": "p"}, '{".value":1,".priority":"p"}'),
        ({"a": 1, ".priority": None}, '{"a":1,".priority":null}'),
        (SERVER_TIMESTAMP, '{".sv":"timestamp"}'),
        ({"n": increment(-2.5)}, '{"n":{".sv":{"increment":-2.5}}}'),
        ({".value": SERVER_TIMESTAMP, ".priority": SERVER_TIMESTAMP}, None),
        (2**63, "9223372036854775808"),
    ],
)
def test_what_json_and_the_database_know_becomes_a_compact_body(data: object, body: str | None) -> None:
    encoded = encode(data, ("x",)).body.decode()
    assert encoded == (json.dumps(data, separators=(",", ":")) if body is None else body)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ({"a": {"b.c": 1}}, r"'b\.c' in /x/a contains '\.'"),
        ({"a": [{"b/c": 1}]}, r"'b/c' in /x/a/0 contains '/'"),
        ({"": 1}, r"A key in /x is empty"),
        ({"$a": 1}, r"'\$a' in /x"),
        ({".hidden": 1}, r"'\.hidden' in /x contains '\.'"),
        ({"a\nb": 1}, r"in /x contains '\\n'"),
        ({"k" * 769: 1}, r"has 769 bytes"),
        ({None: 1}, r"The key None in /x is not a string; write 'None'"),
        ({1.5: 1}, r"The key 1\.5 in /x is not a string"),
        ({True: 1}, r"The key True in /x is not a string"),
        ({("a", "b"): 1}, r"The key \('a', 'b'\) in /x is not a string"),
        ({1: "a", "1": "b"}, r"'1' stands twice in /x"),
        ({"a": float("nan")}, r"number at /x/a is nan"),
        ([1, float("-inf")], r"number at /x/1 is -inf"),
        ({"a": 10**400}, r"number at /x/a is too large"),
        ({"a": {1, 2}}, r"value at /x/a is a set, .* json_kwargs"),
        ({"when": date(2024, 1, 1)}, r"value at /x/when is a date"),
        ({"price": Decimal("1.5")}, r"value at /x/price is a Decimal"),
        (b"bytes", r"value at /x is a bytes"),
        (object(), r"value at /x is a object"),
        ("\ud83d", r"string at /x holds half of a surrogate pair"),
        ({"a": {".value": 1, "b": 2}}, r"object at /x/a has '\.value' beside children"),
        ({".value": {"a": 1}}, r"'\.value' at /x is not a string"),
        ({".value": [1]}, r"'\.value' at /x is not a string"),
        ({".priority": True, "a": 1}, r"priority at /x is True"),
        ({".priority": {"a": 1}, "a": 1}, r"priority at /x is"),
        ({".priority": float("nan"), "a": 1}, r"number at /x is nan"),
        ({".priority": "\udc00", "a": 1}, r"string at /x holds half"),
        ({"a": {".sv": "now"}}, r"server value 'now' at /x/a is not known"),
        ({"a": {".sv": {"increment": "1"}}}, r"server value .* at /x/a is not known"),
        ({"a": {".sv": {"increment": True}}}, r"not known"),
        ({"a": {".sv": {"increment": 1, "decrement": 1}}}, r"not known"),
        ({"a": 1, ".priority": {".sv": "soon"}}, r"server value 'soon' at /x is not known"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_the_path_at_which_it_stands(data: object, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        encode(data, ("x",))


def test_a_string_has_at_most_ten_megabytes_of_utf8() -> None:
    encode("a" * MAX_STRING_BYTES, ())
    encode("é" * (MAX_STRING_BYTES // 2), ())
    for text in ("a" * (MAX_STRING_BYTES + 1), "é" * (MAX_STRING_BYTES // 2 + 1)):
        with pytest.raises(UsageError, match="at most 10485760"):
            encode({"a": text}, ())


def test_data_and_path_together_go_32_levels_deep() -> None:
    encode(nested(MAX_DEPTH), ())
    encode(nested(MAX_DEPTH - 2), ("a", "b"))
    for data, path in ((nested(MAX_DEPTH + 1), ()), (nested(MAX_DEPTH - 1), ("a", "b")), ([nested(MAX_DEPTH)], ())):
        with pytest.raises(UsageError, match="deeper than 32 levels"):
            encode(data, path)


def test_data_that_contains_itself_is_refused_like_data_too_deep() -> None:
    data: dict[str, Any] = {}
    data["me"] = data
    with pytest.raises(UsageError, match="deeper than 32 levels"):
        encode(data, ())


@pytest.mark.parametrize("delta", ["1", True, None, float("nan"), float("inf"), [1]])
def test_an_increment_is_a_finite_number(delta: Any) -> None:
    with pytest.raises(UsageError, match=r"increment\(\) takes a finite number"):
        increment(delta)


@pytest.mark.parametrize(
    ("data", "counts"),
    [
        (1, False),
        ({"a": [{"b": SERVER_TIMESTAMP}]}, False),
        (increment(1), True),
        ({"a": [{"b": increment(1)}], "c": 1}, True),
        ({"c": 1, ".priority": increment(1)}, True),
        ({".value": increment(1), ".priority": 1}, True),
        ({".value": 1, ".priority": increment(1)}, True),
    ],
)
def test_a_body_says_whether_sending_it_twice_would_count_twice(data: object, counts: bool) -> None:
    assert encode(data, ()).increments is counts
    assert encode_update({"x": data}, ()).increments is counts


def test_an_increment_of_a_priority_counts_in_an_update_too() -> None:
    assert encode_update({"x/.priority": increment(1)}, ()).increments
    assert not encode_update({"x/.priority": SERVER_TIMESTAMP}, ()).increments


def test_json_kwargs_encode_before_anything_is_checked() -> None:
    encoded = encode({"when": date(2024, 1, 2)}, (), {"default": str})
    assert encoded.body == b'{"when":"2024-01-02"}'
    with pytest.raises(UsageError, match=r"'a\.b' in /when"):
        encode({"when": date(2024, 1, 2)}, (), {"default": lambda _: {"a.b": 1}})


def test_json_kwargs_do_not_let_odd_keys_through() -> None:
    with pytest.raises(UsageError, match="The key None in /a is not a string"):
        encode({"a": {None: 1}}, (), {"default": str})
    with pytest.raises(UsageError, match="The key None in /a is not a string"):
        encode({"a": {None: 1}}, (), {"skipkeys": True})
    assert encode({"a": {("x", "y"): 1, "b": 2}}, (), {"skipkeys": True}).body == b'{"a":{"b":2}}'


def test_what_json_kwargs_cannot_encode_is_one_sentence() -> None:
    with pytest.raises(UsageError, match="/x could not be encoded with json_kwargs: Object of type date"):
        encode(date(2024, 1, 1), ("x",), {"sort_keys": True})


@pytest.mark.parametrize("options", [{"sort_keys": True}, {"check_circular": False}])
def test_data_that_contains_itself_is_refused_with_json_kwargs_too(options: dict[str, Any]) -> None:
    data: dict[str, Any] = {}
    data["me"] = [data]
    with pytest.raises(UsageError, match="/x could not be encoded with json_kwargs"):
        encode(data, ("x",), options)


def test_an_odd_key_inside_a_list_is_found_with_json_kwargs_too() -> None:
    with pytest.raises(UsageError, match=r"The key 1\.5 in /x/1 is not a string"):
        encode([1, {1.5: 2}], ("x",), {"sort_keys": True})


# --- multi-path updates ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "body"),
    [
        ({}, "{}"),
        ({"a": 1, "b/c": None}, '{"a":1,"b/c":null}'),
        ({"/a//b/": {"c": [1]}}, '{"/a//b/":{"c":[1]}}'),
        ({"a/.priority": 5, "b/.priority": None, ".priority": "p"}, None),
        ({1: "a"}, '{"1":"a"}'),
        (MappingProxyType({"a": 1}), '{"a":1}'),
    ],
)
def test_an_update_maps_paths_to_values(data: object, body: str | None) -> None:
    encoded = encode_update(data, ("x",)).body.decode()
    assert encoded == (json.dumps(data, separators=(",", ":")) if body is None else body)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ([1, 2], r"update\(\) at /x takes a dict of children to replace, not list; use set\(\)"),
        (5, r"not int"),
        (None, r"not NoneType"),
        ("text", r"not str"),
        ({"": 1}, r"update\(\) at /x has the empty path ''"),
        ({"//": 1}, r"has the empty path '//'"),
        ({"a.b": 1}, r"'a\.b' in /x/a\.b contains '\.'"),
        ({"a/b#c": 1}, r"'b#c' in /x/a/b#c"),
        ({"a": {"b/c": 1}}, r"'b/c' in /x/a contains '/'"),
        ({"a/.priority/b": 1}, r"'\.priority' in"),
        ({"a/.value": 1}, r"'\.value' in"),
        ({"a/.sv": 1}, r"'\.sv' in"),
        ({"a/.priority": [1]}, r"priority at /x/a/\.priority is \[1\]"),
        ({"a/.priority": float("inf")}, r"number at /x/a/\.priority is inf"),
        ({"a": 1, "a/b": 2}, r"'a/b' and 'a', which is above it"),
        ({"a/b/c": 2, "a": 1}, r"'a/b/c' and 'a', which is above it"),
        ({"a": 1, "a/.priority": 2}, r"'a/\.priority' and 'a', which is above it"),
        ({"a": 1, "/a": 2}, r"names the same place twice: 'a' and '/a'"),
        ({None: 1}, r"The key None in /x is not a string"),
        ({"a": float("nan")}, r"number at /x/a is nan"),
        ({"/".join("a" * 40): 1}, r"41 levels"),
        ({"a" * 769: 1}, r"769 bytes"),
    ],
)
def test_an_update_that_cannot_work_is_refused_with_the_path(data: object, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        encode_update(data, ("x",))


def test_a_server_value_with_company_is_refused() -> None:
    with pytest.raises(UsageError, match=r"beside '\.sv'"):
        encode({"when": {".sv": "timestamp", "x": float("nan")}}, ["a"])
