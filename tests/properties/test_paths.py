"""A path survives URL encoding, with our parser and the standard library's."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from firebase_rest import UsageError
from firebase_rest.database.location import Location
from firebase_rest.database.path import parse_url_path, split, url_path
from firebase_rest.emulator import Emulator
from firebase_rest.transport.wire import Request
from properties.strategies import any_text, good_keys, paths

ROOT = Location("http://127.0.0.1", "paths")


@given(paths)
def test_path_survives_url_encoding(segments: tuple[str, ...]) -> None:
    raw = url_path(segments)
    assert raw.endswith(".json")
    assert raw.isascii()
    assert parse_url_path(raw.removesuffix(".json")) == segments
    assert tuple(filter(None, map(unquote, raw.removesuffix(".json").split("/")))) == segments


@given(paths)
def test_requests_keeps_an_encoded_path(segments: tuple[str, ...]) -> None:
    url = ROOT.at(segments).url
    prepared = requests.Request("GET", url).prepare()
    assert prepared.url is not None
    assert urlsplit(prepared.url).path == url_path(segments)


@given(paths, st.lists(st.integers(1, 3)))
def test_joining_and_splitting_keeps_the_path(segments: tuple[str, ...], slashes: list[int]) -> None:
    gaps = [*slashes, *[1] * len(segments)]
    text = "".join("/" * gap + segment for gap, segment in zip(gaps, segments, strict=False))
    assert split(text) == segments
    assert not text or ROOT.child(text).segments == segments
    assert ROOT.child(*segments).segments == segments


@given(any_text, any_text)
def test_text_is_split_into_segments_or_rejected(one: str, other: str) -> None:
    if any(character in ".$#[]\x7f" or character < " " for character in one + other):
        with pytest.raises(UsageError):
            ROOT.child(one, other)
    elif not one or not other or (split(one) and not split(other)):
        with pytest.raises(UsageError, match="has no key"):
            ROOT.child(one, other)
    else:
        assert ROOT.child(one, other).segments == (*split(one), *split(other))


@given(good_keys, good_keys)
def test_value_is_found_under_its_key_only(key: str, other: str) -> None:
    emulator = Emulator()
    url = ROOT.child("x", key).url
    emulator.handle(Request("PUT", url, ROOT.params, body=b"1"))
    found = emulator.handle(Request("GET", ROOT.child("x", other).url, ROOT.params)).json()
    assert found == (1 if key == other else None)
    assert emulator.handle(Request("GET", ROOT.child("x").url, (*ROOT.params, ("shallow", "true")))).json() == {
        key: True
    }
