"""Read the files that are uploaded: paths, bytes, file objects and iterators of bytes, piece by piece.

Memory: a file that can seek is read again when a piece is sent again. Of other files, one piece is kept in memory.
"""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from inspect import GEN_CREATED, getgeneratorstate, isgenerator
from typing import Any, cast

from firebase_rest.errors import UsageError
from firebase_rest.storage.checksum import Checksum, ExpectedChecksum
from firebase_rest.storage.crc32c import has_extension
from firebase_rest.transport.arguments import describe
from firebase_rest.transport.lifecycle import Closable
from firebase_rest.transport.wire import ChunkedBody

Uploadable = str | os.PathLike[str] | bytes | bytearray | memoryview | io.IOBase | Iterable[bytes] | Any
"""The files that `put` accepts. The uploads of web frameworks, which have `read()`, have no common type but `Any`."""


BLOCK_SIZE = 256 * 1024
"""Number of bytes that are read and hashed at once: few enough to stay in the processor's cache until they are sent."""


class UploadSource(Closable):
    """The bytes of an upload. A context manager, which closes a file that it has opened.

    `size` is `None` if it is unknown until the end.
    """

    def __init__(self, file: Uploadable) -> None:
        self._owns_file = False
        self._file = self._open(file)
        self._origin, size = _extent(self._file)
        self._version = _version(self._file)
        self.size = size or None  # some special files of the operating system report a size of 0
        self._can_be_empty = size is not None or self._owns_file or _is_unread(file)
        # Bytes that cannot be read again need both checksums, because the server may send either one.
        is_single_pass = self.size is None
        self.checksum = Checksum(crc32c=has_extension()) if is_single_pass else Checksum.cheapest()
        self._position = 0
        """The position in the file, relative to the origin."""
        self._piece = b""
        self._piece_start = 0

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self.close()
        if error is not None and not self._owns_file and self._origin is not None:
            with suppress(OSError, ValueError):  # rewinds the file, so that the program can upload it again
                self._file.seek(self._origin)

    def close(self) -> None:
        """Close the file, if it was opened here."""
        self._piece = b""
        if self._owns_file:
            self._file.close()

    def _open(self, file: Any) -> Any:
        if isinstance(file, (str, os.PathLike)):
            self._owns_file = True
            return _open_path(cast("str | os.PathLike[str]", file))
        if isinstance(file, (bytes, bytearray, memoryview)):
            return io.BytesIO(bytes(cast(bytes, file)))
        if callable(getattr(file, "read", None)) and not isinstance(file, type):
            _check_readable(file)
            return file
        if isinstance(file, Iterable) and not isinstance(file, (Mapping, AbstractSet)):
            with suppress(TypeError):  # a NumPy array without dimensions is not iterable
                return _IteratorFile(iter(cast("Iterable[object]", file)))
        hint = " To store JSON, pass json.dumps(data).encode()." if isinstance(file, Mapping) else ""
        hint = " Pass an object, not its class." if isinstance(file, type) else hint
        kind = type(cast(object, file)).__name__
        raise UsageError(f"Expected a path, bytes, a file opened with 'rb' or an iterator of bytes, got {kind}.{hint}")

    # --- pieces -----------------------------------------------------------------------------------------------------

    # Invariant: a piece can be read again until the next piece is read. Each byte is added to the checksum once.

    def piece(self, start: int, size: int) -> tuple[ChunkedBody, bool]:
        """Return `size` bytes from `start` on, or fewer at the end, and whether they reach the end.

        Raises `UsageError` for bytes that cannot be read again.
        """
        if self.size is not None:
            size = min(size, self.size - start)
            return _FilePiece(self, start, size), start + size == self.size
        piece = self._get_bytes(start, size + 1)  # one byte more shows whether this is the end
        if not start and not piece and not self._can_be_empty:
            raise UsageError(
                "The file has no bytes left and cannot be rewound; it was probably read before. To store an empty "
                "file, pass b''."
            )
        return ChunkedBody([piece[:size]]), len(piece) <= size

    def blocks(self, start: int, size: int) -> Iterator[bytes]:
        """Yield exactly `size` bytes of a file that can seek. Raises `ReadFailed`, and `UsageError` after a change."""
        end = start + size
        self._seek(start)
        while self._position < end:
            block = self._block(min(BLOCK_SIZE, end - self._position))
            is_short = not block
            is_last = self._position + len(block) == self.size
            if is_short or (is_last and _version(self._file) != self._version):
                detail = f" (it ended after {self._position} of {self.size} bytes)" if is_short else ""
                raise UsageError(f"The file changed while it was uploaded{detail}. Upload a copy that does not change.")
            yield self._advance(block)

    def can_read(self, start: int) -> bool:
        """Return whether the bytes from `start` on can be read, also if they were read before."""
        return self.size is not None or self._piece_start <= start <= self._piece_start + len(self._piece)

    def hash_until(self, end: int) -> None:
        """Add the bytes up to `end`, which an earlier process has sent, to the checksum."""
        is_shorter = self.size is not None and end > self.size
        if self.size is not None and not is_shorter:
            for _ in self.blocks(self.checksum.size, end - self.checksum.size):
                pass
        while not is_shorter and self.checksum.size < end:
            is_shorter = not self._get_bytes(self.checksum.size, min(BLOCK_SIZE, end - self.checksum.size))
        if is_shorter:
            raise UsageError(
                f"The file must have at least the {end} bytes that were already uploaded; pass the same file."
            )

    def hash_all(self) -> None:
        """Add the bytes up to the end to the checksum."""
        if self.size is not None:
            self.hash_until(self.size)
            return
        while self._get_bytes(self.checksum.size, BLOCK_SIZE):
            pass

    def check(self, expected: ExpectedChecksum, message: str) -> None:
        """Raise `ChecksumMismatch` if the bytes that were read differ from the stored bytes."""
        if not self.checksum.can_compare(expected) and self.size is not None:
            self.checksum = Checksum.cheapest(expected)
            self.hash_until(self.size)
        self.checksum.check(expected, message)

    def _get_bytes(self, start: int, size: int) -> memoryview:
        """Return bytes of a file that cannot seek, from the piece in memory and from the file."""
        offset = start - self._piece_start
        if not 0 <= offset <= len(self._piece):
            raise UsageError(
                "The upload cannot resume, because the file cannot seek back to the missing bytes; pass a file "
                "that can seek."
            )
        if offset + size > len(self._piece):
            remaining = self._piece[offset:]
            self._piece = b"".join([remaining, *self._read(size - len(remaining))])
            self._piece_start, offset = start, 0
        return memoryview(self._piece)[offset : offset + size]

    def _read(self, size: int) -> Iterator[bytes]:
        """Yield the next `size` bytes, or fewer at the end."""
        while size > 0:
            block_size = min(BLOCK_SIZE, size)
            block = self._block(block_size)
            if block:
                yield self._advance(block)
            if len(block) < block_size:
                return
            size -= block_size

    def _seek(self, start: int) -> None:
        if self._position != start:
            with _wrap_read_errors():
                self._file.seek((self._origin or 0) + start)
            self._position = start

    def _advance(self, block: bytes) -> bytes:
        """Advance the position by a block, and add its bytes to the checksum, except those that were added before."""
        hashed = self.checksum.size - self._position
        if hashed < len(block):
            self.checksum.update(block if hashed <= 0 else block[hashed:])
        self._position += len(block)
        return block

    def _block(self, size: int) -> bytes:
        """Return the next `size` bytes, or fewer at the end. Calls `read` until it has returned all of them."""
        parts: list[bytes] = []
        missing = size
        while missing:
            with _wrap_read_errors():
                part = self._file.read(missing)
            if part is None:
                raise UsageError("The file is non-blocking and has no bytes at present; pass a blocking file.")
            if not isinstance(part, bytes):
                part = _as_bytes(part)
            if not part:
                break
            parts.append(part)
            missing -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


