"""What Cloud Storage's own API does with objects and buckets that Firebase's does not, or does otherwise.

https://cloud.google.com/storage/docs/json_api/v1
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from firebase_rest.emulator.storage import objects
from firebase_rest.emulator.storage.blob import IN_MEMORY, Spool
from firebase_rest.emulator.storage.errors import Refusal, in_json, not_found, without_body
from firebase_rest.emulator.storage.json_api_resources import (
    acl_entries,
    acl_entry,
    as_a_whole,
    changes_of,
    resource,
)
from firebase_rest.emulator.storage.listing import Wanted, walk
from firebase_rest.emulator.storage.metadata import Changes, read_object
from firebase_rest.emulator.storage.uploads import named

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.storage.metadata import Metadata
    from firebase_rest.emulator.storage.object_service import Call, Desk
    from firebase_rest.emulator.storage.store import StoredObject
    from firebase_rest.transport.wire import Json, Response

MAX_SOURCES = 32
"""Objects that can be composed to one at a time."""

_NOT_HERE = ("matchGlob", "includeTrailingDelimiter", "includeFoldersAsPrefixes", "softDeleted")


# --- one object ------------------------------------------------------------------------------------------------------


def get(desk: Desk, call: Call, _: bytes) -> Response:
    """What is known of the object."""
    with desk.store.lock:
        return in_json(call.show(desk.existing(call, "GET_OBJECT").metadata))


def get_bytes(desk: Desk, call: Call, _: bytes) -> Response:
    """The object itself."""
    return objects.get_bytes(desk, call)


def delete(desk: Desk, call: Call, _: bytes) -> Response:
    """Delete the object."""
    return objects.delete(desk, call)


def replace_metadata(desk: Desk, call: Call, body: bytes) -> Response:
    """Give the object this metadata, and leave nothing of what it had but its ACL."""
    changes = call.read(body)
    with desk.store.lock:
        stored = desk.existing(call, "UPDATE_OBJECT")
        return objects.keep(
            desk, call, stored, stored.metadata.changed(as_a_whole(changes, stored.metadata), desk.clock())
        )


# --- several ---------------------------------------------------------------------------------------------------------


def list_objects(desk: Desk, call: Call, _: bytes) -> Response:
    """One page of the bucket's objects."""
    for name in _NOT_HERE:
        if call.params.get(name, "false") != "false":
            raise Refusal(501, f"Listing with {name} is not implemented by this emulator.")
    with desk.store.lock:
        page = walk(desk.store.names(call.bucket), Wanted.anywhere(call.params))
        found = [desk.store.find(call.bucket, name) for name in page.items]
        items: list[Json] = [resource(call, stored.metadata) for stored in found if stored]
    listed: dict[str, Json] = {"prefixes": [*page.prefixes], "items": items, "nextPageToken": page.token}
    return in_json({"kind": "storage#objects", **{key: value for key, value in listed.items() if value}})


def rewrite(desk: Desk, call: Call, body: bytes, bucket: str, name: str) -> Response:
    """Copy the object, all at once."""
    metadata = _copied(desk, call, body, bucket, name)
    size = str(metadata.size)
    return in_json(
        {
            "kind": "storage#rewriteResponse",
            "totalBytesRewritten": size,
            "objectSize": size,
            "done": True,
            "resource": call.show(metadata),
        }
    )


def copy(desk: Desk, call: Call, body: bytes, bucket: str, name: str) -> Response:
    """Copy the object."""
    return in_json(call.show(_copied(desk, call, body, bucket, name)))


def move(desk: Desk, call: Call, body: bytes, name: str) -> Response:
    """Rename the object within its bucket."""
    with desk.store.lock:
        metadata = _copied(desk, call, body, call.bucket, name)
        if name != call.name:
            desk.store.delete(call.bucket, call.name)
    return in_json(call.show(metadata))


def compose(desk: Desk, call: Call, body: bytes) -> Response:
    """Make one object of others of its bucket, one after the other."""
    given = read_object(body)
    sources, destination = given.get("sourceObjects"), given.get("destination")
    if not isinstance(sources, list) or not 0 < len(sources) <= MAX_SOURCES:
        raise Refusal(400, f"The number of source components must be from 1 to {MAX_SOURCES}.")
    changes = changes_of(call, destination if isinstance(destination, dict) else {})
    with desk.store.lock:
        spool = Spool()
        for blob in [_source(desk, call, source).blob for source in sources]:
            for offset in range(0, blob.size, IN_MEMORY):
                spool.write(blob.read(offset, IN_MEMORY))
        return in_json(call.show(desk.create(named(call, changes), spool.blob(), changes)))


