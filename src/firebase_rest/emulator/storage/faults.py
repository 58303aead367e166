"""Fault injection for uploads and downloads.

Without a server, a broken connection raises `NetworkError` and a stalled one `NetworkTimeout`.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from firebase_rest.emulator.planned_faults import PlannedFaults
from firebase_rest.emulator.storage.errors import StorageHTTPError
from firebase_rest.errors import NetworkError, NetworkTimeout

if TYPE_CHECKING:
    from firebase_rest.transport.wire import BodyReader, Response

RequestKind: TypeAlias = Literal[
    "upload", "start", "finalize", "query", "cancel", "download", "metadata", "update", "delete", "list", "token",
    "copy", "bucket",
]  # fmt: skip
"""What a request does. An `upload` is any request with content of a file: a complete file or a chunk. Only the JSON API
has requests of the kinds `copy` and `bucket`."""

DropMethod: TypeAlias = Literal["fin", "rst"]


class ConnectionDropped(NetworkError):
    """A fault closes ("fin") or resets ("rst") the connection."""

    def __init__(self, how: DropMethod) -> None:
        super().__init__("The connection was closed by an injected fault.", outcome_unknown=True)
        self.how: DropMethod = how


@dataclass(slots=True)
class ByteCounter:
    """The bytes of content received and sent since the emulator was created or reset. Repeated bytes count again."""

    received: int = 0
    sent: int = 0


@dataclass(slots=True, eq=False)
class Fault:
    """A fault in one request.

    Attributes:
        kind: The kind of request.
        action: Close the connection during the body (`"drop"`) or instead of the response (`"drop_response"`), pause
            (`"stall"`), or respond with `error` (`"reject"`).
        after: The number of bytes of the body before the fault: of the response for a download, else of the request.
        how: How the connection is closed.
        error: The error response.
        resolved: Whether a stalled request has been resumed.
    """

    kind: RequestKind
    action: Literal["drop", "drop_response", "stall", "reject"]
    after: int = 0
    how: DropMethod = "fin"
    error: StorageHTTPError | None = None
    resolved: bool = False

    def is_stalling(self, position: int) -> bool:
        """Return whether a body is paused after `position` bytes."""
        return self.action == "stall" and not self.resolved and position >= self.after

    def allowed(self, position: int, size: int) -> int:
        """Return how many of the next `size` bytes are transferred, after `position` bytes."""
        return min(size, max(0, self.after - position)) if self.action == "drop" else size

    def check(self, position: int) -> None:
        """Raise `ConnectionDropped` if the connection is closed after `position` bytes."""
        if self.action == "drop" and position >= self.after:
            raise ConnectionDropped(self.how)

    def check_end_of_upload(self) -> None:
        """Raise `ConnectionDropped` if the request body was shorter than `after`."""
        if self.action == "drop" and self.kind != "download":
            raise ConnectionDropped(self.how)

    def apply_to(self, response: Response) -> Response:
        """Return the response with this fault. Raises `ConnectionDropped` if the response is dropped."""
        if self.action == "drop_response":
            raise ConnectionDropped(self.how)
        if self.kind == "download" and response.reader is not None:
            return replace(response, reader=FaultyReader(response.reader, self))
        return response


class FaultyReader:
    """The body of a download with a fault."""

    def __init__(self, reader: BodyReader, fault: Fault) -> None:
        self._reader = reader
        self._fault = fault
        self._position = 0

    @property
    def stalled(self) -> bool:
        """Whether the download is stalled."""
        return self._fault.is_stalling(self._position)

    def read(self, size: int) -> bytes:
        """See `BodyReader`. Raises `ConnectionDropped` or, while stalled, `NetworkTimeout`."""
        if self.stalled:
            raise NetworkTimeout("The download is stalled by an injected fault.")
        self._fault.check(self._position)
        if self._fault.action == "stall" and not self._fault.resolved:
            size = min(size, self._fault.after - self._position)
        piece = self._reader.read(self._fault.allowed(self._position, size))
        self._position += len(piece)
        return piece

    def abort(self) -> None:
        """See `BodyReader`."""
        self._reader.abort()

    def close(self) -> None:
        """See `BodyReader`."""
        self._reader.close()


class StorageFaults:
    """Injects faults into uploads and downloads: `emulator.faults.storage`. Thread-safe.

    Each method plans a fault for the next `times` requests of a kind, after `skip` requests without it. If several
    faults match, the one that was planned first is used.

    - `times`: the number of requests; None means all.
    - `skip`: the number of requests to handle normally first; `skip=2` means that the third request has the fault.
    - `how`: "fin" closes the connection, "rst" resets it.
    """

    def __init__(self) -> None:
        self._planned: PlannedFaults[Fault] = PlannedFaults()
        self._stalls: list[Fault] = []
        self._lock = threading.Lock()

    def drop_upload(self, after: int = 0, *, how: DropMethod = "fin", times: int | None = 1, skip: int = 0) -> None:
        """Close the connection after `after` bytes of the request body, or at the end of a shorter body."""
        self._planned.plan(Fault("upload", "drop", after, how), times, skip)

    def drop_download(self, after: int = 0, *, how: DropMethod = "fin", times: int | None = 1, skip: int = 0) -> None:
        """Close the connection after `after` bytes of the response body."""
        self._planned.plan(Fault("download", "drop", after, how), times, skip)

    def drop_response(
        self, on: RequestKind = "upload", *, how: DropMethod = "fin", times: int | None = 1, skip: int = 0
    ) -> None:
        """Process a request of the kind `on`, then close the connection without a response."""
        self._planned.plan(Fault(on, "drop_response", how=how), times, skip)

    def stall_upload(self, after: int = 0, *, times: int | None = 1, skip: int = 0) -> None:
        """Stop reading after `after` bytes of the request body, until `resume`."""
        self._planned.plan(Fault("upload", "stall", after), times, skip)

    def stall_download(self, after: int = 0, *, times: int | None = 1, skip: int = 0) -> None:
        """Stop sending after `after` bytes of the response body, until `resume`."""
        self._planned.plan(Fault("download", "stall", after), times, skip)

    def reject(
        self,
        on: RequestKind = "upload",
        *,
        times: int | None = 1,
        skip: int = 0,
        status: int = 503,
        error: str = "Service unavailable",
        retry_after: str = "",
    ) -> None:
        """Respond to requests of the kind `on` with an error and do nothing else.

        Args:
            on: The kind of request.
            times: How many requests to reject; None for all.
            skip: How many requests to handle normally first.
            status: The HTTP status.
            error: The error message.
            retry_after: The value of the Retry-After header; no header if empty.
        """
        headers = {"retry-after": retry_after} if retry_after else None
        self._planned.plan(Fault(on, "reject", error=StorageHTTPError(status, error, headers=headers)), times, skip)

    def resume(self) -> None:
        """Continue all stalled requests."""
        with self._lock:
            for fault in self._stalls:
                fault.resolved = True
            self._stalls.clear()

    def clear(self) -> None:
        """Remove all planned faults and continue stalled requests."""
        self._planned.clear()
        self.resume()

    @property
    def pending(self) -> int:
        """The number of planned faults that apply to further requests."""
        return len(self._planned)

    def next_for(self, kind: RequestKind | None) -> Fault | None:
        """Return the fault for a request of a kind, or None. Used by the emulator."""
        if not self._planned:
            return None
        with self._lock:
            planned = self._planned.take(lambda fault: fault.kind == kind)
            if planned is None:
                return None
            fault = replace(planned)
            if fault.action == "stall":
                self._stalls.append(fault)
        return fault
