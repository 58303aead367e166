"""Downloads and uploads carried out: flows, files and progress brought together.

The law of this file: memory does not grow with the file, and every wait ends with the call's deadline.
"""

from __future__ import annotations

import io
import json
from collections.abc import Generator, Mapping
from contextlib import closing, suppress
from threading import Event
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
from firebase_rest.storage._threaded_md5 import ThreadedMD5
from firebase_rest.storage.download import ByteRange, DownloadState, pieces, receive
from firebase_rest.storage.location import ObjectLocation
from firebase_rest.storage.progress import Progress, reporting
from firebase_rest.storage.source import ReadFailed, Source, Uploadable
from firebase_rest.storage.target import Downloadable, target_of
from firebase_rest.storage.upload import (
    MAX_GRANULARITY,
    UploadHooks,
    UploadRequest,
    UploadSession,
    cancel,
    upload,
    validate_session_url,
)
from firebase_rest.transport._json import parse_object
from firebase_rest.transport.requestor import Requestor, RetryingSender
from firebase_rest.transport.sockets import CancelHandle
from firebase_rest.transport.wire import run
from firebase_rest.types import ObjectMetadata

_RESTARTS = 2
"""How often a download begins again when the object is overwritten under it."""


# --- down ------------------------------------------------------------------------------------------------------------


def arriving(requestor: Requestor, arrival: DownloadState) -> Generator[bytes, None, None]:
    """The bytes of an object as they come, all within one deadline."""
    call = RetryingSender(requestor.transport, requestor.credentials, requestor.options, CancelHandle())
    try:
        with ThreadedMD5() as arrival.md5:
            yield from pieces(receive(arrival, requestor.options.retries), call, call.hold)
    except NetworkError as error:
        if isinstance(error, NetworkTimeout) or not call.is_overdue:
            raise
        failure = error
    else:
        return
    finally:
        call.release()
    raise NetworkTimeout(f"{arrival.location.name!r} did not arrive within the deadline of the call: {failure}")


def download(
    requestor: Requestor,
    location: ObjectLocation,
    target: Downloadable,
    span: ByteRange | None = None,
    progress: Progress = None,
) -> None:
    """Write the object's bytes to a path or a file. What fails leaves nothing behind."""
    _ = location.url
    with target_of(target) as file, reporting(progress, location.name) as report:
        for restarts in range(_RESTARTS + 1):
            arrival = DownloadState(location, span)
            try:
                with closing(_counted(requestor, arrival, report)) as arrived:
                    for piece in arrived:
                        file.write(piece)
                return
            except PreconditionFailed:
                if not arrival.done or restarts == _RESTARTS or not file.restart():
                    raise


def _counted(requestor: Requestor, arrival: DownloadState, report: Any) -> Generator[bytes, None, None]:
    for piece in arriving(requestor, arrival):
        yield piece
        report(arrival.done, arrival.length)
    if not arrival.done:
        report(0, 0)


