"""Uploads with the Firebase SDKs' protocols: simple, multipart and resumable.

https://firebase.google.com/docs/storage/web/upload-files
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from firebase_rest.emulator.storage.errors import StorageHTTPError, empty_response, json_response
from firebase_rest.emulator.storage.handler import BodyHandler, BufferedBody
from firebase_rest.emulator.storage.multipart import MultipartParser, parse_boundary
from firebase_rest.emulator.storage.names import parse_size, validate_name

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from firebase_rest.emulator.storage.metadata import MetadataUpdate
    from firebase_rest.emulator.storage.object_service import ObjectService
    from firebase_rest.emulator.storage.request import StorageRequest
    from firebase_rest.emulator.storage.sessions import ResumableSession
    from firebase_rest.transport.wire import Response


class MediaUpload:
    """The handler of an upload whose body is the file. The Content-Type is that of the file."""

    def __init__(self, service: ObjectService, request: StorageRequest) -> None:
        self._service = service
        self._request = request
        self._spool = service.new_spool()
        self.write = self._spool.write

    def finish(self) -> Response:
        """See `BodyHandler`."""
        return self._create(b"", self._request.headers.get("content-type"))

    def abort(self) -> None:
        """See `BodyHandler`."""

    def _create(self, metadata: bytes, content_type: str | None) -> Response:
        try:
            update = with_content_type(self._request.read_update(metadata), content_type)
            request = with_object_name(self._request, update)
            return json_response(request.resource(self._service.create(request, self._spool.blob(), update)))
        except StorageHTTPError as error:
            headers = {"x-goog-upload-status": "final"}  # a client must not try to resume the upload
            raise StorageHTTPError(error.status, error.message, error.reason, headers) from None


class MultipartUpload(MediaUpload):
    """The handler of an upload whose body is metadata, then the file."""

    def __init__(self, service: ObjectService, request: StorageRequest) -> None:
        super().__init__(service, request)
        self._parser = MultipartParser(parse_boundary(request.headers.get("content-type", "")), self._spool.write)
        self.write = self._parser.feed

    def finish(self) -> Response:
        """See `BodyHandler`."""
        self._parser.end()
        content_type = self._request.headers.get("x-upload-content-type") or self._parser.content_type
        return self._create(self._parser.metadata, content_type)


class ChunkUpload:
    """The handler of a chunk of a resumable upload."""

    def __init__(self, service: ObjectService, session: ResumableSession, offset: int, *, last: bool) -> None:
        self._service = service
        self._session = session
        self._last = last
        session.begin(self, offset)

    def write(self, piece: bytes) -> None:
        """See `BodyHandler`."""
        self._session.write(self, piece)

    def finish(self) -> Response:
        """See `BodyHandler`."""
        if self._last:
            return _finalize(self._service, self._session, self)
        self._session.finish_chunk(self)
        return self.progress_response()

    def progress_response(self) -> Response:
        """Return the response to a chunk that is not the last one."""
        return empty_response(200, self._session.headers())

    def abort(self) -> None:
        """See `BodyHandler`."""
        self._session.release(self)


class _Finalize(ChunkUpload):
    """The end of a resumable upload without a last chunk. A body is ignored."""

    def __init__(self, service: ObjectService, session: ResumableSession, request: StorageRequest) -> None:
        offset = _parse_offset(session, request) if "x-goog-upload-offset" in request.headers else session.size
        super().__init__(service, session, offset, last=True)

    def write(self, piece: bytes) -> None:
        """See `BodyHandler`."""


def single_request_upload(service: ObjectService, request: StorageRequest) -> BodyHandler:
    """Return the handler of an upload in one request. Raises `StorageHTTPError` 400 for an unknown protocol."""
    validate_name(request.name)
    protocol = request.headers.get("x-goog-upload-protocol", "").lower()
    is_related = request.headers.get("content-type", "").lower().startswith("multipart/related")
    if protocol == "multipart" or (not protocol and is_related and request.params.get("uploadType") != "media"):
        return MultipartUpload(service, request)
    if protocol not in {"", "raw"}:
        raise StorageHTTPError(400, f"Invalid X-Goog-Upload-Protocol: {protocol}")
    return MediaUpload(service, request)


def start(service: ObjectService, request: StorageRequest, body: bytes) -> Response:
    """Start a resumable upload. Rules are evaluated at its end, for the caller of this request."""
    validate_name(request.name)
    declared_size = parse_declared_size(request, "x-goog-upload-header-content-length")
    update = with_content_type(request.read_update(body), request.headers.get("x-goog-upload-header-content-type"))
    session = start_session(service, request, update, declared_size)
    urls = {"x-goog-upload-url": session.url, "x-goog-upload-control-url": session.url}
    return empty_response(200, {**session.headers(), **urls})


def start_session(
    service: ObjectService, request: StorageRequest, update: MetadataUpdate, declared_size: int | None
) -> ResumableSession:
    """Create the session of an upload.

    Raises `StorageHTTPError` 400 if the name is invalid, 412 if a precondition fails.
    """
    request = with_object_name(request, update)
    service.check_conditions(request)
    return service.sessions.start(request, update, declared_size)


def with_object_name(request: StorageRequest, update: MetadataUpdate) -> StorageRequest:
    """Return the request with the name of the object, which may be in the metadata. Raises `StorageHTTPError` 400."""
    name = request.name or update.name or ""
    validate_name(name)
    return replace(request, name=name)


def with_content_type(update: MetadataUpdate, content_type: str | None) -> MetadataUpdate:
    """Return `update` with `content_type`, unless it sets a content type."""
    if not content_type or update.settable.get("contentType"):
        return update
    return replace(update, settable={**update.settable, "contentType": content_type})


def continue_upload(service: ObjectService, request: StorageRequest, commands: AbstractSet[str]) -> BodyHandler:
    """Return the handler of the commands after the start: `upload`, `finalize`, both, `query` or `cancel`."""
    session = service.sessions.find(request.params["upload_id"])
    if commands == {"query"}:
        return BufferedBody(service, request, _query)
    if commands == {"cancel"}:
        return BufferedBody(service, request, _cancel)
    if commands == {"finalize"} and session.status == "final":
        return BufferedBody(service, request, _repeat_finalize)
    if not commands or commands - {"upload", "finalize"}:
        raise StorageHTTPError(400, f"Invalid X-Goog-Upload-Command: {', '.join(sorted(commands))}")
    if commands == {"finalize"}:
        return _Finalize(service, session, request)
    return ChunkUpload(service, session, _parse_offset(session, request), last="finalize" in commands)


def _query(service: ObjectService, request: StorageRequest, _: bytes) -> Response:
    session = service.sessions.find(request.params["upload_id"])
    with session.lock:
        session.set_writer()
        return empty_response(200, {**session.headers(), "x-goog-upload-size-received": str(session.size)})


def _cancel(service: ObjectService, request: StorageRequest, _: bytes) -> Response:
    session = service.sessions.find(request.params["upload_id"])
    with session.lock:
        if session.status == "final":
            raise session.error("The upload is no longer active: it is final.")
        session.end("cancelled", 200)
        return empty_response(200, session.headers())


def _repeat_finalize(service: ObjectService, request: StorageRequest, _: bytes) -> Response:
    """Return the status of a finished upload, without the metadata. A client sends this after a lost response."""
    session = service.sessions.find(request.params["upload_id"])
    return empty_response(session.outcome, session.headers())


def _finalize(service: ObjectService, session: ResumableSession, writer: object) -> Response:
    with session.lock:
        spool = session.complete(writer)
        try:
            metadata = service.create(session.start, spool.blob(), session.update)
        except StorageHTTPError as error:
            session.outcome = error.status
            raise StorageHTTPError(error.status, error.message, error.reason, session.headers()) from None
        return json_response(session.start.resource(metadata), 200, session.headers())


def _parse_offset(session: ResumableSession, request: StorageRequest) -> int:
    text = request.headers.get("x-goog-upload-offset", "")
    offset = parse_size(text)
    if offset is None:
        raise session.error(f"X-Goog-Upload-Offset must be a number of bytes, got {text!r}.")
    return offset


def parse_declared_size(request: StorageRequest, header: str) -> int | None:
    """Return the file size that the start of an upload declares, or None. Raises `StorageHTTPError` 400."""
    text = request.headers.get(header)
    if text is None:
        return None
    size = parse_size(text)
    if size is None:
        raise StorageHTTPError(400, f"{header.title()} must be a number of bytes, got {text!r}.")
    return size
