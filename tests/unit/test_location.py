"""Locations and their URLs."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import PurePosixPath
from uuid import UUID

import pytest

from firebase_rest import ConfigError, UsageError
from firebase_rest.database.location import Location, locate
from firebase_rest.database.snapshot import Item, Snapshot

ROOT = Location("https://x.firebaseio.com")


class Markup(str):
    """Text of a subclass, such as a template engine's."""

    __slots__ = ()


class EmptyText:
    """An object whose text is empty, such as a form field without input."""

    def __str__(self) -> str:
        return ""


@pytest.mark.parametrize(
    ("url", "base", "namespace"),
    [
        ("https://x.firebaseio.com", "https://x.firebaseio.com", None),
        ("https://x.firebaseio.com/", "https://x.firebaseio.com", None),
        (" https://x.firebaseio.com ", "https://x.firebaseio.com", None),
        ("https://x.europe-west1.firebasedatabase.app/", "https://x.europe-west1.firebasedatabase.app", None),
        ("https://x.firebaseio.com/?ns=y", "https://x.firebaseio.com", "y"),
        ("https://x.firebaseio.com?ns=y", "https://x.firebaseio.com", "y"),
        ("http://localhost:9000?ns=y", "http://localhost:9000", "y"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000", None),
        ("http://10.0.0.1:9000/?ns=y", "http://10.0.0.1:9000", "y"),
        ("http://[::1]:9000", "http://[::1]:9000", None),
    ],
)
def test_database_url_has_origin_and_namespace(url: str, base: str, namespace: str | None) -> None:
    location = locate(url, None)
    assert (location.origin, location.namespace, location.segments) == (base, namespace, ())


@pytest.mark.parametrize(
    ("url", "namespace"),
    [
        ("https://X-y.firebaseio.com/", "x-y"),
        ("https://x.europe-west1.firebasedatabase.app", "x"),
        ("https://x.firebaseio.com/?ns=y", "y"),
    ],
)
def test_emulator_replaces_host_and_keeps_namespace(url: str, namespace: str) -> None:
    location = locate(url, "127.0.0.1:9000")
    assert location.url == "http://127.0.0.1:9000/.json"
    assert location.params == (("ns", namespace),)


@pytest.mark.parametrize(
    ("url", "emulator", "words"),
    [
        (None, None, "no 'databaseURL'"),
        (5, None, "must be a string, got int"),
        ("x.firebaseio.com", None, "must be a URL"),
        ("ftp://x.firebaseio.com", None, "must be a URL"),
        ("https://", None, "must be a URL"),
        ("https://[broken", None, "must be a URL"),
        ("http://x.firebaseio.com", None, "must start with https"),
        ("https://console.firebase.google.com/u/0/project/x/database/x/data", None, "not that of the console"),
        ("https://x.firebaseio.com/users", None, "must not have a path"),
        ("https://x.firebaseio.com/users", "127.0.0.1:9000", "must not have a path"),
        ("https://x.firebaseio.com", "http://127.0.0.1:9000", "without a scheme"),
    ],
)
def test_invalid_database_url_raises_at_first_use(url: object, emulator: str | None, words: str) -> None:
    location = locate(url, emulator)
    assert location.child("a").path == "a"
    with pytest.raises(ConfigError, match=words):
        _ = location.child("a").url


@pytest.mark.parametrize(
    ("parts", "path"),
    [
        ((), ""),
        (("a",), "a"),
        (("a", "b"), "a/b"),
        (("/a/b/",), "a/b"),
        (("/", "a//b", "/c"), "a/b/c"),
        (("/",), ""),
        (("///",), ""),
        ((" ",), " "),
        ((1, True), "1/True"),
        (("a b", "é?", "%41"), "a b/é?/%41"),
    ],
)
def test_child_joins_its_arguments(parts: tuple[object, ...], path: str) -> None:
    assert ROOT.child(*parts).path == path


def test_url_encodes_segments_once() -> None:
    assert ROOT.child("a b", "é?", "%41").url == "https://x.firebaseio.com/a%20b/%C3%A9%3F/%2541.json"


@pytest.mark.parametrize(
    ("parts", "location"),
    [
        (("",), "/"),
        (("", ""), "/"),
        (("", "users"), "/"),
        (("/", ""), "/"),
        ((Markup(""),), "/"),
        ((EmptyText(),), "/"),
        (("users", "ada", ""), "/users/ada"),
        (("users", "", "ada"), "/users"),
        (("users/", "/"), "/users"),
        (("users", "///"), "/users"),
    ],
)
def test_child_without_a_key_raises(parts: tuple[object, ...], location: str) -> None:
    with pytest.raises(UsageError, match=f"would refer to {location} itself"):
        ROOT.child(*parts)
    with pytest.raises(UsageError, match="would refer to /above itself"):
        ROOT.child("above").child(parts[0] if not str(parts[0]).strip("/") else "")


def generator() -> Iterator[str]:
    yield "users"


async def coroutine() -> str:
    return "users"


NO_PATHS: dict[str, tuple[object, str]] = {
    "None": (None, "got NoneType; check the variable"),
    "bytes": (b"users", "got bytes; decode it"),
    "bytearray": (bytearray(b"users"), "got bytearray; decode it"),
    "memoryview": (memoryview(b"users"), "got memoryview; decode it"),
    "result of push": ({"name": "-N"}, r'got dict; pass its \["name"\]'),
    "dict": ({"a": 1}, "got dict; pass one of its values"),
    "list": (["users", "ada"], r"got list; .*child\(\*items\)"),
    "tuple": (("users", "ada"), r"got tuple; .*child\(\*items\)"),
    "set": ({"users"}, "got set; pass text"),
    "dict keys": ({"users": 1}.keys(), "got dict_keys"),
    "range": (range(3), "got range"),
    "generator": (generator(), "got generator"),
    "coroutine": (coroutine(), "got coroutine"),
    "snapshot": (Snapshot("users", 1), r"got Snapshot; pass its \.key\(\)"),
    "item": (Item("users", 1), r"got Item; pass its \.key\(\)"),
    "method": (Item("users", 1).key, "got method; call it"),
    "builtin": ("users".upper, "got builtin_function_or_method; call it"),
    "class": (str, "got type; call it"),
    "partial": (partial(str, "users"), "got partial; call it"),
    "object": (object(), "got object; pass text"),
}


@pytest.mark.parametrize(("part", "words"), NO_PATHS.values(), ids=NO_PATHS)
def test_child_with_other_objects_raises_with_advice(part: object, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        ROOT.child("users", part)
    if inspect.iscoroutine(part):
        part.close()


@pytest.mark.parametrize(
    ("part", "path"),
    [
        (5, "5"),
        (True, "True"),
        (date(2024, 1, 2), "2024-01-02"),
        (UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        (PurePosixPath("a/b"), "a/b"),
        (Markup("ada"), "ada"),
        ("<b>", "<b>"),
    ],
)
def test_child_converts_numbers_dates_and_uuids(part: object, path: str) -> None:
    assert ROOT.child(part).path == path


@pytest.mark.parametrize("part", [None, "a.b", "$a", "a/b#c", "[0]", "a\x00", 1.5])
def test_child_with_invalid_key_raises(part: object) -> None:
    with pytest.raises(UsageError):
        ROOT.child("ok", part)


def test_child_beyond_path_limits_raises() -> None:
    deep = ROOT.child(*"a" * 32)
    with pytest.raises(UsageError, match="33 levels"):
        deep.child("a")
    with pytest.raises(UsageError, match="768 bytes"):
        ROOT.child("a" * 500).child("b" * 500)
