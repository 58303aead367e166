"""Keys and paths: what may stand in one, and how it travels in a URL."""

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
def test_slashes_separate_segments_and_empty_ones_are_dropped(path: str, segments: tuple[str, ...]) -> None:
    assert split(path) == segments


@pytest.mark.parametrize("character", FORBIDDEN)
def test_a_forbidden_character_is_refused_wherever_it_stands(character: str) -> None:
    for key in (character, f"a{character}", f"{character}b", f"a{character}b"):
        assert not is_valid_key(key)
        with pytest.raises(UsageError, match="cannot contain"):
            check_segment(key, "/users")


@pytest.mark.parametrize("key", AWKWARD)
def test_other_characters_are_keys_as_they_are(key: str) -> None:
    assert is_valid_key(key)
    check_segment(key, "/users")


def test_an_empty_key_is_refused_with_the_place_where_it_stands() -> None:
    assert not is_valid_key("")
    with pytest.raises(UsageError, match="/users is empty"):
        check_segment("", "/users")


def test_a_refusal_names_the_key_the_place_and_the_character() -> None:
    with pytest.raises(UsageError) as caught:
        check_segment("ada@example.com", "/users")
    assert "'ada@example.com'" in str(caught.value)
    assert "/users" in str(caught.value)
    assert "'.'" in str(caught.value)


@pytest.mark.parametrize("letter", ["a", "é", "中", "😀"])
def test_a_key_has_at_most_768_bytes_of_utf8(letter: str) -> None:
    longest = MAX_KEY_BYTES // len(letter.encode())
    check_segment(letter * longest, "/")
    with pytest.raises(UsageError, match="768 bytes"):
        check_segment(letter * (longest + 1), "/")


def test_half_of_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(UsageError, match="surrogate"):
        check_segment("a\ud83d", "/")


def test_a_path_has_at_most_32_levels() -> None:
    check_path(("a",) * MAX_DEPTH, "/a/...")
    with pytest.raises(UsageError, match="33 levels"):
        check_path(("a",) * (MAX_DEPTH + 1), "/a/...")


def test_a_path_has_at_most_768_bytes_with_its_slashes() -> None:
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
def test_every_segment_is_percent_encoded_once(segments: tuple[str, ...], url: str) -> None:
    assert url_path(segments) == url


@pytest.mark.parametrize("key", AWKWARD)
def test_an_encoded_path_reads_back_as_it_was(key: str) -> None:
    assert parse_url_path(url_path(("a", key, "b")).removesuffix(".json")) == ("a", key, "b")


def test_a_raw_path_is_decoded_once_with_plus_as_a_space_and_empty_segments_dropped() -> None:
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
def test_children_read_as_an_array_when_all_are_indexes_and_more_than_half_of_the_places_are_taken(
    keys: str, length: int
) -> None:
    assert array_length(keys.split()) == length
