"""An object as Cloud Storage's own API tells it, and as programs tell it there what to change.

https://cloud.google.com/storage/docs/json_api/v1/objects
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from firebase_rest.emulator.storage.errors import Refusal
from firebase_rest.emulator.storage.metadata import SETTABLE, TOKENS, Changes, Metadata, changes_in, read_object
from firebase_rest.emulator.storage.object_service import Api, Call

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.transport.wire import Json

EVERYBODY = "allUsers"

_PREDEFINED: Mapping[str, Mapping[str, str]] = {
    "private": {},
    "projectPrivate": {},
    "bucketOwnerFullControl": {},
    "bucketOwnerRead": {},
    "authenticatedRead": {"allAuthenticatedUsers": "READER"},
    "publicRead": {EVERYBODY: "READER"},
}


def resource(call: Call, metadata: Metadata) -> dict[str, Json]:
    """The object in JSON. Download tokens are custom metadata here; the ACL is shown to who asks for all."""
    link = object_link(call, metadata)
    shown = metadata.json()
    shown.pop("downloadTokens", None)
    if "contentEncoding" not in metadata.settable:
        del shown["contentEncoding"]
    custom: dict[str, Json] = {**metadata.custom}
    if metadata.tokens:
        custom[TOKENS] = ",".join(metadata.tokens)
    if custom:
        shown["metadata"] = custom
    if call.params.get("projection") == "full":
        shown["acl"] = [*acl_entries(call, metadata)]
    return {
        "kind": "storage#object",
        "id": f"{metadata.bucket}/{metadata.name}/{metadata.generation}",
        "selfLink": link,
        "mediaLink": f"{call.origin}/download{link.removeprefix(call.origin)}"
        f"?generation={metadata.generation}&alt=media",
        **shown,
        "timeStorageClassUpdated": shown["timeCreated"],
    }


def object_link(call: Call, metadata: Metadata) -> str:
    """The URL of an object's metadata."""
    return f"{call.origin}/storage/v1/b/{quote(metadata.bucket, safe='')}/o/{quote(metadata.name, safe='')}"


def acl_entries(call: Call, metadata: Metadata) -> list[dict[str, Json]]:
    """Who else may read the object, or own it."""
    return [
        {
            "kind": "storage#objectAccessControl",
            "object": metadata.name,
            "generation": str(metadata.generation),
            "id": f"{metadata.bucket}/{metadata.name}/{metadata.generation}/{entity}",
            "selfLink": f"{object_link(call, metadata)}/acl/{quote(entity, safe='')}",
            "bucket": metadata.bucket,
            "entity": entity,
            "role": role,
            "etag": metadata.etag,
        }
        for entity, role in metadata.acl.items()
    ]


def read(call: Call, body: bytes) -> Changes:
    """The changes that a body asks for. Raises `Refusal` 400."""
    return changes_of(call, read_object(body))


def changes_of(call: Call, given: Mapping[str, Json]) -> Changes:
    """The changes that an object in JSON asks for; all but a PATCH replace what was there. Raises `Refusal` 400."""
    custom = given.get("metadata", {})
    tokens: tuple[str, ...] | None = None if call.method == "PATCH" and custom is not None else ()
    if isinstance(custom, dict) and TOKENS in custom:
        tokens = tuple(token for token in str(custom[TOKENS] or "").split(",") if token)
        given = {**given, "metadata": {key: value for key, value in custom.items() if key != TOKENS}}
    name = given.get("name")
    return replace(
        changes_in(given), name=name if isinstance(name, str) else None, tokens=tokens, acl=_acl_of(call, given)
    )


def as_a_whole(changes: Changes, metadata: Metadata) -> Changes:
    """The changes that leave nothing of what `metadata` had."""
    settable = {**dict.fromkeys(SETTABLE), **changes.settable}
    return replace(changes, settable=settable, custom={**dict.fromkeys(metadata.custom), **(changes.custom or {})})


def acl_entry(value: Json) -> tuple[str, str]:
    """Entity and role of an entry of an ACL. Raises `Refusal` 400."""
    entry = value if isinstance(value, dict) else {}
    entity, role = entry.get("entity"), entry.get("role")
    if not isinstance(entity, str) or not isinstance(role, str) or role not in {"READER", "OWNER"}:
        raise Refusal(400, "An entry of an ACL has an entity, such as allUsers, and the role READER or OWNER.")
    return entity, role


def _acl_of(call: Call, given: Mapping[str, Json]) -> Mapping[str, str] | None:
    predefined = call.params.get("predefinedAcl") or call.params.get("destinationPredefinedAcl")
    if predefined is not None:
        if predefined not in _PREDEFINED:
            raise Refusal(400, f"Invalid value for predefinedAcl: {predefined}. Known are {', '.join(_PREDEFINED)}.")
        return _PREDEFINED[predefined]
    entries = given.get("acl")
    if entries is None:
        return None
    if not isinstance(entries, list):
        raise Refusal(400, "Invalid value for: acl")
    return dict(acl_entry(entry) for entry in entries)


JSON_API = Api(read, resource)
