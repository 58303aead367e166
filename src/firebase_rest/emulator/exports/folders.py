"""Reading and writing of export folders.

Invariants: no file outside of the folder is read, even if the folder contains links or paths that lead out of it. A
folder is written completely, or not at all. Only the owner can read the written files.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from firebase_rest.emulator.exports.services import ExportError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

METADATA_FILE = "firebase-export-metadata.json"

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class ImportFolder:
    """A folder from which files are read. Links, `..` and absolute paths raise `ExportError`.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def folder(self, name: str) -> ImportFolder:
        """Return a folder inside this one. `name` may have several segments, separated by slashes."""
        return ImportFolder(self._resolve(name, stat.S_ISDIR, "folder"))

    def has(self, name: str) -> bool:
        """Return whether the folder contains a file or folder `name`."""
        return os.path.lexists(self.path / name)

    def names(self) -> list[str]:
        """Return the names of the files and folders, sorted."""
        try:
            return sorted(entry.name for entry in self.path.iterdir())
        except OSError as error:
            raise ExportError(f"Cannot read {self.path}: {error.strerror}.") from None

    def files(self) -> Iterator[str]:
        """Yield the relative paths of all files in this folder and the folders below."""
        for name in self.names():
            if stat.S_ISDIR(self._status(self.path / name).st_mode):
                for path in self.folder(name).files():
                    yield f"{name}/{path}"
            else:
                yield name

    def open(self, name: str) -> BinaryIO:
        """Open a file."""
        path = self._resolve(name, stat.S_ISREG, "file")
        try:
            return os.fdopen(os.open(path, os.O_RDONLY | _NO_FOLLOW), "rb")
        except OSError as error:
            raise ExportError(f"Cannot read {path}: {error.strerror}.") from None

    def read(self, name: str) -> bytes:
        """Return the content of a file."""
        with self.open(name) as file:
            return file.read()

    def read_object(self, name: str) -> dict[str, Any]:
        """Return the JSON object in a file."""
        content = self.read(name)
        try:
            value = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise ExportError(f"{self.path / name} is not valid JSON: {error}.") from None
        if not isinstance(value, dict):
            raise ExportError(f"{self.path / name} must contain a JSON object.")
        return cast("dict[str, Any]", value)

    def _resolve(self, name: str, is_type: Any, kind: str) -> Path:
        """Return the path of a file or folder inside this one."""
        segments = name.split("/")
        if not all(segments) or not {".", ".."}.isdisjoint(segments) or "\\" in name or "\0" in name or ":" in name:
            raise ExportError(f"{name!r} is not a path inside {self.path}.")
        path, mode = self.path, 0
        for segment in segments:
            path /= segment
            mode = self._status(path).st_mode
        if not is_type(mode):
            raise ExportError(f"{path} must be a {kind}.")
        return path

    @staticmethod
    def _status(path: Path) -> os.stat_result:
        try:
            status = path.lstat()
        except OSError as error:
            raise ExportError(f"Cannot read {path}: {error.strerror}.") from None
        if stat.S_ISLNK(status.st_mode):
            raise ExportError(f"{path} is a link. An export to import must not contain links.")
        return status


class ExportFolder:
    """A folder into which files are written."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def folder(self, name: str) -> ExportFolder:
        """Create a folder inside this one."""
        (self.path / name).mkdir(mode=0o700)
        return ExportFolder(self.path / name)

    def create(self, name: str) -> BinaryIO:
        """Create a file."""
        return os.fdopen(os.open(self.path / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW, 0o600), "wb")

    def write_object(self, name: str, value: object) -> None:
        """Write a JSON file."""
        with self.create(name) as file:
            file.write(json.dumps(value, indent=2).encode())


@contextmanager
def replaced_folder(path: Path, export_files: Sequence[str]) -> Generator[ExportFolder]:
    """Yield a new folder, which replaces the folder `path` at the end of the block.

    Raises `ExportError` if the folder `path` is not an export: it contains files, but none of `export_files`.
    """
    path = _validate_target(path, export_files)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.name}.{secrets.token_hex(8)}"
    temporary.mkdir(mode=0o700)
    try:
        yield ExportFolder(temporary)
        old = path.parent / f".{path.name}.{secrets.token_hex(8)}"
        if path.exists():
            path.rename(old)
        temporary.rename(path)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _validate_target(path: Path, export_files: Sequence[str]) -> Path:
    """Return the absolute path of a folder that an export may replace."""
    if path.is_symlink():
        raise ExportError(f"{path} is a link. Use the path of the folder itself.")
    if not path.exists():
        return path.absolute()
    if not path.is_dir():
        raise ExportError(f"{path} is a file. Choose a folder for the export.")
    names = [entry.name for entry in path.iterdir()]
    if names and not any(file in names for file in export_files):
        raise ExportError(f"{path} contains files that are not an export. Choose a new or an empty folder.")
    return path.absolute()


def write_file(path: Path, content: bytes) -> None:
    """Write a file completely, or not at all."""
    if path.is_symlink() or path.is_dir():
        raise ExportError(f"{path} is a {'link' if path.is_symlink() else 'folder'}, not a file.")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.name}.{secrets.token_hex(8)}"
    try:
        with ExportFolder(path.parent).create(temporary.name) as file:
            file.write(content)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def resolve_below(root: Path, path: str) -> Path:
    """Return the absolute path of `path` below `root`.

    Raises `ExportError` if the path leads out of `root`, also through a link or `..`.
    """
    real_root = root.resolve()
    target = real_root / path
    parent = target.parent.resolve()
    if target.name in {"", ".", ".."} or not (parent / target.name).is_relative_to(real_root):
        raise ExportError(f"{path!r} is not below {root}, the folder for exports.")
    if parent / target.name == real_root:
        raise ExportError(f"{path!r} is the folder for exports. Choose a folder below it.")
    return parent / target.name
