"""Validation and encoding of data for writes."""

from __future__ import annotations

import dataclasses
import enum
import json
from collections import OrderedDict, deque
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest

from firebase_rest import SERVER_TIMESTAMP, UnsupportedType, UsageError, increment
from firebase_rest.database.encoding import MAX_STRING_BYTES, encode, encode_update
from firebase_rest.database.filter import validate_bound
from firebase_rest.database.path import MAX_DEPTH
from firebase_rest.database.snapshot import Snapshot


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
def test_json_data_is_encoded_compactly(data: object, body: str | None) -> None:
    encoded = encode(data, ("x",)).body.decode()
    assert encoded == (json.dumps(data, separators=(",", ":")) if body is None else body)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"a": {"b.c": 1}}, r"'b\.c' in /x/a contains '\.'"),
        ({"a": [{"b/c": 1}]}, r"'b/c' in /x/a/0 contains '/'"),
        ({"": 1}, r"A key in /x is empty"),
        ({"$a": 1}, r"'\$a' in /x"),
        ({".hidden": 1}, r"'\.hidden' in /x contains '\.'"),
        ({"a\nb": 1}, r"in /x contains '\\n'"),
        ({"k" * 769: 1}, r"got 769 bytes"),
        ({None: 1}, r"A key in /x must be a string, got None; write 'None'"),
        ({1.5: 1}, r"A key in /x must be a string, got 1\.5; write '1_5'"),
        ({True: 1}, r"A key in /x must be a string, got True"),
        ({("a", "b"): 1}, r"A key in /x must be a string, got tuple; convert it"),
        ({1: "a", "1": "b"}, r"Duplicate key '1' in /x"),
        ({"a": float("nan")}, r"number at /x/a must be finite, got nan"),
        ([1, float("-inf")], r"number at /x/1 must be finite, got -inf"),
        ({"a": 10**400}, r"number at /x/a must be finite, got an int that a double cannot hold"),
        ({"a": {1, 2}}, r"value at /x/a must be JSON data, got set; store a list of its items, or pass json_kwargs"),
        ({"when": date(2024, 1, 1)}, r"value at /x/when must be JSON data, got date; store its \.isoformat\(\)"),
        ({"price": Decimal("1.5")}, r"value at /x/price must be JSON data, got Decimal; store float\(value\) or str"),
        (b"bytes", r"value at /x must be JSON data, got bytes; store text"),
        (object(), r"value at /x must be JSON data, got object"),
        ("\ud83d", r"string at /x contains an unpaired surrogate"),
        ({"a": {".value": 1, "b": 2}}, r"object at /x/a must not have children beside '\.value'"),
        ({".value": {"a": 1}}, r"'\.value' at /x must be a string"),
        ({".value": [1]}, r"'\.value' at /x must be a string"),
        ({".priority": True, "a": 1}, r"priority at /x must be a number, string or None, got True"),
        ({".priority": {"a": 1}, "a": 1}, r"priority at /x must be .* got dict"),
        ({".priority": float("nan"), "a": 1}, r"number at /x must be finite"),
        ({".priority": "\udc00", "a": 1}, r"string at /x contains an unpaired surrogate"),
        ({"a": {".sv": "now"}}, r"server value at /x/a must be .* got 'now'"),
        ({"a": {".sv": {"increment": "1"}}}, r"server value at /x/a must be SERVER_TIMESTAMP or increment"),
        ({"a": {".sv": {"increment": True}}}, r"must be SERVER_TIMESTAMP or increment"),
        ({"a": {".sv": {"increment": 1, "decrement": 1}}}, r"must be SERVER_TIMESTAMP or increment"),
        ({"a": 1, ".priority": {".sv": "soon"}}, r"server value at /x must be .* got 'soon'"),
    ],
)
def test_invalid_data_raises_with_its_path(data: object, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        encode(data, ("x",))


def test_strings_are_limited_to_10_mb() -> None:
    encode("a" * MAX_STRING_BYTES, ())
    encode("é" * (MAX_STRING_BYTES // 2), ())
    for text in ("a" * (MAX_STRING_BYTES + 1), "é" * (MAX_STRING_BYTES // 2 + 1)):
        with pytest.raises(UsageError, match="at most 10485760 bytes"):
            encode({"a": text}, ())


def test_data_and_path_are_limited_to_32_levels() -> None:
    encode(nested(MAX_DEPTH), ())
    encode(nested(MAX_DEPTH - 2), ("a", "b"))
    for data, path in ((nested(MAX_DEPTH + 1), ()), (nested(MAX_DEPTH - 1), ("a", "b")), ([nested(MAX_DEPTH)], ())):
        with pytest.raises(UsageError, match="at most 32 levels"):
            encode(data, path)


def test_circular_data_raises() -> None:
    data: dict[str, Any] = {}
    data["me"] = data
    with pytest.raises(UsageError, match="at most 32 levels"):
        encode(data, ())


@pytest.mark.parametrize("delta", ["1", True, None, float("nan"), float("inf"), [1]])
def test_increment_requires_a_finite_number(delta: Any) -> None:
    with pytest.raises(UsageError, match=r"increment\(\) must be a finite number"):
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
def test_encoded_body_knows_whether_it_increments(data: object, counts: bool) -> None:
    assert encode(data, ()).increments is counts
    assert encode_update({"x": data}, ()).increments is counts


def test_update_with_incremented_priority_increments() -> None:
    assert encode_update({"x/.priority": increment(1)}, ()).increments
    assert not encode_update({"x/.priority": SERVER_TIMESTAMP}, ()).increments


def test_json_kwargs_are_applied_before_validation() -> None:
    encoded = encode({"when": date(2024, 1, 2)}, (), {"default": str})
    assert encoded.body == b'{"when":"2024-01-02"}'
    with pytest.raises(UsageError, match=r"'a\.b' in /when"):
        encode({"when": date(2024, 1, 2)}, (), {"default": lambda _: {"a.b": 1}})


def test_json_kwargs_do_not_bypass_key_validation() -> None:
    with pytest.raises(UsageError, match="A key in /a must be a string, got None"):
        encode({"a": {None: 1}}, (), {"default": str})
    with pytest.raises(UsageError, match="A key in /a must be a string, got None"):
        encode({"a": {None: 1}}, (), {"skipkeys": True})
    assert encode({"a": {("x", "y"): 1, "b": 2}}, (), {"skipkeys": True}).body == b'{"a":{"b":2}}'


def test_json_kwargs_without_default_keep_the_precise_error() -> None:
    with pytest.raises(UsageError, match="value at /x must be JSON data, got date"):
        encode(date(2024, 1, 1), ("x",), {"sort_keys": True})


@pytest.mark.parametrize("options", [{"sort_keys": True}, {"check_circular": False}])
def test_circular_data_raises_with_json_kwargs(options: dict[str, Any]) -> None:
    data: dict[str, Any] = {}
    data["me"] = [data]
    with pytest.raises(UsageError, match="/x could not be encoded with json_kwargs"):
        encode(data, ("x",), {**options, "default": str})


def test_invalid_key_in_list_raises_with_json_kwargs() -> None:
    with pytest.raises(UsageError, match=r"A key in /x/1 must be a string, got 1\.5"):
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
def test_update_accepts_paths_as_keys(data: object, body: str | None) -> None:
    encoded = encode_update(data, ("x",)).body.decode()
    assert encoded == (json.dumps(data, separators=(",", ":")) if body is None else body)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([1, 2], r"update\(\) at /x must be a dict of children, got list; use set\(\)"),
        (5, r"got 5"),
        (None, r"got None"),
        ("text", r"got 'text'"),
        ({"": 1}, r"update\(\) at /x has the empty path ''"),
        ({"//": 1}, r"has the empty path '//'"),
        ({"a.b": 1}, r"'a\.b' in /x/a\.b contains '\.'"),
        ({"a/b#c": 1}, r"'b#c' in /x/a/b#c"),
        ({"a": {"b/c": 1}}, r"'b/c' in /x/a contains '/'"),
        ({"a/.priority/b": 1}, r"'\.priority' in"),
        ({"a/.value": 1}, r"'\.value' in"),
        ({"a/.sv": 1}, r"'\.sv' in"),
        ({"a/.priority": [1]}, r"priority at /x/a/\.priority must be .* got list"),
        ({"a/.priority": float("inf")}, r"number at /x/a/\.priority must be finite, got inf"),
        ({"a": 1, "a/b": 2}, r"'a/b' and its parent 'a'"),
        ({"a/b/c": 2, "a": 1}, r"'a/b/c' and its parent 'a'"),
        ({"a": 1, "a/.priority": 2}, r"'a/\.priority' and its parent 'a'"),
        ({"a": 1, "/a": 2}, r"two keys for one path: 'a' and '/a'"),
        ({None: 1}, r"A key in /x must be a string"),
        ({"a": float("nan")}, r"number at /x/a must be finite, got nan"),
        ({"/".join("a" * 40): 1}, r"41 levels"),
        ({"a" * 769: 1}, r"769 bytes"),
    ],
)
def test_invalid_update_raises_with_its_path(data: object, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        encode_update(data, ("x",))


def test_server_value_with_other_keys_raises() -> None:
    with pytest.raises(UsageError, match=r"'\.sv' must be the only key"):
        encode({"when": {".sv": "timestamp", "x": float("nan")}}, ["a"])


# --- values that are almost JSON --------------------------------------------------------------------------------------


class Whole:
    """An integer type of another library."""

    def __index__(self) -> int:
        return 7


class Big(int):
    """A subclass of int."""


class Suit(enum.Enum):
    HEARTS = "h"


@dataclasses.dataclass
class Point:
    x: int = 1


DataFrame = type("DataFrame", (), {})


@pytest.mark.parametrize(
    ("value", "body"),
    [(Whole(), "7"), (Fraction(1, 4), "0.25"), (Big(5), "5"), ([Whole(), {"a": Fraction(3)}], '[7,{"a":3.0}]')],
)
def test_numbers_of_other_types_are_stored(value: object, body: str) -> None:
    assert encode(value, ()).body.decode() == body
    assert encode_update({"a": value}, ()).body.decode() == f'{{"a":{body}}}'


def test_numpy_scalars_are_stored() -> None:
    numpy = pytest.importorskip("numpy")
    for value, body in (
        (numpy.int64(2), "2"),
        (numpy.uint8(255), "255"),
        (numpy.float32(0.5), "0.5"),
        (numpy.float64(1.5), "1.5"),
        (numpy.bool_(True), "true"),
        (numpy.str_("a"), '"a"'),
    ):
        assert encode({"a": [value]}, ()).body.decode() == f'{{"a":[{body}]}}'
    for value, words in (
        (numpy.array([1]), r"ndarray; store its \.tolist\(\)"),
        (numpy.float32("nan"), "must be finite, got nan"),
        (numpy.complex128(1), "complex128; store str"),
        (numpy.datetime64("2024-01-01"), "datetime64"),
    ):
        with pytest.raises(UsageError, match=f"at /x/a .*{words}"):
            encode({"a": value}, ("x",))
    assert increment(numpy.int64(2)) == {".sv": {"increment": 2}}


@pytest.mark.parametrize(
    "value", [10**400, -(10**400), 10**5000, Big(10**400), Big(10**5000), Fraction(10**400)], ids=range(6)
)
def test_numbers_beyond_doubles_raise(value: Any) -> None:
    for use in (
        lambda: encode({"a": value}, ("x",)),
        lambda: encode({"a": [{"n": {".sv": {"increment": value}}}]}, ()),
        lambda: encode({"a": 1, ".priority": value}, ()),
        lambda: encode({value: 1}, ()),
        lambda: increment(value),
        lambda: validate_bound("equal_to", value),
    ):
        with pytest.raises(UsageError) as caught:
            use()
        assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (datetime(2024, 1, 1, tzinfo=timezone.utc), r"got datetime; store its \.timestamp\(\) or \.isoformat\(\)"),
        (timedelta(1), r"got timedelta; store its \.total_seconds\(\)"),
        (1 + 2j, "got complex; store str"),
        (UUID(int=1), r"got UUID; store str\(value\)"),
        (Suit.HEARTS, r"got Suit; store its \.value"),
        (Point(), r"got Point; store dataclasses\.asdict\(value\)"),
        ((item for item in "ab"), "got generator; store a list"),
        ({"a": 1}.keys(), "got dict_keys; store a list"),
        (deque([1]), "got deque; store a list"),
        (frozenset({1}), "got frozenset; store a list"),
        (bytearray(b"x"), "got bytearray; store text"),
        (DataFrame(), r"got DataFrame; store its \.to_dict\(\)"),
        (Snapshot("k", 1), r"got Snapshot; store its \.val\(\)"),
        (print, "got builtin_function_or_method; call it"),
    ],
)
def test_other_objects_raise_with_advice(value: object, words: str) -> None:
    for use in (
        lambda: encode({"a": [value]}, ("x",)),
        lambda: encode_update({"a/0": value}, ("x",)),
        lambda: encode({"a": [value]}, ("x",), {"indent": 2}),
    ):
        with pytest.raises(UnsupportedType, match=rf"^The value at /x/a/0 must be JSON data, {words}"):
            use()


def test_nested_path_in_update_raises_with_advice() -> None:
    with pytest.raises(UsageError, match=r"'/a/b' in /x/updates contains '/'.* top level of update\(\)"):
        encode_update({"updates": {"/a/b": 1}}, ("x",))


@pytest.mark.parametrize("options", [{"unknown": 1}, "text", {"default": 5}])
def test_unknown_json_kwargs_raise(options: Any) -> None:
    with pytest.raises(UsageError, match="/x could not be encoded with json_kwargs"):
        encode(object(), ("x",), options)


def test_deep_server_values_and_priorities_raise() -> None:
    for value in ({".sv": nested(5000)}, {".value": 1, ".priority": nested(5000)}, {".value": nested(5000)}):
        with pytest.raises(UsageError):
            encode(value, ())
