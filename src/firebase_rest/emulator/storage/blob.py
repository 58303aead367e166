"""Bytes of objects: in memory while they are few, else in a temporary file, and never copied to be kept.

The checksums are taken while the bytes arrive.
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

IN_MEMORY = 1024 * 1024
"""Bytes from which on a file holds them."""


class _File:
    """A temporary file without a name that goes with its last user, also where a download still reads it."""

    def __init__(self) -> None:
        self._raw = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - its last user's going closes it
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
        with self._lock:  # the place in the file is one, the readers may be many
            self._raw.seek(offset)
            return self._raw.read(length)


@dataclass(frozen=True, slots=True)
class Blob:
    """The bytes of one object, which never change, with their checksums in base64."""

    size: int
    md5: str
    crc32c: str
    _held: bytes | _File

    def read(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset` on, b"" at the end. From any thread."""
        if isinstance(self._held, bytes):
            return self._held[offset : offset + length]
        return self._held.read(offset, length)


class _Md5(Protocol):
    """What hashlib gives."""

    def update(self, data: bytes, /) -> None: ...

    def copy(self) -> _Md5: ...

    def digest(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a `Spool` to come back to."""

    size: int
    md5: _Md5
    crc32c: int


class Spool:
    """Bytes that arrive. Not for several threads at once."""

    def __init__(self) -> None:
        self.size = 0
        self._memory = bytearray()
        self._file: _File | None = None
        self._md5: _Md5 = hashlib.md5(usedforsecurity=False)
        self._crc32c = 0

    def write(self, piece: bytes) -> None:
        """Add `piece` at the end."""
        if self._file is None and self.size + len(piece) > IN_MEMORY:
            self._file = _File()
            self._file.append(self._memory)
            self._memory = bytearray()
        if self._file is None:
            self._memory += piece
        else:
            self._file.append(piece)
        self._add_up(piece)

    def _add_up(self, piece: bytes) -> None:
        self.size += len(piece)
        self._md5.update(piece)
        self._crc32c = crc32c.extend(self._crc32c, piece)

    def mark(self) -> Mark:
        """The place where the bytes end now."""
        return Mark(self.size, self._md5.copy(), self._crc32c)

    def rewind(self, mark: Mark, size: int | None = None) -> None:
        """Forget what came after `mark`, or after the first `size` bytes: those in between are summed up once more."""
        size = mark.size if size is None else size
        file = self._file
        if file is None:
            del self._memory[size:]
        else:
            file.truncate(size)
        self.size, self._md5, self._crc32c = mark.size, mark.md5.copy(), mark.crc32c
        while self.size < size:
            end = min(size, self.size + IN_MEMORY)
            kept = self._memory[self.size : end] if file is None else file.read(self.size, end - self.size)
            self._add_up(bytes(kept))

    def blob(self) -> Blob:
        """All bytes, for good: nothing may be written after this."""
        held = bytes(self._memory) if self._file is None else self._file
        md5 = b64encode(self._md5.digest()).decode()
        return Blob(self.size, md5, crc32c.in_base64(self._crc32c), held)
