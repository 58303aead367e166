"""Operations of Cloud Storage's JSON API on objects, access control lists (ACLs) and buckets, and their JSON.

https://cloud.google.com/storage/docs/json_api/v1
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from firebase_rest.emulator.storage import metadata as firebase_metadata
from firebase_rest.emulator.storage import object_operations
from firebase_rest.emulator.storage.blob import MAX_IN_MEMORY
from firebase_rest.emulator.storage.errors import StorageHTTPError, empty_response, json_response, not_found
from firebase_rest.emulator.storage.listing import ListQuery, list_page
from firebase_rest.emulator.storage.metadata import SETTABLE, TOKENS, Metadata, MetadataUpdate, read_object
from firebase_rest.emulator.storage.uploads import with_object_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.storage.object_service import ObjectService
    from firebase_rest.emulator.storage.request import StorageRequest
    from firebase_rest.emulator.storage.store import StoredObject
    from firebase_rest.transport.wire import Json, Response

MAX_SOURCES = 32
"""Maximum number of objects in one compose request."""

_UNSUPPORTED = ("matchGlob", "includeTrailingDelimiter", "includeFoldersAsPrefixes", "softDeleted")


# --- one object ------------------------------------------------------------------------------------------------------


def get(service: ObjectService, request: StorageRequest, _: bytes) -> Response:
    """Return the metadata of the object."""
    with service.store.lock:
        return json_response(request.resource(service.require(request, "GET_OBJECT").metadata))


def replace_metadata(service: ObjectService, request: StorageRequest, body: bytes) -> Response:
    """Replace all metadata of the object, except its access control list."""
    update = request.read_update(body)
    with service.store.lock:
        stored = service.require(request, "UPDATE_OBJECT")
        after = stored.metadata.updated_with(as_full_replacement(update, stored.metadata), service.clock())
        return object_operations.save_metadata(service, request, stored, after)


# --- several objects -------------------------------------------------------------------------------------------------


def list_objects(service: ObjectService, request: StorageRequest, _: bytes) -> Response:
    """Return one page of the objects of a bucket."""
    for name in _UNSUPPORTED:
        if request.params.get(name, "false") != "false":
            raise StorageHTTPError(501, f"The emulator does not implement lists with {name}.")
    with service.store.lock:
        page = list_page(service.store.names(request.bucket), ListQuery.from_json_api(request.params))
        objects = [service.store.find(request.bucket, name) for name in page.items]
        items: list[Json] = [resource(request, stored.metadata) for stored in objects if stored]
    fields: dict[str, Json] = {"prefixes": [*page.prefixes], "items": items, "nextPageToken": page.token}
    return json_response({"kind": "storage#objects", **{key: value for key, value in fields.items() if value}})


def rewrite(service: ObjectService, request: StorageRequest, body: bytes) -> Response:
    """Copy the object. The response always reports that the copy is complete, so that no client has a token."""
    if request.params.get("rewriteToken"):
        raise StorageHTTPError(501, "The emulator does not implement rewriteToken: one request copies everything.")
    metadata = _copy_object(service, request, body, *request.path_arguments)
    size = str(metadata.size)
    return json_response(
        {
            "kind": "storage#rewriteResponse",
            "totalBytesRewritten": size,
            "objectSize": size,
            "done": True,
            "resource": request.resource(metadata),
        }
    )


def copy(service: ObjectService, request: StorageRequest, body: bytes) -> Response:
    """Copy the object."""
    return json_response(request.resource(_copy_object(service, request, body, *request.path_arguments)))


def move(service: ObjectService, request: StorageRequest, body: bytes) -> Response:
    """Rename the object within its bucket."""
    (name,) = request.path_arguments
    with service.store.lock, service.store.transaction():
        metadata = _copy_object(service, request, body, request.bucket, name)
        if name != request.name:
            service.store.delete(request.bucket, request.name)
    return json_response(request.resource(metadata))


def compose(service: ObjectService, request: StorageRequest, body: bytes) -> Response:
    """Concatenate objects of the bucket into one object."""
    fields = read_object(body)
    sources, destination = fields.get("sourceObjects"), fields.get("destination")
    if not isinstance(sources, list) or not 0 < len(sources) <= MAX_SOURCES:
        raise StorageHTTPError(400, f"The number of source components must be from 1 to {MAX_SOURCES}.")
    update = parse_update(request, destination if isinstance(destination, dict) else {})
    with service.store.lock:
        spool = service.new_spool()
        for blob in [_compose_source(service, request, source).blob for source in sources]:
            for offset in range(0, blob.size, MAX_IN_MEMORY):
                spool.write(blob.read(offset, MAX_IN_MEMORY))
        created = service.create(with_object_name(request, update), spool.blob(), update)
        return json_response(request.resource(created))


def _compose_source(service: ObjectService, request: StorageRequest, source: Json) -> StoredObject:
    fields = source if isinstance(source, dict) else {}
    conditions = fields.get("objectPreconditions")
    merged: dict[str, Json] = {**fields, **(conditions if isinstance(conditions, dict) else {})}
    params: dict[str, str] = {name: str(merged[name]) for name in ("generation", "ifGenerationMatch") if name in merged}
    name = str(fields.get("name"))
    try:
        return service.require(replace(request, name=name, params=params), "GET_OBJECT")
    except StorageHTTPError as error:
        message = f"No such object: {request.bucket}/{name}" if error.status == 404 else error.message
        raise StorageHTTPError(error.status, message) from None


def _copy_object(service: ObjectService, request: StorageRequest, body: bytes, bucket: str, name: str) -> Metadata:
    """Copy the object. The copy has the metadata in the body, or that of the source if the body contains none."""
    fields = read_object(body)
    source_params: dict[str, str] = {}
    for key, value in request.params.items():
        if key == "sourceGeneration":
            source_params["generation"] = value
        elif key.startswith("ifSource"):
            source_params[f"if{key.removeprefix('ifSource')}"] = value
    destination = replace(request, bucket=bucket, name=name)
    with service.store.lock:
        stored = service.require(replace(request, params=source_params), "GET_OBJECT")
        update = parse_update(request, fields)
        if not any(value is not None for value in update.settable.values()) and "metadata" not in fields:
            source = stored.metadata
            update = MetadataUpdate({**source.settable}, {**source.custom}, tokens=source.tokens, acl=update.acl)
        # null in custom metadata is an empty string in a copy, which has no value that it could delete.
        custom = update.custom and {key: value or "" for key, value in update.custom.items()}
        # Checksums in the body are ignored, because they may be those of another object.
        update = replace(update, custom=custom, md5=None, crc32c=None)
        return service.create(with_object_name(destination, update), stored.blob, update)


# --- access control lists --------------------------------------------------------------------------------------------


def list_acl(service: ObjectService, request: StorageRequest, _: bytes) -> Response:
    """Return the object's access control list."""
    with service.store.lock:
        metadata = service.require(request, "GET_OBJECT").metadata
    return json_response({"kind": "storage#objectAccessControls", "items": [*acl_entries(request, metadata)]})


