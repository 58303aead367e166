"""Uploads with Cloud Storage's JSON API: media, multipart, and resumable with Content-Range.

Resumable uploads use the same sessions as those of Firebase's API. Status 308 means that the upload is incomplete; the
Range header then contains the bytes received so far. Bytes that a client sends again are skipped.
https://cloud.google.com/storage/docs/performing-resumable-uploads
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from firebase_rest.emulator.storage import uploads
from firebase_rest.emulator.storage.errors import StorageHTTPError, empty_response, json_response
from firebase_rest.emulator.storage.handler import BodyHandler, BufferedBody

if TYPE_CHECKING:
    from firebase_rest.emulator.storage.object_service import ObjectService
    from firebase_rest.emulator.storage.request import StorageRequest
    from firebase_rest.emulator.storage.sessions import ResumableSession
    from firebase_rest.transport.wire import Response

_CONTENT_RANGE = re.compile(r"bytes (?:(\d{1,19})-(\d{1,19}|\*)|\*)/(\d{1,19}|\*)", re.ASCII)
_HASH = re.compile(r"(crc32c|md5)=([A-Za-z0-9+/=]+)")
CLIENT_CLOSED = 499
"""Status of the response that confirms the cancellation of an upload."""


def single_request_upload(service: ObjectService, request: StorageRequest) -> BodyHandler:
    """Return the handler of an upload in one request. Raises `StorageHTTPError` 400 for an unknown `uploadType`."""
    upload_type = request.params.get("uploadType") or request.headers.get("x-goog-upload-protocol", "raw").lower()
    if upload_type in {"media", "raw"}:
        return uploads.MediaUpload(service, request)
    if upload_type == "multipart":
        return uploads.MultipartUpload(service, request)
    raise StorageHTTPError(400, f"Invalid uploadType: {upload_type}. It must be media, multipart or resumable.")


def start(service: ObjectService, request: StorageRequest, body: bytes) -> Response:
    """Start a resumable upload. The Location header of the response contains the URL of the upload."""
    declared_size = uploads.parse_declared_size(request, "x-upload-content-length")
    update = uploads.with_content_type(request.read_update(body), request.headers.get("x-upload-content-type"))
    session = uploads.start_session(service, request, update, declared_size)
    query = urlencode({"uploadType": "resumable", "name": session.start.name, "upload_id": session.id}, quote_via=quote)
    url = f"{request.origin}/upload/storage/v1/b/{quote(request.bucket, safe='')}/o?{query}"
    return empty_response(200, {"location": url, "x-guploader-uploadid": session.id})


def continue_upload(service: ObjectService, request: StorageRequest) -> BodyHandler:
    """Return the handler of a chunk, or of a query of the progress. Raises `StorageHTTPError` 400, 404 or 499."""
    session = service.sessions.find(request.params["upload_id"])
    if session.status == "cancelled":
        raise StorageHTTPError(CLIENT_CLOSED, "The upload was cancelled.")
    if session.status == "final":
        return _FinishedUpload(service, request, _finished_object)
    first, end, total = _parse_content_range(request)
    with session.lock:
        if total is not None and session.declared_size not in {None, total}:
            raise StorageHTTPError(
                400,
                f"The size in Content-Range is {total}, but the declared size is {session.declared_size}.",
            )
        if total is not None:
            session.declared_size = total
        if first is None and (total is None or session.size != total):
            return BufferedBody(service, request, _query)
        hashes = {match[1]: match[2] for match in _HASH.finditer(request.headers.get("x-goog-hash", ""))}
        update = session.update
        session.update = replace(update, md5=hashes.get("md5", update.md5), crc32c=hashes.get("crc32c", update.crc32c))
        session.set_writer()
        return _Chunk(service, session, request, first, end, last=first is None or end is None or end == total)


def cancel(service: ObjectService, request: StorageRequest, _: bytes) -> Response:
    """Cancel an upload."""
    service.sessions.find(request.params["upload_id"]).end("cancelled", CLIENT_CLOSED)
    return empty_response(CLIENT_CLOSED)


class _Chunk(uploads.ChunkUpload):
    """A chunk with the bytes from `first` to `end`. Without `first` it is empty; without `end` it is the whole file."""

    def __init__(
        self,
        service: ObjectService,
        session: ResumableSession,
        request: StorageRequest,
        first: int | None,
        end: int | None,
        *,
        last: bool,
    ) -> None:
        offset = session.size if first is None else first
        super().__init__(service, session, max(offset, session.size), last=last)
        self._request = request
        self._already_stored = max(0, session.size - offset)
        self._expected: int | None = None
        if first is None:
            self._expected = 0
        elif end is not None:
            self._expected = end - first
        self._received = 0

    def write(self, piece: bytes) -> None:
        """See `BodyHandler`."""
        skipped = max(0, self._already_stored - self._received)
        self._received += len(piece)
        super().write(piece[skipped:])

    def finish(self) -> Response:
        """See `BodyHandler`."""
        if self._expected not in {None, self._received}:
            self.abort()
            raise StorageHTTPError(
                400, f"The body must have the {self._expected} bytes of Content-Range, but has {self._received}."
            )
        return super().finish()

    def progress_response(self) -> Response:
        """See `ChunkUpload`."""
        return _progress(self._session, self._request)


class _FinishedUpload(BufferedBody):
    """Ignores the body of a request to a finished upload."""

    def write(self, piece: bytes) -> None:
        """See `BodyHandler`."""


def _finished_object(service: ObjectService, request: StorageRequest, _: bytes) -> Response:
    session = service.sessions.find(request.params["upload_id"])
    stored = service.store.find(session.start.bucket, session.start.name)
    if session.outcome != 200 or stored is None:
        raise StorageHTTPError(410, "The upload has ended.")
    return json_response(session.start.resource(stored.metadata))


def _query(service: ObjectService, request: StorageRequest, _: bytes) -> Response:
    session = service.sessions.find(request.params["upload_id"])
    with session.lock:
        session.set_writer()
        return _progress(session, request)


def _progress(session: ResumableSession, request: StorageRequest) -> Response:
    """Return the number of bytes received so far, with status 308.

    For clients that follow 308 as a redirect, the status is 200, and 308 is in a header.
    """
    headers = {"x-guploader-uploadid": session.id}
    if session.size:
        headers["range"] = f"bytes=0-{session.size - 1}"
    if request.headers.get("x-guploader-no-308", "").lower() == "yes":
        return empty_response(200, {**headers, "x-http-status-code-override": "308"})
    return empty_response(308, headers)


def _parse_content_range(request: StorageRequest) -> tuple[int | None, int | None, int | None]:
    """Return the first byte, the end and the size of the file, or None for those that are unknown.

    Raises `StorageHTTPError` 400.
    """
    header = request.headers.get("content-range")
    if header is None:
        return 0, None, None
    match = _CONTENT_RANGE.fullmatch(header)
    end = None if match is None or match[2] in {None, "*"} else int(match[2]) + 1  # the client for Node sends "0-*/*"
    if match is None or (match[1] and end is not None and int(match[1]) >= end):
        raise StorageHTTPError(400, f"Failed to parse Content-Range header: {header[:200]}")
    total = None if match[3] == "*" else int(match[3])
    if match[1] is None:
        return None, None, total
    return int(match[1]), end, total
