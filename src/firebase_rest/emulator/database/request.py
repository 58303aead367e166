"""A parsed request to the database, and its validation."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import quote

from firebase_rest.database.path import MAX_DEPTH, MAX_KEY_BYTES, is_valid_key, parse_url_path
from firebase_rest.emulator.database.rendering import node_work
from firebase_rest.emulator.database.responses import (
    HEADERS,
    INVALID_PATH,
    DatabaseHTTPError,
    LargeResponse,
    compact,
    pretty,
)
from firebase_rest.transport.wire import Json, Request, Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firebase_rest.emulator.credentials import Caller
    from firebase_rest.emulator.database.namespace import Namespace
    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.tree import Node

_OVERRIDES = {"PUT", "PATCH", "DELETE"}
_MAX_JOINED = 64
_UNSAFE_IN_HEADER = re.compile(r'[\x00-\x1f\x7f"\\]')


@dataclass(frozen=True, slots=True)
class DatabaseRequest:
    """A parsed request. `is_priority` means that the URL ended in `.priority`, which `path` omits."""

    method: str
    path: tuple[str, ...]
    is_priority: bool
    params: Mapping[str, str]
    order_by_count: int
    headers: Mapping[str, str]
    wants_etag: bool
    body: bytes
    namespace: Namespace
    caller: Caller
    now: int

    @property
    def is_pretty(self) -> bool:
        """Whether the response is indented."""
        return self.params.get("print") == "pretty"

    @property
    def is_silent(self) -> bool:
        """Whether a response of the status 200 has no body."""
        return self.params.get("print") == "silent"

    def json_response(self, value: Json, etag: str | None = None, status: int = 200) -> Response:
        """Return `value` in the format that the parameters `print`, `callback` and `download` ask for."""
        pieces = [] if self.is_silent and status == 200 else [pretty(value) if self.is_pretty else compact(value)]
        return self.pieces_response(pieces, etag, status)

    def node_response(self, node: Node, etag: str | None = None, status: int = 200) -> Work[Response]:
        """Return a response with the data of a node, in the format that the parameter `format` asks for."""
        as_export = self.params.get("format") == "export"
        pieces = yield from node_work(node, as_export=as_export, is_pretty=self.is_pretty)
        return self.pieces_response(pieces, etag, status)

    def pieces_response(self, pieces: Sequence[bytes], etag: str | None = None, status: int = 200) -> Response:
        """Do `json_response` for a JSON text in pieces."""
        headers = HEADERS if etag is None else {**HEADERS, "etag": etag}
        if self.is_silent and status == 200:
            return Response(204, {name: text for name, text in headers.items() if name != "content-type"})
        if self.method == "GET" and ("callback" in self.params or "download" in self.params):
            headers = dict(headers)
            if self.params.get("callback"):
                pieces = [self.params["callback"].encode() + b"(", *pieces, b");"]
                headers["content-type"] = "application/javascript; charset=utf-8"
            if self.params.get("download"):
                headers["content-disposition"] = _attachment(self.params["download"])
        if len(pieces) < _MAX_JOINED:
            return Response(status, headers, b"".join(pieces))
        return LargeResponse(status, headers, pieces=pieces)


def _attachment(name: str) -> str:
    """Return a Content-Disposition that makes a browser save the response as `name`."""
    safe = _UNSAFE_IN_HEADER.sub("_", name)
    if safe.isascii():
        return f'attachment; filename="{safe}"'
    return f"attachment; filename*=UTF-8''{quote(safe, safe='')}"


def body_bytes(request: Request) -> bytes:
    """Return the body as bytes."""
    body = request.body
    if body is None:
        return b""
    return body if isinstance(body, bytes) else b"".join(body)


class DatabasePath(NamedTuple):
    """A parsed path: keys without a final `.priority`, or the segments of a path such as `/.settings/rules`."""

    keys: tuple[str, ...] = ()
    is_priority: bool = False
    special: tuple[str, ...] = ()


def parse_path(raw: str) -> DatabasePath:
    """Parse a raw path that ends in `.json`. Raises `DatabaseHTTPError` 400."""
    segments = parse_url_path(raw[: -len(".json")])
    if segments[:1] in {(".settings",), (".inspect",)}:
        return DatabasePath(special=segments)
    is_priority = len(segments) > 1 and segments[-1] == ".priority"
    keys = segments[:-1] if is_priority else segments
    if not all(map(is_valid_key, keys)):
        raise DatabaseHTTPError(400, INVALID_PATH)
    validate_path_size(keys)
    return DatabasePath(keys, is_priority)


def effective_method(method: str, headers: Mapping[str, str], params: Mapping[str, str]) -> str:
    """Return the method after x-http-method-override, for clients that can only POST; HEAD is handled as GET."""
    if method == "POST":
        override = headers.get("x-http-method-override") or params.get("x-http-method-override", "")
        return override.upper() if override.upper() in _OVERRIDES else method
    return "GET" if method == "HEAD" else method


def validate_path_size(keys: Sequence[str]) -> None:
    """Raise `DatabaseHTTPError` 400 if a path is too deep or has a key that is too long."""
    if len(keys) > MAX_DEPTH:
        raise DatabaseHTTPError(400, f"Invalid path: it is nested deeper than {MAX_DEPTH} levels")
    for key in keys:
        if len(key) > MAX_KEY_BYTES // 4 and len(key.encode()) > MAX_KEY_BYTES:
            raise DatabaseHTTPError(400, f"Invalid path: a key is longer than {MAX_KEY_BYTES} bytes")
