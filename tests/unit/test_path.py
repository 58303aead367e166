"""Keys and paths: validation and encoding."""

from __future__ import annotations

import pytest

from firebase_rest import UsageError
from firebase_rest.database.path import (
    MAX_DEPTH,
    MAX_KEY_BYTES,
    array_length,
    check_path,
    check_segment,
    is_valid_key,
    parse_url_path,
    split,
    url_path,
)

FORBIDDEN = [*".$#[]/", *map(chr, range(0x20)), "\x7f"]
AWKWARD = [
    "a b",
    "é",
    "日本",
    "?",
    "+",
    "%",
    "%41",
    "a%2Fb",
    "&=",
    "'",
    '"',
    "😀",
    "\u2028",
    "\x80",
    "~",
    "..".replace(".", ","),
]


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("", ()),
        ("/", ()),
        ("a", ("a",)),
        ("/a/b/", ("a", "b")),
        ("//a///b", ("a", "b")),
        (" a / b ", (" a ", " b ")),
        ("a%2Fb", ("a%2Fb",)),
    ],
)
def test_split_ignores_extra_slashes(path: str, segments: tuple[str, ...]) -> None:
    assert split(path) == segments


@pytest.mark.parametrize("character", FORBIDDEN)
def test_forbidden_character_raises_at_any_position(character: str) -> None:
    for key in (character, f"a{character}", f"{character}b", f"a{character}b"):
        assert not is_valid_key(key)
        with pytest.raises(UsageError, match="cannot contain"):
            check_segment(key, "/users")


@pytest.mark.parametrize("key", AWKWARD)
def test_other_characters_are_valid(key: str) -> None:
    assert is_valid_key(key)
    check_segment(key, "/users")


def test_empty_key_raises_with_its_path() -> None:
    assert not is_valid_key("")
    with pytest.raises(UsageError, match="/users is empty"):
        check_segment("", "/users")


def test_error_names_key_path_and_character() -> None:
    with pytest.raises(UsageError) as caught:
        check_segment("ada@example.com", "/users")
    assert "'ada@example.com'" in str(caught.value)
    assert "/users" in str(caught.value)
    assert "'.'" in str(caught.value)


@pytest.mark.parametrize(
    "path", ["users/eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0."]
)
def test_token_as_key_is_not_shown(path: str) -> None:
    with pytest.raises(UsageError) as caught:
        check_path(split(path), path)
    assert str(caught.value) == "A key must not be a token; pass the token to the call, such as get(token)."


@pytest.mark.parametrize("letter", ["a", "é", "中", "😀"])
def test_keys_are_limited_to_768_bytes(letter: str) -> None:
    longest = MAX_KEY_BYTES // len(letter.encode())
    check_segment(letter * longest, "/")
    with pytest.raises(UsageError, match="768 bytes"):
        check_segment(letter * (longest + 1), "/")


def test_unpaired_surrogate_raises() -> None:
    with pytest.raises(UsageError, match="surrogate"):
        check_segment("a\ud83d", "/")


def test_paths_are_limited_to_32_levels() -> None:
    check_path(("a",) * MAX_DEPTH, "/a/...")
    with pytest.raises(UsageError, match="33 levels"):
        check_path(("a",) * (MAX_DEPTH + 1), "/a/...")


def test_paths_are_limited_to_768_bytes() -> None:
    check_path(("a" * 383, "b" * 384), "/...")
    with pytest.raises(UsageError, match="769 bytes"):
        check_path(("a" * 384, "b" * 384), "/...")


@pytest.mark.parametrize(
    ("segments", "url"),
    [
        ((), "/.json"),
        (("a",), "/a.json"),
        (("a", "b c"), "/a/b%20c.json"),
        (("é", "a+b", "100%"), "/%C3%A9/a%2Bb/100%25.json"),
        (("%41",), "/%2541.json"),
        (("a?b&c=d",), "/a%3Fb%26c%3Dd.json"),
        (("-_~",), "/-_~.json"),
    ],
)
def test_segments_are_percent_encoded_once(segments: tuple[str, ...], url: str) -> None:
    assert url_path(segments) == url


@pytest.mark.parametrize("key", AWKWARD)
def test_encoded_path_is_decoded_to_the_same_segments(key: str) -> None:
    assert parse_url_path(url_path(("a", key, "b")).removesuffix(".json")) == ("a", key, "b")


def test_url_path_is_decoded_once_with_plus_as_space() -> None:
    assert parse_url_path("//a+b/%2541//%2B/") == ("a b", "%41", "+")


@pytest.mark.parametrize(
    ("keys", "length"),
    [
        ("0", 1),
        ("1", 2),
        ("2", 0),
        ("0 1 2", 3),
        ("0 2 3 4", 5),
        ("2 4", 0),
        ("1 2 3", 4),
        ("00", 0),
        ("-1", 0),
        ("0 x", 0),
        ("0 1 03", 0),
        ("0 ١", 0),
        ("0 1 ²", 0),
        ("0 99999999999999999999", 0),
        ("", 0),
    ],
)
def test_array_length_follows_the_rule_of_the_sdks(keys: str, length: int) -> None:
    assert array_length(keys.split()) == length
