"""CRC-32C (Castagnoli), the checksum that Cloud Storage keeps of every object.

Done by the package `google_crc32c` where it is installed with its C extension. Without that, what Python does fast with
many bytes at once does most of the work: a block is cut into lanes, and each step advances all lanes by one byte with
four `bytes.translate` calls (table look-ups) and xors of large integers. That is some ten times as fast as a loop over
bytes.
https://cloud.google.com/storage/docs/data-validation
"""

from __future__ import annotations

import warnings
from base64 import b64encode
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_POLYNOMIAL = 0x82F63B78  # 0x1EDC6F41, its bits turned round
_STEPS = 64
"""Bytes in a lane. Fewer mean longer vectors but more lanes to join."""

_SMALLEST_BLOCK = 16 * _STEPS
"""Bytes below which the lanes would be too few to be worth it."""


def extend(checksum: int, data: bytes) -> int:
    """The checksum of some bytes followed by `data`, given the checksum of the former (0 for none)."""
    return _fastest()(checksum, data)


@lru_cache
def _fastest() -> Callable[[int, bytes], int]:
    google_crc32c: Any  # it comes without types
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says that it is slow where its C extension is missing
            import google_crc32c  # pyright: ignore[reportMissingImports]
    except ImportError:
        return extend_here
    return google_crc32c.extend if google_crc32c.implementation == "c" else extend_here


def in_base64(checksum: int) -> str:
    """A checksum as Firebase writes it: four big-endian bytes in base64."""
    return b64encode(checksum.to_bytes(4, "big")).decode()


def extend_here(checksum: int, data: bytes) -> int:
    """As `extend`, without the help of any package."""
    state = checksum ^ 0xFFFFFFFF
    whole = len(data) - len(data) % _STEPS if len(data) >= _SMALLEST_BLOCK else 0
    if whole:
        state = _joined(_lanes(state, data[:whole]))
    table = _table()
    for byte in data[whole:]:
        state = table[(state ^ byte) & 0xFF] ^ (state >> 8)
    return state ^ 0xFFFFFFFF


def _lanes(state: int, block: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """The registers of all lanes, byte by byte (lowest first), each after its own part of `block`; the first lane began
    with `state`, the others with 0.
    """
    lanes = len(block) // _STEPS
    translations = _translations()
    planes = [(state >> shift) & 0xFF for shift in (0, 8, 16, 24)]  # in the lowest byte: the first lane's
    for step in range(_STEPS):
        row = int.from_bytes(block[step::_STEPS], "little") ^ planes[0]
        index = row.to_bytes(lanes, "little")
        looked_up = [int.from_bytes(index.translate(table), "little") for table in translations]
        planes = [planes[1] ^ looked_up[0], planes[2] ^ looked_up[1], planes[3] ^ looked_up[2], looked_up[3]]
    low, second, third, high = (plane.to_bytes(lanes, "little") for plane in planes)
    return low, second, third, high


def _joined(planes: tuple[bytes, bytes, bytes, bytes]) -> int:
    """The register after all lanes in a row: each is moved on by the length of the next one and xored with it."""
    first, second, third, fourth = _shift()
    state = 0
    for low, middle, upper, high in zip(*planes, strict=True):
        state = first[state & 0xFF] ^ second[state >> 8 & 0xFF] ^ third[state >> 16 & 0xFF] ^ fourth[state >> 24]
        state ^= low | middle << 8 | upper << 16 | high << 24
    return state


@lru_cache
def _table() -> list[int]:
    """What a register becomes that holds one byte and takes in a zero byte."""
    table: list[int] = []
    for number in range(256):
        value = number
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


@lru_cache
def _translations() -> list[bytes]:
    """The four bytes of `_table`, each as a table for `bytes.translate`."""
    return [bytes(value >> shift & 0xFF for value in _table()) for shift in (0, 8, 16, 24)]


@lru_cache
def _shift() -> list[list[int]]:
    """What a register becomes when `_STEPS` zero bytes follow, one table for each of its bytes."""
    table = _table()
    tables: list[list[int]] = []
    for place in (0, 8, 16, 24):
        row: list[int] = []
        for number in range(256):
            state = number << place
            for _ in range(_STEPS):
                state = table[state & 0xFF] ^ (state >> 8)
            row.append(state)
        tables.append(row)
    return tables
