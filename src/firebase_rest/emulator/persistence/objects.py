"""Saves Storage objects: their metadata in rows, and their content in files."""

from __future__ import annotations

import json
import os
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from firebase_rest.emulator.data_errors import SaveError
from firebase_rest.emulator.persistence.nodes import encode
from firebase_rest.emulator.storage.blob import Blob, ContentFile
from firebase_rest.emulator.storage.metadata import Metadata
from firebase_rest.emulator.storage.store import StoredObject

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from firebase_rest.emulator.persistence.folder import DataFolder

_OBJECT = "object"
_RULES = "storage rules"

_SAVE = "INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)"
_DELETE = "DELETE FROM records WHERE kind = ? AND parent = ? AND key = ?"


class ObjectRecords:
    """An `ObjectJournal`: saves objects before they become visible. Callers must hold the lock of `Store`.

    Invariant: the file of an object is complete before its row is saved, and is deleted after its row is deleted.
    """

    def __init__(self, folder: DataFolder) -> None:
        self._folder = folder
        self._file = folder.file
        self._released: list[ContentFile] | None = None

    def new_file(self) -> ContentFile:
        """Return a new file for content. Raises `SaveError`."""
        try:
            return ContentFile(self._folder.new_content())
        except OSError as error:
            raise SaveError(f"Cannot save the file in {self._folder.contents}: {error.strerror}.") from None

    def save(self, stored: StoredObject, replaced: StoredObject | None) -> None:
        """See `ObjectJournal`."""
        content = stored.blob.file
        if content is None:
            raise SaveError(f"Cannot save {stored.metadata.name!r}: its content is not in the data folder.")
        if self._folder.sync and not content.references:
            _sync(content)
        metadata = stored.metadata
        text = encode({**asdict(metadata), "file": content.path.name})
        self._file.execute(_SAVE, _OBJECT, metadata.bucket, metadata.name, text)
        content.references += 1
        if replaced is not None:
            self._release(replaced)

    def delete(self, stored: StoredObject) -> None:
        """See `ObjectJournal`."""
        self._file.execute(_DELETE, _OBJECT, stored.metadata.bucket, stored.metadata.name)
        self._release(stored)

    def clear(self, all_stored: Iterable[StoredObject]) -> None:
        """See `ObjectJournal`."""
        self._file.execute("DELETE FROM records WHERE kind = ?", _OBJECT)
        for stored in all_stored:
            self._release(stored)

    def save_rules(self, text: str | None) -> None:
        """See `ObjectJournal`."""
        if text is None:
            self._file.execute("DELETE FROM records WHERE kind = ?", _RULES)
        else:
            self._file.execute(_SAVE, _RULES, "", "", text)

    def transaction(self) -> AbstractContextManager[None]:
        """See `ObjectJournal`."""
        return self.keep_files(self._file.transaction())

    @contextmanager
    def keep_files(self, transaction: AbstractContextManager[None]) -> Generator[None]:
        """Run a transaction. Delete the files of deleted objects only at its end, and only if it succeeds."""
        self._released = []
        try:
            with transaction:
                yield
        except BaseException:
            for content in self._released:
                content.references += 1
            raise
        finally:
            self._released = None

    def _release(self, stored: StoredObject) -> None:
        content = stored.blob.file
        if content is not None:
            content.references -= 1
            if self._released is not None:
                self._released.append(content)  # this reference keeps the file until the transaction ends

    def load(self) -> list[StoredObject]:
        """Return the saved objects, and delete unused files.

        Objects whose files are missing or have another size are omitted. A power failure can cause this.
        """
        contents: dict[str, ContentFile] = {}
        objects: list[StoredObject] = []
        sizes = {entry.name: entry.stat().st_size for entry in self._folder.contents.iterdir() if entry.is_file()}
        for (text,) in self._file.query("SELECT value FROM records WHERE kind = ? ORDER BY rowid", _OBJECT):
            fields: dict[str, Any] = json.loads(text)
            name = str(fields.pop("file"))
            fields["tokens"] = tuple(fields["tokens"])
            metadata = Metadata(**fields)
            if sizes.get(name) != metadata.size:
                continue
            content = contents.get(name) or ContentFile(self._folder.contents / name)
            contents[name] = content
            content.references += 1
            objects.append(StoredObject(metadata, Blob(metadata.size, metadata.md5, metadata.crc32c, content)))
        self._folder.delete_contents_except(contents.keys())
        return objects

    def load_rules(self) -> str | None:
        """Return the saved rules, or None."""
        rows = self._file.query("SELECT value FROM records WHERE kind = ?", _RULES)
        return str(rows[0][0]) if rows else None


def _sync(content: ContentFile) -> None:
    try:
        for path in (content.path, content.path.parent):
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
    except OSError as error:
        raise SaveError(f"Cannot save {content.path}: {error.strerror}.") from None
