"""Read the files that are uploaded: paths, bytes, file objects and iterators of bytes, piece by piece.

Memory: nothing of a file that can seek is kept, and one piece of any other.
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
"""The files that `put` accepts. `Any`: the uploads of web frameworks have `read()` and no common type."""


BLOCK_SIZE = 256 * 1024
"""Bytes that are read and hashed at once, so that they are in the processor's cache when they are sent."""


class UploadSource(Closable):
    """The bytes of an upload. A context manager, which closes a file that it has opened.

    `size` is `None` if it is unknown until the end.
    """

    def __init__(self, file: Uploadable) -> None:
        self._opened = False
        self._file = self._open(file)
        self._origin, size = _extent(self._file)
        self._version = _version(self._file)
        self.size = size or None  # some files of the operating system report 0 and have more
        self._can_be_empty = size is not None or self._opened or _is_unread(file)
        # Bytes that cannot be read again need both checksums: the server may send either one.
        is_single_pass = self.size is None
        self.checksum = Checksum(crc32c=has_extension()) if is_single_pass else Checksum.cheapest()
        self._position = 0
        """The position of the file, counted from the origin."""
        self._piece = b""
        self._piece_start = 0

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        self.close()
        if error is not None and not self._opened and self._origin is not None:
            with suppress(OSError, ValueError):  # so that the program can upload it again
                self._file.seek(self._origin)

    def close(self) -> None:
        """Close the file, if it was opened here."""
        self._piece = b""
        if self._opened:
            self._file.close()

    def _open(self, file: Any) -> Any:
        if isinstance(file, (str, os.PathLike)):
            self._opened = True
            return _open_path(cast("str | os.PathLike[str]", file))
        if isinstance(file, (bytes, bytearray, memoryview)):
            return io.BytesIO(bytes(cast(bytes, file)))
        if callable(getattr(file, "read", None)) and not isinstance(file, type):
            _check_readable(file)
            return file
        if isinstance(file, Iterable) and not isinstance(file, (Mapping, AbstractSet)):
            with suppress(TypeError):  # a NumPy array without dimensions
                return _IteratorFile(iter(cast("Iterable[object]", file)))
        hint = " To store JSON, pass json.dumps(data).encode()." if isinstance(file, Mapping) else ""
        hint = " Pass an object, not its class." if isinstance(file, type) else hint
        kind = type(cast(object, file)).__name__
        raise UsageError(f"Expected a path, bytes, a file opened with 'rb' or an iterator of bytes, got {kind}.{hint}")

    # --- pieces -----------------------------------------------------------------------------------------------------

    # Invariant: a piece can be read again until the next one is read, and each byte is added to the checksum once.

    def piece(self, start: int, size: int) -> tuple[ChunkedBody, bool]:
        """Return `size` bytes from `start` on, fewer at the end, and whether they reach the end.

        Raises `UsageError` for bytes that cannot be read again.
        """
        if self.size is not None:
            size = min(size, self.size - start)
            return _FilePiece(self, start, size), start + size == self.size
        piece = self._get(start, size + 1)  # one byte more shows whether this is the end
        if not start and not piece and not self._can_be_empty:
            raise UsageError(
                "The file has no bytes left and cannot be rewound; it was probably read before. To store an empty "
                "file, pass b''."
            )
        return ChunkedBody([piece[:size]]), len(piece) <= size

    def blocks(self, start: int, size: int) -> Iterator[bytes]:
        """Yield exactly `size` bytes of a file that can seek. Raises `UsageError` if it has changed, `ReadFailed`."""
        end = start + size
        self._seek(start)
        while self._position < end:
            block = self._block(min(BLOCK_SIZE, end - self._position))
            is_short = not block
            is_last = self._position + len(block) == self.size
            if is_short or (is_last and _version(self._file) != self._version):
                where = f" (it ended after {self._position} of {self.size} bytes)" if is_short else ""
                raise UsageError(f"The file changed while it was uploaded{where}. Upload a copy that does not change.")
            yield self._take(block)

    def can_read(self, start: int) -> bool:
        """Return whether the bytes from `start` on can be read (again)."""
        return self.size is not None or self._piece_start <= start <= self._piece_start + len(self._piece)

    def hash_until(self, end: int) -> None:
        """Add the bytes up to `end` to the checksum: an earlier process has sent them."""
        is_shorter = self.size is not None and end > self.size
        if self.size is not None and not is_shorter:
            for _ in self.blocks(self.checksum.size, end - self.checksum.size):
                pass
        while not is_shorter and self.checksum.size < end:
            is_shorter = not self._get(self.checksum.size, min(BLOCK_SIZE, end - self.checksum.size))
        if is_shorter:
            raise UsageError(
                f"The file must have at least the {end} bytes that were already uploaded; pass the same file."
            )

    def hash_all(self) -> None:
        """Add the bytes up to the end to the checksum."""
        if self.size is not None:
            self.hash_until(self.size)
            return
        while self._get(self.checksum.size, BLOCK_SIZE):
            pass

    def check(self, expected: ExpectedChecksum, message: str) -> None:
        """Raise `ChecksumMismatch` if the bytes that were read differ from those that are stored."""
        if not self.checksum.can_compare(expected) and self.size is not None:
            self.checksum = Checksum.cheapest(expected)
            self.hash_until(self.size)
        self.checksum.check(expected, message)

    def _get(self, start: int, size: int) -> memoryview:
        """Return bytes of a file that cannot seek: those that are kept, and the next ones."""
        offset = start - self._piece_start
        if not 0 <= offset <= len(self._piece):
            raise UsageError(
                "The upload cannot resume, because the file cannot seek back to the missing bytes; pass a file "
                "that can seek."
            )
        if offset + size > len(self._piece):
            kept = self._piece[offset:]
            self._piece = b"".join([kept, *self._read(size - len(kept))])
            self._piece_start, offset = start, 0
        return memoryview(self._piece)[offset : offset + size]

    def _read(self, size: int) -> Iterator[bytes]:
        """Yield the next bytes, fewer only at the end."""
        while size > 0:
            wanted = min(BLOCK_SIZE, size)
            block = self._block(wanted)
            if block:
                yield self._take(block)
            if len(block) < wanted:
                return
            size -= wanted

    def _seek(self, start: int) -> None:
        if self._position != start:
            with _reading():
                self._file.seek((self._origin or 0) + start)
            self._position = start

    def _take(self, block: bytes) -> bytes:
        """Advance the position, and add the bytes that are new to the checksum."""
        known = self.checksum.size - self._position
        if known < len(block):
            self.checksum.update(block if known <= 0 else block[known:])
        self._position += len(block)
        return block

    def _block(self, size: int) -> bytes:
        """Read `size` bytes, fewer only at the end, however few one `read` returns."""
        parts: list[bytes] = []
        missing = size
        while missing:
            with _reading():
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
    """The operating system's error from reading a file while it is sent. It is not a network error."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def _reading() -> Generator[None, None, None]:
    try:
        yield
    except OSError as error:
        raise ReadFailed(error) from None


class _FilePiece(ChunkedBody):
    """A piece of a file that can seek. It is read when it is sent, and again when it is sent again."""

    __slots__ = ("_source", "_start")

    def __init__(self, source: UploadSource, start: int, size: int) -> None:
        super().__init__(())
        self._source = source
        self._start = start
        self._size = size

    def __iter__(self) -> Iterator[bytes]:
        return self._source.blocks(self._start, self._size)


class _IteratorFile:
    """An iterator of bytes with `read`."""

    def __init__(self, parts: Iterator[object]) -> None:
        self._parts = parts
        self._rest = b""

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes; b"" at the end."""
        while not self._rest:
            part = next(self._parts, None)
            if part is None:
                return b""
            self._rest = _as_bytes(part)
        data, self._rest = self._rest[:size], self._rest[size:]
        return data


