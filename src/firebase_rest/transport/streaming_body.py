"""An answer's body while it is still arriving."""

from __future__ import annotations

from collections.abc import Callable

from requests import RequestException
from urllib3.exceptions import HTTPError as Urllib3Error
from urllib3.response import BaseHTTPResponse

from firebase_rest.transport.failure import network_error
from firebase_rest.transport.sockets import CancelHandle
from firebase_rest.transport.wire import Request


class StreamingBody:
    """The `BodyReader` over urllib3's response. `read` and `close` belong to one thread, `abort` to any."""

    def __init__(
        self, raw: BaseHTTPResponse, handle: CancelHandle, request: Request, on_close: Callable[[CancelHandle], object]
    ) -> None:
        self._raw = raw
        self._read = raw.read if request.fill else raw.read1
        self._handle = handle
        self._request = request
        self._on_close = on_close

    def read(self, size: int) -> bytes:
        """See `BodyReader`."""
        problem: Exception | None = None
        try:
            if not self._handle.cancelled:
                return self._read(size)
            problem = OSError("it was closed, or belongs to the parent process of a fork")
        except (Urllib3Error, RequestException, OSError) as error:
            problem = error
        except (ValueError, AttributeError) as error:
            # What the standard library raises when another thread ends the connection between two of its own steps.
            if not self._handle.cancelled:
                raise
            problem = error
        raise network_error(problem, self._request, self._handle)

    def abort(self) -> None:
        """Wake a `read` that waits, and fail those to come. From any thread, or from a signal handler."""
        self._handle.cancel()

    def close(self) -> None:
        """Close the connection."""
        self._handle.attach(None)
        self._on_close(self._handle)
        self._raw.close()
