"""Where every request to Storage is judged: who calls, whether rules and conditions allow it, what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from firebase_rest.emulator.storage.errors import Refusal, denied, not_found
from firebase_rest.emulator.storage.metadata import Changes, Metadata, read_changes
from firebase_rest.emulator.storage.store import StoredObject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from firebase_rest.emulator.database.access import Caller
    from firebase_rest.emulator.storage.access import Operation, Rules
    from firebase_rest.emulator.storage.blob import Blob
    from firebase_rest.emulator.storage.store import Store
    from firebase_rest.transport.wire import Json

NEVER = -1
"""No object has this generation."""

_PERMISSIONS = {"get": "READ", "list": "LIST", "create": "WRITE", "update": "WRITE", "delete": "WRITE"}
_CONDITIONS = ("ifGenerationMatch", "ifGenerationNotMatch", "ifMetagenerationMatch", "ifMetagenerationNotMatch")
CONDITION_FAILED = "At least one of the pre-conditions you specified did not hold."


@dataclass(frozen=True, slots=True)
class Api:
    """One of the languages in which an object's metadata is told. `read` raises `Refusal` 400."""

    read: Callable[[Call, bytes], Changes]
    show: Callable[[Call, Metadata], Json]


FIREBASE = Api(lambda _, body: read_changes(body), lambda _, metadata: metadata.json())


@dataclass(frozen=True, slots=True)
class Call:
    """One request, taken apart. `name` is the object's, where the request has one; `origin` begins the URLs that it is
    answered with; header names are lower-case.
    """

    method: str
    bucket: str
    name: str
    params: Mapping[str, str]
    headers: Mapping[str, str]
    caller: Caller
    origin: str
    api: Api = FIREBASE

    def read(self, body: bytes) -> Changes:
        """The changes that the body asks for. Raises `Refusal` 400."""
        return self.api.read(self, body)

    def show(self, metadata: Metadata) -> Json:
        """The resource that is the answer."""
        return self.api.show(self, metadata)


class Desk:
    """The store, and who may do what with it."""

    def __init__(self, store: Store, rules: Rules, clock: Callable[[], float]) -> None:
        self.store = store
        self.rules = rules
        self.clock = clock

    def check(self, call: Call, operation: Operation, path: str, after: Metadata | None = None) -> None:
        """Raise `Refusal` 403 where rules deny."""
        if call.caller.admin:
            return
        stored = self.store.find(call.bucket, path)
        before = stored.metadata if stored else None
        if not self.rules.allows(call.caller, operation, call.bucket, path, before, after, self.clock()):
            raise denied(_PERMISSIONS[operation])

    def opens(self, bucket: str, name: str, params: Mapping[str, str]) -> bool:
        """Whether a query has a download token of that object: it opens it to anybody."""
        stored = self.store.find(bucket, name)
        return stored is not None and params.get("token") in stored.metadata.tokens

    def existing(self, call: Call, word: str) -> StoredObject:
        """The object that a call is about, its conditions kept. Raises `Refusal` 404 or 412."""
        stored = self.store.find(call.bucket, call.name)
        if stored is None or call.params.get("generation", str(stored.metadata.generation)) != str(
            stored.metadata.generation
        ):
            raise not_found(word)
        self.check_conditions(call)
        return stored

    def check_conditions(self, call: Call) -> None:
        """Raise `Refusal` 412 where the object is not as the query expects (304 to a reader who has it already).

        https://cloud.google.com/storage/docs/request-preconditions
        """
        wanted = {name: _number(name, call.params[name]) for name in _CONDITIONS if name in call.params}
        if not wanted:
            return
        stored = self.store.find(call.bucket, call.name)
        generation = stored.metadata.generation if stored else 0
        metageneration = stored.metadata.metageneration if stored else NEVER
        if wanted.get("ifGenerationMatch", generation) != generation:
            raise Refusal(412, CONDITION_FAILED)
        if wanted.get("ifMetagenerationMatch", metageneration) != metageneration:
            raise Refusal(412, CONDITION_FAILED)
        if generation == wanted.get("ifGenerationNotMatch") or metageneration == wanted.get("ifMetagenerationNotMatch"):
            raise Refusal(304 if call.method in {"GET", "HEAD"} else 412, CONDITION_FAILED)

    def create(self, call: Call, blob: Blob, changes: Changes) -> Metadata:
        """Keep `blob` as the object that `call` names. Raises `Refusal`: 403, 412, or 400 for a wrong checksum."""
        with self.store.lock:
            metadata = self.store.draft(call.bucket, call.name, blob, changes)
            self.check(call, "create", call.name, metadata)
            self.check_conditions(call)
            for word, given, right in (("MD5 hash", changes.md5, blob.md5), ("CRC32C", changes.crc32c, blob.crc32c)):
                if given not in {None, right}:
                    raise Refusal(400, f'Provided {word} "{given}" doesn\'t match calculated {word} "{right}".')
            self.store.put(StoredObject(metadata, blob))
            return metadata


def _number(name: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise Refusal(400, f"Invalid value for {name}: {text}") from None
