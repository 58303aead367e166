"""Incremental handling of requests: `write` receives the body piece by piece, then `finish` returns the response."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from firebase_rest.emulator.data_errors import SaveError
from firebase_rest.emulator.storage.errors import StorageHTTPError

if TYPE_CHECKING:
    from collections.abc import Callable

    from firebase_rest.emulator.storage.faults import ByteCounter, Fault
    from firebase_rest.emulator.storage.object_service import ObjectService
    from firebase_rest.emulator.storage.request import ApiFormat, StorageRequest
    from firebase_rest.transport.wire import BodyReader, Response

Operation: TypeAlias = "Callable[[ObjectService, StorageRequest, bytes], Response]"

CHUNK_SIZE = 256 * 1024
"""Number of bytes that are read or written at once."""

MAX_BUFFERED_BODY = 1024 * 1024
"""Maximum size in bytes of a body that does not carry a file."""


class BodyHandler(Protocol):
    """Receives the body of one request. `write` and `finish` raise `StorageHTTPError`."""

    def write(self, piece: bytes) -> None:
        """Receive the next bytes of the body."""

    def finish(self) -> Response:
        """Return the response. Called after the end of the body."""
        ...

    def abort(self) -> None:
        """Discard the request. Called if the connection is lost before the end of the body."""


@dataclass(frozen=True, slots=True)
class StorageApi:
    """One of the Storage APIs. `parse` and `handle` raise `StorageHTTPError`."""

    format: ApiFormat
    parse: Callable[[StorageRequest], StorageRequest]
    """Returns the request with `kind`, `bucket` and `name`, which are parsed from the URL and the headers."""
    handle: Callable[[ObjectService, StorageRequest], BodyHandler]
    """Authenticates a parsed request and returns the handler of its body."""


class BufferedBody:
    """Collects a small body and calls an operation with it."""

    def __init__(self, service: ObjectService, request: StorageRequest, operation: Operation) -> None:
        self._service = service
        self._request = request
        self._operation = operation
        self._body = b""

    def write(self, piece: bytes) -> None:
        """See `BodyHandler`."""
        self._body += piece
        if len(self._body) > MAX_BUFFERED_BODY:
            raise StorageHTTPError(413, "Request Entity Too Large")

    def finish(self) -> Response:
        """See `BodyHandler`."""
        return self._operation(self._service, self._request, self._body)

    def abort(self) -> None:
        """See `BodyHandler`."""


class IncomingRequest:
    """One request, whose body still arrives, and the fault that is planned for it.

    Call `write` for each piece of the body, then `finish` once, or `abort`. Only `finish` returns an error response:
    the body of a rejected request is read to its end and discarded.
    """

    def __init__(
        self,
        request: StorageRequest,
        handler: BodyHandler | StorageHTTPError,
        fault: Fault | None,
        byte_counter: ByteCounter,
    ) -> None:
        self._request = request
        self._error = handler if isinstance(handler, StorageHTTPError) else None
        self._handler: BodyHandler | None = None if isinstance(handler, StorageHTTPError) else handler
        self._fault = fault
        self._byte_counter = byte_counter
        self._received = 0

    @property
    def stalled(self) -> bool:
        """Whether a fault currently delays the body or the response."""
        return self._fault is not None and self._fault.is_stalling(self._received)

    def write(self, piece: bytes) -> None:
        """Receive the next bytes of the body. Raises `ConnectionDropped` if a fault closes the connection."""
        if self._fault is None:
            self._write(piece)
            return
        self._write(piece[: self._fault.allowed(self._received, len(piece))])
        self._fault.check(self._received)

    def finish(self) -> Response:
        """Return the response, which may be an error. Raises `ConnectionDropped` if a fault closes the connection."""
        if self._fault is not None:
            self._fault.check_end_of_upload()
        handler, self._handler = self._handler, None
        try:
            if handler is None:
                assert self._error is not None, "finish() must be called once"
                response = self._error_response(self._error)
            else:
                response = handler.finish()
        except StorageHTTPError as error:
            response = self._error_response(error)
        except SaveError as error:
            response = self._error_response(StorageHTTPError(507, str(error)))
        return response if self._fault is None else self._fault.apply_to(response)

    def abort(self) -> None:
        """Discard the request, because the connection is lost. Do nothing after `finish`."""
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.abort()

    def _write(self, piece: bytes) -> None:
        self._received += len(piece)
        if self._request.kind == "upload":
            self._byte_counter.received += len(piece)
        if self._handler is None:
            return
        try:
            self._handler.write(piece)
        except (StorageHTTPError, SaveError) as error:
            self._error = error if isinstance(error, StorageHTTPError) else StorageHTTPError(507, str(error))
            self.abort()

    def _error_response(self, error: StorageHTTPError) -> Response:
        return self._request.format.error_response(self._request, error)


class CountingReader:
    """A body reader that adds the number of bytes that are read to `byte_counter.sent`."""

    def __init__(self, reader: BodyReader, byte_counter: ByteCounter) -> None:
        self._reader = reader
        self._byte_counter = byte_counter
        self.abort, self.close = reader.abort, reader.close

    def read(self, size: int) -> bytes:
        """See `BodyReader`."""
        piece = self._reader.read(size)
        self._byte_counter.sent += len(piece)
        return piece
