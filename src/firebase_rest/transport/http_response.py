"""Read HTTP/1.1 responses strictly, because http.client accepts some truncated responses.

The rules, which `tests/http/test_hostile_server.py` tests:

1. The head of a response ends with an empty line. If the connection ends earlier, an error is raised.
2. Informational responses (1xx) are skipped, at most `MAX_INFORMATIONAL` of them. 101 is an error, because no request
   asks for another protocol.
3. `Content-Length` is a decimal number, `Transfer-Encoding` is "chunked", and a header line contains a colon. Anything
   else is an error. With both headers, the chunks determine the length, and the connection is not reused.
4. A chunked body ends with a chunk of size 0, trailers and an empty line.
5. A connection is reused only after exactly one complete response. If more bytes follow, it is shut down.
6. A line has at most 64 KB; a head, and the trailers after the last chunk, have at most `MAX_HEADERS` lines.

A body without length and chunks ends with the connection, so it may be truncated. `Response.has_length` is then False.
Bodies are read at once with a limit (`read_body`), or while they arrive (`StreamingBody`).
"""

# ruff: noqa: SLF001 - methods of http.client's response

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable, Mapping
from email.errors import FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect
from functools import partial
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import Any, cast

import requests
from urllib3.exceptions import DecodeError, ProtocolError
from urllib3.exceptions import HTTPError as Urllib3Error
from urllib3.response import BaseHTTPResponse

from firebase_rest.transport.cancellation import CancelHandle, cancel_socket
from firebase_rest.transport.failure import ResponseTooLarge, find_problem, problem_error
from firebase_rest.transport.wire import Request, Response

MAX_HEADERS = 100
"""Also the limit of http.client for the final response."""

MAX_INFORMATIONAL = 20

_MAX_LINE = 65_536
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")
_LENGTH = re.compile(r"[0-9]{1,18}")
_MALFORMED_HEADERS = (FirstHeaderLineIsContinuationDefect, MissingHeaderBodySeparatorDefect)