class ReadFailed(Exception):
    """The operating system could not read the file while it was sent. Not an OSError, as network errors are."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def _wrap_read_errors() -> Generator[None, None, None]:
    try:
        yield
    except OSError as error:
        raise ReadFailed(error) from None


class _FilePiece(ChunkedBody):
    """A piece of a file that can seek. The file is read each time that the piece is sent."""

    __slots__ = ("_source", "_start")

    def __init__(self, source: UploadSource, start: int, size: int) -> None:
        super().__init__(())
        self._source = source
        self._start = start
        self._size = size

    def __iter__(self) -> Iterator[bytes]:
        return self._source.blocks(self._start, self._size)


class _IteratorFile:
    """A file object that reads from an iterator of bytes."""

    def __init__(self, parts: Iterator[object]) -> None:
        self._parts = parts
        self._buffer = b""

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes, or b"" at the end."""
        while not self._buffer:
            part = next(self._parts, None)
            if part is None:
                return b""
            self._buffer = _as_bytes(part)
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data


def _as_bytes(part: object) -> bytes:
    if isinstance(part, (bytes, bytearray, memoryview)):
        return bytes(cast(bytes, part))
    if hasattr(part, "__await__"):
        close = getattr(part, "close", None)
        if close is not None:
            close()  # prevents Python's warning about a coroutine that is never awaited
        raise UsageError("The upload's read() is asynchronous; pass the plain file inside it (upload.file).")
    hint = ": encode the text, or open the file with 'rb'" if isinstance(part, str) else ""
    raise UsageError(f"The file must consist of bytes, got {type(part).__name__}{hint}.")


