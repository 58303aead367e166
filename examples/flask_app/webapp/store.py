"""A small server-side store: JSON values with an expiry, in a SQLite file that all worker processes share.

It keeps what the browser must not see: the tokens of signed-in users, and the state of unfinished sign-ins.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_TABLE = """
CREATE TABLE IF NOT EXISTS entries (
    key TEXT PRIMARY KEY, owner TEXT NOT NULL, value TEXT NOT NULL, expires REAL NOT NULL
)
"""


class Store:
    """Values by key. Every call opens a connection, so that threads and forked processes can share the object.

    Args:
        path: The SQLite file. It is created with mode 0600, because it contains refresh tokens.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
        with self._connection() as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(_TABLE)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=10)) as connection, connection:
            yield connection

    def put(self, key: str, value: Any, seconds: float, owner: str = "") -> None:
        """Store a JSON value for some seconds. `owner` is the user whose `delete_owned` deletes it."""
        now = time.time()
        with self._connection() as connection:
            connection.execute("DELETE FROM entries WHERE expires < ?", (now,))
            row = (key, owner, json.dumps(value), now + seconds)
            connection.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", row)

    def replace(self, key: str, value: Any) -> None:
        """Replace a value, if its key exists; the expiry stays."""
        with self._connection() as connection:
            connection.execute("UPDATE entries SET value = ? WHERE key = ?", (json.dumps(value), key))

    def get(self, key: str) -> Any:
        """Return a value; None if it does not exist or has expired."""
        query = "SELECT value FROM entries WHERE key = ? AND expires >= ?"
        with self._connection() as connection:
            row = connection.execute(query, (key, time.time())).fetchone()
        return None if row is None else json.loads(row[0])

    def pop(self, key: str) -> Any:
        """Delete a value and return it. Of several concurrent calls, one receives the value."""
        value = self.get(key)
        with self._connection() as connection:
            deleted = connection.execute("DELETE FROM entries WHERE key = ?", (key,)).rowcount
        return value if deleted else None

    def delete_owned(self, owner: str) -> None:
        """Delete all values of a user."""
        with self._connection() as connection:
            connection.execute("DELETE FROM entries WHERE owner = ?", (owner,))
