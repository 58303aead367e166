"""The flows of an upload: small files in one request, large files in a resumable session.

    upload ── small ──> _multipart ───────────────────────────────────> metadata, compared with the checksum
       └──── large ──> _start ──> _ResumableUpload: send piece, ... ──────┘
                                  └── error: query the offset, resume there

After an error the upload resumes from the offset that the server reports.
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

from firebase_rest.errors import ApiError, FirebaseError, InvalidResponse, NetworkError, TransferCancelled, UsageError
from firebase_rest.storage.checksum import ExpectedChecksum, parse_decimal
from firebase_rest.storage.location import ObjectLocation
from firebase_rest.storage.protocol import JSON_TYPE, check, error_of, get_metadata, parse_metadata
from firebase_rest.storage.source import UploadSource
from firebase_rest.transport.retries import backoff_delay
from firebase_rest.transport.wire import ChunkedBody, Flow, Pause, Request, Response, RetryPolicy
from firebase_rest.types import ObjectMetadata

GRANULARITY = 256 * 1024
"""The size in bytes of each piece but the last is a multiple of this number."""

MAX_GRANULARITY = 64 * 1024 * 1024
"""The largest granularity that a server may request. It limits the memory for pieces of files that cannot seek."""

CHUNK_SIZE = 8 * 1024 * 1024
"""Default number of bytes of a request."""

MAX_MULTIPART = GRANULARITY
"""Maximum number of bytes of an upload in one request."""

_UNCERTAIN = frozenset({408, 500, 502, 503, 504})
"""Statuses after which the server may or may not have stored the piece."""

_FATAL = frozenset({401, 402, 403, 404, 412, 413, 429})
"""Statuses after which resuming cannot help."""


@dataclass(frozen=True, slots=True)
class UploadRequest:
    """The arguments of an upload. `attempts` is the maximum number of failures in a row without progress."""

    location: ObjectLocation
    fields: Mapping[str, Any]
    chunk_size: int = CHUNK_SIZE
    attempts: int = 3
    if_generation_match: int | None = None

    @property
    def params(self) -> tuple[tuple[str, str], ...]:
        name = ("name", self.location.name)
        if self.if_generation_match is None:
            return (name,)
        return (name, ("ifGenerationMatch", str(self.if_generation_match)))

    @property
    def content_type(self) -> str:
        return str(self.fields.get("contentType"))

    def metadata_json(self, **extra_fields: str) -> bytes:
        """Return the metadata as JSON."""
        return json.dumps({"name": self.location.name, **self.fields, **extra_fields}, ensure_ascii=False).encode()


@dataclass(slots=True)
class UploadSession:
    """The state of a resumable upload: its URL (None before the start) and the number of bytes that the server has.

    The URL is a secret, because it allows writing.
    """

    url: str | None = field(default=None, repr=False)
    offset: int = 0
    granularity: int = GRANULARITY


@dataclass(frozen=True, slots=True)
class UploadHooks:
    """Callbacks of an upload: `report(bytes_done)` after each piece, and `is_cancelled()` before each piece."""

    report: Callable[[int], object] = lambda _: None
    is_cancelled: Callable[[], bool] = lambda: False


def upload(
    request: UploadRequest, source: UploadSource, session: UploadSession, hooks: UploadHooks
) -> Flow[ObjectMetadata]:
    """Store the bytes of `source`. If an earlier process has started the session, store only the missing bytes."""
    request.location.validate()
    is_resumed = session.url is not None
    if not is_resumed:
        is_small = source.size is None or source.size <= MAX_MULTIPART
        piece, is_all = source.piece(0, MAX_MULTIPART if is_small else request.chunk_size)
        if is_all and len(piece) <= MAX_MULTIPART:
            metadata = yield from _multipart(request, b"".join(piece), source)
            hooks.report(len(piece))
            return metadata
        yield from _start(request, source, session)
        hooks.report(0)
    return (yield from _ResumableUpload(request, source, session, hooks, is_resumed).send())


# --- in one request --------------------------------------------------------------------------------------------------


def _multipart(request: UploadRequest, data: bytes, source: UploadSource) -> Flow[ObjectMetadata]:
    boundary = secrets.token_hex(16)
    while boundary.encode() in data:
        boundary = secrets.token_hex(16)
    body = b"".join(
        (
            # Each part has only one header line, because Firebase stores a second one as part of the file.
            f"--{boundary}\r\nContent-Type: application/json; charset=utf-8\r\n\r\n".encode(),
            request.metadata_json(md5Hash=b64encode(md5(data, usedforsecurity=False).digest()).decode()),
            f"\r\n--{boundary}\r\nContent-Type: {request.content_type}\r\n\r\n".encode(),
            data,
            f"\r\n--{boundary}--".encode(),
        )
    )
    headers = {
        "X-Goog-Upload-Protocol": "multipart",
        "Content-Type": f"multipart/related; boundary={boundary}",
    }
    # The request is idempotent only with ifGenerationMatch. Otherwise a retry could overwrite a newer version.
    policy = RetryPolicy.IF_NOT_SENT if request.if_generation_match is None else RetryPolicy.IDEMPOTENT
    url = request.location.collection_url
    response = yield Request("POST", url, request.params, headers, body, policy, reauth_on_401=True)
    if response.status == 412 and response.earlier_attempt_uncertain:
        metadata = yield from get_metadata(request.location)
        if source.checksum.difference(ExpectedChecksum.from_metadata(metadata)) is None:
            return metadata  # an earlier attempt stored the object, and only its response was lost
    return _verify(parse_metadata(check(response)), source, request)


def _verify(metadata: ObjectMetadata, source: UploadSource, request: UploadRequest) -> ObjectMetadata:
    """Return `metadata`. Raises `ChecksumMismatch` if the stored bytes differ from the bytes that were read."""
    generation = str(metadata.get("generation"))[:20]
    message = f"Upload {request.location.name!r} again: its stored bytes (generation {generation}) are corrupt"
    source.check(ExpectedChecksum.from_metadata(metadata), message)
    return metadata


# --- in a resumable session ------------------------------------------------------------------------------------------


def _start(request: UploadRequest, source: UploadSource, session: UploadSession) -> Flow[None]:
    """Start a resumable upload."""
    headers = {
        **JSON_TYPE,
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Type": request.content_type,
    }
    if source.size is not None:
        headers["X-Goog-Upload-Header-Content-Length"] = str(source.size)
    # Idempotent, because an unused session has no effect and expires.
    url, body = request.location.collection_url, request.metadata_json()
    start = Request("POST", url, request.params, headers, body, RetryPolicy.IDEMPOTENT, reauth_on_401=True)
    response = check((yield start))
    if _status(response) != "active":
        raise InvalidResponse("Invalid upload response: the session is not active.")
    session.url = validate_session_url(response.headers.get("x-goog-upload-url", ""), request.location)
    granularity = parse_decimal(response.headers.get("x-goog-upload-chunk-granularity", "")) or 0
    if granularity > MAX_GRANULARITY:
        raise InvalidResponse(f"Invalid upload response: the chunk granularity is {granularity} bytes.")
    # The official emulator sends a smaller granularity, and accepts any size.
    session.granularity = max(GRANULARITY, granularity)
    session.offset = 0


def validate_session_url(url: str, location: ObjectLocation) -> str:
    """Return an upload URL if credentials may be sent to it. Raises `InvalidResponse` for other hosts than Google's.

    For an emulator, the configured address replaces the host, because the emulator may use another name of its host.
    """
    base = urlsplit(location.base)
    try:
        parts = urlsplit(url if url.isascii() and url.isprintable() else "")
        host, port = parts.hostname or "", parts.port
    except ValueError:  # an unclosed bracket, or an invalid port
        raise InvalidResponse("Invalid upload response: the upload URL is malformed.") from None
    if base.scheme == "http":
        return parts._replace(scheme=base.scheme, netloc=base.netloc).geturl()
    is_google = parts.scheme == "https" and port in (None, 443) and host.endswith(".googleapis.com")
    if "@" in parts.netloc or not (is_google or (parts.scheme, parts.netloc) == (base.scheme, base.netloc)):
        raise InvalidResponse("Invalid upload response: the host of the upload URL is not Google's. Nothing was sent.")
    return url


def cancel(session: UploadSession) -> Flow[None]:
    """Cancel a resumable upload: the server discards the bytes."""
    if session.url is not None:
        response = yield _command(session, "cancel", RetryPolicy.IDEMPOTENT)
        if response.status not in (400, 404):  # the session has ended already
            check(response)


def _command(
    session: UploadSession,
    command: str,
    policy: RetryPolicy,
    body: ChunkedBody | None = None,
    offset: int | None = None,
) -> Request:
    parts = urlsplit(session.url or "")
    headers = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": command}
    if offset is not None:
        headers["X-Goog-Upload-Offset"] = str(offset)
    params = tuple(parse_qsl(parts.query, keep_blank_values=True))
    url = parts._replace(query="", fragment="").geturl()
    return Request("POST", url, params, headers, body, policy, reauth_on_401=True)


def _status(response: Response) -> str:
    return response.headers.get("x-goog-upload-status", "").strip().lower()


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The result of one piece: the object's metadata, or whether the upload is final, or an error to recover from."""

    metadata: ObjectMetadata | None = None
    is_final: bool = False
    error: FirebaseError | None = None