# --- files that programs pass ----------------------------------------------------------------------------------------

_TEXT_HINT = "a str is a path; to store text, pass it as bytes: text.encode()"
_HINTS = {
    errno.ENOENT: _TEXT_HINT,
    errno.ENAMETOOLONG: _TEXT_HINT,
    errno.EISDIR: "this is a folder; upload_many() stores several files",
}


def _open_path(path: str | os.PathLike[str]) -> io.BufferedReader:
    """Open a local file. Raises OSError, as `open` does, with a hint."""
    local = validate_path("file", path)
    try:
        return open(local, "rb")  # noqa: PTH123 - UploadSource.close() closes it
    except OSError as error:
        hint = _HINTS.get(error.errno or 0)
        if hint is None or (hint is _TEXT_HINT and not isinstance(path, str)):
            raise
        raise OSError(error.errno, f"{error.strerror} ({hint})", local) from None


def validate_path(argument: str, path: object) -> str:
    """Return a local path as text. Raises `UsageError` for other objects and for text that cannot be a path."""
    with suppress(Exception):  # os.fspath calls a method of the caller's object, which can raise anything
        name = os.fsdecode(cast(Any, path))
        if b"\0" not in os.fsencode(name):
            return name
    hint = " To store text, pass it as bytes: text.encode()." if argument == "file" else ""
    raise UsageError(f"{argument} must be a valid local path without null bytes, got {describe(path)}.{hint}")


def is_text(file: Any) -> bool:
    """Return whether a file is open in text mode. The file may be a wrapper of `tempfile` or `codecs`."""
    mode = getattr(file, "mode", "")
    return isinstance(file, io.TextIOBase) or (isinstance(mode, str) and bool(mode) and hasattr(file, "encoding"))


def _check_readable(file: Any) -> None:
    if getattr(file, "closed", False) is True:
        raise UsageError("The file is closed. Pass an open file, or its path.")
    raw = raw_file(file)
    if is_text(file) or (raw is not None and not raw.readable()):
        raise UsageError("The file must be open for reading bytes: open it with open(path, 'rb').")


def raw_file(file: Any) -> io.FileIO | None:
    """Return the `FileIO` of an object of `open` or `tempfile`, or None for other objects."""
    raw = getattr(file, "raw", file)
    return raw if isinstance(raw, io.FileIO) else None


def _version(file: Any) -> tuple[int, int] | None:
    """Return the size and modification time of a local file, or None for other objects."""
    raw = raw_file(file)
    status = None if raw is None else os.fstat(raw.fileno())
    return None if status is None else (status.st_size, status.st_mtime_ns)


def _is_unread(file: object) -> bool:
    """Return whether an object that cannot seek has certainly not been read before."""
    if isgenerator(file):
        return getgeneratorstate(file) == GEN_CREATED
    return not callable(getattr(file, "read", None)) and not isinstance(file, Iterator)


def _extent(file: Any) -> tuple[int | None, int | None]:
    """Return the position of a file that can seek and the number of bytes after it, or None and None for other files.

    A file at its end is rewound, because the program has just written or read it, and wants to upload all of it.
    """
    try:
        origin = file.tell()
        end = file.seek(0, os.SEEK_END)
        end = file.tell() if end is None else end  # seek() of some web uploads returns None
        origin = 0 if origin >= end else origin
        file.seek(origin)
    except (AttributeError, OSError, ValueError, TypeError):
        return None, None
    if not isinstance(origin, int) or not isinstance(end, int):
        return None, None
    return origin, end - origin


def name_of(file: Any) -> str:
    """Return the name of a local file or a web upload, or "" for an object without a name."""
    if isinstance(file, (str, os.PathLike)):
        return validate_path("file", cast(object, file))
    for attribute in ("filename", "name"):
        name: object = getattr(file, attribute, None)
        if isinstance(name, str):
            return name
    return ""