def _source(desk: Desk, call: Call, source: Json) -> StoredObject:
    """One of the objects that are composed."""
    given = source if isinstance(source, dict) else {}
    conditions = given.get("objectPreconditions")
    wanted: dict[str, Json] = {**given, **(conditions if isinstance(conditions, dict) else {})}
    params: dict[str, str] = {name: str(wanted[name]) for name in ("generation", "ifGenerationMatch") if name in wanted}
    name = str(given.get("name"))
    try:
        return desk.existing(replace(call, name=name, params=params), "GET_OBJECT")
    except Refusal as refusal:
        message = f"No such object: {call.bucket}/{name}" if refusal.status == 404 else refusal.message
        raise Refusal(refusal.status, message) from None


def _copied(desk: Desk, call: Call, body: bytes, bucket: str, name: str) -> Metadata:
    """A copy at another place. It has the metadata of its source, unless the body has some: then that alone."""
    given = read_object(body)
    of_source = {
        f"if{key.removeprefix('ifSource')}" if key != "sourceGeneration" else "generation": value
        for key, value in call.params.items()
        if key.startswith("ifSource") or key == "sourceGeneration"
    }
    there = replace(call, bucket=bucket, name=name)
    with desk.store.lock:
        stored = desk.existing(replace(call, params=of_source), "GET_OBJECT")
        changes = changes_of(call, given)
        if not any(value is not None for value in changes.settable.values()) and "metadata" not in given:
            source = stored.metadata
            changes = Changes({**source.settable}, {**source.custom}, tokens=source.tokens, acl=changes.acl)
        # What the body says of checksums is the source's, or of another object altogether.
        return desk.create(named(there, changes), stored.blob, replace(changes, md5=None, crc32c=None))


# --- who may read it -------------------------------------------------------------------------------------------------


def list_acl(desk: Desk, call: Call, _: bytes) -> Response:
    """Who may read the object, beside the project's own accounts."""
    with desk.store.lock:
        metadata = desk.existing(call, "GET_OBJECT").metadata
    return in_json({"kind": "storage#objectAccessControls", "items": [*acl_entries(call, metadata)]})


def set_acl_entry(desk: Desk, call: Call, body: bytes, entity: str = "") -> Response:
    """Let somebody read the object, or own it."""
    given = read_object(body)
    entity, role = acl_entry({**given, "entity": entity} if entity else given)
    with desk.store.lock:
        stored = desk.existing(call, "UPDATE_OBJECT")
        return _entry(call, _with_acl(desk, call, stored, {**stored.metadata.acl, entity: role}), entity)


def get_acl_entry(desk: Desk, call: Call, _: bytes, entity: str) -> Response:
    """What somebody may do."""
    with desk.store.lock:
        return _entry(call, desk.existing(call, "GET_OBJECT").metadata, entity)


def delete_acl_entry(desk: Desk, call: Call, _: bytes, entity: str) -> Response:
    """Let somebody read it no more."""
    with desk.store.lock:
        stored = desk.existing(call, "UPDATE_OBJECT")
        _entry(call, stored.metadata, entity)
        _with_acl(desk, call, stored, {key: role for key, role in stored.metadata.acl.items() if key != entity})
    return without_body(204)


def _with_acl(desk: Desk, call: Call, stored: StoredObject, acl: Mapping[str, str]) -> Metadata:
    metadata = stored.metadata.changed(Changes({}, {}, acl=acl), desk.clock())
    objects.keep(desk, call, stored, metadata)
    return metadata


def _entry(call: Call, metadata: Metadata, entity: str) -> Response:
    for entry in acl_entries(call, metadata):
        if entry["entity"] == entity:
            return in_json(entry)
    raise not_found("GET_ACL")


# --- buckets ---------------------------------------------------------------------------------------------------------


def list_buckets(desk: Desk, call: Call, _: bytes) -> Response:
    """The buckets that have had objects: others need not be made."""
    names = [name for name in desk.store.buckets() if name.startswith(call.params.get("prefix", ""))]
    listed: dict[str, Json] = {"items": [_bucket(call, name) for name in names]} if names else {}
    return in_json({"kind": "storage#buckets", **listed})


def get_bucket(_: Desk, call: Call, __: bytes) -> Response:
    """A bucket: every one is there."""
    return in_json(_bucket(call, call.bucket))


def make_bucket(_: Desk, call: Call, body: bytes) -> Response:
    """A bucket: there is nothing to make, and no two programs quarrel about the name."""
    name = read_object(body).get("name")
    if not isinstance(name, str) or not name:
        raise Refusal(400, "A bucket needs a name.")
    return in_json(_bucket(call, name))


def _bucket(call: Call, name: str) -> dict[str, Json]:
    return {
        "kind": "storage#bucket",
        "id": name,
        "selfLink": f"{call.origin}/storage/v1/b/{quote(name, safe='')}",
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
