"""Publication of rules as in the official Storage emulator: `PUT /internal/setRules`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from firebase_rest.emulator.storage.errors import StorageHTTPError, json_response
from firebase_rest.emulator.storage.handler import BufferedBody, StorageApi
from firebase_rest.emulator.storage.request import ApiFormat
from firebase_rest.rules.errors import RulesSyntaxError

if TYPE_CHECKING:
    from firebase_rest.emulator.storage.metadata import Metadata, MetadataUpdate
    from firebase_rest.emulator.storage.object_service import ObjectService
    from firebase_rest.emulator.storage.request import StorageRequest
    from firebase_rest.transport.wire import Json, Response

PREFIX = "/internal/setRules"


def _parse(request: StorageRequest) -> StorageRequest:
    if request.method != "PUT" or request.path != PREFIX:
        raise StorageHTTPError(405, f"Use PUT on {PREFIX}.")
    return replace(request, kind=None)


def _set_rules(service: ObjectService, _: StorageRequest, body: bytes) -> Response:
    try:
        files = json.loads(body)["rules"]["files"]
        [text] = [file["content"] for file in files]
    except (ValueError, RecursionError, KeyError, TypeError):
        raise StorageHTTPError(400, 'Expected {"rules": {"files": [{"name": "...", "content": "..."}]}}.') from None
    if not isinstance(text, str):
        raise StorageHTTPError(400, "The content of the rules must be a string.")
    try:
        service.publish(service.rules_store.storage_rules(text))
    except RulesSyntaxError as error:
        raise StorageHTTPError(400, str(error)) from None
    return json_response({"message": "Rules updated successfully"})


def _no_update(_: StorageRequest, __: bytes) -> MetadataUpdate:
    raise NotImplementedError


def _no_resource(_: StorageRequest, __: Metadata) -> Json:
    raise NotImplementedError


API = StorageApi(
    ApiFormat(_no_update, _no_resource, lambda _, error: error.response()),
    _parse,
    lambda service, request: BufferedBody(service, request, _set_rules),
)
