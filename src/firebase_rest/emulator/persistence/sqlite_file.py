"""The SQLite database of a data folder.

Invariant: a statement outside of `transaction` is a separate transaction, so the file is consistent at any time.
https://www.sqlite.org/wal.html
"""

from __future__ import annotations

import os
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from firebase_rest.emulator.data_errors import DataFolderError, SaveError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from pathlib import Path

VERSION = 1
"""The version of the schema, stored in SQLite's `user_version`. A file with a newer version is rejected."""

_SCHEMA = (
    "CREATE TABLE records (kind TEXT, parent TEXT, key TEXT, value TEXT NOT NULL, PRIMARY KEY (kind, parent, key))",
    "CREATE TABLE journal (id INTEGER PRIMARY KEY, namespace TEXT NOT NULL, entries TEXT NOT NULL)",
    "CREATE TABLE heads (namespace TEXT PRIMARY KEY, document INTEGER NOT NULL, last INTEGER NOT NULL)",
    "CREATE TABLE pieces (document INTEGER, position INTEGER, text TEXT NOT NULL, PRIMARY KEY (document, position))",
)
_CHECKPOINT = "PRAGMA wal_checkpoint(PASSIVE)"
_PAGE_BYTES = 4096
_MAX_IDLE_WAL_BYTES = 64 * 1024 * 1024


class SqliteFile:
    """A SQLite file in write-ahead mode. Thread-safe.

    Args:
        path: The file. It is created if it is missing.
        sync: Whether each transaction waits until the disk has stored it, so that it also survives a power failure.

    Raises:
        DataFolderError: If the file cannot be used.
    """

    def __init__(self, path: Path, *, sync: bool = False) -> None:
        self.path = path
        self.lock = threading.RLock()
        self._written_bytes = 0
        self._on_growth: tuple[int, Callable[[], None]] | None = None
        self._depth = 0
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = self._connect()
        except (OSError, sqlite3.Error) as error:
            raise DataFolderError(f"{path} cannot be opened: {_reason(error)}.") from None
        try:
            self._prepare(sync=sync)
        except (sqlite3.Error, DataFolderError) as error:
            self._connection.close()
            if isinstance(error, DataFolderError):
                raise
            raise DataFolderError(_unusable_message(path, error)) from None

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)

    def _prepare(self, *, sync: bool) -> None:
        execute = self._connection.execute
        version = int(execute("PRAGMA user_version").fetchone()[0])
        if version > VERSION:
            raise DataFolderError(
                f"{self.path} was written by a newer version of firebase_rest (format {version}; this version reads "
                f"up to {VERSION}). Update firebase_rest or choose another folder."
            )
        [(problem,)] = execute("PRAGMA quick_check(1)").fetchall()
        if problem != "ok":
            raise sqlite3.DatabaseError(" ".join(problem.split()))
        execute("PRAGMA journal_mode = WAL")
        execute(f"PRAGMA synchronous = {'FULL' if sync else 'NORMAL'}")
        execute("PRAGMA wal_autocheckpoint = 0")  # an automatic checkpoint delays a write; see `checkpoint`
        execute(f"PRAGMA journal_size_limit = {_MAX_IDLE_WAL_BYTES}")
        execute("BEGIN IMMEDIATE")  # if the file is read-only, fail now instead of at the first write
        if version == 0:
            for statement in _SCHEMA:
                execute(statement)
            execute(f"PRAGMA user_version = {VERSION}")
        execute("COMMIT")

    def on_growth(self, size: int, callback: Callable[[], None]) -> None:
        """Call `callback` at each write while the write-ahead log has more than about `size` bytes."""
        self._on_growth = size, callback

    def execute(self, statement: str, *values: Any) -> None:
        """Execute a statement that writes. Raises `SaveError`."""
        with self.lock:
            try:
                self._connection.execute(statement, values)
            except sqlite3.Error as error:
                raise self._save_error(error) from None
            self._written_bytes += _PAGE_BYTES + sum(len(value) for value in values if isinstance(value, str))
            if self._on_growth is not None:
                size, callback = self._on_growth
                if self._written_bytes > size:
                    callback()

    def query(self, statement: str, *values: Any) -> Sequence[tuple[Any, ...]]:
        """Return the rows of a query. Raises `DataFolderError`."""
        with self.lock:
            try:
                return self._connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                raise DataFolderError(_unusable_message(self.path, error)) from None

    @contextmanager
    def transaction(self) -> Generator[None]:
        """Save all writes of this thread in the block at its end, or none of them. Raises `SaveError`.

        Writes of other threads wait. A transaction inside another one is a part of it.
        """
        with self.lock:
            if self._depth == 0:
                self.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
                if self._depth == 1:
                    self.execute("COMMIT")
            finally:
                self._depth -= 1
                if self._depth == 0 and self._connection.in_transaction:
                    self._connection.rollback()

    @contextmanager
    def shared_transaction(self) -> Generator[None]:
        """Save all writes of all threads during the block at its end, or none of them. Raises `SaveError`.

        Writes of other threads do not wait, because a thread that holds another lock could cause a deadlock.
        """
        with self.lock:
            self.execute("BEGIN IMMEDIATE")
            self._depth += 1
        try:
            yield
            self.execute("COMMIT")
        finally:
            with self.lock:
                self._depth -= 1
                if self._connection.in_transaction:
                    self._connection.rollback()

    def checkpoint(self) -> None:
        """Copy the write-ahead log into the database file, while other threads read and write.

        The second copy contains the writes during the first. During the third, which is short, other threads wait. Only
        then the log can be reused from its start; otherwise it grows as long as there is no pause between writes.
        """
        self._written_bytes = 0
        connection = self._connect()
        try:
            for _ in range(2):
                connection.execute(_CHECKPOINT).fetchall()
            with self.lock:
                connection.execute(_CHECKPOINT).fetchall()
        except sqlite3.Error as error:
            raise self._save_error(error) from None
        finally:
            connection.close()

    def close(self) -> None:
        """Close the file. SQLite copies the write-ahead log into it. Idempotent."""
        with self.lock:
            self._connection.close()

    def _save_error(self, error: sqlite3.Error) -> SaveError:
        return SaveError(f"Cannot save the change in {self.path}: {error}.")


def _reason(error: OSError | sqlite3.Error) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _unusable_message(path: Path, error: sqlite3.Error) -> str:
    if isinstance(error, sqlite3.OperationalError):
        return f"{path} cannot be used: {error}. Check that the folder is writable and that the disk is not full."
    return f"{path} is damaged: {error}. Restore the folder from a backup, or choose another one."
