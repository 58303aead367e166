"""Saves the data and settings of the databases: a row for each change, and documents with all data.

- A change is a row of the table `journal`.
- A *document* is a node, which is saved in pieces between the requests of clients.
- The *head* of a database is the document with all its data up to a row. If there are many rows, a new head is written
  and the rows up to it are deleted.
- A large node in a change is a separate document. Its pieces are written before the row, and count only with the row.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from firebase_rest.emulator.data_errors import DataFolderError
from firebase_rest.emulator.persistence.nodes import encode, entries_work, pieces, read_document, read_entries
from firebase_rest.emulator.persistence.replay import Replay
from firebase_rest.rules.garbage_collector import collector

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.tree import Change, Node
    from firebase_rest.emulator.persistence.sqlite_file import SqliteFile
    from firebase_rest.transport.wire import Json

MAX_ROWS = 50_000
"""Number of rows after which new heads are written. Loading a row takes about 20 µs."""

MAX_BYTES = 256 * 1024 * 1024
"""Size of the documents after which new heads are written, so that old documents do not fill the disk."""

_ROWS_PER_SLICE = 500
_PIECES_PER_SLICE = 16
_SETTINGS = "namespace"

_INSERT_ROW = "INSERT INTO journal VALUES (?, ?, ?)"
_INSERT_PIECE = "INSERT INTO pieces VALUES (?, ?, ?)"
_INSERT_HEAD = "INSERT OR REPLACE INTO heads VALUES (?, ?, ?)"
_INSERT_SETTINGS = "INSERT OR REPLACE INTO records VALUES (?, '', ?, ?)"
_DELETE_ROWS = "DELETE FROM journal WHERE id IN (SELECT id FROM journal WHERE namespace = ? AND id <= ? LIMIT ?)"
_DELETE_PIECES = "DELETE FROM pieces WHERE document = ? AND position < ?"


@dataclass(slots=True)
class _State:
    """The saved state of one database.

    Attributes:
        root: The root.
        last: The row of the last change.
        head: The last row that the head includes.
        head_document: The document of the head.
        rows: Number of rows after the head.
    """

    root: Node = None
    last: int = 0
    head: int = 0
    head_document: int = 0
    rows: int = 0


@dataclass(slots=True)
class PreparedChange:
    """A change that is ready to be recorded.

    Attributes:
        text: The text of the row.
        documents: The large nodes with the numbers of their documents, by `id(node)`.
    """

    text: str = ""
    documents: dict[int, tuple[Node, int]] = field(default_factory=dict[int, "tuple[Node, int]"])


class DatabaseJournal:
    """The `Journal` of all databases: saves their changes before they become visible. Thread-safe.

    Args:
        file: The SQLite database.
        request_maintenance: Called when `maintenance_work` should run.
    """

    def __init__(self, file: SqliteFile, request_maintenance: Callable[[], None]) -> None:
        self._file = file
        self._request_maintenance = request_maintenance
        self._lock = file.lock  # the same lock, because two locks that are acquired in different orders can deadlock
        self._states: dict[str, _State] = {}
        self._next_row = 1
        self._next_document = 1
        self._rows = 0
        """Number of rows after the heads."""
        self._document_bytes = 0
        """Size of the documents that were written since the last heads."""
        self._owners: dict[int, tuple[str, int]] = {}
        """The database and the row that refer to each document."""
        self._unowned: set[int] = set()
        """Documents to which no row refers yet."""

    # --- writing ------------------------------------------------------------------------------------------------------

    def prepare_work(self, change: Change, earlier: PreparedChange | None = None) -> Work[PreparedChange]:
        """See `Journal`. Writes the documents of large nodes. Raises `SaveError`."""
        prepared = earlier or PreparedChange()

        def write_document(node: Node) -> Work[int]:
            entry = prepared.documents.get(id(node))
            if entry is None:
                entry = prepared.documents[id(node)] = node, (yield from self._write_document_work(node))
            return entry[1]

        try:
            prepared.text = yield from entries_work(change, write_document)
        except BaseException:
            self.discard(prepared)
            raise
        return prepared

    def record(self, name: str, change: Change, prepared: PreparedChange) -> None:
        """See `Journal`. Raises `SaveError`."""
        if change.after is change.before:
            return
        with self._lock:
            row = self._next_row
            self._next_row += 1
            self._file.execute(_INSERT_ROW, row, name, prepared.text)
            state = self._states.setdefault(name, _State())
            state.root, state.last, state.rows = change.after, row, state.rows + 1
            self._owners.update((number, (name, row)) for _, number in prepared.documents.values())
            self._rows += 1
        if self._is_full():
            self._request_maintenance()

    def discard(self, prepared: PreparedChange | None) -> None:
        """See `Journal`."""
        if prepared is not None and prepared.documents:
            with self._lock:
                self._unowned.difference_update(number for _, number in prepared.documents.values())

    def _is_full(self) -> bool:
        return self._rows >= MAX_ROWS or self._document_bytes >= MAX_BYTES

    def record_settings(self, name: str, rules: str | None, settings: Mapping[str, Json]) -> None:
        """Save the settings of a database; see `Journal`. Raises `SaveError`."""
        self._file.execute(_INSERT_SETTINGS, _SETTINGS, name, encode({"rules": rules, "settings": settings}))

    def _write_document_work(self, node: Node) -> Work[int]:
        """Write a node as a document, and return the number of the document."""
        with self._lock:
            number = self._next_document
            self._next_document += 1
            self._unowned.add(number)
        try:
            for position, text in enumerate(pieces(node)):
                self._file.execute(_INSERT_PIECE, number, position, text)
                self._document_bytes += len(text)
                yield
        except BaseException:
            with self._lock:
                self._unowned.discard(number)
            raise
        return number

    # --- maintenance --------------------------------------------------------------------------------------------------

    def maintenance_work(self) -> Work[None]:
        """Write new heads if there are many rows, and delete old rows and documents. Raises `SaveError`."""
        if self._is_full():
            for name in [name for name, state in list(self._states.items()) if state.rows]:
                yield from self.write_head_work(name)
            self._document_bytes = 0
        yield from self._delete_rows_work()
        yield from self._delete_documents_work()

    def write_head_work(self, name: str) -> Work[None]:
        """Make the current root of a database its head."""
        state = self._states[name]
        with self._lock:
            root, last, rows = state.root, state.last, state.rows
        number = yield from self._write_document_work(root)
        with self._lock:
            self._file.execute(_INSERT_HEAD, name, number, last)
            state.head, state.head_document, state.rows = last, number, state.rows - rows
            self._rows -= rows
            self._unowned.discard(number)

    def _delete_rows_work(self) -> Work[None]:
        for name, state in list(self._states.items()):
            while self._file.query("SELECT 1 FROM journal WHERE namespace = ? AND id <= ? LIMIT 1", name, state.head):
                self._file.execute(_DELETE_ROWS, name, state.head, _ROWS_PER_SLICE)
                yield

    def _delete_documents_work(self) -> Work[None]:
        with self._lock:
            self._owners = {
                number: (name, row) for number, (name, row) in self._owners.items() if row > self._states[name].head
            }
            heads = {state.head_document for state in self._states.values()}
            used = {*self._owners, *heads, *self._unowned}
            end = self._next_document
        for number, last_position in self._file.query("SELECT document, max(position) FROM pieces GROUP BY document"):
            if number not in used and number < end:
                for position in range(0, int(last_position) + 1, _PIECES_PER_SLICE):
                    self._file.execute(_DELETE_PIECES, number, position + _PIECES_PER_SLICE)
                    yield

    # --- reading ------------------------------------------------------------------------------------------------------

    def load(self) -> dict[str, Node]:
        """Return the saved root of each database. Raises `DataFolderError` if the data is damaged."""
        try:
            with collector.paused():
                self._load()
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise DataFolderError(
                f"{self._file.path} is damaged: {type(error).__name__}. Restore the folder from a backup, or choose "
                "another one."
            ) from None
        return {name: state.root for name, state in self._states.items()}

    def load_settings(self) -> dict[str, tuple[str | None, dict[str, Json]]]:
        """Return the saved rules and settings of each database."""
        rows = self._file.query("SELECT key, value FROM records WHERE kind = ?", _SETTINGS)
        values = {name: json.loads(text) for name, text in rows}
        return {name: (value["rules"], value["settings"]) for name, value in values.items()}

    def _load(self) -> None:
        for name, number, last in self._file.query("SELECT namespace, document, last FROM heads"):
            self._states[name] = _State(self._read_document(number), last, last, number)
        self._replay()
        self._rows = sum(state.rows for state in self._states.values())
        self._next_row = max((state.last for state in self._states.values()), default=0) + 1
        [(largest,)] = self._file.query("SELECT coalesce(max(document), 0) FROM pieces")
        self._next_document = max(largest, *(state.head_document for state in self._states.values()), 0) + 1

    def _replay(self) -> None:
        """Apply the changes after the heads."""
        replays = {name: Replay(state.root) for name, state in self._states.items()}
        for row, name, text in self._file.query("SELECT id, namespace, entries FROM journal ORDER BY id"):
            state = self._states.setdefault(name, _State())
            if row > state.head:

                def read_document(number: int, name: str = name, row: int = row) -> Node:
                    self._owners[number] = name, row
                    return self._read_document(number)

                replays.setdefault(name, Replay(None)).apply(*read_entries(text, read_document))
                state.last, state.rows = row, state.rows + 1
        for name, replay in replays.items():
            self._states[name].root = replay.root()

    def _read_document(self, number: int) -> Node:
        rows = self._file.query("SELECT text FROM pieces WHERE document = ? ORDER BY position", number)
        return read_document(text for (text,) in rows)
