"""Access to the objects of all buckets, with authorization and preconditions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from firebase_rest.emulator.rules_store import RulesStore
from firebase_rest.emulator.storage.access import ObjectAccess, OpenStorageRules, RulesOperation, StorageAuthorizer
from firebase_rest.emulator.storage.blob import Blob, ContentFile, Spool
from firebase_rest.emulator.storage.errors import StorageHTTPError, not_found, permission_denied
from firebase_rest.emulator.storage.rules import BucketRules, EnforcedStorageRules
from firebase_rest.emulator.storage.sessions import ResumableSessions
from firebase_rest.emulator.storage.store import Store, StoredObject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firebase_rest.emulator.credentials import CheckIdToken
    from firebase_rest.emulator.storage.metadata import Metadata, MetadataUpdate
    from firebase_rest.emulator.storage.request import StorageRequest
    from firebase_rest.rules.storage import StorageRules

_NO_METAGENERATION = -1
"""Used as the metageneration of an object that does not exist."""

_PERMISSIONS = {"get": "READ", "list": "LIST", "create": "WRITE", "update": "WRITE", "delete": "WRITE"}
_CONDITIONS = ("ifGenerationMatch", "ifGenerationNotMatch", "ifMetagenerationMatch", "ifMetagenerationNotMatch")
CONDITION_FAILED = "At least one of the pre-conditions you specified did not hold."


class ObjectService:
    """Stores objects and uploads in progress, and checks permissions and preconditions."""

    def __init__(
        self,
        clock: Callable[[], float],
        check_id_token: CheckIdToken,
        require_auth: bool,
        store: RulesStore | None = None,
    ) -> None:
        self.store = Store(clock)
        self.sessions = ResumableSessions(clock, self.new_spool)
        self.new_file: Callable[[], ContentFile] | None = None
        """Returns a new file of the data folder. None without a data folder."""
        self.rules: StorageAuthorizer = OpenStorageRules(require_auth)
        self.clock = clock
        self.check_id_token = check_id_token
        self.require_auth = require_auth
        self.rules_store = store or RulesStore()

    def new_spool(self) -> Spool:
        """Return a spool for the content of a new object."""
        return Spool(self.new_file)

    def publish_for_client(self, rules: str | Mapping[str, str]) -> None:
        """Enforce rules, or those of several buckets, that a client sent; save them.

        Raises `RulesSyntaxError` and `SaveError`.
        """
        enforced = self._enforced(rules)
        if self.store.journal is not None:
            self.store.journal.save_rules(rules if isinstance(rules, str) else json.dumps(rules))
        self.rules = enforced

    def load_rules(self, saved: str) -> None:
        """Enforce rules that `publish_for_client` saved."""
        self.rules = self._enforced(json.loads(saved) if saved.startswith("{") else saved)

    def _enforced(self, rules: str | Mapping[str, str]) -> StorageAuthorizer:
        if isinstance(rules, str):
            return self._enforced_text(rules)
        return BucketRules({bucket: self._enforced_text(text) for bucket, text in rules.items()})

    def _enforced_text(self, text: str) -> EnforcedStorageRules:
        return EnforcedStorageRules(self.rules_store.storage_rules(text), self.rules_store.decisions)

    def publish(self, rules: StorageRules | None) -> None:
        """Enforce `rules`. None removes the published rules."""
        if rules is None:
            self.rules = OpenStorageRules(self.require_auth)
        else:
            self.rules = EnforcedStorageRules(rules, self.rules_store.decisions)

    def clear(self) -> None:
        """Delete all objects and uploads."""
        self.sessions.clear()
        with self.store.lock:
            self.store.clear()

    def authorize(
        self, request: StorageRequest, operation: RulesOperation, path: str, after: Metadata | None = None
    ) -> None:
        """Raise `StorageHTTPError` 403 if the rules deny `operation`."""
        if request.caller.admin:
            return
        stored = self.store.find(request.bucket, path)
        before = stored.metadata if stored else None
        access = ObjectAccess(operation, request.bucket, path, before, after, self.clock())
        if not self.rules.allows(request.caller, access):
            raise permission_denied(_PERMISSIONS[operation])

    def has_download_token(self, request: StorageRequest) -> bool:
        """Return whether the URL contains a valid download token of the object."""
        stored = self.store.find(request.bucket, request.name)
        return stored is not None and request.params.get("token") in stored.metadata.tokens

    def require(self, request: StorageRequest, reason: str) -> StoredObject:
        """Return the requested object.

        Raises `StorageHTTPError` 404, with `reason`, if it does not exist, and 412 or 304 if a precondition fails.
        """
        stored = self.store.find(request.bucket, request.name)
        if stored is None or request.params.get("generation") not in {None, str(stored.metadata.generation)}:
            raise not_found(reason)
        self.check_conditions(request)
        return stored

    def check_conditions(self, request: StorageRequest) -> None:
        """Raise `StorageHTTPError` 412, or 304 for a read, if a precondition fails.

        https://cloud.google.com/storage/docs/request-preconditions
        """
        conditions = {name: _parse_int(name, request.params[name]) for name in _CONDITIONS if name in request.params}
        if not conditions:
            return
        stored = self.store.find(request.bucket, request.name)
        generation = stored.metadata.generation if stored else 0
        metageneration = stored.metadata.metageneration if stored else _NO_METAGENERATION
        if conditions.get("ifGenerationMatch", generation) != generation:
            raise StorageHTTPError(412, CONDITION_FAILED)
        if conditions.get("ifMetagenerationMatch", metageneration) != metageneration:
            raise StorageHTTPError(412, CONDITION_FAILED)
        is_unchanged = (
            conditions.get("ifGenerationNotMatch") == generation
            or conditions.get("ifMetagenerationNotMatch") == metageneration
        )
        if is_unchanged:
            raise StorageHTTPError(304 if request.method in {"GET", "HEAD"} else 412, CONDITION_FAILED)

    def create(self, request: StorageRequest, blob: Blob, update: MetadataUpdate) -> Metadata:
        """Store `blob` as the requested object.

        Raises `StorageHTTPError` 400 if a checksum does not match, 403 if the rules deny it, and 412 if a precondition
        fails.
        """
        with self.store.lock:
            metadata = self.store.draft(request.bucket, request.name, blob, update)
            self.authorize(request, "create", request.name, metadata)
            self.check_conditions(request)
            _validate_checksum("MD5 hash", update.md5, blob.md5)
            _validate_checksum("CRC32C", update.crc32c, blob.crc32c)
            self.store.put(StoredObject(metadata, blob))
            return metadata


def _validate_checksum(name: str, provided: str | None, calculated: str) -> None:
    if provided not in {None, calculated}:
        message = f'Provided {name} "{provided}" doesn\'t match calculated {name} "{calculated}".'
        raise StorageHTTPError(400, message)


def _parse_int(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise StorageHTTPError(400, f"Invalid value for {name}: {text}") from None
