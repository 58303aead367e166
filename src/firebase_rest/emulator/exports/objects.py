"""Export and import of `storage_export`: the buckets, and the content and metadata of each object."""

from __future__ import annotations

import base64
import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, BinaryIO

from firebase_rest.emulator.exports.services import ExportError
from firebase_rest.emulator.storage.errors import StorageHTTPError
from firebase_rest.emulator.storage.metadata import SETTABLE, TOKENS, Metadata
from firebase_rest.emulator.storage.names import validate_name
from firebase_rest.emulator.storage.store import StoredObject

if TYPE_CHECKING:
    from firebase_rest.emulator.exports.folders import ExportFolder, ImportFolder
    from firebase_rest.emulator.exports.services import Services
    from firebase_rest.emulator.storage.blob import Blob

BUCKETS = "buckets.json"
_BLOBS = "blobs"
_METADATA = "metadata"
_JSON = ".json"
_PIECE_BYTES = 1024 * 1024


def export_objects(services: Services, folder: ExportFolder) -> None:
    """Write all objects."""
    objects = services.storage.objects()
    buckets = {stored.metadata.bucket for stored in objects}
    folder.write_object(BUCKETS, {"buckets": [{"id": bucket} for bucket in sorted(buckets)]})
    blobs, metadata = folder.folder(_BLOBS), folder.folder(_METADATA)
    for stored in objects:
        name = str(uuid.uuid4())
        with blobs.create(name) as file:
            for offset in range(0, stored.blob.size, _PIECE_BYTES):
                file.write(stored.blob.read(offset, _PIECE_BYTES))
        metadata.write_object(name + _JSON, _encode_metadata(stored.metadata))


def _encode_metadata(metadata: Metadata) -> dict[str, Any]:
    """Return metadata in the format of the official emulator: crc32c as a decimal number, times as RFC 3339."""
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
        "timeCreated": _format_time(metadata.created),
        "updated": _format_time(metadata.updated),
        "size": metadata.size,
        "md5Hash": metadata.md5,
        "crc32c": str(int.from_bytes(base64.b64decode(metadata.crc32c), "big")),
    }


def import_objects(services: Services, folder: ImportFolder) -> list[str]:
    """Create the objects. Return a sentence for each object that could not be imported."""
    folder.read_object(BUCKETS)
    if not (folder.has(_METADATA) and folder.has(_BLOBS)):
        return []
    metadata, blobs = folder.folder(_METADATA), folder.folder(_BLOBS)
    problems: list[str] = []
    for file in metadata.files():
        if not file.endswith(_JSON):
            continue
        fields, blob_name = metadata.read_object(file), file.removesuffix(_JSON)
        if not blobs.has(blob_name):
            problems.append(f"{metadata.path / file} was not imported: the file {blobs.path / blob_name} is missing.")
            continue
        with blobs.open(blob_name) as source:
            blob = _read_blob(services, source)
        if fields.get("md5Hash") not in {None, blob.md5}:
            problems.append(f"{metadata.path / file}: the md5Hash is not that of {blobs.path / blob_name}.")
        try:
            services.storage.import_object(StoredObject(_decode_metadata(fields, blob), blob))
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError, StorageHTTPError) as error:
            reason = f"{type(error).__name__}: {error}"
            raise ExportError(f"{metadata.path / file} is not valid metadata of an object ({reason}).") from None
    return problems


def _read_blob(services: Services, source: BinaryIO) -> Blob:
    spool = services.storage.new_spool()
    while piece := source.read(_PIECE_BYTES):
        spool.write(piece)
    return spool.blob()


def _decode_metadata(fields: dict[str, Any], blob: Blob) -> Metadata:
    name, bucket = _validate_text(fields["name"]), _validate_text(fields["bucket"])
    validate_name(name)
    if not bucket:
        raise ValueError("bucket is empty")
    custom_fields: dict[str, Any] = fields.get("customMetadata") or {}
    custom = {key: _validate_text(value) for key, value in custom_fields.items()}
    token_field: list[Any] = fields.get("downloadTokens") or []
    tokens = [_validate_text(token) for token in token_field]
    if TOKENS in custom:
        tokens += custom.pop(TOKENS).split(",")
    created = _parse_time(fields["timeCreated"])
    return Metadata(
        bucket=bucket,
        name=name,
        generation=_parse_generation(fields["generation"]),
        metageneration=_parse_generation(fields["metageneration"]),
        size=blob.size,
        md5=blob.md5,
        crc32c=blob.crc32c,
        created=created,
        updated=_parse_time(fields["updated"]) if "updated" in fields else created,
        settable={key: _validate_text(fields[key]) for key in SETTABLE if fields.get(key) is not None},
        custom=custom,
        tokens=tuple(dict.fromkeys(tokens)),
    )


def _validate_text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"expected text, got {type(value).__name__}")
    value.encode()  # raises ValueError for an unpaired surrogate
    return value


def _parse_generation(value: Any) -> int:
    generation = int(value)
    if not 0 < generation < 2**63:
        raise ValueError(f"expected a positive 64-bit number, got {str(value)[:30]}")
    return generation


def _format_time(seconds: float) -> str:
    text = datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def _parse_time(text: str) -> float:
    time = datetime.fromisoformat(text.replace("Z", "+00:00"))
    if not 1970 <= time.year < 9999:  # in UTC it may be in the year before or after, and years above 9999 are invalid
        raise ValueError(f"expected a time from 1970 to 9998, got {text}")
    return time.timestamp()
