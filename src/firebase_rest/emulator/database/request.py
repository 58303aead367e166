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
    """A parsed request to the database.

    Attributes:
        path: The keys of the path, without a final `.priority`.
        is_priority: Whether the path of the URL ends in `.priority`.
        order_by_count: The number of `orderBy` parameters.
        wants_etag: Whether the request has the header `X-Firebase-ETag: true`.
        now: The time of the request in milliseconds since the epoch.
    """

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
        """Whether the JSON of the response is indented."""
        return self.params.get("print") == "pretty"

    @property
    def is_silent(self) -> bool:
        """Whether a successful response has no body."""
        return self.params.get("print") == "silent"

    def json_response(self, value: Json, etag: str | None = None, status: int = 200) -> Response:
        """Return a response with `value`, in the format of the parameters `print`, `callback` and `download`."""
        if self.is_silent and status == 200:
            return self.pieces_response([], etag, status)
        return self.pieces_response([pretty(value) if self.is_pretty else compact(value)], etag, status)

    def node_response(self, node: Node, etag: str | None = None, status: int = 200) -> Work[Response]:
        """Return a response with the data of a node, in the format of the parameter `format`."""
        as_export = self.params.get("format") == "export"
        pieces = yield from node_work(node, as_export=as_export, is_pretty=self.is_pretty)
        return self.pieces_response(pieces, etag, status)

    def pieces_response(self, pieces: Sequence[bytes], etag: str | None = None, status: int = 200) -> Response:
        """Return a response with a JSON text in pieces, in the format of `callback` and `download`."""
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
    """Return a Content-Disposition header with which a browser saves the response as the file `name`."""
    safe_name = _UNSAFE_IN_HEADER.sub("_", name)
    if safe_name.isascii():
        return f'attachment; filename="{safe_name}"'
    return f"attachment; filename*=UTF-8''{quote(safe_name, safe='')}"


def body_bytes(request: Request) -> bytes:
    """Return the body of a request as bytes."""
    body = request.body
    if body is None:
        return b""
    return body if isinstance(body, bytes) else b"".join(body)


class DatabasePath(NamedTuple):
    """A parsed path: the keys without a final `.priority`, or the segments of a `special` path (`/.settings/rules`)."""

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
    """Return the HTTP method to handle: GET for HEAD, and the method in `x-http-method-override` for POST."""
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
