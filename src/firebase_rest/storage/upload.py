"""The flows of an upload: small ones in one request, large ones in pieces that can be taken up again.

The law of this file: after any doubt the server is asked how far it got, and nothing is sent twice blindly; what was
stored is compared with what was read. The upload's URL is a secret: whoever has it may write.
https://firebase.google.com/docs/storage/web/upload-files
"""

from __future__ import annotations

import json
import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from firebase_rest.errors import (
    ApiError,
    FirebaseError,
    InvalidResponse,
    NetworkError,
    TransferCancelled,
    UsageError,
)
from firebase_rest.storage.checksum import decimal, of_metadata
from firebase_rest.storage.location import ObjectLocation
from firebase_rest.storage.protocol import JSON_TYPE, Metadata, check, get_metadata, metadata_in, refusal
from firebase_rest.storage.source import Source
from firebase_rest.transport.retry import backoff_delay
from firebase_rest.transport.wire import ChunkedBody, Flow, Pause, Request, Response, RetryPolicy

GRANULARITY = 256 * 1024
"""Bytes of which every piece but the last is a multiple."""

MAX_GRANULARITY = 64 * 1024 * 1024
"""The largest granularity that a server may ask for: such a piece of a file that cannot seek is kept in memory."""

CHUNK = 8 * 1024 * 1024
"""Bytes that are sent at once, unless the program says otherwise."""

SIMPLE = GRANULARITY
"""Bytes up to which one request does it all."""

_UNCERTAIN = frozenset({408, 500, 502, 503, 504})
_FATAL = frozenset({401, 402, 403, 404, 412, 413, 429})


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """What is to be stored where. `attempts` is how many failures in a row, without any progress, are borne."""

    location: ObjectLocation
    fields: Mapping[str, Any]
    chunk: int = CHUNK
    attempts: int = 3
    if_generation_match: int | None = None

    @property
    def params(self) -> tuple[tuple[str, str], ...]:
        condition = self.if_generation_match
        return (
            ("name", self.location.name),
            *((("ifGenerationMatch", str(condition)),) if condition is not None else ()),
        )

    def body(self, **more: str) -> bytes:
        """The metadata as JSON."""
        return json.dumps({"name": self.location.name, **self.fields, **more}, ensure_ascii=False).encode()


@dataclass(slots=True)
class UploadSession:
    """How far a resumable upload has come: its secret URL, None before the first piece, and the bytes confirmed."""

    url: str | None = field(default=None, repr=False)
    offset: int = 0
    granularity: int = GRANULARITY


@dataclass(frozen=True, slots=True)
class UploadHooks:
    """How a flow and whoever started it talk: `report(done)` is called as bytes arrive, `is_cancelled()` is asked."""

    report: Callable[[int], object] = lambda _: None
    is_cancelled: Callable[[], bool] = lambda: False


def upload(plan: UploadRequest, source: Source, session: UploadSession, control: UploadHooks) -> Flow[Metadata]:
    """Store all of `source`. With a session that was begun earlier, only what is still missing."""
    _ = plan.location.url  # refuses the bucket itself before anything is read
    is_taken_up = session.url is not None
    if not is_taken_up:
        small = source.size is None or source.size <= SIMPLE
        piece, is_all = source.piece(0, SIMPLE if small else plan.chunk)
        if is_all and len(piece) <= SIMPLE:
            metadata = yield from _multipart(plan, b"".join(piece), source)
            control.report(len(piece))
            return metadata
        yield from _start(plan, source, session)
        control.report(0)
    return (yield from _ResumableUpload(plan, source, session, control, is_taken_up).send())


# --- in one request --------------------------------------------------------------------------------------------------


def _multipart(plan: UploadRequest, data: bytes, source: Source) -> Flow[Metadata]:
    boundary = secrets.token_hex(16)
    while boundary.encode() in data:
        boundary = secrets.token_hex(16)
    kind = str(plan.fields.get("contentType"))
    body = b"".join(
        (
            # Exactly one header line in each part: a second one would become part of the file.
            f"--{boundary}\r\nContent-Type: application/json; charset=utf-8\r\n\r\n".encode(),
            plan.body(md5Hash=b64encode(md5(data, usedforsecurity=False).digest()).decode()),
            f"\r\n--{boundary}\r\nContent-Type: {kind}\r\n\r\n".encode(),
            data,
            f"\r\n--{boundary}--".encode(),
        )
    )
    headers = {
        "X-Goog-Upload-Protocol": "multipart",
        "Content-Type": f"multipart/related; boundary={boundary}",
    }
    # Only a condition on the generation makes twice the same as once.
    repeat = RetryPolicy.IF_NOT_SENT if plan.if_generation_match is None else RetryPolicy.IDEMPOTENT
    url = plan.location.collection_url
    response = yield Request("POST", url, plan.params, headers, body, repeat, reauth_on_401=True)
    if response.status == 412 and response.earlier_attempt_uncertain:
        found = yield from get_metadata(plan.location)
        if source.checksum.differs(of_metadata(found)) is None:
            return found  # an earlier try got through, only its answer did not
    return _verified(metadata_in(check(response)), source, plan)


