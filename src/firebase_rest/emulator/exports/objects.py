"""`storage_export`: the names of the buckets, and for each object its content and its metadata, in files."""

from __future__ import annotations

import base64
import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, BinaryIO

from firebase_rest.emulator.exports.services import ExportError
from firebase_rest.emulator.storage.errors import StorageHTTPError
from firebase_rest.emulator.storage.metadata import SETTABLE, TOKENS, Metadata
from firebase_rest.emulator.storage.names import check_name
from firebase_rest.emulator.storage.store import StoredObject

if TYPE_CHECKING:
    from firebase_rest.emulator.exports.folders import ExportFolder, ImportFolder
    from firebase_rest.emulator.exports.services import Services
    from firebase_rest.emulator.storage.blob import Blob

BUCKETS = "buckets.json"
_BLOBS = "blobs"
_METADATA = "metadata"
_JSON = ".json"
_PIECE = 1024 * 1024


def export_objects(services: Services, folder: ExportFolder) -> None:
    """Write all objects."""
    stored = services.storage.objects()
    buckets = dict.fromkeys(item.metadata.bucket for item in stored)
    folder.write_object(BUCKETS, {"buckets": [{"id": bucket} for bucket in sorted(buckets)]})
    blobs, metadata = folder.folder(_BLOBS), folder.folder(_METADATA)
    for item in stored:
        name = str(uuid.uuid4())
        with blobs.create(name) as file:
            for offset in range(0, item.blob.size, _PIECE):
                file.write(item.blob.read(offset, _PIECE))
        metadata.write_object(name + _JSON, _resource(item.metadata))


def _resource(metadata: Metadata) -> dict[str, Any]:
    """Return metadata as the official emulator writes it: checksums as decimal numbers, times as text."""
    return {
        "name": metadata.name,
        "bucket": metadata.bucket,
        "metageneration": metadata.metageneration,
        "generation": metadata.generation,
        "storageClass": "STANDARD",
        **metadata.settable,
        "downloadTokens": list(metadata.tokens),
        "etag": metadata.etag,
        **({"customMetadata": dict(metadata.custom)} if metadata.custom else {}),
        "timeCreated": _time_text(metadata.created),
        "updated": _time_text(metadata.updated),
        "size": metadata.size,
        "md5Hash": metadata.md5,
        "crc32c": str(int.from_bytes(base64.b64decode(metadata.crc32c), "big")),
    }


def import_objects(services: Services, folder: ImportFolder) -> list[str]:
    """Create the objects. Return what could not be imported."""
    folder.read_object(BUCKETS)
    if not (folder.has(_METADATA) and folder.has(_BLOBS)):
        return []
    metadata, blobs = folder.folder(_METADATA), folder.folder(_BLOBS)
    problems: list[str] = []
    for file in metadata.files():
        if not file.endswith(_JSON):
            continue
        fields, content = metadata.read_object(file), file.removesuffix(_JSON)
        if not blobs.has(content):
            problems.append(f"{metadata.path / file} was not imported: its content is missing.")
            continue
        with blobs.open(content) as source:
            blob = _read_blob(services, source)
        if fields.get("md5Hash") not in {None, blob.md5}:
            problems.append(f"{metadata.path / file}: the content has another md5Hash.")
        try:
            services.storage.import_object(StoredObject(_metadata(fields, blob), blob))
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError, StorageHTTPError) as error:
            raise ExportError(f"{metadata.path / file} is not the metadata of an object: {error!r}") from None
    return problems


def _read_blob(services: Services, source: BinaryIO) -> Blob:
    spool = services.storage.new_spool()
    while piece := source.read(_PIECE):
        spool.write(piece)
    return spool.blob()


def _metadata(fields: dict[str, Any], blob: Blob) -> Metadata:
    name, bucket = _text(fields["name"]), _text(fields["bucket"])
    check_name(name)
    if not bucket:
        raise ValueError("bucket is empty")
    values: dict[str, Any] = fields.get("customMetadata") or {}
    given: list[Any] = fields.get("downloadTokens") or []
    custom, tokens = {key: _text(value) for key, value in values.items()}, [_text(token) for token in given]
    if TOKENS in custom:
        tokens += custom.pop(TOKENS).split(",")
    created = _seconds(fields["timeCreated"])
    return Metadata(
        bucket=bucket,
        name=name,
        generation=_count(fields["generation"]),
        metageneration=_count(fields["metageneration"]),
        size=blob.size,
        md5=blob.md5,
        crc32c=blob.crc32c,
        created=created,
        updated=_seconds(fields["updated"]) if "updated" in fields else created,
        settable={key: _text(fields[key]) for key in SETTABLE if fields.get(key) is not None},
        custom=custom,
        tokens=tuple(dict.fromkeys(tokens)),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {type(value).__name__}")
    value.encode()  # raises ValueError for an unpaired surrogate
    return value


def _count(value: Any) -> int:
    number = int(value)
    if not 0 < number < 2**63:
        raise ValueError(f"expected a positive 64-bit number, got {str(value)[:30]}")
    return number


def _time_text(seconds: float) -> str:
    text = datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _seconds(text: str) -> float:
    time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if not 1970 <= time.year < 9999:  # an export could not write a time outside of the years 1 to 9999 in UTC
        raise ValueError(f"expected a time from 1970 to 9998, got {text}")
    return time.timestamp()
