"""Query parameters and filters, and the server's error messages."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebase_rest.database.filter import Bound, Filter
from firebase_rest.emulator.database import query, tree
from firebase_rest.emulator.database.node_builder import Builder
from firebase_rest.emulator.database.responses import DatabaseHTTPError

KEY_ORDER = {"orderBy": '"$key"'}
MIXING = "Mixing 'shallow' and querying parameters is not supported"
NO_ORDER = "orderBy must be defined when other query parameters are defined"
NOT_A_PATH = "orderBy must be a valid JSON encoded path"
EQUAL = "equalTo cannot be specified in addition to startAfter, startAt, endAt, or endBefore"
NOT_PRIMITIVE = "Constraint index field must be a JSON primitive"
BAD_KEY = "Constraint key field must be a valid key name"
ONE_LIMIT = "Only one of limitToFirst and limitToLast may be specified"


def parse(**params):
    return query.parse(params, 1 if "orderBy" in params else 0)


def seen(value, **params):
    return tree.render(query.apply_filter(Builder(0).build(value, None, 0), parse(**params)))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"orderBy": "height"}, NOT_A_PATH),
        ({"orderBy": "$key"}, NOT_A_PATH),
        ({"orderBy": "%22$key%22"}, NOT_A_PATH),
        ({"orderBy": '""'}, NOT_A_PATH),
        ({"orderBy": '"/"'}, NOT_A_PATH),
        ({"orderBy": '"a.b"'}, NOT_A_PATH),
        ({"orderBy": '"a/$key"'}, NOT_A_PATH),
        ({"orderBy": "1"}, NOT_A_PATH),
        ({"orderBy": "[" * 100_000}, NOT_A_PATH),
        ({"limitToFirst": "1"}, NO_ORDER),
        ({"startAt": "1"}, NO_ORDER),
        ({"equalTo": "null"}, NO_ORDER),
        ({"limitToFirst": "abc"}, "limitToFirst must be an integer"),
        ({"limitToLast": "1.5", **KEY_ORDER}, "limitToLast must be an integer"),
        ({"limitToLast": '"1"', **KEY_ORDER}, "limitToLast must be an integer"),
        ({"limitToFirst": "0", **KEY_ORDER}, "limitToFirst must be positive"),
        ({"limitToFirst": "-3", **KEY_ORDER}, "limitToFirst must be positive"),
        ({"limitToLast": "", **KEY_ORDER}, "limitToLast must be positive"),
        ({"limitToFirst": "1", "limitToLast": "1", **KEY_ORDER}, ONE_LIMIT),
        ({"equalTo": '"a"', "startAt": '"a"', **KEY_ORDER}, EQUAL),
        ({"equalTo": '"a"', "endBefore": '"a"', **KEY_ORDER}, EQUAL),
        ({"startAt": "abc", "orderBy": '"a"'}, NOT_PRIMITIVE),
        ({"startAt": "{}", "orderBy": '"a"'}, NOT_PRIMITIVE),
        ({"endAt": "[1]", "orderBy": '"a"'}, NOT_PRIMITIVE),
        ({"endAt": "NaN", "orderBy": '"a"'}, NOT_PRIMITIVE),
        ({"endAt": "", "orderBy": '"a"'}, NOT_PRIMITIVE),
        ({"endAt": "1 2", "orderBy": '"a"'}, NOT_PRIMITIVE),
        ({"startAt": "5", **KEY_ORDER}, "Provided key index type is invalid, must be string"),
        ({"equalTo": "null", **KEY_ORDER}, "Provided key index type is invalid, must be string"),
        ({"startAt": '5,"a/b"', "orderBy": '"a"'}, BAD_KEY),
        ({"startAt": "5,7", "orderBy": '"a"'}, BAD_KEY),
        ({"startAt": "5,", "orderBy": '"a"'}, BAD_KEY),
        (
            {"startAt": '1,"a"', "startAfter": "2", "orderBy": '"a"'},
            "Only one of startAt and startAfter may be specified",
        ),
        ({"endAt": "1", "endBefore": "2", "orderBy": '"a"'}, "Only one of endAt and endBefore may be specified"),
        ({"startAt": '"a","b"', **KEY_ORDER}, "Constraint key field cannot be specified when orderBy is $key"),
        (
            {"startAt": "true", "orderBy": '"$priority"'},
            "Provided priority index type is invalid, must be null, number or string",
        ),
        ({"shallow": "true", "orderBy": '"a"'}, MIXING),
        ({"shallow": "true", "equalTo": "1"}, MIXING),
        ({"shallow": "true", "limitToFirst": "x"}, "limitToFirst must be an integer"),
        ({"shallow": "true", "limitToFirst": "1", "limitToLast": "1"}, ONE_LIMIT),
    ],
)
def test_invalid_query_gets_the_servers_message(params, message):
    with pytest.raises(DatabaseHTTPError) as caught:
        parse(**params)
    assert (caught.value.status, caught.value.message) == (400, message)


def test_duplicate_order_by_is_rejected():
    with pytest.raises(DatabaseHTTPError, match="only once"):
        query.parse(KEY_ORDER, 2)


def test_syntax_errors_precede_conflicts():
    with pytest.raises(DatabaseHTTPError, match="limitToFirst must be an integer"):
        parse(limitToFirst="x", equalTo="1", startAt="1")


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8")),
)
ORDERS = st.sampled_from(["$value", "a", "a/b", "é"])
BOUNDS = st.builds(Bound, SCALARS, st.one_of(st.none(), st.sampled_from(["k", "0", "é", "[MIN_NAME]", "[MAX_NAME]"])))
FILTERS = st.builds(
    Filter,
    order=ORDERS,
    start_at=st.one_of(st.none(), BOUNDS),
    end_before=st.one_of(st.none(), BOUNDS),
    limit_to_first=st.one_of(st.none(), st.integers(1, 10**9)),
)


@given(FILTERS)
def test_filter_params_parse_back_to_the_filter(filter):
    assert query.parse(dict(filter.params()), 1) == filter


def test_no_parameters_is_no_filter():
    assert parse() == Filter()
    assert parse(shallow="false", print="pretty") == Filter()


def test_order_by_path_drops_empty_segments():
    assert parse(orderBy='"/a//b/"').order == "a/b"


@pytest.mark.parametrize(("text", "key"), [("abc", "abc"), ('"abc"', "abc"), ("123", "123"), ("a b", "a b")])
def test_shallow_read_accepts_raw_and_quoted_keys(text, key):
    filter = parse(shallow="true", startAfter=text, limitToFirst="2")
    assert (filter.start_after, filter.limit_to_first) == (Bound(key), 2)


FIVE = {"a": {"n": 0}, "b": {"n": 1}, "c": {"n": 2}, "d": {"n": 3}, "e": {"n": 4}}


@pytest.mark.parametrize(
    ("window", "numbers"),
    [
        ({"limitToFirst": "3"}, [0, 1, 2]),
        ({"limitToLast": "3"}, [2, 3, 4]),
        ({"startAt": "3"}, [3, 4]),
        ({"endAt": "1"}, [0, 1]),
        ({"equalTo": "2"}, [2]),
        ({"startAfter": "3"}, [4]),
        ({"endBefore": "1"}, [0]),
        ({"startAt": "2", "limitToLast": "2"}, [3, 4]),
        ({"startAt": "2", "limitToFirst": "2"}, [2, 3]),
        ({"endAt": "2", "limitToLast": "2"}, [1, 2]),
        ({"endAt": "2", "limitToFirst": "2"}, [0, 1]),
    ],
)
def test_filters_agree_by_child_value_and_key(window, numbers):
    by_child = seen(FIVE, orderBy='"n"', **window)
    assert sorted(child["n"] for child in by_child.values()) == numbers
    by_value = seen({key: child["n"] for key, child in FIVE.items()}, orderBy='"$value"', **window)
    assert sorted(by_value.values()) == numbers
    names = {name: json.dumps(text) if name[:5] != "limit" else text for name, text in window.items()}
    by_key = seen({str(i): {"i": i} for i in range(5)}, orderBy='"$key"', **names)
    children = by_key if isinstance(by_key, list) else by_key.values()
    assert sorted(child["i"] for child in children if child is not None) == numbers


def test_start_bound_includes_later_types():
    data = {
        "a": {"n": 1},
        "b": {"n": 9},
        "c": {"n": "text"},
        "d": {"n": {"x": 1}},
        "e": {"n": True},
        "f": {"m": 1},
        "g": 5,
    }
    assert set(seen(data, orderBy='"n"', startAt="5")) == {"b", "c", "d"}
    assert set(seen(data, orderBy='"n"', endAt="1")) == {"a", "e", "f", "g"}
    assert set(seen(data, orderBy='"n"', equalTo="null")) == {"f", "g"}


def test_order_by_priority():
    data = {"a": {".value": 1, ".priority": "x"}, "b": 2, "c": {"d": 1, ".priority": 3}}
    assert seen(data, orderBy='"$priority"', startAt="1") == {"a": 1, "c": {"d": 1}}
    assert seen(data, orderBy='"$priority"', limitToFirst="1") == {"b": 2}


def test_equal_values_are_ordered_by_key():
    data = dict.fromkeys("abcde", 7)
    assert set(seen(data, orderBy='"$value"', startAt='7,"c"')) == {"c", "d", "e"}
    assert set(seen(data, orderBy='"$value"', startAfter='7,"c"')) == {"d", "e"}
    assert set(seen(data, orderBy='"$value"', endAt='7,"c"')) == {"a", "b", "c"}
    assert seen(data, orderBy='"$value"', equalTo='7,"c"') == {"c": 7}
    assert seen(data, orderBy='"$value"', startAfter='7,"[MAX_NAME]"') is None
    assert len(seen(data, orderBy='"$value"', startAt='7,"[MIN_NAME]"')) == 5


def test_filtered_leaf_is_empty_and_ordered_leaf_is_unchanged():
    assert seen(5, orderBy='"$key"', limitToFirst="1") is None
    assert seen(5, orderBy='"$key"') == 5


def test_filtered_node_has_no_priority():
    node = Builder(0).build({"a": 1, "b": 2, ".priority": 9}, None, 0)
    assert tree.priority_of(query.apply_filter(node, parse(orderBy='"$key"', limitToFirst="1"))) is None
    assert tree.priority_of(query.apply_filter(node, parse(orderBy='"$key"'))) == 9
