"""The official Storage emulator's own endpoints: `PUT /internal/setRules` and `POST /internal/reset`."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from firebase_rest.emulator.hosts import is_local_origin
from firebase_rest.emulator.storage.errors import StorageHTTPError, json_response
from firebase_rest.emulator.storage.handler import BufferedBody, Operation, StorageApi
from firebase_rest.emulator.storage.request import ApiFormat
from firebase_rest.rules.errors import RulesSyntaxError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firebase_rest.emulator.storage.metadata import Metadata, MetadataUpdate
    from firebase_rest.emulator.storage.object_service import ObjectService
    from firebase_rest.emulator.storage.request import StorageRequest
    from firebase_rest.transport.wire import Json, Response

PREFIX = "/internal/"
RULES_PATH = "/internal/setRules"


def _parse(request: StorageRequest) -> StorageRequest:
    method, _ = _find(request)
    if request.method != method:
        raise StorageHTTPError(405, f"{request.path} supports the method {method}, not {request.method}.")
    if not is_local_origin(request.headers.get("origin")):
        raise StorageHTTPError(403, f"Web pages of other sites cannot use {request.path}.")
    return replace(request, kind=None)


def _find(request: StorageRequest) -> tuple[str, Operation]:
    endpoint = _ENDPOINTS.get(request.path)
    if endpoint is None:
        known = " and ".join(_ENDPOINTS)
        raise StorageHTTPError(501, f"The emulator does not implement {request.path}. It implements {known}.")
    return endpoint


def _rules_files(body: bytes) -> list[Any]:
    """Return the list `rules.files` of a request, with unchecked items, or an empty list if the body has none."""
    try:
        files: object = json.loads(body)["rules"]["files"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return []
    return cast("list[object]", files) if isinstance(files, list) else []


def _has_strings(file: object, names: Sequence[str]) -> bool:
    return isinstance(file, dict) and all(isinstance(cast("dict[str, object]", file).get(name), str) for name in names)


def _set_rules(service: ObjectService, _: StorageRequest, body: bytes) -> Response:
    """Publish rules for all buckets, or several files with the bucket of each as its `resource`."""
    files = _rules_files(body)
    if not files:
        return _refuse("Request body must include 'rules.files' array")
    fields = ("name", "content") if len(files) == 1 else ("name", "content", "resource")
    if not all(_has_strings(file, fields) for file in files):
        return _refuse(f"Each member of 'rules.files' array must contain {_FIELDS[len(fields)]}")
    try:
        if len(files) == 1:
            service.publish_for_client(files[0]["content"])
        else:
            service.publish_for_client({file["resource"]: file["content"] for file in files})
    except RulesSyntaxError as error:
        return _refuse("There was an error updating rules, see logs for more details", str(error))
    return json_response({"message": "Rules updated successfully"})


_FIELDS = {2: "'name' and 'content'", 3: "'name', 'content', and 'resource'"}


def _refuse(message: str, details: str | None = None) -> Response:
    """Return an error with the official emulator's `message`, and details in the format of Storage's errors."""
    return json_response({"message": message, "error": {"code": 400, "message": details or message}}, 400)


def _reset(service: ObjectService, _: StorageRequest, __: bytes) -> Response:
    service.clear()
    return json_response({"message": "Storage has been reset"})


_ENDPOINTS: Mapping[str, tuple[str, Operation]] = {
    RULES_PATH: ("PUT", _set_rules),
    "/internal/reset": ("POST", _reset),
}


def _no_update(_: StorageRequest, __: bytes) -> MetadataUpdate:
    raise NotImplementedError


def _no_resource(_: StorageRequest, __: Metadata) -> Json:
    raise NotImplementedError


API = StorageApi(
    ApiFormat(_no_update, _no_resource, lambda _, error: error.response()),
    _parse,
    lambda service, request: BufferedBody(service, request, _find(request)[1]),
)
