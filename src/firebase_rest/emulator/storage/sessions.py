"""Sessions of resumable uploads.

Offsets and sizes of chunks are checked as in production. Of an interrupted chunk, the complete multiples of the
granularity are stored. If the size of the file differs from the declared size, the session ends with an error; Firebase
does not document this case.
https://firebase.google.com/docs/storage/web/upload-files
"""

from __future__ import annotations

import threading
import uuid
from itertools import islice
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlencode

from firebase_rest.emulator.storage.errors import StorageHTTPError

if TYPE_CHECKING:
    from collections.abc import Callable

    from firebase_rest.emulator.storage.blob import Checkpoint, Spool
    from firebase_rest.emulator.storage.metadata import MetadataUpdate
    from firebase_rest.emulator.storage.request import StorageRequest

GRANULARITY = 256 * 1024
"""The size of every chunk but the last must be a multiple of this (in bytes)."""

LIFETIME = 7 * 24 * 3600.0
"""Seconds until a session expires."""

MAX_SESSIONS = 1000
"""Maximum number of sessions, including those of finished and abandoned uploads."""

Status = Literal["active", "final", "cancelled"]


class ResumableSession:
    """The session of one upload.

    Invariant: only the newest request writes. The connection of an older request is lost, even if the server has not
    noticed the loss.

    Attributes:
        start: The request that started the upload. It contains the name of the object and the caller.
        update: The metadata of the object.
        declared_size: The size of the file that the client declared, or None.
        outcome: The HTTP status of the response that ended the session.
        size: The number of bytes received so far.
    """

    def __init__(
        self, start: StorageRequest, update: MetadataUpdate, declared_size: int | None, now: float, spool: Spool
    ) -> None:
        self.id = uuid.uuid4().hex
        self.start = start
        self.update = update
        self.declared_size = declared_size
        self.expires = now + LIFETIME
        self.status: Status = "active"
        self.outcome = 200
        self.size = 0
        self.lock = threading.RLock()
        self._spool: Spool | None = spool
        self._chunk_start: Checkpoint = spool.checkpoint()
        self._writer: object = None

    @property
    def url(self) -> str:
        """The URL to which the client sends the commands of this upload. It grants access to the upload."""
        params = {"name": self.start.name, "upload_id": self.id, "upload_protocol": "resumable"}
        query = urlencode(params, quote_via=quote)
        return f"{self.start.origin}/v0/b/{quote(self.start.bucket, safe='')}/o?{query}"

    def headers(self) -> dict[str, str]:
        """Return the headers of every response to a command."""
        headers = {"x-goog-upload-status": self.status, "x-guploader-uploadid": self.id}
        if self.status == "active":
            headers["x-goog-upload-chunk-granularity"] = str(GRANULARITY)
        return headers

    def error(self, message: str) -> StorageHTTPError:
        """Return a 400 error with the number of bytes received so far, from which the client can resume."""
        return StorageHTTPError(400, message, headers={**self.headers(), "x-goog-upload-size-received": str(self.size)})

    def set_writer(self, writer: object = None) -> None:
        """Make `writer` the only writer. Truncate an unfinished chunk of another writer to the granularity."""
        with self.lock:
            if self._writer is not None:
                self._rewind(self.size // GRANULARITY * GRANULARITY)
            self._writer = writer

    def release(self, writer: object) -> None:
        """Remove `writer`, because its connection is lost."""
        with self.lock:
            if self._writer is writer:
                self.set_writer()

    def begin(self, writer: object, offset: int) -> None:
        """Start a chunk at `offset`. Raises `StorageHTTPError` if `offset` is not the end of the received bytes."""
        with self.lock:
            self.set_writer(writer)
            spool = self._open()
            if offset != spool.size:
                self._writer = None
                raise self.error(f"Invalid upload offset: {offset}. {spool.size} bytes have been received so far.")
            self._chunk_start = spool.checkpoint()

    def write(self, writer: object, piece: bytes) -> None:
        """Append bytes. Raises `StorageHTTPError` above the declared size, or if another request is writing."""
        with self.lock:
            spool = self._open_for(writer)
            if self.declared_size is not None and spool.size + len(piece) > self.declared_size:
                self.end("final", 400)
                raise self.error(f"The file is larger than its declared size of {self.declared_size} bytes.")
            spool.write(piece)
            self.size = spool.size

    def finish_chunk(self, writer: object) -> None:
        """End a chunk that is not the last one. Raises `StorageHTTPError` if its size is invalid."""
        with self.lock:
            chunk_size = self._open_for(writer).size - self._chunk_start.size
            self._writer = None
            if chunk_size % GRANULARITY:
                self._rewind(self._chunk_start.size)
                raise self.error(f"The size of the chunk must be a multiple of {GRANULARITY}, got {chunk_size}.")

    def complete(self, writer: object) -> Spool:
        """End the upload and return its content. Raises `StorageHTTPError` if the size is not the declared size."""
        with self.lock:
            spool = self._open_for(writer)
            if self.declared_size is not None and spool.size != self.declared_size:
                self.end("final", 400)
                raise self.error(f"The file has {spool.size} bytes, but its declared size is {self.declared_size}.")
            self.end("final", 200)
            return spool

    def end(self, status: Status, outcome: int) -> None:
        """End the session. `outcome` is the HTTP status of the response that ends it."""
        with self.lock:
            self.status, self.outcome = status, outcome
            self._spool = None
            self._writer = None

    def _open(self) -> Spool:
        if self._spool is None:
            raise self.error(f"The upload is no longer active: it is {self.status}.")
        return self._spool

    def _open_for(self, writer: object) -> Spool:
        if self._writer is not writer:
            raise self.error("A newer request is writing this upload.")
        return self._open()

    def _rewind(self, size: int) -> None:
        if self._spool is not None:
            self._spool.rewind(self._chunk_start, size)
            self.size = size


class ResumableSessions:
    """The sessions of all resumable uploads. `new_spool` returns a spool for the content of an upload."""

    def __init__(self, clock: Callable[[], float], new_spool: Callable[[], Spool]) -> None:
        self._clock = clock
        self._new_spool = new_spool
        self._lock = threading.Lock()
        self._sessions: dict[str, ResumableSession] = {}

    def start(self, request: StorageRequest, update: MetadataUpdate, declared_size: int | None) -> ResumableSession:
        """Start an upload. Remove expired sessions and, above `MAX_SESSIONS`, the oldest ones."""
        now = self._clock()
        session = ResumableSession(request, update, declared_size, now, self._new_spool())
        removed: list[ResumableSession] = []
        with self._lock:
            self._sessions[session.id] = session
            # Removing up to two sessions for each new one is sufficient, and keeps the call short.
            for session_id, oldest in list(islice(self._sessions.items(), 2)):
                if oldest.expires <= now or len(self._sessions) > MAX_SESSIONS:
                    removed.append(self._sessions.pop(session_id))
        for oldest in removed:
            oldest.end("cancelled", 200)
        return session

    def find(self, session_id: str) -> ResumableSession:
        """Return a session. Raises `StorageHTTPError` 404 if it is unknown or has expired."""
        session = self._sessions.get(session_id)
        if session is None or session.expires <= self._clock():
            raise StorageHTTPError(404, "Not Found.  Could not access upload", "ACCESS_UPLOAD")
        return session

    def clear(self) -> None:
        """Cancel all uploads."""
        with self._lock:
            sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            session.end("cancelled", 200)
