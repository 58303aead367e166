"""Resumable uploads: a session that takes a file in chunks, and knows after any trouble how far it got.

Offsets and sizes of chunks are checked as production does. A chunk that breaks off keeps its whole multiples of the
granularity. Production is not known to say what becomes of a file whose length differs from the announced one: here
the session is dead, so that no test passes by luck.
https://firebase.google.com/docs/storage/web/upload-files
"""

from __future__ import annotations

import threading
import uuid
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote, urlencode

from firebase_rest.emulator.storage.blob import Spool
from firebase_rest.emulator.storage.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from firebase_rest.emulator.storage.blob import Mark
    from firebase_rest.emulator.storage.metadata import Changes
    from firebase_rest.emulator.storage.object_service import Call

GRANULARITY = 256 * 1024
"""Every chunk but the last is a multiple of so many bytes."""

LIFETIME = 7 * 24 * 3600.0
"""Seconds that a session is kept."""

Status = Literal["active", "final", "cancelled"]


class Session:
    """One upload. `start` is the request that began it: the file's name, and who may write it.

    One request writes at a time, the newest: whoever was at it before has lost the connection, perhaps without knowing.
    """

    def __init__(self, start: Call, changes: Changes, announced: int | None, now: float) -> None:
        self.id = uuid.uuid4().hex
        self.start = start
        self.changes = changes
        self.announced = announced
        self.expires = now + LIFETIME
        self.status: Status = "active"
        self.outcome = 200
        self.size = 0
        self.lock = threading.RLock()
        self._spool: Spool | None = Spool()
        self._began: Mark = self._spool.mark()
        self._writer: object = None

    @property
    def url(self) -> str:
        """Where the commands of this upload go; whoever has it may upload."""
        query = urlencode(
            {"name": self.start.name, "upload_id": self.id, "upload_protocol": "resumable"}, quote_via=quote
        )
        return f"{self.start.origin}/v0/b/{quote(self.start.bucket, safe='')}/o?{query}"

    def headers(self) -> dict[str, str]:
        """What every answer to a command says."""
        known = {"x-goog-upload-status": self.status, "x-guploader-uploadid": self.id}
        if self.status == "active":
            known["x-goog-upload-chunk-granularity"] = str(GRANULARITY)
        return known

    def refusal(self, message: str) -> Refusal:
        """400 with where the upload stands, so that its client can go on from there."""
        return Refusal(400, message, headers={**self.headers(), "x-goog-upload-size-received": str(self.size)})

    def take_over(self, writer: object = None) -> None:
        """From now on nobody but `writer` adds bytes. What another has not finished is cut to the granularity."""
        with self.lock:
            if self._writer is not None:
                self._rewind(self.size // GRANULARITY * GRANULARITY)
            self._writer = writer

    def let_go(self, writer: object) -> None:
        """`writer` broke off."""
        with self.lock:
            if self._writer is writer:
                self.take_over()

    def begin(self, writer: object, offset: int) -> None:
        """`writer` has a chunk for `offset`. Raises `Refusal` where that is not where the last one ended."""
        with self.lock:
            self.take_over(writer)
            spool = self._open()
            if offset != spool.size:
                self._writer = None
                raise self.refusal(f"Invalid upload offset: {offset}. {spool.size} bytes have been received so far.")
            self._began = spool.mark()

    def write(self, writer: object, piece: bytes) -> None:
        """Add bytes of a chunk. Raises `Refusal` where they are too many, or another request has taken over."""
        with self.lock:
            spool = self._open_for(writer)
            if self.announced is not None and spool.size + len(piece) > self.announced:
                self.end("final", 400)
                raise self.refusal(f"More bytes than the {self.announced} that were announced.")
            spool.write(piece)
            self.size = spool.size

    def finish_chunk(self, writer: object) -> None:
        """`writer` is done, and more chunks follow. Raises `Refusal` where the chunk's size is not a multiple."""
        with self.lock:
            length = self._open_for(writer).size - self._began.size
            self._writer = None
            if length % GRANULARITY:
                self._rewind(self._began.size)
                raise self.refusal(f"The chunk's {length} bytes are not a multiple of {GRANULARITY}.")

    def complete(self, writer: object) -> Spool:
        """All bytes, for the object that they become. Raises `Refusal` where they are fewer than announced."""
        with self.lock:
            spool = self._open_for(writer)
            if self.announced is not None and spool.size != self.announced:
                self.end("final", 400)
                raise self.refusal(f"{spool.size} bytes, but {self.announced} were announced.")
            self.end("final", 200)
            return spool

    def end(self, status: Status, outcome: int) -> None:
        """Close the session; `outcome` is the status of the answer that closed it."""
        with self.lock:
            self.status, self.outcome = status, outcome
            self._spool = None
            self._writer = None

    def _open(self) -> Spool:
        if self._spool is None:
            raise self.refusal(f"The upload is not active any more: it is {self.status}.")
        return self._spool

    def _open_for(self, writer: object) -> Spool:
        if self._writer is not writer:
            raise self.refusal("Another request for this upload came after this one.")
        return self._open()

    def _rewind(self, size: int) -> None:
        if self._spool is not None:
            self._spool.rewind(self._began, size)
            self.size = size


class Sessions:
    """All resumable uploads, by their ids."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, Session] = {}

    def start(self, call: Call, changes: Changes, announced: int | None) -> Session:
        """A new upload. Those whose time is over are forgotten."""
        now = self._clock()
        session = Session(call, changes, announced, now)
        with self._lock:
            self._sessions = {key: old for key, old in self._sessions.items() if old.expires > now}
            self._sessions[session.id] = session
        return session

    def find(self, key: str) -> Session:
        """The upload of that id. Raises `Refusal` 404 where there is none, or none any more."""
        session = self._sessions.get(key)
        if session is None or session.expires <= self._clock():
            raise Refusal(404, "Not Found.  Could not access upload", "ACCESS_UPLOAD")
        return session

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            session.end("cancelled", 200)
