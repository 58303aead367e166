"""Carry out downloads and uploads: flows, local files and progress reports.

Invariant: memory does not grow with the size of the file, and the deadline of the call bounds every wait.
"""

from __future__ import annotations

import io
import json
from collections.abc import Generator, Mapping
from contextlib import closing, suppress
from dataclasses import asdict
from typing import Any

from firebase_rest.errors import (
    FirebaseError,
    InvalidResponse,
    NetworkError,
    NetworkTimeout,
    PayloadTooLarge,
    PreconditionFailed,
    TransferCancelled,
    UsageError,
)
from firebase_rest.storage import download as flows
from firebase_rest.storage.download import ByteRange, DownloadState
from firebase_rest.storage.location import ObjectLocation
from firebase_rest.storage.progress import Progress, reporting
from firebase_rest.storage.source import ReadFailed, Uploadable, UploadSource
from firebase_rest.storage.target import Downloadable, open_target
from firebase_rest.storage.threaded_md5 import ThreadedMD5
from firebase_rest.storage.upload import (
    MAX_GRANULARITY,
    UploadHooks,
    UploadRequest,
    UploadSession,
    cancel,
    upload,
    validate_session_url,
)
from firebase_rest.transport.cancellation import CancelHandle
from firebase_rest.transport.interrupt import Interrupt
from firebase_rest.transport.json_fields import parse_object
from firebase_rest.transport.requestor import Requestor, drive, run
from firebase_rest.types import ObjectMetadata

_RESTARTS = 2
"""Number of times that a download starts again if the object is overwritten during the download."""


# --- downloads -------------------------------------------------------------------------------------------------------


def iter_bytes(requestor: Requestor, state: DownloadState) -> Generator[bytes, None, None]:
    """Yield the bytes of an object as they arrive. The deadline bounds the whole download."""
    sender = requestor.sender(CancelHandle(), bounds_bodies=True)
    try:
        with ThreadedMD5() as state.hasher:
            yield from drive(flows.download(state, requestor.options.retries), sender)
    except NetworkError as error:
        if isinstance(error, NetworkTimeout) or not sender.is_overdue:
            raise
        failure = error
    else:
        return
    finally:
        sender.release()
    raise NetworkTimeout(f"The download of {state.location.name!r} did not finish within its deadline: {failure}")


def download(requestor: Requestor, location: ObjectLocation, target: Downloadable, progress: Progress = None) -> None:
    """Write the object's bytes to a path or a file. After an error, the target is as it was before."""
    location.validate()
    with open_target(target) as file, reporting(progress, location.name) as report:
        for restarts in range(_RESTARTS + 1):
            state = DownloadState(location)
            try:
                with closing(iter_bytes(requestor, state)) as pieces:
                    for piece in pieces:
                        file.write(piece)
                        report(state.done, state.length)
                if not state.done:
                    report(0, 0)
                return
            except PreconditionFailed:
                if not state.done or restarts == _RESTARTS or not file.restart():
                    raise


