"""Compute the MD5 and CRC-32C of transferred bytes, and compare them with an object's metadata.

https://cloud.google.com/storage/docs/data-validation
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from firebase_rest.errors import ChecksumMismatch
from firebase_rest.storage.crc32c import extend, has_extension, to_base64
from firebase_rest.transport.json_fields import str_or_none


@dataclass(frozen=True, slots=True)
class ExpectedChecksum:
    """The MD5 (base64), CRC-32C and size in bytes of a stored object; None where the server does not send them."""

    md5: str | None = None
    crc32c: int | None = None
    size: int | None = None

    @property
    def has_checksum(self) -> bool:
        return self.md5 is not None or self.crc32c is not None

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> ExpectedChecksum:
        """Return the checksums in an object's metadata. Invalid values count as missing."""
        md5, crc32c, size = (str_or_none(metadata.get(name)) or "" for name in ("md5Hash", "crc32c", "size"))
        return cls(_parse_md5(md5), _parse_crc32c(crc32c), parse_decimal(size))

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> ExpectedChecksum:
        """Return the checksums in the headers of a download: `x-goog-hash: crc32c=...,md5=...`, and the stored size."""
        checksums: dict[str, str] = {}
        for entry in headers.get("x-goog-hash", "").split(","):
            name, _, text = entry.strip().partition("=")  # at the first "=", because base64 can end in "="
            checksums[name.lower()] = text.strip()
        size = parse_decimal(headers.get("x-goog-stored-content-length", ""))
        return cls(_parse_md5(checksums.get("md5", "")), _parse_crc32c(checksums.get("crc32c", "")), size)


def parse_decimal(text: str) -> int | None:
    """Return the value of decimal digits, or None for other text and for numbers of 20 digits or more."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 20 else None


def _parse_md5(text: str) -> str | None:
    return text if _is_base64(text, 16) else None


def _parse_crc32c(text: str) -> int | None:
    """Parse base64 of four big-endian bytes, which production sends, or decimal digits of the official emulator."""
    number = parse_decimal(text)
    if number is not None:
        return number & 0xFFFFFFFF
    return int.from_bytes(b64decode(text), "big") if _is_base64(text, 4) else None


def _is_base64(text: str, size: int) -> bool:
    """Return whether `text` is base64 of exactly `size` bytes."""
    try:
        return len(b64decode(text, validate=True)) == size
    except ValueError:
        return False


class Hasher(Protocol):
    """The interface of hashlib's objects and `ThreadedMD5`."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class Checksum:
    """The size and the MD5, CRC-32C or both of consecutive bytes. `hasher` computes the MD5 in place of hashlib."""

    def __init__(self, *, md5: bool = True, crc32c: bool = False, hasher: Hasher | None = None) -> None:
        self.size = 0
        self._md5 = (hasher or hashlib.md5(usedforsecurity=False)) if md5 else None
        self._crc32c = 0 if crc32c else None

    @classmethod
    def cheapest(cls, expected: ExpectedChecksum | None = None, hasher: Hasher | None = None) -> Checksum:
        """Return the fastest checksum that can be compared with `expected`. Without `expected`, return the fastest one.

        If `expected` contains no checksum, both are computed if both are fast, because the metadata may contain either.
        """
        is_fast = has_extension()
        if expected is None or not expected.has_checksum:
            return cls(md5=expected is not None or not is_fast, crc32c=is_fast, hasher=hasher)
        # A composed object has no MD5.
        crc32c = expected.crc32c is not None and (is_fast or expected.md5 is None)
        return cls(md5=not crc32c and expected.md5 is not None, crc32c=crc32c, hasher=hasher)

    def update(self, data: bytes) -> None:
        """Add bytes."""
        self.size += len(data)
        if self._md5 is not None:
            self._md5.update(data)
        if self._crc32c is not None:
            self._crc32c = extend(self._crc32c, data)

    def can_compare(self, expected: ExpectedChecksum) -> bool:
        """Return whether `expected` contains no checksum, or one that this object computes."""
        pairs = ((expected.md5, self._md5), (expected.crc32c, self._crc32c))
        return not expected.has_checksum or any(None not in pair for pair in pairs)

    @property
    def md5(self) -> str:
        """The MD5 in base64."""
        assert self._md5 is not None
        return b64encode(self._md5.digest()).decode()

    def difference(self, expected: ExpectedChecksum) -> str | None:
        """Return a description of the first difference, or None if all values that can be compared are equal."""
        if expected.size is not None and expected.size != self.size:
            return f"{self.size} bytes were transferred, and Firebase has {expected.size} bytes"
        if expected.md5 is not None and self._md5 is not None and expected.md5 != self.md5:
            return f"the MD5 of the transferred bytes is {self.md5}, and Firebase has {expected.md5}"
        if expected.crc32c is not None and self._crc32c is not None and expected.crc32c != self._crc32c:
            crc32c, expected_crc32c = to_base64(self._crc32c), to_base64(expected.crc32c)
            return f"the CRC-32C of the transferred bytes is {crc32c}, and Firebase has {expected_crc32c}"
        return None

    def check(self, expected: ExpectedChecksum, message: str) -> None:
        """Raise `ChecksumMismatch` with `message` and the difference, if there is a difference."""
        difference = self.difference(expected)
        if difference is not None:
            raise ChecksumMismatch(f"{message}: {difference}.")
