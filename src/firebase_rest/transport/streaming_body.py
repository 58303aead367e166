"""Reading response bodies: at once with a limit, or while they arrive."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from requests import RequestException
from urllib3.exceptions import DecodeError
from urllib3.exceptions import HTTPError as Urllib3Error
from urllib3.response import BaseHTTPResponse

from firebase_rest.transport.failure import ResponseTooLarge, network_error
from firebase_rest.transport.sockets import CancelHandle
from firebase_rest.transport.wire import Request


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
        except (Urllib3Error, RequestException, OSError) as error:
            problem = error
        except (ValueError, AttributeError) as error:
            # http.client and ssl raise these when another thread shuts the socket down between two of their steps.
            if not self._handle.cancelled:
                raise
            problem = error
        raise network_error(problem, self._request, self._handle)

    def abort(self) -> None:
        """Make the current `read` and later ones fail. Any thread and signal handler may call it."""
        self._handle.cancel()

    def close(self) -> None:
        """Close the connection."""
        self._handle.detach()
        self._on_close(self._handle)
        self._raw.close()


_STEP = 1024 * 1024
_ERROR_LIMIT = 1024 * 1024
"""The number of bytes read of an error's or a redirect's body."""


def read_body(raw: BaseHTTPResponse, status: int, headers: Mapping[str, str], limit: int) -> tuple[bytes, bool]:
    """Return the decompressed body and whether it is complete; bodies of errors and redirects may be cut.

    Raises `ResponseTooLarge` beyond `limit` bytes, and `DecodeError` if compressed data is malformed or truncated.
    """
    has_value = status < 300 or status == 412  # 412 carries the current value
    limit = limit if has_value else min(limit, _ERROR_LIMIT)
    text = headers.get("content-length", "")
    length = int(text) if text.isdigit() and len(text) < 20 else None
    if length is not None and length <= limit and "content-encoding" not in headers:
        return raw.read() or b"", True
    parts: list[bytes] = []
    left = 0 if has_value and length is not None and length > limit else limit + 1
    while left and (part := raw.read(min(_STEP, left), decode_content=True)):
        parts.append(part)
        left -= len(part)
    if left:
        if parts and not is_decompressed(raw):
            raise DecodeError("the compressed data is truncated")
        return b"".join(parts), True
    if has_value:
        raise ResponseTooLarge(f"the response is larger than max_response_size={limit} bytes")
    return b"".join(parts)[:limit], False


def is_decompressed(raw: BaseHTTPResponse) -> bool:
    """Return whether compressed data has reached its end, which urllib3 does not check for gzip, deflate and brotli."""
    decoder: object = getattr(raw, "_decoder", None)
    for each in getattr(decoder, "_decoders", [decoder]):  # several, if the body was compressed more than once
        data: Any = getattr(each, "_obj", None)
        if not (data.is_finished() if hasattr(data, "is_finished") else getattr(data, "eof", True)):
            return False
    return True
