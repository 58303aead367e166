"""The objects of all buckets. Buckets need not be made: any name will do, as in the official emulator."""

from __future__ import annotations

import threading
import uuid
from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING

from firebase_rest.emulator.storage.metadata import DEFAULT_TYPE, Changes, Metadata
from firebase_rest.emulator.storage.names import disposition

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from firebase_rest.emulator.storage.blob import Blob


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One generation of an object."""

    metadata: Metadata
    blob: Blob


class Store:
    """Objects by bucket and name. Whoever reads and then writes holds `lock` meanwhile."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.lock = threading.RLock()
        self._clock = clock
        self._generation = 0
        self._objects: dict[str, dict[str, StoredObject]] = {}
        self._names: dict[str, list[str]] = {}

    def find(self, bucket: str, name: str) -> StoredObject | None:
        """The object of that name, if there is one."""
        return self._objects.get(bucket, {}).get(name)

    def buckets(self) -> Sequence[str]:
        """The names of the buckets that have had objects."""
        return sorted(self._names)

    def names(self, bucket: str) -> Sequence[str]:
        """The names of all objects of a bucket in the order of their UTF-8 bytes, which is that of their characters."""
        return self._names.get(bucket, ())

    def draft(self, bucket: str, name: str, blob: Blob, changes: Changes) -> Metadata:
        """The metadata that a new object would have: a new generation, nothing of an older one's.

        Firebase adds a download token and a disposition.
        """
        now = self._clock()
        self._generation = max(self._generation + 1, int(now * 1_000_000))
        settable = {"contentType": DEFAULT_TYPE}
        if changes.tokens is None:
            settable["contentDisposition"] = disposition(name)
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

    def put(self, stored: StoredObject) -> None:
        """Keep an object in the place of the one that had its name."""
        metadata = stored.metadata
        objects = self._objects.setdefault(metadata.bucket, {})
        if metadata.name not in objects:
            insort(self._names.setdefault(metadata.bucket, []), metadata.name)
        objects[metadata.name] = stored

    def delete(self, bucket: str, name: str) -> None:
        """Forget an object that is there."""
        del self._objects[bucket][name]
        names = self._names[bucket]
        del names[bisect_left(names, name)]

    def clear(self) -> None:
        """Forget everything."""
        self._objects.clear()
        self._names.clear()


def new_token() -> str:
    """A download token that nobody can guess."""
    return str(uuid.uuid4())
