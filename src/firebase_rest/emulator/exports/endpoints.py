"""The endpoints `POST /internal/export` of the official Storage emulator and `POST /_admin/export` of the emulator hub.

A page of any web site can send requests to a loopback address. Therefore a request with an Origin header is rejected,
and the path in a request must be below a folder that the program or the command line has set.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firebase_rest.emulator.exports.exports import export_data, export_storage
from firebase_rest.emulator.exports.folders import resolve_below
from firebase_rest.emulator.exports.services import ExportError
from firebase_rest.transport.wire import Request, Response

if TYPE_CHECKING:
    from firebase_rest.emulator.exports.services import Services

STORAGE_PATH = "/internal/export"
HUB_PATH = "/_admin/export"
PATHS = frozenset({STORAGE_PATH, HUB_PATH})

_TARGETS = frozenset({"database", "auth", "storage"})
_HEADERS = {"content-type": "application/json; charset=utf-8"}


def handle_export(services: Services, root: Path | None, request: Request, path: str) -> Response:
    """Return the response to a request for one of `PATHS`.

    Args:
        services: The services to export.
        root: The folder below which exports may be written, or None to reject all requests.
        request: The request.
        path: The path of the request.
    """
    if request.method != "POST":
        return _response(405, f"{path} supports the method POST, not {request.method}.")
    if any(name.lower() == "origin" for name in request.headers):
        return _response(403, "Export cannot be triggered by web pages.")
    if root is None:
        return _response(403, "Exports are disabled. Start the emulator with --exports DIR, or Emulator(exports=DIR).")
    try:
        body: dict[str, Any] = json.loads(request.body if isinstance(request.body, bytes) else b"")
        destination: str = body["path"]
        targets: list[str] | None = body.get("targets")
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        destination, targets = "", None
    if type(destination) is not str or not destination or "\0" in destination:
        return _response(400, 'The body must be {"path": "FOLDER"}.')
    if targets is not None and type(targets) is not list:
        return _response(400, f"targets must be a list of {', '.join(sorted(_TARGETS))}.")
    try:
        folder = resolve_below(root, destination)
        if path == STORAGE_PATH:
            export_storage(services, folder)
        else:
            export_data(services, folder, None if targets is None else _TARGETS.intersection(map(str, targets)))
    except ExportError as error:
        return _response(403, str(error))
    except OSError as error:
        return _response(500, f"Cannot write {destination!r}: {error.strerror or error}.")
    return _response(200, "OK")


def _response(status: int, message: str) -> Response:
    return Response(status, _HEADERS, json.dumps({"message": message}).encode())