def set_acl_entry(service: ObjectService, request: StorageRequest, body: bytes) -> Response:
    """Give an entity, which is in the path or in the body, a role on the object."""
    fields = read_object(body)
    for entity in request.path_arguments:
        fields["entity"] = entity
    entity, role = parse_acl_entry(fields)
    with service.store.lock:
        stored = service.require(request, "UPDATE_OBJECT")
        after = _save_acl(service, request, stored, {**stored.metadata.acl, entity: role})
        return _entry_response(request, after, entity)


def get_acl_entry(service: ObjectService, request: StorageRequest, _: bytes) -> Response:
    """Return the role of an entity."""
    with service.store.lock:
        return _entry_response(request, service.require(request, "GET_OBJECT").metadata, *request.path_arguments)


def delete_acl_entry(service: ObjectService, request: StorageRequest, _: bytes) -> Response:
    """Remove an entity from the object's access control list."""
    (entity,) = request.path_arguments
    with service.store.lock:
        stored = service.require(request, "UPDATE_OBJECT")
        _entry_response(request, stored.metadata, entity)
        acl = {key: role for key, role in stored.metadata.acl.items() if key != entity}
        _save_acl(service, request, stored, acl)
    return empty_response(204)


def _save_acl(
    service: ObjectService, request: StorageRequest, stored: StoredObject, acl: Mapping[str, str]
) -> Metadata:
    metadata = stored.metadata.updated_with(MetadataUpdate({}, {}, acl=acl), service.clock())
    object_operations.save_metadata(service, request, stored, metadata)
    return metadata