def get_bytes(requestor: Requestor, location: ObjectLocation, byte_range: ByteRange, max_size: int) -> bytes:
    """Return the object's bytes. Raises `PayloadTooLarge` above `max_size`, before all bytes have arrived."""
    location.validate()
    state = DownloadState(location, byte_range)
    parts: list[bytes] = []
    size = 0
    with closing(iter_bytes(requestor, state)) as pieces:
        for piece in pieces:
            size += len(piece)
            known_size = max(size, state.length or 0)
            if known_size > max_size:
                message = f"{location.name!r} has {known_size} bytes, more than max_size={max_size}. Use download()."
                raise PayloadTooLarge(message, message=message)
            parts.append(piece)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class ObjectStream(io.RawIOBase):
    """The bytes of an object as an open file. It resumes after an interruption. It cannot seek. Not thread-safe."""

    def __init__(self, requestor: Requestor, location: ObjectLocation, byte_range: ByteRange) -> None:
        super().__init__()
        location.validate()
        self._pieces = iter_bytes(requestor, DownloadState(location, byte_range))
        self._failed = False
        self._buffer = memoryview(self._next())  # sends the request, so that typed errors are raised here

    def __repr__(self) -> str:
        return "<ObjectStream>"

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` with available bytes and return their number, which is 0 at the end."""
        if self.closed:
            raise ValueError("The stream is closed; open another one with open_stream().")
        if not self._buffer:
            self._buffer = memoryview(self._next())
        count = min(len(buffer), len(self._buffer))
        buffer[:count] = self._buffer[:count]
        self._buffer = self._buffer[count:]
        return count

    def readall(self) -> bytes:
        """Return all remaining bytes."""
        if self.closed:
            raise ValueError("The stream is closed; open another one with open_stream().")
        parts = [bytes(self._buffer)]
        self._buffer = memoryview(b"")
        while piece := self._next():
            parts.append(piece)
        return b"".join(parts)

    def _next(self) -> bytes:
        """Return the next piece, or b"" at the end."""
        # After an error every further call raises, so that the error does not look like the end of the file.
        if self._failed:
            raise InvalidResponse("An earlier read of the stream failed; open another stream.")
        self._failed = True
        piece = next(self._pieces, b"")
        self._failed = False
        return piece

    def close(self) -> None:
        """Release the connection."""
        if not self.closed:
            self._pieces.close()
            self._buffer = memoryview(b"")
        super().close()


# --- uploads ---------------------------------------------------------------------------------------------------------


class Upload:
    """An upload that can be observed, cancelled, and resumed by another process.

    `StorageReference.upload` returns it. Save `state` while `run()` is active, and pass it as `state=` with the same
    file to resume after a crash. It contains the secret URL of the upload, which is valid for a week.
    """

    def __init__(
        self,
        requestor: Requestor,
        request: UploadRequest,
        file: Uploadable,
        progress: Progress = None,
        state: str | None = None,
    ) -> None:
        self._requestor = requestor
        self._request = request
        self._file = file
        self._progress = progress
        self._session = UploadSession() if state is None else _parse_state(state, request.location)
        self._cancelled = Interrupt()
        self._handle = CancelHandle()

    def __repr__(self) -> str:
        return f"<Upload of {self._request.location.name!r}: {self._session.offset} bytes confirmed>"

    @property
    def state(self) -> str:
        """The state of the upload as JSON text."""
        location = self._request.location
        return json.dumps({"bucket": location.bucket, "name": location.name, **asdict(self._session)})

    @property
    def bytes_confirmed(self) -> int:
        """The number of bytes that Firebase has received."""
        return self._session.offset

    def run(self) -> ObjectMetadata:
        """Upload the file and return its metadata. Raises the errors of `put`, and `TransferCancelled`."""
        return self.run_with(self._requestor, self._file, self._progress)

    def run_with(self, requestor: Requestor, file: Uploadable, progress: Progress) -> ObjectMetadata:
        """Upload `file` with another requestor; see `run`."""
        with UploadSource(file) as source, reporting(progress, self._request.location.name) as report:
            hooks = UploadHooks(lambda done: report(done, source.size), self._cancelled.is_set)
            flow = upload(self._request, source, self._session, hooks)
            try:
                return run(flow, requestor.sender(self._handle))
            except ReadFailed as failed:
                raise failed.error from None
            except (TransferCancelled, NetworkError):
                if not self._cancelled.is_set():
                    raise
            with suppress(FirebaseError):  # the session expires within a week
                requestor.run(cancel(self._session))
            self._session = UploadSession()
            raise TransferCancelled("The upload was cancelled.")

    def cancel(self) -> None:
        """Cancel the upload, from any thread. The server discards its bytes, and `run` raises `TransferCancelled`."""
        self._cancelled.set()
        self._handle.cancel()


def _parse_state(state: object, location: ObjectLocation) -> UploadSession:
    """Return the session in the state of an upload. Raises `UsageError` for the state of another file."""
    fields: Mapping[str, Any] = parse_object(state) if isinstance(state, (str, bytes)) else {}
    if (fields.get("bucket"), fields.get("name")) != (location.bucket, location.name):
        raise UsageError(f"state must be the upload.state of {location.name!r}, got the state of another file.")
    url, offset, granularity = fields.get("url"), fields.get("offset"), fields.get("granularity")
    if not isinstance(url, str) or not isinstance(offset, int) or not isinstance(granularity, int):
        return UploadSession()
    try:
        url = validate_session_url(url, location)
    except InvalidResponse:
        url = ""
    if not url or offset < 0 or not 0 < granularity <= MAX_GRANULARITY:
        raise UsageError("state must be the unchanged text of upload.state.")
    return UploadSession(url, offset, granularity)
