"""The data folder: its files, and the lock that prevents use by two emulators."""

from __future__ import annotations

import os
import secrets
import sqlite3
from typing import TYPE_CHECKING

from firebase_rest.emulator.data_errors import DataFolderError
from firebase_rest.emulator.persistence.sqlite_file import SqliteFile

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_FILE = "emulator.sqlite"
_LOCK = "lock"
_CONTENTS = "objects"


class DataFolder:
    """An open data folder. No other emulator can open it.

    Args:
        path: The folder. It is created if it is missing. Only its owner can read it.
        sync: See `SqliteFile`.

    Raises:
        DataFolderError: If the folder is a file, not writable, in use, of a newer version, or damaged, or if it
            contains other files.

    Attributes:
        file: The SQLite database.
        contents: The folder with the content of Storage objects.
    """

    def __init__(self, path: Path, *, sync: bool = False) -> None:
        self.path = path
        self.sync = sync
        self.contents = path / _CONTENTS
        try:
            self._create()
        except OSError as error:
            if isinstance(error, DataFolderError):
                raise
            raise DataFolderError(f"{path} cannot be used as a data folder: {error.strerror or error}.") from None
        self._lock = self._acquire_lock()
        try:
            self.file = SqliteFile(path / _FILE, sync=sync)
        except DataFolderError:
            self._lock.close()
            raise

    def _create(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise DataFolderError(f"{self.path} is a file. Choose a folder for the data.")
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = {entry.name for entry in self.path.iterdir()}
        if names and not names & {_FILE, _LOCK}:
            raise DataFolderError(
                f"{self.path} contains other files ({min(names)!r}, for example). Choose an empty folder for the data."
            )
        self.path.chmod(self.path.stat().st_mode & 0o700)  # keep the permissions of the owner, remove all others
        self.contents.mkdir(mode=0o700, exist_ok=True)
        os.close(os.open(self.path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600))

    def _acquire_lock(self) -> sqlite3.Connection:
        """Lock the folder. The operating system releases the lock when the process ends, even after a crash."""
        connection = sqlite3.connect(self.path / _LOCK, timeout=0, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            connection.close()
            if "locked" in str(error):
                message = f"{self.path} is in use by another emulator. Stop that emulator, or choose another folder."
            else:
                message = f"{self.path} cannot be locked: {error}."
            raise DataFolderError(message) from None
        return connection

    def new_content(self) -> Path:
        """Return an unused path for the content of an object."""
        return self.contents / secrets.token_hex(16)

    def delete_contents_except(self, names: Collection[str]) -> None:
        """Delete the files of uploads that were not completed and of objects that were deleted."""
        for entry in self.contents.iterdir():
            if entry.name not in names:
                entry.unlink()

    def close(self) -> None:
        """Release the folder. Idempotent."""
        self.file.close()
        self._lock.close()