class _Source:
    """The bytes of a connection, with the methods that a BufferedReader calls."""

    __slots__ = ("_raw", "closed", "fileno", "is_at_end", "readable", "readinto")

    def __init__(self, sock: Any) -> None:
        raw = self._raw = sock.makefile("rb", 0)
        self.fileno = raw.fileno
        self.readable = raw.readable
        self.readinto: Callable[[Any], int | None] = self._read_head
        self.closed = False
        self.is_at_end = False

    def makefile(self, mode: str) -> Any:  # noqa: ARG002 - http.client's signature
        return io.BufferedReader(cast(Any, self))

    def _read_head(self, buffer: Any) -> int | None:
        count: int | None = self._raw.readinto(buffer)
        if count == 0:
            self.is_at_end = True
        return count

    def begin_body(self) -> None:
        """Stop checking for the end of the connection, which is necessary only in the head."""
        self.readinto = self._raw.readinto

    def stop(self) -> None:
        """Return no more bytes, and do not block."""
        self.readinto = _no_bytes

    def flush(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True
        self._raw.close()


def _no_bytes(_buffer: object) -> None:
    return None


class StrictResponse(HTTPResponse):
    """http.client's response with the rules above."""

    fp: Any
    chunk_left: Any

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        self._sock = sock
        self._process = os.getpid()
        self._source = _Source(sock)
        super().__init__(cast(Any, self._source), *args, **kwargs)

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(MAX_INFORMATIONAL + 1):
            version, status, reason = cast(Any, super())._read_status()
            if not 100 <= status < 200:
                return version, status, reason
            if status == 101:
                break
            self._skip_headers()
        raise HTTPException("the server sent 101, or too many informational responses")

    def _skip_headers(self) -> None:
        for _ in range(MAX_HEADERS):
            line = self.fp.readline(_MAX_LINE)
            if line in (b"\r\n", b"\n"):
                return
            if line[-1:] != b"\n":
                raise IncompleteRead(line)
        raise HTTPException(f"more than {MAX_HEADERS} header lines")

    def begin(self) -> None:
        super().begin()
        if self._source.is_at_end:  # http.client treats the end as the empty line
            raise IncompleteRead(b"")
        self._source.begin_body()
        headers: Any = self.headers
        if headers.defects and any(isinstance(defect, _MALFORMED_HEADERS) for defect in headers.defects):
            raise HTTPException("a header line has no colon")
        lengths: list[str] = []
        codings = 0
        for name, value in headers.raw_items():
            if len(name) == 14 and name.lower() == "content-length":
                lengths.append(value)
            elif len(name) == 17 and name.lower() == "transfer-encoding":
                codings += 1
        if codings and (codings > 1 or not self.chunked):
            raise HTTPException("the transfer encoding is not 'chunked'")
        if codings and lengths:
            self.will_close = True
        elif lengths and not (len(set(lengths)) == 1 and _LENGTH.fullmatch(lengths[0].strip())):
            raise HTTPException("the content length is not one number")

    def _get_chunk_left(self) -> int | None:
        """Return the number of bytes left in the current chunk, or None at the end of the body."""
        remaining: int | None = self.chunk_left
        if not remaining:
            if remaining is not None and cast(Any, self)._safe_read(2) != b"\r\n":
                raise HTTPException("a chunk is longer than its size")
            line = _CHUNK_LINE.fullmatch(self.fp.readline(_MAX_LINE))
            if line is None:
                raise IncompleteRead(b"")
            remaining = int(line[1], 16)
            if remaining == 0:
                self._skip_headers()
                self._close_conn()
                remaining = None
            self.chunk_left = remaining
        return remaining

    def _close_conn(self) -> None:
        # Not in a forked child process, because the parent still uses the connection of its response.
        if self._process == os.getpid() and self._has_surplus():
            # Invariant: no later request reads these bytes. The pool replaces connections that are shut down.
            cancel_socket(self._sock)
        cast(Any, super())._close_conn()

    def _has_surplus(self) -> bool:
        """Return whether bytes after the end of the response have been read from the connection."""
        self._source.stop()
        tls = self._sock
        # The attributes in which urllib3's TLS inside TLS and pyOpenSSL store decrypted bytes.
        for name in ("sslobj", "connection"):
            tls = getattr(tls, name, tls)
        pending = getattr(tls, "pending", None)
        return bool(self.fp.peek(1)) or (pending is not None and pending() > 0)


# --- bodies ----------------------------------------------------------------------------------------------------------


class StreamingBody:
    """A `BodyReader` over urllib3's response. One thread may call `read` and `close`; any thread may call `abort`."""

    def __init__(
        self, raw: BaseHTTPResponse, handle: CancelHandle, request: Request, on_close: Callable[[CancelHandle], object]
    ) -> None:
        self._raw = raw
        self._read = raw.read if request.fill else raw.read1
        self._handle = handle
        self._request = request
        self._on_close = on_close

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes; see `BodyReader`."""
        problem: Exception | None = None
        try:
            if not self._handle.cancelled:
                return self._read(size)
            problem = OSError("it was closed, or belongs to the parent process of a fork")
        except (Urllib3Error, requests.RequestException, OSError) as error:
            problem = error
        except (ValueError, AttributeError) as error:
            # http.client and ssl raise these when another thread shuts the socket down between two of their steps.
            if not self._handle.cancelled:
                raise
            problem = error
        raise problem_error(find_problem(problem, self._handle), self._request)

    def abort(self) -> None:
        """Make the current and later calls of `read` fail. Any thread and signal handler may call it."""
        self._handle.cancel()

    def close(self) -> None:
        """Close the connection."""
        self._handle.detach()
        self._on_close(self._handle)
        self._raw.close()


_STEP = 1024 * 1024
_ERROR_LIMIT = 1024 * 1024
"""Maximum number of bytes that are read from the body of an error or a redirect."""


def read_response(
    response: requests.Response,
    request: Request,
    handle: CancelHandle,
    max_size: int,
    on_close: Callable[[CancelHandle], object],
) -> Response:
    """Read a response of requests: its body, or with `request.stream` a reader that calls `on_close`.

    Raises the exceptions of `read_body`, and `ProtocolError` for an informational response.
    """
    headers = {name.lower(): value for name, value in response.headers.items()}
    result = partial(Response, response.status_code, headers, request=request)
    raw = response.raw
    if not isinstance(raw, BaseHTTPResponse):
        return result(response.content or b"")
    # Whether the end of the body is confirmed; mocked responses have version 0 and are complete.
    has_length = headers.get("content-length", "").isdigit() or (
        "chunked" in headers.get("transfer-encoding", "").lower() or raw.status in (204, 304) or not raw.version
    )
    if isinstance(getattr(response, "_content", None), bytes):  # read by a hook or a subclass of the session
        return result(response.content, has_length=has_length and is_decompressed(raw))
    if response.status_code < 200:  # only from other adapters, because ours skips these responses
        response.close()
        raise ProtocolError(f"informational response {response.status_code}", HTTPException())
    if not (handle.dialed or handle.connected):
        handle.attach(raw.shutdown)
    if request.stream and response.status_code in (200, 206):
        return result(reader=StreamingBody(raw, handle, request, on_close), has_length=has_length)
    is_complete = False
    try:
        body, is_complete = read_body(raw, response.status_code, headers, max_size)
    finally:
        if not is_complete:
            response.close()  # the rest of the body may still arrive
    return result(body, has_length=is_complete and has_length)


def read_body(raw: BaseHTTPResponse, status: int, headers: Mapping[str, str], limit: int) -> tuple[bytes, bool]:
    """Return the decompressed body, and whether it is complete. Bodies of errors and redirects may be truncated.

    Raises `ResponseTooLarge` beyond `limit` bytes, and `DecodeError` if compressed data is malformed or truncated.
    """
    has_value = status < 300 or status == 412  # a response with status 412 contains the current value
    limit = limit if has_value else min(limit, _ERROR_LIMIT)
    text = headers.get("content-length", "")
    length = int(text) if text.isdigit() and len(text) < 20 else None
    if length is not None and length <= limit and "content-encoding" not in headers:
        return raw.read() or b"", True
    parts: list[bytes] = []
    is_too_large = has_value and length is not None and length > limit
    remaining = 0 if is_too_large else limit + 1
    while remaining and (part := raw.read(min(_STEP, remaining), decode_content=True)):
        parts.append(part)
        remaining -= len(part)
    if remaining:
        if parts and not is_decompressed(raw):
            raise DecodeError("the compressed data is truncated")
        return b"".join(parts), True
    if has_value:
        raise ResponseTooLarge(f"the response is larger than max_response_size={limit} bytes")
    return b"".join(parts)[:limit], False


def is_decompressed(raw: BaseHTTPResponse) -> bool:
    """Return whether the compressed data is complete, which urllib3 does not check for gzip, deflate and brotli."""
    outer: object = getattr(raw, "_decoder", None)
    for decoder in getattr(outer, "_decoders", [outer]):  # several decoders if the body was compressed more than once
        data: Any = getattr(decoder, "_obj", None)
        is_finished = data.is_finished() if hasattr(data, "is_finished") else getattr(data, "eof", True)
        if not is_finished:
            return False
    return True
