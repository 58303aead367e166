"""The metadata of objects, and updates of the metadata.

https://firebase.google.com/docs/storage/web/file-metadata
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, cast

from firebase_rest.emulator.storage.errors import StorageHTTPError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.transport.wire import Json

SETTABLE = ("contentType", "contentEncoding", "contentDisposition", "contentLanguage", "cacheControl")
"""The fields that users can set, besides custom metadata."""

TOKENS = "firebaseStorageDownloadTokens"
"""The key of the download tokens in the custom metadata of Cloud Storage. Users must not set it in Firebase's API."""

DEFAULT_TYPE = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class MetadataUpdate:
    """The metadata that a request sets.

    Attributes:
        settable: The new values of fields; None clears a field.
        custom: The new values of custom metadata; None clears a value, or in place of the mapping all values.
        md5: The expected checksum of the content, in base64.
        crc32c: The expected checksum of the content, in base64.
        name: The name of the object. Only the JSON API sets it.
        tokens: The download tokens; None does not change them. Only the JSON API sets them.
        acl: The access control list, a role for each entity; None does not change it. Only the JSON API sets it.
    """

    settable: Mapping[str, str | None]
    custom: Mapping[str, str | None] | None
    md5: str | None = None
    crc32c: str | None = None
    name: str | None = None
    tokens: tuple[str, ...] | None = None
    acl: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Metadata:
    """The metadata of one generation of an object. Times are in seconds since the epoch, checksums in base64."""

    bucket: str
    name: str
    generation: int
    metageneration: int
    size: int
    md5: str
    crc32c: str
    created: float
    updated: float
    settable: Mapping[str, str]
    custom: Mapping[str, str]
    tokens: tuple[str, ...]
    acl: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def etag(self) -> str:
        """The ETag. As in Cloud Storage, it is a protocol buffer with the generation and the metageneration."""
        return b64encode(b"\x08" + _varint(self.generation) + b"\x10" + _varint(self.metageneration)).decode()

    @property
    def encoding(self) -> str:
        """The Content-Encoding of the stored content, or "identity"."""
        return self.settable.get("contentEncoding") or "identity"

    def updated_with(self, update: MetadataUpdate, now: float) -> Metadata:
        """Return the metadata after `update`. The generation does not change, because the content does not change."""
        settable = {**self.settable, **update.settable}
        custom: dict[str, str | None] = {} if update.custom is None else {**self.custom, **update.custom}
        return replace(
            self._next(now),
            settable=_without_none(settable),
            custom=_without_none(custom),
            tokens=self.tokens if update.tokens is None else update.tokens,
            acl=self.acl if update.acl is None else update.acl,
        )

    def with_tokens(self, tokens: tuple[str, ...], now: float) -> Metadata:
        """Return the metadata with other download tokens."""
        return replace(self._next(now), tokens=tokens)

    def _next(self, now: float) -> Metadata:
        return replace(self, metageneration=self.metageneration + 1, updated=now)

    def to_json(self) -> dict[str, Json]:
        """Return the metadata in the format of Firebase's API."""
        resource: dict[str, Json] = {
            "name": self.name,
            "bucket": self.bucket,
            "generation": str(self.generation),
            "metageneration": str(self.metageneration),
            **{name: self.settable.get(name) for name in SETTABLE},
            "timeCreated": _rfc3339(self.created),
            "updated": _rfc3339(self.updated),
            "storageClass": "STANDARD",
            "size": str(self.size),
            "md5Hash": self.md5,
            "crc32c": self.crc32c,
            "etag": self.etag,
            "contentEncoding": self.encoding,
            "metadata": dict(self.custom) or None,
            "downloadTokens": ",".join(self.tokens) or None,
        }
        return {name: value for name, value in resource.items() if value is not None}


def read_update(body: bytes) -> MetadataUpdate:
    """Return the metadata update in a body. Ignore read-only fields. Raises `StorageHTTPError` 400."""
    return parse_update(read_object(body))


def read_object(body: bytes) -> dict[str, Json]:
    """Return the JSON object in a body, or {} for an empty body. Raises `StorageHTTPError` 400."""
    fields: object = {}
    try:
        if body.strip():
            fields = json.loads(body)
            json.dumps(fields, ensure_ascii=False).encode()  # raises ValueError for an unpaired surrogate
    except (ValueError, RecursionError):
        raise StorageHTTPError(400, "Invalid JSON payload received.") from None
    if not isinstance(fields, dict):
        raise StorageHTTPError(400, "Invalid JSON payload received. A JSON object is expected.")
    return cast("dict[str, Json]", fields)


def parse_update(fields: Mapping[str, Json]) -> MetadataUpdate:
    """Return the metadata update in a JSON object. Raises `StorageHTTPError` 400."""
    custom = fields.get("metadata", {})
    if custom is not None and not isinstance(custom, dict):
        raise StorageHTTPError(400, "Invalid value for: metadata")
    if custom and TOKENS in custom:
        raise StorageHTTPError(400, f"Not allowed to set custom metadata for {TOKENS}")
    md5, crc32c = fields.get("md5Hash"), fields.get("crc32c")
    return MetadataUpdate(
        {name: _validate_text(name, fields[name]) for name in SETTABLE if name in fields},
        None if custom is None else {key: _custom_text(key, value) for key, value in custom.items()},
        md5 if isinstance(md5, str) else None,
        crc32c if isinstance(crc32c, str) else None,
    )


def _validate_text(name: str, value: Json) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise StorageHTTPError(400, f"Invalid value for: {name}")


def _custom_text(key: str, value: Json) -> str | None:
    """Return a value of custom metadata as a string. A number or boolean becomes its JSON text."""
    if isinstance(value, (dict, list)):
        raise StorageHTTPError(400, f"Invalid value for: metadata.{key}")
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _without_none(values: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in values.items() if value is not None}


def _rfc3339(seconds: float) -> str:
    text = datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _varint(number: int) -> bytes:
    """Return a number in the encoding of protocol buffers: groups of 7 bits, the lowest first."""
    groups: list[int] = []
    while number > 0x7F:
        groups.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*groups, number])
