"""The emulator accepts values, queries and updates that the client accepts, with the same meaning; both reject the
same keys.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from firebase_rest import UsageError
from firebase_rest.database.encoding import Encoded, encode, encode_update
from firebase_rest.database.filter import Filter
from firebase_rest.database.location import Location
from firebase_rest.database.path import MAX_KEY_BYTES, is_valid_key
from firebase_rest.emulator import Emulator
from firebase_rest.emulator.database.query import parse
from firebase_rest.transport.wire import Request
from properties.strategies import any_text, good_keys, legal_filters, scalars, trees

PLACE = Location("http://127.0.0.1", "wire").child("x")
EMULATOR = Emulator()

any_keys = st.one_of(any_text, good_keys, st.sampled_from([".value", ".priority", ".sv", "", "a.b", "k" * 769]))
wild = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(any_keys, inner, max_size=3)),
    max_leaves=8,
)


def send(method: str, body: bytes) -> Any:
    return EMULATOR.handle(Request(method, PLACE.url, PLACE.params, body=body))


@given(legal_filters())
def test_emulator_parses_query_to_the_same_filter(filter: Filter) -> None:
    filter.validated_params()
    parsed = parse(dict(filter.params()), 1)
    assert parsed == filter
    assert parsed.params() == filter.params()


@given(trees())
def test_valid_values_are_accepted_and_normalized(value: Any) -> None:
    response = send("PUT", encode(value, PLACE.segments).body)
    assert response.status == 200
    assert response.json() == json.loads(json.dumps(value))


def error_of(make: Callable[[object, Sequence[str]], Encoded], value: object) -> str | None:
    """Return the client's error message, or None if it accepts."""
    try:
        make(value, PLACE.segments)
    except UsageError as error:
        return str(error)
    return None


@given(wild)
def test_emulator_accepts_values_that_the_client_accepts(value: Any) -> None:
    error = error_of(encode, value)
    if error is None:
        assert send("PUT", encode(value, PLACE.segments).body).status == 200
    else:
        assert "/x" in error


@given(wild)
def test_client_rejects_values_that_the_emulator_rejects(value: Any) -> None:
    if send("PUT", json.dumps(value).encode()).status != 200:
        assert "/x" in (error_of(encode, value) or "")


@given(any_keys)
def test_client_and_emulator_agree_on_keys(key: str) -> None:
    value = {"a": {key: 1}}
    error = error_of(encode, value)
    if key not in {".value", ".priority", ".sv"}:
        accepted = send("PUT", json.dumps(value).encode()).status == 200
        assert accepted == (error is None) == (is_valid_key(key) and len(key.encode()) <= MAX_KEY_BYTES)
    assert error is None or "/x/a" in error


@given(st.dictionaries(st.lists(any_keys, max_size=3).map("/".join), wild, max_size=4))
def test_emulator_accepts_updates_that_the_client_accepts(update: dict[str, Any]) -> None:
    error = error_of(encode_update, update)
    if error is None:
        assert send("PATCH", encode_update(update, PLACE.segments).body).status == 200
    else:
        assert "/x" in error


@given(st.dictionaries(st.lists(any_keys, max_size=3).map("/".join), wild, max_size=4))
def test_client_rejects_updates_that_the_emulator_rejects(update: dict[str, Any]) -> None:
    if send("PATCH", json.dumps(update).encode()).status != 200:
        assert "/x" in (error_of(encode_update, update) or "")
