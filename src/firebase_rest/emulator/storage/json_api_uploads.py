"""Resumable uploads as Cloud Storage's own API has them: a session URL, and chunks that say where they belong.

The session is the same as Firebase's; the words on the wire are others. 308 says that more is to come, and how much is
there. Bytes that are there already may come again, and are passed over.
https://cloud.google.com/storage/docs/performing-resumable-uploads
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from firebase_rest.emulator.storage import uploads
from firebase_rest.emulator.storage.errors import Refusal, in_json, without_body
from firebase_rest.emulator.storage.handler import Sink, Whole

if TYPE_CHECKING:
    from firebase_rest.emulator.storage.object_service import Call, Desk
    from firebase_rest.emulator.storage.sessions import Session, Sessions
    from firebase_rest.transport.wire import Response

_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)", re.ASCII)
_HASH = re.compile(r"(crc32c|md5)=([A-Za-z0-9+/=]+)")
CLIENT_CLOSED = 499
"""What the cancelling of an upload is answered by."""


def whole(desk: Desk, call: Call) -> Sink:
    """An upload in one request, alone or after its metadata. Raises `Refusal` 400 for another kind of upload."""
    kind = call.params.get("uploadType")
    if kind == "media":
        return uploads.MediaUpload(desk, call)
    if kind == "multipart":
        return uploads.MultipartUpload(desk, call)
    raise Refusal(400, f"Invalid uploadType: {kind}. It is media, multipart or resumable.")


def start(desk: Desk, sessions: Sessions, call: Call) -> Sink:
    """Begin a resumable upload: its URL is the answer's Location."""
    announced = uploads.announced_in(call, "x-upload-content-length")

    def handle(body: bytes) -> Response:
        changes = uploads.typed(call.read(body), call.headers.get("x-upload-content-type"))
        session = uploads.begin(desk, sessions, call, changes, announced)
        query = urlencode(
            {"uploadType": "resumable", "name": session.start.name, "upload_id": session.id}, quote_via=quote
        )
        url = f"{call.origin}/upload/storage/v1/b/{quote(call.bucket, safe='')}/o?{query}"
        return without_body(200, {"location": url, "x-guploader-uploadid": session.id})

    return Whole(handle)


def go_on(desk: Desk, sessions: Sessions, call: Call) -> Sink:
    """A chunk, or the question how far the upload is. Raises `Refusal`: 400, or 404 for an upload that is unknown."""
    session = sessions.find(call.params["upload_id"])
    if session.status == "cancelled":
        raise Refusal(CLIENT_CLOSED, "The upload was cancelled.")
    if session.status == "final":
        return _Ended(desk, session)
    first, end, total = _content_range(call)
    with session.lock:
        if total is not None and session.announced not in {None, total}:
            raise Refusal(400, f"The file has {total} bytes now, and had {session.announced} before.")
        if total is not None:
            session.announced = total
        if first is None and (total is None or session.size != total):
            return Whole(lambda _: _status(session, call))
        given = {match[1]: match[2] for match in _HASH.finditer(call.headers.get("x-goog-hash", ""))}
        changes = session.changes
        session.changes = replace(
            changes, md5=given.get("md5", changes.md5), crc32c=given.get("crc32c", changes.crc32c)
        )
        session.take_over()
        return _Chunk(desk, session, call, first, end, last=first is None or end is None or end == total)


def cancel(sessions: Sessions, call: Call) -> Sink:
    """Forget an upload."""
    session = sessions.find(call.params["upload_id"])

    def handle(_: bytes) -> Response:
        session.end("cancelled", CLIENT_CLOSED)
        return without_body(CLIENT_CLOSED)

    return Whole(handle)


class _Chunk(uploads.Chunk):
    """Bytes from `first` to `end`. Without a first one there are none; without an end they are the whole file."""

    def __init__(
        self, desk: Desk, session: Session, call: Call, first: int | None, end: int | None, *, last: bool
    ) -> None:
        place = session.size if first is None else first
        super().__init__(desk, session, max(place, session.size), last=last)
        self._call = call
        self._known = max(0, session.size - place)
        self._expected = 0 if first is None else None if end is None else end - first
        self._received = 0

    def write(self, piece: bytes) -> None:
        """See `Sink`."""
        known = max(0, self._known - self._received)
        self._received += len(piece)
        super().write(piece[known:])

    def finish(self) -> Response:
        """See `Sink`."""
        if self._expected not in {None, self._received}:
            self.abort()
            raise Refusal(400, f"{self._received} bytes came, and the Content-Range says {self._expected}.")
        return super().finish()

    def go_on(self) -> Response:
        """See `Chunk`."""
        return _progress(self._session, self._call)


class _Ended(Whole):
    """What still comes for an upload that is over is not looked at: the object is the answer once more."""

    def __init__(self, desk: Desk, session: Session) -> None:
        super().__init__(lambda _: _object_of(desk, session))

    def write(self, piece: bytes) -> None:
        """See `Sink`."""


def _object_of(desk: Desk, session: Session) -> Response:
    stored = desk.store.find(session.start.bucket, session.start.name)
    if session.outcome != 200 or stored is None:
        raise Refusal(410, "The upload is over.")
    return in_json(session.start.show(stored.metadata))


def _status(session: Session, call: Call) -> Response:
    with session.lock:
        session.take_over()
        return _progress(session, call)


def _progress(session: Session, call: Call) -> Response:
    """308, which is no redirection here, and which bytes are there. Some clients cannot have it."""
    headers = {"x-guploader-uploadid": session.id}
    if session.size:
        headers["range"] = f"bytes=0-{session.size - 1}"
    if call.headers.get("x-guploader-no-308", "").lower() == "yes":
        return without_body(200, {**headers, "x-http-status-code-override": "308"})
    return without_body(308, headers)


def _content_range(call: Call) -> tuple[int | None, int | None, int | None]:
    """First byte, end and size of the file, as far as the header says them. Raises `Refusal` 400."""
    header = call.headers.get("content-range")
    if header is None:
        return 0, None, None
    match = _CONTENT_RANGE.fullmatch(header)
    if match is None or (match[1] and int(match[1]) > int(match[2])):
        raise Refusal(400, f"Failed to parse Content-Range header: {header}")
    total = None if match[3] == "*" else int(match[3])
    if match[1] is None:
        return None, None, total
    return int(match[1]), int(match[2]) + 1, total