class _SessionLost(Exception):
    """The server does not know the session."""

    def __init__(self, error: ApiError) -> None:
        super().__init__(error)
        self.error = error


@dataclass(slots=True)
class _ResumableUpload:
    """A resumable upload. `failures` counts the failures in a row without progress."""

    request: UploadRequest
    source: UploadSource
    session: UploadSession
    hooks: UploadHooks
    is_resumed: bool
    failures: int = 0
    restarts: int = 0
    sent: int = 0
    """The maximum number of bytes that the server can have received."""

    def send(self) -> Flow[ObjectMetadata]:
        """Send the missing bytes and return the object's metadata."""
        while True:
            try:
                if self.is_resumed:
                    self.sent = self.source.size or 1 << 62  # no limit, because an earlier process sent the bytes
                    if (yield from self._query()):
                        return (yield from self._finish())
                    self.source.hash_until(self.session.offset)
                    self.hooks.report(self.session.offset)
                return (yield from self._send_all())
            except _SessionLost as lost:
                failure = lost.error
            yield from self._restart(failure)

    def _restart(self, failure: ApiError) -> Flow[None]:
        """Start another session, once, if the bytes can be read again."""
        self.restarts += 1
        self.session.url = None
        if self.restarts > 1 or not self.source.can_read(0):
            raise failure
        self.is_resumed = False
        yield from _start(self.request, self.source, self.session)
        self.hooks.report(0)

    def _check_cancelled(self) -> None:
        if self.hooks.is_cancelled():
            raise TransferCancelled("The upload was cancelled.")

    def _send_all(self) -> Flow[ObjectMetadata]:
        session, granularity = self.session, self.session.granularity
        max_size = max(granularity, self.request.chunk_size // granularity * granularity)
        size = max_size
        while True:
            self._check_cancelled()
            piece, is_last = self.source.piece(session.offset, size)
            outcome = yield from self._send_one(piece, is_last=is_last)
            if outcome.metadata is not None:
                self.hooks.report(session.offset + len(piece))
                return _verify(outcome.metadata, self.source, self.request)
            if outcome.is_final:
                return (yield from self._finish())
            if outcome.error is None:
                session.offset += len(piece)
                self.failures = 0
                self.hooks.report(session.offset)
                size = min(max_size, size * 2)
                continue
            if (yield from self._recover(outcome.error)):
                return (yield from self._finish())
            size = granularity  # over a bad connection, small pieces are more likely to arrive

    def _send_one(self, piece: ChunkedBody, *, is_last: bool) -> Flow[_Outcome]:
        session = self.session
        self.sent = session.offset + len(piece)
        command = "upload"
        if is_last:
            command = "upload, finalize" if piece else "finalize"
        try:
            response = yield _command(session, command, RetryPolicy.IF_NOT_SENT, piece or None, session.offset)
        except NetworkError as error:
            return _Outcome(error=error)
        status = _status(response)
        if status == "cancelled":
            raise TransferCancelled("The upload was cancelled.")
        if 200 <= response.status < 300:
            return _outcome_of(response, status, is_last=is_last)
        if status != "final":  # a final session can be neither queried nor resumed
            if response.status == 404:
                raise _SessionLost(error_of(response))
            is_wrong_offset = status == "active" and response.status < 500 and response.status not in _FATAL
            if response.status in _UNCERTAIN or is_wrong_offset:
                return _Outcome(error=error_of(response))
        raise error_of(response)

    def _recover(self, error: FirebaseError) -> Flow[bool]:
        """Query the offset until the server responds. Returns True if the server has all bytes."""
        while True:
            self._check_cancelled()
            self.failures += 1
            if self.failures > self.request.attempts:
                raise error
            if self.failures > 1:
                yield Pause(backoff_delay(self.failures - 1))
            before = self.session.offset
            try:
                is_final = yield from self._query()
            except NetworkError as network_error:
                if isinstance(network_error, InvalidResponse):
                    raise
                error = network_error
                continue
            if self.session.offset > before:
                self.failures = 0
                self.hooks.report(self.session.offset)
            return is_final

    def _query(self) -> Flow[bool]:
        """Store the server's offset in the session. Returns True if the server has all bytes."""
        response = yield _command(self.session, "query", RetryPolicy.IDEMPOTENT)
        if response.status == 404:
            raise _SessionLost(error_of(response))
        status = _status(check(response))
        if status == "cancelled":
            raise TransferCancelled("The upload was cancelled.")
        if status == "final":
            return True
        received = parse_decimal(response.headers.get("x-goog-upload-size-received", ""))
        if received is None:
            raise InvalidResponse("Invalid upload response: the number of received bytes is missing.")
        if received > self.sent:
            raise InvalidResponse(
                f"Invalid upload response: {received} bytes were received, but only {self.sent} were sent."
            )
        if not self.is_resumed and not self.source.can_read(received):
            raise UsageError(
                f"The server has only {received} bytes, and the file cannot seek back to the rest; pass a file that "
                "can seek."
            )
        self.session.offset = received
        return False

    def _finish(self) -> Flow[ObjectMetadata]:
        """Return the metadata of a complete upload whose last response was lost."""
        self.source.hash_all()
        metadata = yield from get_metadata(self.request.location)
        self.hooks.report(self.source.checksum.size)
        return _verify(metadata, self.source, self.request)


def _outcome_of(response: Response, status: str, *, is_last: bool) -> _Outcome:
    """Return the outcome of a successful response."""
    if status == "final":
        if not is_last:
            raise InvalidResponse("Invalid upload response: the upload ended before its last piece.")
        try:
            return _Outcome(metadata=parse_metadata(response))
        except InvalidResponse:  # the body is empty or "OK" if the server already had the piece
            return _Outcome(is_final=True)
    if status == "active" and not is_last:
        return _Outcome()
    return _Outcome(error=InvalidResponse("Invalid upload response: the status header is missing."))
