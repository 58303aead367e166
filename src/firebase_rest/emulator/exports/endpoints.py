"""`POST /internal/export` of the official Storage emulator, and `POST /_admin/export` of the emulator hub.

A page of any web site can send requests to a loopback address. Therefore a request with an Origin header is refused,
and the paths in requests must be below one folder, which only the command line or the program names.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from firebase_rest.emulator.exports.exports import export_data, export_storage
from firebase_rest.emulator.exports.folders import below
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
        root: The folder below which exports may be written, or None for no exports.
        request: The request.
        path: Its path.
    """
    if request.method != "POST":
        return _response(405, f"Use POST on {path}.")
    if any(name.lower() == "origin" for name in request.headers):
        return _response(403, "Export cannot be triggered by web pages.")
    if root is None:
        return _response(403, "Exports are off. Start the emulator with --exports DIR, or Emulator(exports=DIR).")
    try:
        body: dict[str, Any] = json.loads(request.body if isinstance(request.body, bytes) else b"")
        where: str = body["path"]
        targets: list[str] | None = body.get("targets")
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        where, targets = "", None
    if type(where) is not str or not where or "\0" in where:
        return _response(400, 'Expected {"path": "..."}, the folder to write.')
    if targets is not None and type(targets) is not list:
        return _response(400, "targets must be a list of names.")
    try:
        target = below(root, where)
        if path == STORAGE_PATH:
            export_storage(services, target)
        else:
            export_data(services, target, None if targets is None else _TARGETS.intersection(map(str, targets)))
    except ExportError as error:
        return _response(403, str(error))
    except OSError as error:
        return _response(500, f"{where!r} cannot be written: {error.strerror or error}.")
    return _response(200, "OK")


def _response(status: int, message: str) -> Response:
    return Response(status, _HEADERS, json.dumps({"message": message}).encode())
