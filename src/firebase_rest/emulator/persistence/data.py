"""Loads the data of a folder into the services of an emulator, and saves their changes."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from firebase_rest.emulator.persistence.accounts import AccountRecords
from firebase_rest.emulator.persistence.folder import DataFolder
from firebase_rest.emulator.persistence.journal import DatabaseJournal
from firebase_rest.emulator.persistence.maintenance import Maintenance
from firebase_rest.emulator.persistence.objects import ObjectRecords

if TYPE_CHECKING:
    from pathlib import Path

    from firebase_rest.emulator.auth import AuthEmulator
    from firebase_rest.emulator.database import DatabaseEmulator
    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.storage import StorageEmulator

CHECKPOINT_BYTES = 16 * 1024 * 1024
"""Size of the write-ahead log at which it is copied into the file."""


class PersistentData:
    """The data folder of an emulator.

    Args:
        path: The folder. It is created if it is missing.
        sync: Whether a change also survives a power failure. Each write then waits for the disk.

    Attributes:
        had_data: Whether `load` found data, accounts or files.

    Raises:
        DataFolderError: If the folder cannot be used.
    """

    had_data = False

    def __init__(self, path: Path, *, sync: bool = False) -> None:
        self._folder = DataFolder(path, sync=sync)
        self._file = self._folder.file
        self._maintenance = Maintenance(self._maintenance_work)
        self._journal = DatabaseJournal(self._file, self._maintenance.request)
        self._objects = ObjectRecords(self._folder)

    def load(self, database: DatabaseEmulator, auth: AuthEmulator, storage: StorageEmulator) -> None:
        """Load the saved data into services, which must be empty, and save their further changes.

        Rules that a client published are published again, unless the services already have rules.

        Raises:
            DataFolderError: If the data is damaged.
        """
        roots = self._journal.load()
        database.load(self._journal, roots, self._journal.load_settings())
        accounts = AccountRecords(self._file, auth.default_config)
        auth.load(accounts)
        accounts.load(auth.project)
        files = self._objects.load()
        storage.load(self._objects, files, self._objects.load_rules(), self._objects.new_file)
        self.had_data = bool(roots or files or accounts.has_accounts())
        self._file.on_growth(CHECKPOINT_BYTES, self._maintenance.request)
        if roots:
            self._maintenance.request()

    def transaction(self) -> AbstractContextManager[None]:
        """Save all changes during the block, including those of other threads, completely, or not at all."""
        return self._objects.keep_files(self._file.shared_transaction())

    def _maintenance_work(self) -> Work[None]:
        yield from self._journal.maintenance_work()
        self._file.checkpoint()

    def close(self) -> None:
        """Release the folder. Idempotent."""
        self._maintenance.close()
        self._folder.close()