def _as_bytes(part: object) -> bytes:
    if isinstance(part, (bytes, bytearray, memoryview)):
        return bytes(cast(bytes, part))
    if hasattr(part, "__await__"):
        close = getattr(part, "close", None)
        if close is not None:
            close()  # Python warns about a coroutine that is never awaited
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
    """Return a local path as text. Raises `UsageError` for other objects and for text that no path can be."""
    with suppress(Exception):  # os.fspath runs foreign code
        name = os.fsdecode(cast(Any, path))
        if b"\0" not in os.fsencode(name):
            return name
    hint = " To store text, pass it as bytes: text.encode()." if argument == "file" else ""
    raise UsageError(f"{argument} must be a valid local path without null bytes, got {describe(path)}.{hint}")


def is_text(file: Any) -> bool:
    """Return whether a file is open in text mode; also a wrapper of `tempfile` or `codecs`."""
    mode = getattr(file, "mode", "")
    return isinstance(file, io.TextIOBase) or (isinstance(mode, str) and bool(mode) and hasattr(file, "encoding"))


def _check_readable(file: Any) -> None:
    if getattr(file, "closed", False) is True:
        raise UsageError("The file is closed. Pass an open file, or its path.")
    raw = raw_file(file)
    if is_text(file) or (raw is not None and not raw.readable()):
        raise UsageError("The file must be open for reading bytes: open it with open(path, 'rb').")


def raw_file(file: Any) -> io.FileIO | None:
    """Return the operating system's file behind an object of `open` or `tempfile`; None for other objects."""
    raw = getattr(file, "raw", file)
    return raw if isinstance(raw, io.FileIO) else None


def _version(file: Any) -> tuple[int, int] | None:
    """Return the size and modification time of a local file; None for other objects."""
    raw = raw_file(file)
    status = None if raw is None else os.fstat(raw.fileno())
    return None if status is None else (status.st_size, status.st_mtime_ns)


def _is_unread(file: object) -> bool:
    """Return whether an object that cannot seek has certainly not been read before."""
    if isgenerator(file):
        return getgeneratorstate(file) == GEN_CREATED
    return not callable(getattr(file, "read", None)) and not isinstance(file, Iterator)


def _extent(file: Any) -> tuple[int | None, int | None]:
    """Return the position of a file that can seek and the number of bytes that follow; None and None for other files.

    A file at its end is rewound: a program that passes one has just written or read it, and means all of it.
    """
    try:
        origin = file.tell()
        end = file.seek(0, os.SEEK_END)
        end = file.tell() if end is None else end  # the seek of some web uploads returns nothing
        origin = 0 if origin >= end else origin
        file.seek(origin)
    except (AttributeError, OSError, ValueError, TypeError):
        return None, None
    if not isinstance(origin, int) or not isinstance(end, int):
        return None, None
    return origin, end - origin


def name_of(file: Any) -> str:
    """Return the name of a local file or a web upload; "" if it has none."""
    if isinstance(file, (str, os.PathLike)):
        return validate_path("file", cast(object, file))
    for attribute in ("filename", "name"):
        name: object = getattr(file, attribute, None)
        if isinstance(name, str):
            return name
    return ""
