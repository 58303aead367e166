"""CRC-32C (Castagnoli), the checksum of every object in Cloud Storage.

The package `google_crc32c` computes the checksum if it is installed with its C extension. The fallback divides a block
into lanes. Each step advances all lanes by one byte, with four table look-ups by `bytes.translate` and xors of large
integers. That is about ten times as fast as a loop over bytes.
https://cloud.google.com/storage/docs/data-validation
"""

from __future__ import annotations

import warnings
from base64 import b64encode
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_POLYNOMIAL = 0x82F63B78  # 0x1EDC6F41 with its bits reversed
_STEPS = 64
"""Number of bytes of a lane. Fewer bytes mean longer vectors, but more lanes to join."""

_SMALLEST_BLOCK = 16 * _STEPS
"""Number of bytes of the smallest block that is divided into lanes."""


def extend(checksum: int, data: bytes) -> int:
    """Return the checksum of earlier bytes and `data`, given the checksum of the earlier bytes (0 for none)."""
    return _fastest()(checksum, data)


@lru_cache
def _fastest() -> Callable[[int, bytes], int]:
    google_crc32c: Any  # the package has no types
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the package warns if its C extension is missing
            import google_crc32c  # pyright: ignore[reportMissingImports]
    except ImportError:
        return extend_in_python
    return google_crc32c.extend if getattr(google_crc32c, "implementation", "") == "c" else extend_in_python


def has_extension() -> bool:
    """Return whether google_crc32c is installed with its C extension, which is several times as fast as MD5."""
    return _fastest() is not extend_in_python


def to_base64(checksum: int) -> str:
    """Return a checksum in Firebase's form: four big-endian bytes in base64."""
    return b64encode(checksum.to_bytes(4, "big")).decode()


def extend_in_python(checksum: int, data: bytes) -> int:
    """Return the same as `extend`, computed without another package."""
    state = checksum ^ 0xFFFFFFFF
    block_size = len(data) - len(data) % _STEPS if len(data) >= _SMALLEST_BLOCK else 0
    if block_size:
        state = _join_lanes(_compute_lanes(state, data[:block_size]))
    table = _byte_table()
    for byte in data[block_size:]:
        state = table[(state ^ byte) & 0xFF] ^ (state >> 8)
    return state ^ 0xFFFFFFFF


def _compute_lanes(state: int, block: bytes) -> tuple[bytes, bytes, bytes, bytes]:
    """Return the registers of all lanes, byte by byte (lowest first), after their parts of `block`.

    The first lane starts with `state`, the others with 0.
    """
    lanes = len(block) // _STEPS
    translations = _translations()
    planes = [(state >> shift) & 0xFF for shift in (0, 8, 16, 24)]  # the first lane is in the lowest byte
    for step in range(_STEPS):
        row = int.from_bytes(block[step::_STEPS], "little") ^ planes[0]
        index = row.to_bytes(lanes, "little")
        looked_up = [int.from_bytes(index.translate(table), "little") for table in translations]
        planes = [planes[1] ^ looked_up[0], planes[2] ^ looked_up[1], planes[3] ^ looked_up[2], looked_up[3]]
    low, second, third, high = (plane.to_bytes(lanes, "little") for plane in planes)
    return low, second, third, high


def _join_lanes(planes: tuple[bytes, bytes, bytes, bytes]) -> int:
    """Return the register after all lanes: each register is shifted by the length of a lane and xored with the next."""
    first, second, third, fourth = _shift_tables()
    state = 0
    for low, middle, upper, high in zip(*planes, strict=True):
        state = first[state & 0xFF] ^ second[state >> 8 & 0xFF] ^ third[state >> 16 & 0xFF] ^ fourth[state >> 24]
        state ^= low | middle << 8 | upper << 16 | high << 24
    return state


@lru_cache
def _byte_table() -> list[int]:
    """Return the registers that result from each byte and a following zero byte."""
    table: list[int] = []
    for number in range(256):
        value = number
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return table


@lru_cache
def _translations() -> list[bytes]:
    """Return each of the four bytes of `_byte_table` as a table for `bytes.translate`."""
    return [bytes(value >> shift & 0xFF for value in _byte_table()) for shift in (0, 8, 16, 24)]


@lru_cache
def _shift_tables() -> list[list[int]]:
    """Return the registers that result from `_STEPS` zero bytes, one table for each byte of the register."""
    table = _byte_table()
    tables: list[list[int]] = []
    for shift in (0, 8, 16, 24):
        row: list[int] = []
        for number in range(256):
            state = number << shift
            for _ in range(_STEPS):
                state = table[state & 0xFF] ^ (state >> 8)
            row.append(state)
        tables.append(row)
    return tables
