"""The content of objects, in memory if it is small, else in a file, and its checksums.

Checksums are computed while the bytes arrive. Content is never copied.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from base64 import b64encode
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from firebase_rest.emulator.data_errors import SaveError
from firebase_rest.storage import crc32c

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from typing_extensions import Buffer

MAX_IN_MEMORY = 1024 * 1024
"""Content larger than this (in bytes) is stored in a file."""


class _File:
    """An unnamed temporary file. It is deleted with the last reference to it, so that downloads can finish."""

    def __init__(self) -> None:
        self._raw = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - closed in __del__
        self._lock = threading.Lock()

    def __del__(self) -> None:
        self._raw.close()

    def append(self, data: Buffer) -> None:
        remaining = memoryview(data)
        while remaining:
            remaining = remaining[self._raw.write(remaining) :]

    def truncate(self, size: int) -> None:
        self._raw.truncate(size)
        self._raw.seek(size)

    def read(self, offset: int, length: int) -> bytes:
        with self._lock:  # concurrent readers share one file position
            self._raw.seek(offset)
            return self._raw.read(length)


class ContentFile:
    """A file of a data folder. It is open only while it is used, because there can be many files.

    Attributes:
        path: The path of the file.
        references: Number of saved objects with this content. At 0, the file is deleted with the last reference to
            this `ContentFile`, so that downloads can finish.
    """

    def __init__(self, path: Path, references: int = 0) -> None:
        self.path = path
        self.references = references
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))

    def __del__(self) -> None:
        if not self.references:
            with suppress(OSError):
                os.unlink(self.path)  # noqa: PTH108 - pathlib may be unloaded at the end of the process

    def append(self, data: Buffer) -> None:
        with self.path.open("ab", buffering=0) as file:
            remaining = memoryview(data)
            while remaining:
                remaining = remaining[file.write(remaining) :]

    def truncate(self, size: int) -> None:
        os.truncate(self.path, size)

    def read(self, offset: int, length: int) -> bytes:
        with self.path.open("rb", buffering=0) as file:
            file.seek(offset)
            return file.read(length)


@dataclass(frozen=True, slots=True)
class Blob:
    """The immutable content of one object. Checksums are base64."""

    size: int
    md5: str
    crc32c: str
    _data: bytes | _File | ContentFile

    @property
    def file(self) -> ContentFile | None:
        """The file of a data folder that stores the content, or None."""
        return self._data if isinstance(self._data, ContentFile) else None

    def read(self, offset: int, length: int) -> bytes:
        """Return at most `length` bytes from `offset`, or b"" at the end. Thread-safe."""
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
    """A position to which a `Spool` can be rewound."""

    size: int
    md5: _Md5
    crc32c: int


class Spool:
    """Content that is being received. Not thread-safe.

    Args:
        new_file: Returns a new file of a data folder for the content. None stores the content in memory or in a
            temporary file.
    """

    def __init__(self, new_file: Callable[[], ContentFile] | None = None) -> None:
        self.size = 0
        self._memory = bytearray()
        self._file: _File | ContentFile | None = None if new_file is None else new_file()
        self._md5: _Md5 = hashlib.md5(usedforsecurity=False)
        self._crc32c = 0

    def write(self, piece: bytes) -> None:
        """Append `piece`. Raises `SaveError`."""
        try:
            self._append(piece)
        except OSError as error:
            if self._file is not None:
                self._file.truncate(self.size)
            raise SaveError(f"Cannot save the file: {error.strerror or error}.") from None
        self._update_checksums(piece)

    def _append(self, piece: bytes) -> None:
        if self._file is None and self.size + len(piece) > MAX_IN_MEMORY:
            file = _File()
            file.append(self._memory)
            self._file, self._memory = file, bytearray()
        if self._file is None:
            self._memory += piece
        else:
            self._file.append(piece)

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
            piece = self._memory[self.size : end] if file is None else file.read(self.size, end - self.size)
            self._update_checksums(bytes(piece))

    def blob(self) -> Blob:
        """Return the complete content. Do not call `write` afterwards."""
        data = bytes(self._memory) if self._file is None else self._file
        md5 = b64encode(self._md5.digest()).decode()
        return Blob(self.size, md5, crc32c.to_base64(self._crc32c), data)
