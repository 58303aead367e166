"""Objects in the format of Cloud Storage's JSON API.

https://cloud.google.com/storage/docs/json_api/v1/objects
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from firebase_rest.emulator.storage import metadata as firebase_metadata
from firebase_rest.emulator.storage.errors import StorageHTTPError
from firebase_rest.emulator.storage.metadata import SETTABLE, TOKENS, Metadata, MetadataUpdate, read_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.storage.request import StorageRequest
    from firebase_rest.transport.wire import Json

ALL_USERS = "allUsers"

_PREDEFINED: Mapping[str, Mapping[str, str]] = {
    "private": {},
    "projectPrivate": {},
    "bucketOwnerFullControl": {},
    "bucketOwnerRead": {},
    "authenticatedRead": {"allAuthenticatedUsers": "READER"},
    "publicRead": {ALL_USERS: "READER"},
}


def resource(request: StorageRequest, metadata: Metadata) -> dict[str, Json]:
    """Return the object's JSON. Download tokens are custom metadata; `projection=full` includes the ACL."""
    link = object_link(request, metadata)
    fields = metadata.to_json()
    fields.pop("downloadTokens", None)
    if "contentEncoding" not in metadata.settable:
        del fields["contentEncoding"]
    custom: dict[str, Json] = {**metadata.custom}
    if metadata.tokens:
        custom[TOKENS] = ",".join(metadata.tokens)
    if custom:
        fields["metadata"] = custom
    if request.params.get("projection") == "full":
        fields["acl"] = [*acl_entries(request, metadata)]
    return {
        "kind": "storage#object",
        "id": f"{metadata.bucket}/{metadata.name}/{metadata.generation}",
        "selfLink": link,
        "mediaLink": f"{request.origin}/download{link.removeprefix(request.origin)}"
        f"?generation={metadata.generation}&alt=media",
        **fields,
        "timeStorageClassUpdated": fields["timeCreated"],
    }


def object_link(request: StorageRequest, metadata: Metadata) -> str:
    """Return the URL of an object's metadata."""
    return f"{request.origin}/storage/v1/b/{quote(metadata.bucket, safe='')}/o/{quote(metadata.name, safe='')}"


def acl_entries(request: StorageRequest, metadata: Metadata) -> list[dict[str, Json]]:
    """Return the entries of the object's access control list."""
    return [
        {
            "kind": "storage#objectAccessControl",
            "object": metadata.name,
            "generation": str(metadata.generation),
            "id": f"{metadata.bucket}/{metadata.name}/{metadata.generation}/{entity}",
            "selfLink": f"{object_link(request, metadata)}/acl/{quote(entity, safe='')}",
            "bucket": metadata.bucket,
            "entity": entity,
            "role": role,
            "etag": metadata.etag,
        }
        for entity, role in metadata.acl.items()
    ]


def read_update(request: StorageRequest, body: bytes) -> MetadataUpdate:
    """Return the update that a body asks for. Raises `StorageHTTPError` 400."""
    return parse_update(request, read_object(body))


def parse_update(request: StorageRequest, fields: Mapping[str, Json]) -> MetadataUpdate:
    """Return the update that an object in JSON asks for; only PATCH keeps other fields.

    Raises `StorageHTTPError` 400.
    """
    custom = fields.get("metadata", {})
    tokens: tuple[str, ...] | None = None if request.method == "PATCH" and custom is not None else ()
    if isinstance(custom, dict) and TOKENS in custom:
        tokens = tuple(token for token in str(custom[TOKENS] or "").split(",") if token)
        fields = {**fields, "metadata": {key: value for key, value in custom.items() if key != TOKENS}}
    name = fields.get("name")
    return replace(
        firebase_metadata.parse_update(fields),
        name=name if isinstance(name, str) else None,
        tokens=tokens,
        acl=_parse_acl(request, fields),
    )


def as_full_replacement(update: MetadataUpdate, metadata: Metadata) -> MetadataUpdate:
    """Return an update that also clears the fields of `metadata` that `update` does not set."""
    settable = {**dict.fromkeys(SETTABLE), **update.settable}
    return replace(update, settable=settable, custom={**dict.fromkeys(metadata.custom), **(update.custom or {})})


def parse_acl_entry(value: Json) -> tuple[str, str]:
    """Return entity and role of an ACL entry. Raises `StorageHTTPError` 400."""
    entry = value if isinstance(value, dict) else {}
    entity, role = entry.get("entity"), entry.get("role")
    if not isinstance(entity, str) or not isinstance(role, str) or role not in {"READER", "OWNER"}:
        raise StorageHTTPError(400, "An ACL entry must have an entity, such as allUsers, and the role READER or OWNER.")
    return entity, role


def _parse_acl(request: StorageRequest, fields: Mapping[str, Json]) -> Mapping[str, str] | None:
    predefined = request.params.get("predefinedAcl") or request.params.get("destinationPredefinedAcl")
    if predefined is not None:
        if predefined not in _PREDEFINED:
            raise StorageHTTPError(
                400, f"Invalid value for predefinedAcl: {predefined}. It must be one of {', '.join(_PREDEFINED)}."
            )
        return _PREDEFINED[predefined]
    entries = fields.get("acl")
    if entries is None:
        return None
    if not isinstance(entries, list):
        raise StorageHTTPError(400, "Invalid value for: acl")
    return dict(parse_acl_entry(entry) for entry in entries)
