"""One request to the database, taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote

from firebase_rest.database.path import MAX_DEPTH, MAX_KEY_BYTES, is_valid_key, parse_url_path
from firebase_rest.emulator.database.rendering import compact, pretty
from firebase_rest.emulator.database.responses import HEADERS, INVALID_PATH, RefusedError
from firebase_rest.transport.wire import Response

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from firebase_rest.emulator.database.access import Caller
    from firebase_rest.emulator.database.namespace import Namespace
    from firebase_rest.transport.wire import Json, Request

_TIMEOUT = re.compile(r"([0-9]{1,12})(ms|s|min)")
_MILLISECONDS = {"ms": 1, "s": 1000, "min": 60_000}
_MAX_TIMEOUT = 15 * 60_000
_WRITE_SIZES = {"tiny", "small", "medium", "large", "unlimited"}
_UNPRINTABLE = re.compile(r'[\x00-\x1f\x7f"\\]')


@dataclass(frozen=True, slots=True)
class Call:
    """Everything a handler needs to know. `path` has no `.priority`: `of_priority` says that it stood there."""

    method: str
    path: tuple[str, ...]
    of_priority: bool
    params: Mapping[str, str]
    orders: int
    headers: Mapping[str, str]
    body: bytes
    namespace: Namespace
    caller: Caller
    now: int

    @property
    def wants_etag(self) -> bool:
        """Whether the answer shall carry a tag."""
        return self.headers.get("x-firebase-etag", "").lower() == "true"

    def answer(self, value: Json, etag: str | None = None, status: int = 200) -> Response:
        """`value` in the form that the parameters ask for."""
        headers = HEADERS if etag is None else {**HEADERS, "etag": etag}
        style = self.params.get("print")
        if style == "silent" and status == 200:
            return Response(204, {name: text for name, text in headers.items() if name != "content-type"})
        body = pretty(value) if style == "pretty" else compact(value)
        if self.method == "GET" and ("callback" in self.params or "download" in self.params):
            headers = dict(headers)
            if self.params.get("callback"):
                body = self.params["callback"].encode() + b"(" + body + b");"
                headers["content-type"] = "application/javascript; charset=utf-8"
            if self.params.get("download"):
                headers["content-disposition"] = _attachment(self.params["download"])
        return Response(status, headers, body)


def _attachment(name: str) -> str:
    """A Content-Disposition that makes a browser save the answer as `name`."""
    plain = _UNPRINTABLE.sub("_", name)
    if plain.isascii():
        return f'attachment; filename="{plain}"'
    return f"attachment; filename*=UTF-8''{quote(plain, safe='')}"


def split_url(request: Request) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    """Host, raw path and decoded parameters of a request; a query inside the URL counts too."""
    rest = request.url.partition("://")[2]
    host, _, path = rest.partition("/")
    params = request.params
    if "?" in path:
        path, _, query = path.partition("?")
        params = (*parse_qsl(query, keep_blank_values=True), *params)
    return host, "/" + path, params


def body_of(request: Request) -> bytes:
    """The body as bytes, however it is given."""
    body = request.body
    if body is None:
        return b""
    return body if isinstance(body, bytes) else b"".join(body)


def database_path(raw: str) -> tuple[str, ...]:
    """The segments of a raw path that ends in `.json`."""
    return parse_url_path(raw[: -len(".json")])


def checked_path(segments: Sequence[str]) -> tuple[tuple[str, ...], bool]:
    """The keys of a path, and whether it means the priority of what they lead to."""
    of_priority = len(segments) > 1 and segments[-1] == ".priority"
    keys = tuple(segments[:-1] if of_priority else segments)
    if not all(map(is_valid_key, keys)):
        raise RefusedError(400, INVALID_PATH)
    check_size(keys)
    return keys, of_priority


def check_size(keys: Sequence[str]) -> None:
    """Raise `RefusedError` 400 for a path that is too deep or has a key that is too long."""
    if len(keys) > MAX_DEPTH:
        raise RefusedError(400, f"Invalid path: it is nested deeper than {MAX_DEPTH} levels")
    for key in keys:
        if len(key) > MAX_KEY_BYTES // 4 and len(key.encode()) > MAX_KEY_BYTES:
            raise RefusedError(400, f"Invalid path: a key is longer than {MAX_KEY_BYTES} bytes")


def check_options(params: Mapping[str, str]) -> None:
    """Raise `RefusedError` 400 for a `timeout` or `writeSizeLimit` that means nothing. Nothing here takes long enough
    for either to be exceeded.
    """
    if "timeout" in params:
        match = _TIMEOUT.fullmatch(params["timeout"])
        if match is None:
            raise RefusedError(400, "timeout must be a whole number followed by ms, s or min")
        if not 0 < int(match[1]) * _MILLISECONDS[match[2]] <= _MAX_TIMEOUT:
            raise RefusedError(400, "timeout must be greater than 0 and at most 15min")
    if "writeSizeLimit" in params and params["writeSizeLimit"] not in _WRITE_SIZES:
        raise RefusedError(400, "writeSizeLimit must be one of tiny, small, medium, large and unlimited")
