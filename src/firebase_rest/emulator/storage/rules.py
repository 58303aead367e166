"""Enforcement of security rules for objects.

https://firebase.google.com/docs/storage/security
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from firebase_rest.emulator.storage.errors import StorageHTTPError
from firebase_rest.rules.storage_values import SECOND, Path, Timestamp

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableSequence

    from firebase_rest.emulator.credentials import Caller
    from firebase_rest.emulator.storage.access import ObjectAccess
    from firebase_rest.emulator.storage.metadata import Metadata
    from firebase_rest.rules.decisions import Decision
    from firebase_rest.rules.storage import StorageRules

_LIST_IN_VERSION_1 = (
    'Listing objects in a bucket is disallowed for rules_version = "1". Please update storage security rules to '
    'rules_version = "2" to use list.'
)
_OPTIONAL = ("contentDisposition", "contentEncoding", "contentLanguage", "contentType", "cacheControl")


@dataclass(frozen=True, slots=True)
class EnforcedStorageRules:
    """A `StorageAuthorizer` of published rules, which appends every decision to `decisions`."""

    rules: StorageRules
    decisions: MutableSequence[Decision]

    @property
    def text(self) -> str:
        """The text of the rules."""
        return self.rules.text

    def allows(self, caller: Caller, access: ObjectAccess) -> bool:
        """See `StorageAuthorizer`. Raises `StorageHTTPError` 400 for `list` if the rules have version 1."""
        if access.operation == "list" and self.rules.version == "1":
            raise StorageHTTPError(400, _LIST_IN_VERSION_1)
        segments = ("b", access.bucket, "o", *(access.path.split("/") if access.path else ()))
        request = {
            "auth": caller.auth,
            "method": access.operation,
            "params": {},
            "path": Path(segments),
            "resource": _resource(access.after),
            "time": _timestamp(access.now),
        }
        decision = self.rules.decide(access.operation, segments, request, _resource(access.before))
        self.decisions.append(decision)
        return decision.allowed


@dataclass(frozen=True, slots=True)
class BucketRules:
    """Published rules of several buckets; other buckets allow nothing. A `StorageAuthorizer`."""

    buckets: Mapping[str, EnforcedStorageRules]

    @property
    def text(self) -> str:
        """The texts of all rules, with the bucket of each."""
        return "\n".join(f"// Bucket {bucket}\n{rules.text}" for bucket, rules in self.buckets.items())

    def allows(self, caller: Caller, access: ObjectAccess) -> bool:
        """See `StorageAuthorizer`."""
        rules = self.buckets.get(access.bucket)
        return rules is not None and rules.allows(caller, access)


def _resource(metadata: Metadata | None) -> dict[str, Any] | None:
    """Return the variable `resource` of rules."""
    if metadata is None:
        return None
    return {
        **{name: metadata.settable.get(name) for name in _OPTIONAL},
        "name": metadata.name,
        "bucket": metadata.bucket,
        "generation": metadata.generation,
        "metageneration": metadata.metageneration,
        "size": metadata.size,
        "timeCreated": _timestamp(metadata.created),
        "updated": _timestamp(metadata.updated),
        "md5Hash": metadata.md5,
        "crc32c": metadata.crc32c,
        "etag": metadata.etag,
        "metadata": dict(metadata.custom),
    }


def _timestamp(seconds: float) -> Timestamp:
    return Timestamp(int(seconds * 1000) * (SECOND // 1000))
