"""The store of the objects of all buckets. As in the official emulator, every bucket exists."""

from __future__ import annotations

import threading
import uuid
from bisect import bisect_left, insort
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from firebase_rest.emulator.storage.metadata import DEFAULT_TYPE, Metadata, MetadataUpdate
from firebase_rest.emulator.storage.names import default_disposition

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from firebase_rest.emulator.storage.blob import Blob


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One generation of an object: its metadata and its content."""

    metadata: Metadata
    blob: Blob


class ObjectJournal(Protocol):
    """Saves changes of objects before they become visible. The methods raise `SaveError`."""

    def save(self, stored: StoredObject, replaced: StoredObject | None) -> None:
        """Save an object, which may replace another object with the same name."""

    def delete(self, stored: StoredObject) -> None:
        """Delete a saved object."""

    def clear(self, all_stored: Iterable[StoredObject]) -> None:
        """Delete all saved objects."""

    def save_rules(self, text: str | None) -> None:
        """Save the rules that a client published. None deletes the saved rules."""

    def transaction(self) -> AbstractContextManager[None]:
        """Save the changes in the block completely, or not at all."""
        ...


class Store:
    """Objects by bucket and name.

    Attributes:
        lock: Callers must hold it while they read an object and then write it.
        journal: Saves the changes, or None.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.lock = threading.RLock()
        self.journal: ObjectJournal | None = None
        self._clock = clock
        self._generation = 0
        self._objects: dict[str, dict[str, StoredObject]] = {}
        self._names: dict[str, list[str]] = {}

    def find(self, bucket: str, name: str) -> StoredObject | None:
        """Return the object, or None."""
        return self._objects.get(bucket, {}).get(name)

    def buckets(self) -> Sequence[str]:
        """Return the names of the buckets that have had objects."""
        return sorted(self._names)

    def names(self, bucket: str) -> Sequence[str]:
        """Return the object names of a bucket, sorted by code point (the order of their UTF-8 bytes)."""
        return self._names.get(bucket, ())

    def draft(self, bucket: str, name: str, blob: Blob, changes: MetadataUpdate) -> Metadata:
        """Return the metadata of a new object, with a new generation. Do not store the object.

        Unless the update sets the tokens, the object gets a download token and a Content-Disposition, as in Firebase.
        """
        now = self._clock()
        self._generation = max(self._generation + 1, int(now * 1_000_000))
        settable = {"contentType": DEFAULT_TYPE}
        if changes.tokens is None:
            settable["contentDisposition"] = default_disposition(name)
        settable |= {key: value for key, value in changes.settable.items() if value is not None}
        custom = {key: value for key, value in (changes.custom or {}).items() if value is not None}
        return Metadata(
            bucket=bucket,
            name=name,
            generation=self._generation,
            metageneration=1,
            size=blob.size,
            md5=blob.md5,
            crc32c=blob.crc32c,
            created=now,
            updated=now,
            settable=settable,
            custom=custom,
            tokens=(new_token(),) if changes.tokens is None else changes.tokens,
            acl=changes.acl or {},
        )

    def __iter__(self) -> Iterator[StoredObject]:
        return (stored for objects in self._objects.values() for stored in objects.values())

    def transaction(self) -> AbstractContextManager[None]:
        """Save the changes in the block completely, or not at all."""
        return nullcontext() if self.journal is None else self.journal.transaction()

    def load(self, stored: StoredObject) -> None:
        """Add an object that the journal has saved."""
        self._generation = max(self._generation, stored.metadata.generation)
        self._add(stored)

    def restore(self, stored: StoredObject) -> None:
        """Store an object with its existing generation. Raises `SaveError`."""
        self._generation = max(self._generation, stored.metadata.generation)
        self.put(stored)

    def put(self, stored: StoredObject) -> None:
        """Store an object. Replace an object with the same name. Raises `SaveError`."""
        if self.journal is not None:
            self.journal.save(stored, self.find(stored.metadata.bucket, stored.metadata.name))
        self._add(stored)

    def _add(self, stored: StoredObject) -> None:
        metadata = stored.metadata
        objects = self._objects.setdefault(metadata.bucket, {})
        if metadata.name not in objects:
            insort(self._names.setdefault(metadata.bucket, []), metadata.name)
        objects[metadata.name] = stored

    def delete(self, bucket: str, name: str) -> None:
        """Delete an existing object. Raises `SaveError`."""
        if self.journal is not None:
            self.journal.delete(self._objects[bucket][name])
        del self._objects[bucket][name]
        names = self._names[bucket]
        del names[bisect_left(names, name)]

    def clear(self) -> None:
        """Delete all objects. Raises `SaveError`."""
        if self.journal is not None:
            self.journal.clear(self)
        self._objects.clear()
        self._names.clear()


def new_token() -> str:
    """Return a new random download token."""
    return str(uuid.uuid4())