def _verified(metadata: Metadata, source: Source, plan: UploadRequest) -> Metadata:
    generation = metadata.get("generation")
    source.check(
        of_metadata(metadata),
        f"{plan.location.name!r} was not stored as it was read (generation {generation}); it is still there",
    )
    return metadata


# --- in pieces -------------------------------------------------------------------------------------------------------


def _start(plan: UploadRequest, source: Source, session: UploadSession) -> Flow[None]:
    """Begin a resumable upload."""
    headers = {
        **JSON_TYPE,
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Type": str(plan.fields.get("contentType")),
    }
    if source.size is not None:
        headers["X-Goog-Upload-Header-Content-Length"] = str(source.size)
    # Sessions that nobody uses cost nothing and end by themselves, so this may be repeated.
    url = plan.location.collection_url
    request = Request("POST", url, plan.params, headers, plan.body(), RetryPolicy.IDEMPOTENT, reauth_on_401=True)
    response = check((yield request))
    if _status(response) != "active":
        raise InvalidResponse("The upload was not begun: the server named no active session.")
    session.url = validate_session_url(response.headers.get("x-goog-upload-url", ""), plan.location)
    granularity = decimal(response.headers.get("x-goog-upload-chunk-granularity", "")) or 0
    if granularity > MAX_GRANULARITY:
        raise InvalidResponse(f"Invalid upload response: the chunk granularity is {granularity} bytes.")
    # The official emulator names less, and takes any size.
    session.granularity = max(GRANULARITY, granularity)
    session.offset = 0


def validate_session_url(url: str, location: ObjectLocation) -> str:
    """An upload URL, if the credential may go there. Raises `InvalidResponse` for another host than Google's.

    In front of an emulator the configured address stays: it may know itself by another name.
    """
    base = urlsplit(location.base)
    try:
        parts = urlsplit(url if url.isascii() and url.isprintable() else "")
        host, port = parts.hostname or "", parts.port
    except ValueError:  # a bracket that is not closed, or a port that is no number
        raise InvalidResponse("Invalid upload response: the upload URL is malformed.") from None
    if base.scheme == "http":
        return parts._replace(scheme=base.scheme, netloc=base.netloc).geturl()
    is_googles = parts.scheme == "https" and port in (None, 443) and host.endswith(".googleapis.com")
    if "@" in parts.netloc or not (is_googles or (parts.scheme, parts.netloc) == (base.scheme, base.netloc)):
        raise InvalidResponse("The server named an upload address that is not Google's; nothing was sent there.")
    return url


def cancel(session: UploadSession) -> Flow[None]:
    """End a resumable upload; what was sent of it is thrown away."""
    if session.url is not None:
        response = yield _command(session, "cancel", repeat=RetryPolicy.IDEMPOTENT)
        if response.status not in (400, 404):  # over already
            check(response)


def _command(
    session: UploadSession,
    command: str,
    body: ChunkedBody | None = None,
    *,
    repeat: RetryPolicy,
    offset: int | None = None,
) -> Request:
    parts = urlsplit(session.url or "")
    headers = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": command}
    if offset is not None:
        headers["X-Goog-Upload-Offset"] = str(offset)
    params = tuple(parse_qsl(parts.query, keep_blank_values=True))
    url = parts._replace(query="", fragment="").geturl()
    return Request("POST", url, params, headers, body, repeat, reauth_on_401=True)


def _status(response: Response) -> str:
    return response.headers.get("x-goog-upload-status", "").strip().lower()


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What became of a piece: the object is whole, or the piece was kept, or there is doubt."""

    metadata: Metadata | None = None
    is_final: bool = False
    doubt: FirebaseError | None = None


class _SessionLost(Exception):
    """The server knows the session no more."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(error)
        self.error = error


