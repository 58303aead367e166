"""Checksums of bytes, and their forms in headers and metadata."""

from __future__ import annotations

import sys

import pytest

from firebase_rest.errors import ChecksumMismatch
from firebase_rest.storage import crc32c
from firebase_rest.storage.checksum import Checksum, ExpectedChecksum

HELLO = 3381945770  # of b"hello world"; yZRlqg== in base64
HELLO_MD5 = "XrY7u+Ae7tCTyyK7j1rNww=="


@pytest.mark.parametrize("text", ["yZRlqg==", "3381945770"])
def test_crc32c_is_parsed_from_base64_and_decimal(text):
    assert ExpectedChecksum.from_metadata({"crc32c": text}).crc32c == HELLO
    assert ExpectedChecksum.from_headers({"x-goog-hash": f"crc32c={text}"}).crc32c == HELLO


@pytest.mark.parametrize(
    "value", ["crc32c=yZRlqg==, md5=XrY7u+Ae7tCTyyK7j1rNww==", "md5=XrY7u+Ae7tCTyyK7j1rNww==,crc32c=3381945770"]
)
def test_hash_header_contains_both_checksums(value):
    assert ExpectedChecksum.from_headers({"x-goog-hash": value}) == ExpectedChecksum(HELLO_MD5, HELLO)


@pytest.mark.parametrize("value", ["", "crc32c=", "crc32c=!!", "crc32c=AAAA", "nonsense", "md5="])
def test_invalid_checksum_header_is_ignored(value):
    assert ExpectedChecksum.from_headers({"x-goog-hash": value}) == ExpectedChecksum()


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (ExpectedChecksum(size=10), "11 bytes were transferred, and Firebase has 10 bytes"),
        (ExpectedChecksum(md5="x"), "MD5 of the transferred bytes is XrY7u.*, and Firebase has x"),
        (ExpectedChecksum(crc32c=1), "CRC-32C of the transferred bytes is yZRlqg==, and Firebase has AAAAAQ=="),
    ],
)
def test_checksum_mismatch_names_the_difference(expected, words):
    summed = Checksum(crc32c=True)
    summed.update(b"hello ")
    summed.update(b"world")
    with pytest.raises(ChecksumMismatch, match=words):
        summed.check(expected, "a.txt")
    summed.check(ExpectedChecksum(HELLO_MD5, HELLO, 11), "a.txt")


def test_md5_is_preferred_without_google_crc32c(monkeypatch):
    monkeypatch.setitem(sys.modules, "google_crc32c", None)
    crc32c._fastest.cache_clear()
    try:
        cheapest = Checksum.cheapest(ExpectedChecksum("x", 1))
        cheapest.update(b"hello world")
        assert cheapest.difference(ExpectedChecksum(None, 1)) is None
        assert cheapest.difference(ExpectedChecksum(HELLO_MD5)) is None
        composed = Checksum.cheapest(ExpectedChecksum(None, HELLO))
        composed.update(b"hello world")
        assert composed.difference(ExpectedChecksum(None, HELLO)) is None
        assert composed.difference(ExpectedChecksum(None, 1)) is not None
    finally:
        crc32c._fastest.cache_clear()


def test_metadata_of_wrong_types_are_ignored():
    assert ExpectedChecksum.from_metadata({"size": 5, "md5Hash": None, "crc32c": 7}) == ExpectedChecksum()