def get_bytes(
    requestor: Requestor, location: ObjectLocation, span: ByteRange | None = None, max_size: int | None = None
) -> bytes:
    """The object's bytes. Raises `PayloadTooLarge` above `max_size`, before they have all come."""
    _ = location.url
    arrival = DownloadState(location, span)
    parts: list[bytes] = []
    size = 0
    with closing(arriving(requestor, arrival)) as arrived:
        for piece in arrived:
            size += len(piece)
            if max_size is not None and max(size, arrival.length or 0) > max_size:
                message = (
                    f"{location.name!r} has {max(size, arrival.length or 0)} bytes, more than max_size={max_size}."
                )
                raise PayloadTooLarge(message, message=message)
            parts.append(piece)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class ObjectStream(io.RawIOBase):
    """An object's bytes as an open file, resumed by itself after a break; to be read forwards, by one thread."""

    def __init__(self, requestor: Requestor, location: ObjectLocation, span: ByteRange | None = None) -> None:
        super().__init__()
        _ = location.url
        self._pieces = arriving(requestor, DownloadState(location, span))
        self._failed = False
        self._rest = memoryview(self._next())  # so that a refusal comes here

    def __repr__(self) -> str:
        return "<ObjectStream>"

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer` with what is there; 0 at the end."""
        if self.closed:
            raise ValueError("The stream is closed.")
        if not self._rest:
            self._rest = memoryview(self._next())
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def readall(self) -> bytes:
        """All that is left."""
        if self.closed:
            raise ValueError("The stream is closed.")
        parts = [bytes(self._rest)]
        self._rest = memoryview(b"")
        while piece := self._next():
            parts.append(piece)
        return b"".join(parts)

    def _next(self) -> bytes:
        """The next piece; b"" at the end, which a failure is not, however often it is read on."""
        if self._failed:
            raise InvalidResponse("The stream broke off at an earlier read; open another one.")
        self._failed = True
        piece = next(self._pieces, b"")
        self._failed = False
        return piece

    def close(self) -> None:
        """Let the connection go."""
        if not self.closed:
            self._pieces.close()
            self._rest = memoryview(b"")
        super().close()


# --- up --------------------------------------------------------------------------------------------------------------


class Upload:
    """One upload, which can be watched, cancelled, and taken up again by another process.

    Made by `StorageReference.upload`. `run()` carries it out. Keep `state`, a JSON text, while it runs, and pass it as
    `state=` with the same file to go on after a crash. It holds the upload's secret address: keep it as you would a
    password, for a week at most.
    """

    def __init__(
        self,
        requestor: Requestor,
        plan: UploadRequest,
        file: Uploadable,
        progress: Progress = None,
        state: str | None = None,
    ) -> None:
        self._requestor = requestor
        self._plan = plan
        self._file = file
        self._progress = progress
        self._session = UploadSession() if state is None else _session_of(state, plan.location)
        self._cancelled = Event()
        self._handle = CancelHandle()

    def __repr__(self) -> str:
        return f"<Upload of {self._plan.location.name!r}: {self._session.offset} bytes confirmed>"

    @property
    def state(self) -> str:
        """Where the upload is, as JSON text."""
        session, location = self._session, self._plan.location
        return json.dumps(
            {
                "bucket": location.bucket,
                "name": location.name,
                "url": session.url,
                "offset": session.offset,
                "granularity": session.granularity,
            }
        )

    @property
    def bytes_confirmed(self) -> int:
        """How many bytes Firebase has."""
        return self._session.offset

    def run(self) -> ObjectMetadata:
        """Carry it out, and return the metadata of the object. Raises what `put` raises, and `TransferCancelled`."""
        requestor = self._requestor
        with Source(self._file) as source, reporting(self._progress, self._plan.location.name) as report:
            control = UploadHooks(lambda done: report(done, source.size), self._cancelled.is_set)
            flow = upload(self._plan, source, self._session, control)
            try:
                return run(
                    flow, RetryingSender(requestor.transport, requestor.credentials, requestor.options, self._handle)
                )
            except ReadFailed as failed:
                raise failed.error from None
            except (TransferCancelled, NetworkError) as error:
                if not self._cancelled.is_set():
                    raise
                failure = error
            return self._give_up(failure)

    def cancel(self) -> None:
        """End the upload, from any thread; what was sent of it is thrown away. `run` raises `TransferCancelled`."""
        self._cancelled.set()
        self._handle.cancel()

    def _give_up(self, failure: Exception) -> ObjectMetadata:
        if not isinstance(failure, TransferCancelled):
            failure = TransferCancelled("The upload was cancelled.")
        with suppress(FirebaseError):  # the session ends by itself within a week
            self._requestor.run(cancel(self._session))
        self._session = UploadSession()
        raise failure


def _session_of(state: object, location: ObjectLocation) -> UploadSession:
    """Raises `UsageError` for what is not the state of an upload to this place."""
    found: Mapping[str, Any] = parse_object(state) if isinstance(state, (str, bytes)) else {}
    if (found.get("bucket"), found.get("name")) != (location.bucket, location.name):
        raise UsageError(f"state= is not that of an upload to {location.name!r}; pass the text of upload.state.")
    url, offset, granularity = found.get("url"), found.get("offset"), found.get("granularity")
    if not isinstance(url, str) or not isinstance(offset, int) or not isinstance(granularity, int):
        return UploadSession()
    try:
        url = validate_session_url(url, location)
    except InvalidResponse:
        url = ""
    if not url or offset < 0 or not 0 < granularity <= MAX_GRANULARITY:
        raise UsageError("state= is damaged: pass the text of upload.state unchanged.")
    return UploadSession(url, offset, granularity)
