"""Write downloads to a path, whose file is replaced when the download is complete, or to an open file."""

from __future__ import annotations

import errno
import io
import os
import secrets
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from firebase_rest.errors import UsageError
from firebase_rest.storage.source import is_text, raw_file, validate_path

Downloadable = str | os.PathLike[str] | io.IOBase | Any
"""A path, or an object whose `write` accepts bytes; such objects have no common type but `Any`."""


def open_target(target: Downloadable) -> _AtomicFile | _OpenFile:
    """Return a context manager that writes to a path or a file, and removes the written bytes after an error.

    Raises `UsageError` for other objects and for files that do not accept bytes.
    """
    if isinstance(target, (str, os.PathLike)):
        name = validate_path("filename", cast(object, target))
        if not name:
            raise UsageError("filename must not be empty.")
        path = Path(name)
        is_device = path.exists() and not path.is_file() and not path.is_dir()
        return _OpenFile(path.open("wb"), is_owned=True) if is_device else _AtomicFile(path)
    if not callable(getattr(target, "write", None)):
        raise UsageError(f"filename must be a path or a file opened with 'wb', got {type(target).__name__}.")
    if getattr(target, "closed", False) is True:
        raise UsageError("The file is closed. Pass an open file, or its path.")
    raw = raw_file(target)
    if is_text(target) or (raw is not None and not raw.writable()):
        raise UsageError("The file must be open for writing bytes: open it with open(path, 'wb').")
    return _OpenFile(target, is_owned=False)


class _AtomicFile:
    """A temporary file in the target's folder that replaces the target at the end.

    Invariant: after an error there is no new file, and an existing target is unchanged.
    """

    def __init__(self, path: Path) -> None:
        # Symbolic links are resolved, so that the target of a link is replaced and not the link.
        self._path = Path(os.path.realpath(path))
        # File systems limit the bytes, not the characters, of a name (mostly to 255).
        prefix = os.fsdecode(os.fsencode(self._path.name)[:80]).encode(errors="ignore").decode()
        if not self._path.name:
            raise IsADirectoryError(errno.EISDIR, "filename is a folder; add the name of the file", str(self._path))
        self._temporary = self._path.with_name(f".{prefix}.{secrets.token_hex(6)}.part")
        self._file: Any = None

    def __enter__(self) -> _AtomicFile:
        if self._path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "filename is a folder; add the name of the file", str(self._path))
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        try:
            descriptor = os.open(self._temporary, flags, self._mode())
        except FileNotFoundError:
            self._path.open("wb")  # raises the same error with the path that the program passed
            raise
        self._file = os.fdopen(descriptor, "wb")
        return self

    def _mode(self) -> int:
        """Return the permissions of the temporary file: at most those of an existing target."""
        with suppress(OSError):
            return self._path.stat().st_mode & 0o666 | stat.S_IWUSR
        return 0o666

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        is_complete = error is None
        try:
            self._file.close()  # writes the buffered bytes, and raises an error if the disk is full
            if is_complete:
                with suppress(OSError):
                    shutil.copymode(self._path, self._temporary)
                self._temporary.replace(self._path)
        except BaseException:
            is_complete = False
            raise
        finally:
            if not is_complete:
                self._temporary.unlink(missing_ok=True)

    def write(self, data: bytes) -> None:
        """Write bytes."""
        self._file.write(data)

    def restart(self) -> bool:
        """Empty the file, and return True."""
        self._file.seek(0)
        self._file.truncate()
        return True


class _OpenFile:
    """An open file, which is written from its position on. It is closed only if it `is_owned`."""

    def __init__(self, file: Any, *, is_owned: bool) -> None:
        self._file = file
        self._is_owned = is_owned
        self._is_written = False
        self._end = 0
        """The end of the file before the download. The bytes before it belong to the program."""
        try:
            self._origin: int | None = file.tell() if file.seekable() else None
            if self._origin is not None:
                self._end = max(self._origin, file.seek(0, os.SEEK_END) or file.tell())
                file.seek(self._origin)
        except (AttributeError, OSError, ValueError, TypeError):
            self._origin = None

    def __enter__(self) -> _OpenFile:
        return self

    def __exit__(self, kind: object, error: object, traceback: object) -> None:
        if error is not None:
            with suppress(OSError, ValueError):
                self.restart()
        if self._is_owned:
            self._file.close()

    def write(self, data: bytes) -> None:
        """Write bytes."""
        self._is_written = True
        view: bytes | memoryview = data
        while len(view):
            try:
                count = self._file.write(view)
            except TypeError:
                count = -1
            if count == -1:
                raise UsageError("The file must accept bytes: open it with open(path, 'wb').")
            if not isinstance(count, int) or count >= len(view):  # write() of some files returns None
                return
            view = memoryview(view)[count:]

    def restart(self) -> bool:
        """Return the file to its first position and size. Returns False if that is impossible."""
        if not self._is_written:
            return True
        if self._origin is None:
            return False
        self._file.seek(self._origin)
        self._file.truncate(self._end)
        self._is_written = False
        return True
