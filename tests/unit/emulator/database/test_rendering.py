"""JSON in the formats of Firebase's servers."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebase_rest.emulator.database.responses import compact, error_body, pretty

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
)


@given(JSON)
def test_both_formats_parse_back(value):
    assert json.loads(compact(value)) == value
    assert json.loads(pretty(value)) == value


def test_error_body_matches_production():
    assert error_body("Permission denied") == b'{\n  "error" : "Permission denied"\n}\n'
    assert len(error_body("Permission denied")) == 36


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": 1, "b": {"c": [1, 2]}}, '{\n  "a" : 1,\n  "b" : {\n    "c" : [ 1, 2 ]\n  }\n}'),
        ([{"a": 1}, {"b": 2}], '[ {\n  "a" : 1\n}, {\n  "b" : 2\n} ]'),
        ({"a": [{"b": 1}]}, '{\n  "a" : [ {\n    "b" : 1\n  } ]\n}'),
        ({}, "{ }"),
        ([], "[ ]"),
        ("é", '"é"'),
        (None, "null"),
    ],
)
def test_pretty_format_matches_jackson(value, text):
    assert pretty(value).decode() == text


def test_compact_format_has_minimal_escapes():
    assert compact({"é": '"\\\n\u2028'}) == '{"é":"\\"\\\\\\n\u2028"}'.encode()
