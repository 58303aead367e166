"""The content of objects: in memory if small, else in a temporary file, with checksums.

Checksums are computed while the bytes arrive, and content is never copied.
"""

from __future__ import annotations

import hashlib
import tempfile
import threading
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from firebase_rest.storage import crc32c

if TYPE_CHECKING:
    from typing_extensions import Buffer

MAX_IN_MEMORY = 1024 * 1024
"""Content larger than this (in bytes) is stored in a file."""


class _File:
    """An unnamed temporary file, deleted with the last reference to it, so that a running download can finish."""

    def __init__(self) -> None:
        self._raw = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed in __del__
        self._lock = threading.Lock()

    def __del__(self) -> None:
        self._raw.close()

    def append(self, data: Buffer) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[self._raw.write(rest) :]

    def truncate(self, size: int) -> None:
        self._raw.truncate(size)
        self._raw.seek(size)

    def read(self, offset: int, length: int) -> bytes:
        with self._lock:  # concurrent readers share one file position
            self._raw.seek(offset)
            return self._raw.read(length)


@dataclass(frozen=True, slots=True)
class Blob:
    """The immutable content of one object. Checksums are base64."""

    size: int
    md5: str
    crc32c: str
    _data: bytes | _File

    def read(self, offset: int, length: int) -> bytes:
        """Return at most `length` bytes from `offset`, b"" at the end. Thread-safe."""
        if isinstance(self._data, bytes):
            return self._data[offset : offset + length]
        return self._data.read(offset, length)


class _Md5(Protocol):
    """The type of hashlib's objects."""

    def update(self, data: bytes, /) -> None: ...

    def copy(self) -> _Md5: ...

    def digest(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A position of a `Spool` that it can be rewound to."""

    size: int
    md5: _Md5
    crc32c: int


class Spool:
    """Content that is being received. Not thread-safe."""

    def __init__(self) -> None:
        self.size = 0
        self._memory = bytearray()
        self._file: _File | None = None
        self._md5: _Md5 = hashlib.md5(usedforsecurity=False)
        self._crc32c = 0

    def write(self, piece: bytes) -> None:
        """Append `piece`."""
        if self._file is None and self.size + len(piece) > MAX_IN_MEMORY:
            self._file = _File()
            self._file.append(self._memory)
            self._memory = bytearray()
        if self._file is None:
            self._memory += piece
        else:
            self._file.append(piece)
        self._update_checksums(piece)

    def _update_checksums(self, piece: bytes) -> None:
        self.size += len(piece)
        self._md5.update(piece)
        self._crc32c = crc32c.extend(self._crc32c, piece)

    def checkpoint(self) -> Checkpoint:
        """Return the current position."""
        return Checkpoint(self.size, self._md5.copy(), self._crc32c)

    def rewind(self, checkpoint: Checkpoint, size: int | None = None) -> None:
        """Discard the bytes after `checkpoint`, or after the first `size` bytes."""
        size = checkpoint.size if size is None else size
        file = self._file
        if file is None:
            del self._memory[size:]
        else:
            file.truncate(size)
        self.size, self._md5, self._crc32c = checkpoint.size, checkpoint.md5.copy(), checkpoint.crc32c
        while self.size < size:
            end = min(size, self.size + MAX_IN_MEMORY)
            kept = self._memory[self.size : end] if file is None else file.read(self.size, end - self.size)
            self._update_checksums(bytes(kept))

    def blob(self) -> Blob:
        """Return the complete content. Nothing may be written afterwards."""
        held = bytes(self._memory) if self._file is None else self._file
        md5 = b64encode(self._md5.digest()).decode()
        return Blob(self.size, md5, crc32c.to_base64(self._crc32c), held)
