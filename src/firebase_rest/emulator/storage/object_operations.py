"""Operations on existing objects: read, list, update, delete, and manage download tokens.

https://firebase.google.com/docs/storage/web/start
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from firebase_rest.emulator.storage.downloads import download
from firebase_rest.emulator.storage.errors import StorageHTTPError, empty_response, json_response
from firebase_rest.emulator.storage.listing import ListQuery, firebase_page
from firebase_rest.emulator.storage.store import StoredObject, new_token

if TYPE_CHECKING:
    from firebase_rest.emulator.storage.metadata import Metadata
    from firebase_rest.emulator.storage.object_service import ObjectService
    from firebase_rest.emulator.storage.request import StorageRequest
    from firebase_rest.transport.wire import Response


def get_bytes(service: ObjectService, request: StorageRequest, _: bytes) -> Response:
    """Return the content of the object."""
    with service.store.lock:
        service.authorize(request, "get", request.name)
        return download(service.require(request, "GET_OBJECT"), request.headers)


def get_metadata(service: ObjectService, request: StorageRequest, _: bytes) -> Response:
    """Return the metadata of the object. Create a download token if the object has none."""
    with service.store.lock:
        service.authorize(request, "get", request.name)
        stored = service.require(request, "GET_OBJECT")
        if not stored.metadata.tokens:
            return save_metadata(service, request, stored, stored.metadata.with_tokens((new_token(),), service.clock()))
        return json_response(request.resource(stored.metadata))


def update(service: ObjectService, request: StorageRequest, body: bytes) -> Response:
    """Update the metadata that users can set."""
    changes = request.read_update(body)
    with service.store.lock:
        existing = service.store.find(request.bucket, request.name)
        after = existing.metadata.updated_with(changes, service.clock()) if existing else None
        service.authorize(request, "update", request.name, after)
        stored = service.require(request, "UPDATE_OBJECT")
        return save_metadata(service, request, stored, stored.metadata.updated_with(changes, service.clock()))


def delete(service: ObjectService, request: StorageRequest, _: bytes) -> Response:
    """Delete the object."""
    with service.store.lock:
        service.authorize(request, "delete", request.name)
        service.require(request, "DELETE_OBJECT")
        service.store.delete(request.bucket, request.name)
        return empty_response(204)


def list_names(service: ObjectService, request: StorageRequest, _: bytes) -> Response:
    """Return one page of the object names of a bucket."""
    query = ListQuery.from_firebase(request.params)
    with service.store.lock:
        service.authorize(request, "list", query.prefix.removesuffix("/"))
        return json_response(firebase_page(service.store.names(request.bucket), request.bucket, query))


def update_tokens(service: ObjectService, request: StorageRequest, _: bytes) -> Response:
    """Create or delete a download token, for administrators. Deleting the last token creates another."""
    create, deleted = request.params.get("create_token"), request.params.get("delete_token")
    if create not in {None, "true"}:
        raise StorageHTTPError(400, f"Invalid value for create_token: {create}")
    if not request.caller.admin:
        raise StorageHTTPError(403, "Missing admin credentials.")
    with service.store.lock:
        stored = service.require(request, "UPDATE_OBJECT")
        before = stored.metadata.tokens
        remaining = before if create else tuple(token for token in before if token != deleted)
        after = (*remaining, new_token()) if create or not remaining else remaining
        return save_metadata(service, request, stored, stored.metadata.with_tokens(after, service.clock()))


def save_metadata(
    service: ObjectService, request: StorageRequest, stored: StoredObject, metadata: Metadata
) -> Response:
    """Store `metadata` for the object, and return the response with it."""
    service.store.put(StoredObject(metadata, stored.blob))
    return json_response(request.resource(metadata))