class _ResumableUpload:
    """The pieces of one upload. `failures` counts those in a row without any progress between them."""

    def __init__(
        self, plan: UploadRequest, source: Source, session: UploadSession, control: UploadHooks, is_taken_up: bool
    ) -> None:
        self._plan = plan
        self._source = source
        self._session = session
        self._control = control
        self._is_taken_up = is_taken_up
        self._failures = 0
        self._restarts = 0
        self._sent = 0
        """The farthest byte that the server can have."""

    def send(self) -> Flow[Metadata]:
        """Send what is missing; the metadata of the whole object."""
        while True:
            try:
                if self._is_taken_up:
                    self._sent = self._source.size or 1 << 62
                    if (yield from self._ask()):
                        return (yield from self._finished())
                    self._source.sum_up(self._session.offset)
                    self._control.report(self._session.offset)
                return (yield from self._send_all())
            except _SessionLost as lost:
                failure = lost.error
            yield from self._start_over(failure)

    def _start_over(self, failure: ApiError) -> Flow[None]:
        """The session is gone: begin another one, once, if the bytes can still be had."""
        self._restarts += 1
        self._session.url = None
        if self._restarts > 1 or not self._source.can_read(0):
            raise failure
        self._is_taken_up = False
        yield from _start(self._plan, self._source, self._session)
        self._control.report(0)

    def _send_all(self) -> Flow[Metadata]:
        session, unit = self._session, self._session.granularity
        largest = max(unit, self._plan.chunk // unit * unit)
        size = largest
        while True:
            if self._control.is_cancelled():
                raise TransferCancelled("The upload was cancelled.")
            piece, is_last = self._source.piece(session.offset, size)
            outcome = yield from self._send_one(piece, is_last=is_last)
            if outcome.metadata is not None:
                self._control.report(session.offset + len(piece))
                return _verified(outcome.metadata, self._source, self._plan)
            if outcome.is_final:
                return (yield from self._finished())
            if outcome.doubt is None:
                session.offset += len(piece)
                self._failures = 0
                self._control.report(session.offset)
                size = min(largest, size * 2)
                continue
            if (yield from self._settle(outcome.doubt)):
                return (yield from self._finished())
            size = unit  # small pieces get through where large ones break

    def _send_one(self, piece: ChunkedBody, *, is_last: bool) -> Flow[_Outcome]:
        session = self._session
        self._sent = session.offset + len(piece)
        command = "upload" if not is_last else "upload, finalize" if piece else "finalize"
        request = _command(session, command, piece or None, repeat=RetryPolicy.IF_NOT_SENT, offset=session.offset)
        try:
            response = yield request
        except NetworkError as error:
            return _Outcome(doubt=error)
        status = _status(response)
        if status == "cancelled":
            raise TransferCancelled("The upload was cancelled.")
        if 200 <= response.status < 300:
            return _accepted(response, status, is_last=is_last)
        if status != "final":  # a final one is dead: it can neither be asked nor taken up
            if response.status == 404:
                raise _SessionLost(refusal(response))
            wrong_offset = status == "active" and response.status < 500 and response.status not in _FATAL
            if response.status in _UNCERTAIN or wrong_offset:
                return _Outcome(doubt=refusal(response))
        raise refusal(response)

    def _settle(self, doubt: FirebaseError) -> Flow[bool]:
        """Ask until the server says how far it got. True when it has everything."""
        while True:
            if self._control.is_cancelled():
                raise TransferCancelled("The upload was cancelled.")
            self._failures += 1
            if self._failures > self._plan.attempts:
                raise doubt
            if self._failures > 1:
                yield Pause(backoff_delay(self._failures - 1))
            before = self._session.offset
            try:
                is_final = yield from self._ask()
            except NetworkError as error:
                if isinstance(error, InvalidResponse):
                    raise
                doubt = error
                continue
            if self._session.offset > before:
                self._failures = 0
                self._control.report(self._session.offset)
            return is_final

    def _ask(self) -> Flow[bool]:
        """How far the server got, into the session's offset. True when it has everything."""
        response = yield _command(self._session, "query", repeat=RetryPolicy.IDEMPOTENT)
        if response.status == 404:
            raise _SessionLost(refusal(response))
        status = _status(check(response))
        if status == "cancelled":
            raise TransferCancelled("The upload was cancelled.")
        if status == "final":
            return True
        received = decimal(response.headers.get("x-goog-upload-size-received", ""))
        if received is None:
            raise InvalidResponse("Invalid upload response: the number of received bytes is missing.")
        if received > self._sent:
            raise InvalidResponse(f"The server has {received} bytes of the upload, of which {self._sent} were sent.")
        if not self._is_taken_up and not self._source.can_read(received):
            raise UsageError(
                f"The server has only {received} bytes, and the rest cannot be read again; pass a file that can seek."
            )
        self._session.offset = received
        return False

    def _finished(self) -> Flow[Metadata]:
        """Everything is there, and the answer that said so was lost: the metadata as they are."""
        self._source.sum_up_all()
        metadata = yield from get_metadata(self._plan.location)
        self._control.report(self._source.checksum.size)
        return _verified(metadata, self._source, self._plan)


def _accepted(response: Response, status: str, *, is_last: bool) -> _Outcome:
    """A yes to a piece, looked at closely."""
    if status == "final":
        if not is_last:
            raise InvalidResponse("The server ended the upload before its last piece.")
        try:
            return _Outcome(metadata=metadata_in(response))
        except InvalidResponse:  # empty, or the text OK, when it had the piece already
            return _Outcome(is_final=True)
    if status == "active" and not is_last:
        return _Outcome()
    return _Outcome(doubt=InvalidResponse("The server took a piece of the upload without saying what became of it."))
