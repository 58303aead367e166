"""CRC-32C, with and without google_crc32c."""

from __future__ import annotations

import random
import sys
import types

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firebase_rest.storage import crc32c


def bit_by_bit(data, checksum=0):
    """The definition of CRC-32C, bit by bit."""
    state = checksum ^ 0xFFFFFFFF
    for byte in data:
        state ^= byte
        for _ in range(8):
            state = state >> 1 ^ (0x82F63B78 if state & 1 else 0)
    return state ^ 0xFFFFFFFF


@pytest.fixture(params=["with the installed packages", "alone"], autouse=True)
def both_ways(request, monkeypatch):
    if request.param == "alone":
        monkeypatch.setitem(sys.modules, "google_crc32c", None)  # as if it were not installed
    crc32c._fastest.cache_clear()
    yield
    crc32c._fastest.cache_clear()


def test_package_without_c_extension_is_ignored(monkeypatch):
    slow = types.SimpleNamespace(implementation="python", extend=None)
    monkeypatch.setitem(sys.modules, "google_crc32c", slow)
    crc32c._fastest.cache_clear()
    assert crc32c._fastest() is crc32c.extend_in_python


def test_known_checksums():
    assert crc32c.extend(0, b"") == 0
    assert crc32c.extend(0, b"123456789") == 3808858755
    assert crc32c.to_base64(3808858755) == "4waSgw=="
    assert crc32c.to_base64(crc32c.extend(0, b"hello world")) == "yZRlqg=="
    assert crc32c.to_base64(0) == "AAAAAA=="
    assert crc32c.extend(0, bytes(32)) == 0x8A9136AA  # RFC 3720, appendix B.4
    assert crc32c.extend(0, b"\xff" * 32) == 0x62A8AB43


@pytest.mark.parametrize("size", [1, 63, 64, 65, 1023, 1024, 1025, 4096, 100_003])
def test_every_size_matches_the_definition(size):
    data = random.Random(size).randbytes(size)
    for start in (0, 0xFFFFFFFF, 0x12345678):
        assert crc32c.extend(start, data) == bit_by_bit(data, start)


@given(st.binary(max_size=3000), st.integers(0, 3000))
def test_checksum_can_be_extended_at_any_byte(data, cut):
    expected = crc32c.extend_in_python(0, data)
    assert crc32c.extend_in_python(crc32c.extend_in_python(0, data[:cut]), data[cut:]) == expected
