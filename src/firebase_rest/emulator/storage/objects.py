"""What can be done with objects that are there: read, list, change, delete, and give away by a token.

https://firebase.google.com/docs/storage/web/start
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from firebase_rest.emulator.storage.downloads import download
from firebase_rest.emulator.storage.errors import Refusal, in_json, without_body
from firebase_rest.emulator.storage.listing import Wanted, page
from firebase_rest.emulator.storage.store import StoredObject, new_token

if TYPE_CHECKING:
    from firebase_rest.emulator.storage.metadata import Metadata
    from firebase_rest.emulator.storage.object_service import Call, Desk
    from firebase_rest.transport.wire import Response


def get_bytes(desk: Desk, call: Call) -> Response:
    """The object itself. Its download token opens it to anybody; a wrong one is none."""
    with desk.store.lock:
        if not desk.opens(call.bucket, call.name, call.params):
            desk.check(call, "get", call.name)
        return download(desk.existing(call, "GET_OBJECT"), call.headers)


def get_metadata(desk: Desk, call: Call) -> Response:
    """What is known of the object. One that has no download token gets one."""
    with desk.store.lock:
        if not desk.opens(call.bucket, call.name, call.params):
            desk.check(call, "get", call.name)
        stored = desk.existing(call, "GET_OBJECT")
        if not stored.metadata.tokens:
            return keep(desk, call, stored, stored.metadata.with_tokens((new_token(),), desk.clock()))
        return in_json(call.show(stored.metadata))


def update(desk: Desk, call: Call, body: bytes) -> Response:
    """Change the metadata that users may."""
    changes = call.read(body)
    with desk.store.lock:
        there = desk.store.find(call.bucket, call.name)
        after = there.metadata.changed(changes, desk.clock()) if there else None
        desk.check(call, "update", call.name, after)
        stored = desk.existing(call, "UPDATE_OBJECT")
        return keep(desk, call, stored, stored.metadata.changed(changes, desk.clock()))


def delete(desk: Desk, call: Call) -> Response:
    """Delete the object."""
    with desk.store.lock:
        desk.check(call, "delete", call.name)
        desk.existing(call, "DELETE_OBJECT")
        desk.store.delete(call.bucket, call.name)
        return without_body(204)


def list_names(desk: Desk, call: Call) -> Response:
    """One page of the bucket's names."""
    wanted = Wanted.of(call.params)
    with desk.store.lock:
        desk.check(call, "list", wanted.prefix.removesuffix("/"))
        return in_json(page(desk.store.names(call.bucket), call.bucket, wanted))


def tokens(desk: Desk, call: Call) -> Response:
    """Add a download token, or take one away; the last one is replaced. For administrators."""
    create, gone = call.params.get("create_token"), call.params.get("delete_token")
    if create not in {None, "true"}:
        raise Refusal(400, f"Invalid value for create_token: {create}")
    if not call.caller.admin:
        raise Refusal(403, "Missing admin credentials.")
    with desk.store.lock:
        stored = desk.existing(call, "UPDATE_OBJECT")
        had = stored.metadata.tokens
        left = had if create else tuple(token for token in had if token != gone)
        has = (*left, new_token()) if create or not left else left
        return keep(desk, call, stored, stored.metadata.with_tokens(has, desk.clock()))


def keep(desk: Desk, call: Call, stored: StoredObject, metadata: Metadata) -> Response:
    """The object has other metadata from now on."""
    desk.store.put(StoredObject(metadata, stored.blob))
    return in_json(call.show(metadata))
