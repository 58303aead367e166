"""What goes by is added up, and compared with what Firebase says it holds.

The law of this file: sums are of the stored bytes; a sum that Firebase does not give is not missed, one that differs is
an error. https://cloud.google.com/storage/docs/data-validation
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import Any, Protocol

from firebase_rest.errors import ChecksumMismatch
from firebase_rest.storage.crc32c import extend, in_base64


@dataclass(frozen=True, slots=True)
class ExpectedChecksum:
    """What Firebase says of an object: base64 of its MD5, its CRC-32C as a number, its bytes; None: it does not say."""

    md5: str | None = None
    crc32c: int | None = None
    size: int | None = None

    @property
    def has_checksum(self) -> bool:
        return self.md5 is not None or self.crc32c is not None


@lru_cache
def crc32c_is_quick() -> bool:
    """Whether google_crc32c is there with its C code: several times as fast as an MD5."""
    try:
        return bool(import_module("google_crc32c").implementation == "c")
    except (ImportError, AttributeError):
        return False


class Md5(Protocol):
    """What hashlib gives, and `ThreadedMD5`."""

    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class Checksum:
    """The sums of bytes that go by: an MD5, a CRC-32C, or both. `by` adds up the MD5; without it hashlib does."""

    def __init__(self, *, md5: bool = True, crc32c: bool = False, by: Md5 | None = None) -> None:
        self.size = 0
        self._md5 = (by or hashlib.md5(usedforsecurity=False)) if md5 else None
        self._crc32c = 0 if crc32c else None

    @classmethod
    def quickest(cls, expected: ExpectedChecksum | None = None, by: Md5 | None = None) -> Checksum:
        """The cheapest one that can be compared with `expected`; without it, the cheapest of all.

        Where `expected` has no checksum it is for metadata that may have either one.
        """
        if expected is None or not expected.has_checksum:
            return cls(md5=expected is not None or not crc32c_is_quick(), crc32c=crc32c_is_quick(), by=by)
        # An object that was put together from others has no MD5.
        crc32c = expected.crc32c is not None and (crc32c_is_quick() or expected.md5 is None)
        return cls(md5=not crc32c and expected.md5 is not None, crc32c=crc32c, by=by)

    def update(self, data: bytes) -> None:
        """Some more bytes."""
        self.size += len(data)
        if self._md5 is not None:
            self._md5.update(data)
        if self._crc32c is not None:
            self._crc32c = extend(self._crc32c, data)

    def can_compare(self, expected: ExpectedChecksum) -> bool:
        """Whether Firebase has said a sum that is known here; True as well where it has said none."""
        return (
            (expected.md5 is not None and self._md5 is not None)
            or (expected.crc32c is not None and self._crc32c is not None)
            or (expected.md5 is None and expected.crc32c is None)
        )

    @property
    def md5(self) -> str:
        """Base64 of the MD5, as Firebase writes it."""
        assert self._md5 is not None
        return b64encode(self._md5.digest()).decode()

    def differs(self, expected: ExpectedChecksum) -> str | None:
        """What differs, as a sentence's beginning; None if all that can be compared agrees."""
        if expected.size is not None and expected.size != self.size:
            return f"{self.size} bytes here, {expected.size} in Firebase"
        if expected.md5 is not None and self._md5 is not None and expected.md5 != self.md5:
            return f"MD5 {self.md5} here, {expected.md5} in Firebase"
        if expected.crc32c is not None and self._crc32c is not None and expected.crc32c != self._crc32c:
            return f"CRC-32C {in_base64(self._crc32c)} here, {in_base64(expected.crc32c)} in Firebase"
        return None

    def check(self, expected: ExpectedChecksum, what: str) -> None:
        """Raise `ChecksumMismatch`, which begins with `what`, where anything differs."""
        difference = self.differs(expected)
        if difference is not None:
            raise ChecksumMismatch(f"{what}: {difference}.")


def of_metadata(metadata: Mapping[str, Any]) -> ExpectedChecksum:
    """Read size and checksums from an object's metadata; values that are none are left out."""
    size, md5, crc32c = (metadata.get(name) for name in ("size", "md5Hash", "crc32c"))
    return ExpectedChecksum(
        _md5(md5) if isinstance(md5, str) else None,
        _crc32c(crc32c) if isinstance(crc32c, str) else None,
        decimal(size) if isinstance(size, str) else None,
    )


def of_header(value: str) -> ExpectedChecksum:
    """Read the checksums in an `x-goog-hash` header: "crc32c=...,md5=..."."""
    sums: dict[str, str] = {}
    for entry in value.split(","):
        name, _, text = entry.strip().partition("=")  # at the first one: base64 ends in others
        sums[name.lower()] = text.strip()
    return ExpectedChecksum(_md5(sums.get("md5", "")), _crc32c(sums.get("crc32c", "")))


def decimal(text: str) -> int | None:
    """The number that decimal digits denote; None for other text and for more than 64 bits."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 20 else None


def _md5(text: str) -> str | None:
    return text if _is_base64(text, 16) else None


def _crc32c(text: str) -> int | None:
    """A CRC-32C: base64 of four big-endian bytes in production, a decimal number in the official emulator."""
    number = decimal(text)
    if number is not None:
        return number & 0xFFFFFFFF
    return int.from_bytes(b64decode(text), "big") if _is_base64(text, 4) else None


def _is_base64(text: str, size: int) -> bool:
    """Whether `text` is base64 of exactly `size` bytes."""
    try:
        return len(b64decode(text, validate=True)) == size
    except ValueError:
        return False
