"""Names, buckets and URLs, and the errors for invalid ones."""

from __future__ import annotations

from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import unquote

import pytest

from firebase_rest.errors import ConfigError, UsageError
from firebase_rest.storage.location import PRODUCTION, ObjectLocation, locate, parse_url

ROOT = ObjectLocation(PRODUCTION, "b")

NAMES = ["a b", "a%41b", "a#b", "a?b", "a+b", "é", "a/é/😀.png", "a&b=c", "[x]*", "tab\tin", "x" * 1024, "é" * 512]


@pytest.mark.parametrize("name", NAMES)
def test_name_is_encoded_once_into_one_segment(name):
    url = ROOT.child(name).url
    prefix = f"{PRODUCTION}/v0/b/b/o/"
    assert url.startswith(prefix)
    assert "/" not in url.removeprefix(prefix)
    assert unquote(url.removeprefix(prefix)) == name
    assert parse_url(url + "?alt=media&token=secret", None) == ROOT.child(name)


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("a", "b"), "a/b"),
        (("/a/", "/b/"), "a/b"),
        (("/a",), "a"),
        (("a/", "b c"), "a/b c"),
        ((1, 2.5), "1/2.5"),
        (("", "a", ""), "a"),
        ((), ""),
        ((PurePosixPath("a/b"), PureWindowsPath("c\\d")), "a/b/c/d"),
    ],
)
def test_child_joins_parts_by_slashes(parts, name):
    assert ROOT.child(*parts).name == name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a//b", "empty part"),
        ("x" * 1025, "1025 bytes"),
        ("é" * 513, "1026 bytes"),
        ("a\nb", "line break"),
        ("a\rb", "line break"),
        (".", "folder"),
        ("..", "folder"),
        (".well-known/acme-challenge/x", "reserves"),
        ("\ud800", "UTF-8"),
        (None, "None"),
    ],
)
def test_invalid_name_raises(name, words):
    with pytest.raises(UsageError, match=words):
        ROOT.child(name)


def test_length_limit_applies_to_the_complete_name():
    with pytest.raises(UsageError, match="1025 bytes"):
        ROOT.child("a" * 512).child("b" * 512)


def test_bucket_has_no_file_url():
    with pytest.raises(UsageError, match="must name a file"):
        _ = ROOT.url


@pytest.mark.parametrize(("name", "parent"), [("a/b/c", "a/b"), ("a", ""), ("a//b", "a"), ("a/", "")])
def test_parent_is_the_folder_above(name, parent):
    found = ROOT.at(name).parent
    assert found is not None
    assert found.name == parent
    assert ROOT.parent is None


@pytest.mark.parametrize(
    "bucket",
    [
        "p.appspot.com",
        "gs://p.appspot.com",
        "gs://p.appspot.com/",
        "p.appspot.com/",
        " p.appspot.com ",
        f"{PRODUCTION}/v0/b/p.appspot.com/o",
    ],
)
def test_bucket_names_are_normalized(bucket):
    assert locate(bucket, None) == ObjectLocation(PRODUCTION, "p.appspot.com")


@pytest.mark.parametrize(
    ("bucket", "emulator", "words"),
    [
        (None, None, "'storageBucket'"),
        (5, None, "int"),
        ("a/b", None, "not the name of a bucket"),
        ("", None, "not the name of a bucket"),
        ("https://example.com", None, "not the name of a bucket"),
        ("b", "http://127.0.0.1:9199", "without a scheme"),
    ],
)
def test_invalid_configuration_raises_at_first_use(bucket, emulator, words):
    location = locate(bucket, emulator).child("a")
    with pytest.raises(ConfigError, match=words):
        _ = location.url


def test_emulator_host_replaces_production():
    assert locate("b", "127.0.0.1:9199").child("a").url == "http://127.0.0.1:9199/v0/b/b/o/a"
    assert parse_url("gs://other/a/b", "127.0.0.1:9199").url == "http://127.0.0.1:9199/v0/b/other/o/a%2Fb"


@pytest.mark.parametrize(
    ("url", "bucket", "name"),
    [
        ("gs://b/a/b c#d?e.txt", "b", "a/b c#d?e.txt"),
        ("gs://b", "b", ""),
        ("gs://b/", "b", ""),
        ("gs://b/a//b", "b", "a//b"),
        ("gs://b/name ", "b", "name "),
        (" gs://b/ a\t", "b", " a\t"),
        ("gs://b\n", "b", ""),
        (f" {PRODUCTION}/v0/b/b/o/name%20 ", "b", "name "),
        (f"{PRODUCTION}/v0/b/b/o/a%2Fb%2520c.txt?alt=media&token=x", "b", "a/b%20c.txt"),
        (f"{PRODUCTION}/v0/b/b/o", "b", ""),
        ("http://127.0.0.1:9199/v0/b/b/o/a?alt=media", "b", "a"),
        ("https://storage.googleapis.com/b/a/b%20c.txt", "b", "a/b c.txt"),
        ("https://storage.cloud.google.com/b/a", "b", "a"),
    ],
)
def test_urls_are_parsed_exactly(url, bucket, name):
    assert parse_url(url, None) == ObjectLocation(PRODUCTION, bucket, name)


@pytest.mark.parametrize(
    "url", ["a/b", "https://example.com/x", "gs://", "gs://a b/c", "https://[", "", None, 5, "ftp://x/v0/b/b/o/a"]
)
def test_other_urls_raise(url):
    with pytest.raises(UsageError, match="ref\\(\\) must be"):
        parse_url(url, None)