def _entry_response(request: StorageRequest, metadata: Metadata, entity: str) -> Response:
    for entry in acl_entries(request, metadata):
        if entry["entity"] == entity:
            return json_response(entry)
    raise not_found("GET_ACL")


# --- buckets ---------------------------------------------------------------------------------------------------------


def list_buckets(service: ObjectService, request: StorageRequest, _: bytes) -> Response:
    """Return the buckets that have had objects."""
    names = [name for name in service.store.buckets() if name.startswith(request.params.get("prefix", ""))]
    fields: dict[str, Json] = {"items": [_bucket(request, name) for name in names]} if names else {}
    return json_response({"kind": "storage#buckets", **fields})


def get_bucket(_: ObjectService, request: StorageRequest, __: bytes) -> Response:
    """Return a bucket. Every bucket exists."""
    return json_response(_bucket(request, request.bucket))


def create_bucket(_: ObjectService, request: StorageRequest, body: bytes) -> Response:
    """Return the bucket to create. Every bucket exists already."""
    name = read_object(body).get("name")
    if not isinstance(name, str) or not name:
        raise StorageHTTPError(400, "The name of the bucket is missing.")
    return json_response(_bucket(request, name))


def _bucket(request: StorageRequest, name: str) -> dict[str, Json]:
    return {
        "kind": "storage#bucket",
        "id": name,
        "selfLink": f"{request.origin}/storage/v1/b/{quote(name, safe='')}",
        "name": name,
        "projectNumber": "0",
        "generation": "1",
        "metageneration": "1",
        "location": "US",
        "locationType": "multi-region",
        "storageClass": "STANDARD",
        "etag": "CAE=",
        "timeCreated": "1970-01-01T00:00:00.000Z",
        "updated": "1970-01-01T00:00:00.000Z",
        "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": False}},
    }


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
    """Return the JSON of an object. Download tokens are custom metadata. `projection=full` includes the ACL."""
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
    """Return the metadata update in a body. Raises `StorageHTTPError` 400."""
    return parse_update(request, read_object(body))


def parse_update(request: StorageRequest, fields: Mapping[str, Json]) -> MetadataUpdate:
    """Return the metadata update in a JSON object. Raises `StorageHTTPError` 400.

    Download tokens that are not in the object are removed, except by PATCH.
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
    """Return the entity and the role of an ACL entry. Raises `StorageHTTPError` 400."""
    entry = value if isinstance(value, dict) else {}
    entity, role = entry.get("entity"), entry.get("role")
    if not isinstance(entity, str) or not isinstance(role, str) or role not in {"READER", "OWNER"}:
        raise StorageHTTPError(400, "An ACL entry must have an entity, such as allUsers, and the role READER or OWNER.")
    return entity, role


def _parse_acl(request: StorageRequest, fields: Mapping[str, Json]) -> Mapping[str, str] | None:
    predefined = request.params.get("predefinedAcl") or request.params.get("destinationPredefinedAcl")
    if predefined is not None:
        if predefined not in _PREDEFINED:
            known = ", ".join(_PREDEFINED)
            raise StorageHTTPError(400, f"Invalid value for predefinedAcl: {predefined}. It must be one of {known}.")
        return _PREDEFINED[predefined]
    entries = fields.get("acl")
    if entries is None:
        return None
    if not isinstance(entries, list):
        raise StorageHTTPError(400, "Invalid value for: acl")
    return dict(parse_acl_entry(entry) for entry in entries)
