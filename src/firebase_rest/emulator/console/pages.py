"""The files of the console's page: HTML, CSS and JavaScript modules."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from firebase_rest.transport.wire import Response

_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
PAGE = "index.html"

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
    ),
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
"""Headers of every response of the console."""

STREAM_HEADERS = {**HEADERS, "content-type": "text/event-stream; charset=utf-8"}


@cache
def _contents() -> dict[str, bytes]:
    folder = files("firebase_rest.emulator.console") / "static"
    return {entry.name: entry.read_bytes() for entry in folder.iterdir() if entry.name.rpartition(".")[2] in _TYPES}


def page(token: str) -> Response:
    """Return the page. It contains the token that its requests must send."""
    text = _contents()[PAGE].replace(b"{{token}}", token.encode())
    return Response(200, {**HEADERS, "content-type": _TYPES["html"]}, text)


def find_file(name: str) -> Response | None:
    """Return a file of the page, or None."""
    content = _contents().get(name)
    if content is None or name == PAGE:
        return None
    return Response(200, {**HEADERS, "content-type": _TYPES[name.rpartition(".")[2]]}, content)
