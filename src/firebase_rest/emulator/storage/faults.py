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
"""What a request does; the last two exist only in the JSON API. Every request with content of a file is an `upload`,
a complete file or a chunk.
"""

DropMethod: TypeAlias = Literal["fin", "rst"]


class ConnectionDropped(NetworkError):
    """A fault ends the connection. `how`: closed ("fin") or reset ("rst")."""

    def __init__(self, how: DropMethod) -> None:
        super().__init__("The connection was closed by an injected fault.", outcome_unknown=True)
        self.how: DropMethod = how


@dataclass(slots=True)
class ByteCounter:
    """Bytes of content received and sent since the emulator was created or reset. Repeated bytes count again."""

    received: int = 0
    sent: int = 0


@dataclass(slots=True, eq=False)
class Fault:
    """A fault in one request, after `after` bytes of its body, or of the body of the response."""

    kind: RequestKind
    action: Literal["drop", "lose", "stall", "reject"]
    after: int = 0
    how: DropMethod = "fin"
    error: StorageHTTPError | None = None
    resolved: bool = False

    def is_stalling(self, done: int) -> bool:
        """Return whether no byte may pass now, after `done` bytes."""
        return self.action == "stall" and not self.resolved and done >= self.after

    def allowed(self, done: int, more: int) -> int:
        """Return how many of the next `more` bytes may pass, after `done` bytes."""
        return min(more, max(0, self.after - done)) if self.action == "drop" else more

    def check(self, done: int) -> None:
        """Raise `ConnectionDropped` if the connection ends after `done` bytes."""
        if self.action == "drop" and done >= self.after:
            raise ConnectionDropped(self.how)

    def check_body(self) -> None:
        """Raise `ConnectionDropped` if the body ended before the fault."""
        if self.action == "drop" and self.kind != "download":
            raise ConnectionDropped(self.how)

    def apply_to(self, response: Response) -> Response:
        """Return the response with this fault. Raises `ConnectionDropped` if the response is lost."""
        if self.action == "lose":
            raise ConnectionDropped(self.how)
        if self.kind == "download" and response.reader is not None:
            return replace(response, reader=FaultyReader(response.reader, self))
        return response


class FaultyReader:
    """The body of a download with a fault."""

    def __init__(self, reader: BodyReader, fault: Fault) -> None:
        self._reader = reader
        self._fault = fault
        self._done = 0

    @property
    def stalled(self) -> bool:
        """Whether the download is stalled."""
        return self._fault.is_stalling(self._done)

    def read(self, size: int) -> bytes:
        """See `BodyReader`. Raises `ConnectionDropped` or, while stalled, `NetworkTimeout`."""
        if self.stalled:
            raise NetworkTimeout("The download is stalled by an injected fault.")
        self._fault.check(self._done)
        if self._fault.action == "stall" and not self._fault.resolved:
            size = min(size, self._fault.after - self._done)
        piece = self._reader.read(self._fault.allowed(self._done, size))
        self._done += len(piece)
        return piece

    def abort(self) -> None:
        """See `BodyReader`."""
        self._reader.abort()

    def close(self) -> None:
        """See `BodyReader`."""
        self._reader.close()


class StorageFaults:
    """Injects faults into uploads and downloads: `emulator.faults.storage`. Thread-safe.

    Each method plans a fault for the next `times` requests of a kind (None: all), after `skip` requests: `skip=2` means
    the third request. If several faults apply, the one planned first is used. `how` is "fin" (close the connection) or
    "rst" (reset it).
    """

    def __init__(self) -> None:
        self._planned: PlannedFaults[Fault] = PlannedFaults()
        self._stalls: list[Fault] = []
        self._lock = threading.Lock()

    def drop_upload(self, after: int = 0, *, how: DropMethod = "fin", times: int | None = 1, skip: int = 0) -> None:
        """End the connection after `after` bytes of the request body, or at its end."""
        self._planned.plan(Fault("upload", "drop", after, how), times, skip)

    def drop_download(self, after: int = 0, *, how: DropMethod = "fin", times: int | None = 1, skip: int = 0) -> None:
        """End the connection after `after` bytes of the response body."""
        self._planned.plan(Fault("download", "drop", after, how), times, skip)

    def drop_response(
        self, on: RequestKind = "upload", *, how: DropMethod = "fin", times: int | None = 1, skip: int = 0
    ) -> None:
        """Execute a request of kind `on`, then end the connection without a response."""
        self._planned.plan(Fault(on, "lose", how=how), times, skip)

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
        """Respond to requests of kind `on` with an error and do nothing else.

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
        """The number of planned faults that have not been used up."""
        return len(self._planned)

    def next_for(self, kind: RequestKind | None) -> Fault | None:
        """Return the fault for a request of kind `kind`, if any. Used by the emulator."""
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
