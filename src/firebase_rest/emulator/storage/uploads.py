"""The three ways to upload a file, as sinks for the bytes that arrive: simple, multipart, resumable.

https://firebase.google.com/docs/storage/web/upload-files
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from firebase_rest.emulator.storage.blob import Spool
from firebase_rest.emulator.storage.errors import Refusal, in_json, without_body
from firebase_rest.emulator.storage.handler import Sink, Whole
from firebase_rest.emulator.storage.multipart import Multipart, boundary_in
from firebase_rest.emulator.storage.names import check_name

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from firebase_rest.emulator.storage.metadata import Changes
    from firebase_rest.emulator.storage.object_service import Call, Desk
    from firebase_rest.emulator.storage.sessions import Session, Sessions
    from firebase_rest.transport.wire import Response


class MediaUpload:
    """The body is the file, its Content-Type the file's."""

    def __init__(self, desk: Desk, call: Call) -> None:
        self._desk = desk
        self._call = call
        self._spool = Spool()
        self.write = self._spool.write

    def finish(self) -> Response:
        """See `Sink`."""
        changes = typed(self._call.read(b""), self._call.headers.get("content-type"))
        return _created(self._desk, self._call, self._spool, changes)

    def abort(self) -> None:
        """See `Sink`."""


class MultipartUpload:
    """The body is metadata, then the file."""

    def __init__(self, desk: Desk, call: Call) -> None:
        self._desk = desk
        self._call = call
        self._spool = Spool()
        self._parts = Multipart(boundary_in(call.headers.get("content-type", "")), self._spool.write)
        self.write = self._parts.feed

    def finish(self) -> Response:
        """See `Sink`."""
        self._parts.end()
        changes = typed(self._call.read(self._parts.metadata), self._parts.content_type)
        return _created(self._desk, self._call, self._spool, changes)

    def abort(self) -> None:
        """See `Sink`."""


class Chunk:
    """A part of a resumable upload, perhaps the last one."""

    def __init__(self, desk: Desk, session: Session, offset: int, *, last: bool) -> None:
        self._desk = desk
        self._session = session
        self._last = last
        session.begin(self, offset)

    def write(self, piece: bytes) -> None:
        """See `Sink`."""
        self._session.write(self, piece)

    def finish(self) -> Response:
        """See `Sink`."""
        if self._last:
            return _finalize(self._desk, self._session, self)
        self._session.finish_chunk(self)
        return self.go_on()

    def go_on(self) -> Response:
        """The answer where more chunks are to come."""
        return without_body(200, self._session.headers())

    def abort(self) -> None:
        """See `Sink`."""
        self._session.let_go(self)


def simple(desk: Desk, call: Call) -> Sink:
    """An upload in one request. Raises `Refusal` 400 for a protocol that there is not."""
    check_name(call.name)
    protocol = call.headers.get("x-goog-upload-protocol", "").lower()
    related = call.headers.get("content-type", "").lower().startswith("multipart/related")
    if protocol == "multipart" or (not protocol and related and call.params.get("uploadType") != "media"):
        return MultipartUpload(desk, call)
    if protocol not in {"", "raw"}:
        raise Refusal(400, f"Invalid X-Goog-Upload-Protocol: {protocol}")
    return MediaUpload(desk, call)


def start(desk: Desk, sessions: Sessions, call: Call) -> Sink:
    """Begin a resumable upload. Rules are asked when it ends, about whoever began it."""
    check_name(call.name)
    announced = announced_in(call, "x-goog-upload-header-content-length")

    def handle(body: bytes) -> Response:
        changes = typed(call.read(body), call.headers.get("x-goog-upload-header-content-type"))
        session = begin(desk, sessions, call, changes, announced)
        links = {"x-goog-upload-url": session.url, "x-goog-upload-control-url": session.url}
        return without_body(200, {**session.headers(), **links})

    return Whole(handle)


def begin(desk: Desk, sessions: Sessions, call: Call, changes: Changes, announced: int | None) -> Session:
    """A session for the upload that `call` starts. Raises `Refusal` 400 for its name, 412 for its conditions."""
    call = named(call, changes)
    desk.check_conditions(call)
    return sessions.start(call, changes, announced)


def named(call: Call, changes: Changes) -> Call:
    """The call with the name that its metadata may have brought. Raises `Refusal` 400 where it is none."""
    name = call.name or changes.name or ""
    check_name(name)
    return replace(call, name=name)


def typed(changes: Changes, content_type: str | None) -> Changes:
    """The changes, with this type where they name none."""
    if not content_type or changes.settable.get("contentType"):
        return changes
    return replace(changes, settable={**changes.settable, "contentType": content_type})


def command(desk: Desk, sessions: Sessions, call: Call, verbs: AbstractSet[str]) -> Sink:
    """Whatever follows the start: `upload`, `finalize`, both, `query` or `cancel`."""
    session = sessions.find(call.params["upload_id"])
    if verbs == {"query"}:
        return Whole(lambda _: _query(session))
    if verbs == {"cancel"}:
        return Whole(lambda _: _cancel(session))
    if verbs == {"finalize"} and session.status == "final":
        # Once is enough: a client that did not hear the answer learns that it is done, but not the metadata.
        return Whole(lambda _: without_body(session.outcome, session.headers()))
    if not verbs or verbs - {"upload", "finalize"}:
        raise Refusal(400, f"Invalid X-Goog-Upload-Command: {', '.join(sorted(verbs))}")
    return Chunk(desk, session, _offset(session, call), last="finalize" in verbs)


def _query(session: Session) -> Response:
    with session.lock:
        session.take_over()
        return without_body(200, {**session.headers(), "x-goog-upload-size-received": str(session.size)})


def _cancel(session: Session) -> Response:
    with session.lock:
        if session.status == "final":
            raise session.refusal("The upload is not active any more: it is final.")
        session.end("cancelled", 200)
        return without_body(200, session.headers())


def _finalize(desk: Desk, session: Session, writer: object) -> Response:
    with session.lock:
        spool = session.complete(writer)
        try:
            metadata = desk.create(session.start, spool.blob(), session.changes)
        except Refusal as refusal:
            session.outcome = refusal.status
            raise Refusal(refusal.status, refusal.message, refusal.word, session.headers()) from None
        return in_json(session.start.show(metadata), 200, session.headers())


def _created(desk: Desk, call: Call, spool: Spool, changes: Changes) -> Response:
    try:
        call = named(call, changes)
        return in_json(call.show(desk.create(call, spool.blob(), changes)))
    except Refusal as refusal:
        # As of a resumable upload: there is nothing to go on with.
        raise Refusal(refusal.status, refusal.message, refusal.word, {"x-goog-upload-status": "final"}) from None


def _offset(session: Session, call: Call) -> int:
    text = call.headers.get("x-goog-upload-offset", "")
    if not (text.isascii() and text.isdigit()):
        raise session.refusal(f"Invalid X-Goog-Upload-Offset: {text!r}.")
    return int(text)


def announced_in(call: Call, header: str) -> int | None:
    """The length of the file as the start of its upload says it. Raises `Refusal` 400."""
    text = call.headers.get(header)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()):
        raise Refusal(400, f"Invalid {header.title()}: {text!r}.")
    return int(text)
