"""Read response bodies of aiohttp at once with a limit, or while they arrive."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from firebase_rest.aio.transport.failure import (
    ATTEMPT_ERRORS,
    Connection,
    MalformedBody,
    ResponseTooLarge,
    find_problem,
)
from firebase_rest.transport.failure import problem_error
from firebase_rest.transport.wire import Request

_STEP = 1024 * 1024
_ERROR_LIMIT = 1024 * 1024
"""Maximum number of bytes that are read from the body of an error or a redirect."""
_MAX_CODINGS = 5


async def read_body(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Return the decompressed body. The bodies of errors and redirects are truncated to 1 MB.

    Raises `ResponseTooLarge` beyond `limit` bytes, and `MalformedBody` if compressed data is malformed or truncated.
    """
    status, headers = response.status, response.headers
    coding = headers.get("Content-Encoding", "")
    length = headers.get("Content-Length", "")
    if not coding and length.isdigit() and len(length) < 20 and int(length) <= min(limit, _ERROR_LIMIT):
        return await response.read()
    has_value = status < 300 or status == 412  # a response with status 412 contains the current value
    limit = limit if has_value else min(limit, _ERROR_LIMIT)
    parts: list[bytes] = []
    remaining = limit
    async for part in _decompress(response, coding):
        remaining -= len(part)
        parts.append(part)
        if remaining < 0:
            response.close()  # the rest of the body may still arrive
            if has_value:
                raise ResponseTooLarge(f"the response is larger than max_response_size={limit} bytes")
            return b"".join(parts)[:limit]
    return b"".join(parts)


async def _decompress(response: aiohttp.ClientResponse, header: str) -> AsyncIterator[bytes]:
    """Yield the body in parts of at most 1 MB."""
    parts = _parts(response)
    codings = [coding for name in header.lower().split(",") if (coding := name.strip())]
    if len(codings) > _MAX_CODINGS:
        raise MalformedBody(f"the body is compressed {len(codings)} times")
    for coding in reversed(codings):
        if coding in ("gzip", "x-gzip", "deflate"):  # the request asks for no other codings
            parts = _inflate(parts, is_gzip=coding != "deflate")
    async for part in parts:
        yield part


async def _parts(response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
    while part := await response.content.read(_STEP):
        yield part


async def _inflate(parts: AsyncIterator[bytes], *, is_gzip: bool) -> AsyncIterator[bytes]:
    decoder: Any = None
    async for data in parts:
        part = b""
        while data or (len(part) == _STEP and not decoder.eof):
            if decoder is None or decoder.eof:  # gzip data can have several members
                is_zlib = is_gzip or data[0] & 15 == 8  # some servers send raw deflate
                decoder = zlib.decompressobj(47 if is_zlib else -15)
            try:
                part = decoder.decompress(data, _STEP)
            except zlib.error:
                raise MalformedBody("the compressed data is malformed") from None
            if part:
                yield part
            if len(part) == _STEP:
                await asyncio.sleep(0)  # lets other tasks run, because a few bytes can become many such parts
            data = decoder.unconsumed_tail or decoder.unused_data  # noqa: PLW2901 - the remaining bytes
    if decoder is not None and not decoder.eof:
        raise MalformedBody("the compressed data is truncated")


class AsyncBody:
    """The body of a response that is still arriving. The set `bodies` contains it until it is closed."""

    def __init__(
        self,
        response: aiohttp.ClientResponse,
        connection: Connection,
        request: Request,
        bodies: set[AsyncBody],
    ) -> None:
        self._response = response
        self._connection = connection
        self._request = request
        self._bodies = bodies
        bodies.add(self)

    async def read(self, size: int) -> bytes:
        """Wait for data and return at most `size` bytes, or b"" at the end. Raises `NetworkError` if truncated.

        With `Request.fill` it waits for all `size` bytes. If the body is truncated, the bytes of this call are lost.
        """
        content = self._response.content
        try:
            if not self._request.fill:
                return await content.read(size)
            parts: list[bytes] = []
            while size and (part := await content.read(size)):
                parts.append(part)
                size -= len(part)
            return parts[0] if len(parts) == 1 else b"".join(parts)
        except ATTEMPT_ERRORS as error:
            problem = find_problem(error, self._connection)
        raise problem_error(problem, self._request)

    def close(self) -> None:
        """Close the connection. A task that waits in `read` receives `NetworkError`."""
        self._bodies.discard(self)
        self._response.close()
