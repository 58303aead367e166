"""The flow of an object's bytes, resumed where the connection broke.

The law of this file: what is handed on is one version of the object, from first byte to last, and a whole object is
compared with its checksum. https://cloud.google.com/storage/docs/json_api/v1/objects/get
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeVar

from firebase_rest.errors import ApiError, ChecksumMismatch, InvalidResponse, NetworkError, PreconditionFailed
from firebase_rest.storage.checksum import Checksum, ExpectedChecksum, Md5, decimal, of_header, of_metadata
from firebase_rest.storage.location import ObjectLocation
from firebase_rest.storage.protocol import Metadata, check, get_metadata, refusal
from firebase_rest.transport.failure import api_error
from firebase_rest.transport.retry import backoff_delay
from firebase_rest.transport.wire import Pause, Request, Response, RetryPolicy, Sender

PIECE = 256 * 1024
"""Bytes that are read at once, at most. A break costs the piece under way."""

_FIRST_PIECE = 16 * 1024
"""Bytes that are read first: even a connection that breaks again and again brings the download on."""

T = TypeVar("T")
BodyFlow: TypeAlias = Generator[Request | Pause | bytes, Response, T]
"""A flow that hands on bytes while it goes."""

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)")
_UNSATISFIED_RANGE = re.compile(r"bytes \*/([0-9]{1,19})")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `start` to `end` (exclusive; None: to the last one) of the stored object."""

    start: int = 0
    end: int | None = None

    @property
    def is_whole(self) -> bool:
        return self.start == 0 and self.end is None


class DownloadState:
    """The progress of a download. `done` and `total` count stored bytes; `total` is None while it is unknown.

    `md5` computes the MD5; None: hashlib does.
    """

    def __init__(self, location: ObjectLocation, span: ByteRange | None = None) -> None:
        self.location = location
        self.span = span or ByteRange()
        self.done = 0
        self.total: int | None = None
        self.md5: Md5 | None = None
        self.generation: str | None = None
        self._etag: str | None = None
        self._encoding = ""
        self._stored_gzip = False
        self._on_the_fly = False
        self._inflater: Inflater | None = None
        self._expected = ExpectedChecksum()
        self._checksum: Checksum | None = None
        self._position = 0
        self._part_end: int | None = None
        self._is_framed = False
        self._has_ended = False
        self._is_same_version = True

    @property
    def _next(self) -> int:
        """The stored byte that is wanted next."""
        return self.span.start + self.done

    @property
    def _is_ranged(self) -> bool:
        return bool(self._next) or self.span.end is not None

    def request(self) -> Request:
        """The request for what is still missing."""
        # Stored gzip must come as it is stored: only so do lengths, ranges and checksums mean the same bytes.
        headers = {"Accept-Encoding": "identity" if self._on_the_fly else "gzip"}
        if self._is_ranged:
            last = "" if self.span.end is None else str(self.span.end - 1)
            headers["Range"] = f"bytes={self._next}-{last}"
        params = (("alt", "media"),)
        return Request(
            "GET",
            self.location.url,
            params,
            headers,
            retry_policy=RetryPolicy.IDEMPOTENT,
            stream=True,
            fill=True,
            reauth_on_401=True,
        )

    # --- response headers -------------------------------------------------------------------------------------------

    def opened(self, response: Response) -> None:
        """Read a response's headers.

        Raises `PreconditionFailed` if the response is of another version than the bytes received before,
        `InvalidResponse` if its body is not the requested part of the object.
        """
        if response.status not in (200, 206):
            raise InvalidResponse(f"Expected the object's bytes, got an empty response (HTTP {response.status}).")
        encoding = response.headers.get("content-encoding", "").strip().lower()
        encoding = "" if encoding == "identity" else encoding
        generation, etag = response.headers.get("x-goog-generation"), response.headers.get("etag")
        if not self.done:  # the headers of an earlier response may have been cut
            self._begin(response, encoding)
            self.generation, self._etag = generation, etag
        elif (
            _differ(generation, self.generation)
            or _differ(etag, self._etag)
            or (not self._on_the_fly and encoding != self._encoding)
        ):
            raise self.changed(response)
        else:
            self._is_same_version &= None not in (generation, self.generation) or None not in (etag, self._etag)
        if self._on_the_fly:
            self._inflater = Inflater() if encoding == "gzip" else None
        total = self._read_range(response)
        if total is not None:
            if self.done and self.total is not None and self.total != total:
                raise self.changed(response)
            self.total = total

    @property
    def length(self) -> int | None:
        """The number of stored bytes of the whole download; None while it is unknown."""
        return None if self.total is None else max(0, self._end_in(self.total) - self.span.start)

    def _end_in(self, size: int) -> int:
        return size if self.span.end is None else min(self.span.end, size)

    def _begin(self, response: Response, encoding: str) -> None:
        stored = response.headers.get("x-goog-stored-content-encoding", "").lower()
        self._expected = _expected(response)
        self._encoding = encoding
        self._on_the_fly = encoding == "gzip" and stored not in ("", "gzip")
        self._stored_gzip = stored == "gzip"
        self.total = None
        if self.span.is_whole:
            self._inflater = Inflater() if encoding == "gzip" else None
            # Otherwise the server inflates on the way, and the sums are of bytes that are not sent.
            is_comparable = not (self._stored_gzip and encoding != "gzip")
            self._checksum = Checksum.quickest(self._expected, self.md5) if is_comparable else None

    def _read_range(self, response: Response) -> int | None:
        """Read which bytes the response has. Returns the size of the stored object; None if it is unknown."""
        self._position, self._part_end = 0, None  # a server may ignore the Range
        self._has_ended = False
        # The transport has verified the end of such a body: by its length, or by its last chunk.
        length = response.headers.get("content-length")
        self._is_framed = response.has_length and (length is None or decimal(length) is not None)
        if response.status == 206:
            match = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
            if match is None or int(match[1]) != self._next:
                raise InvalidResponse("The server sent another part of the object than the requested one.")
            self._position, self._part_end = self._next, int(match[2]) + 1
            total = decimal(match[3])
            if total is not None and total < self._part_end:
                raise InvalidResponse(f"Invalid Content-Range: byte {match[2]} of {total}.")
            self._is_framed = False  # the part may be shorter than the requested one
            return total
        size = None if self._on_the_fly else decimal(length or "")
        is_as_stored = not (self._stored_gzip and self._encoding != "gzip")
        return self._expected.size if size is None and is_as_stored else size

    def beyond_end(self, response: Response) -> None:
        """The server has no bytes in the requested range (416). Raises as `opened`, and typed refusals."""
        if not self._is_ranged:
            raise refusal(response)
        match = _UNSATISFIED_RANGE.fullmatch(response.headers.get("content-range", "").strip())
        if match:
            self.total = int(match[1])
        self._is_framed, self._has_ended = False, not self.done
        if self.total is None:
            return
        if self.done and self._next != self.total:
            raise self.changed(response)
        if self._next < self.total:
            raise InvalidResponse("The server rejected a range that the object has.")
        self._has_ended = True

    def changed(self, response: Response) -> PreconditionFailed:
        """The error for an object that was overwritten since the download began."""
        message = f"{self.location.name!r} was overwritten while it was being downloaded."
        precondition_failed = replace(response, status=412, body=message.encode(), reader=None)
        return api_error(PreconditionFailed, precondition_failed, message)

    # --- response body ----------------------------------------------------------------------------------------------

    def take(self, data: bytes) -> Iterator[bytes]:
        """Take received bytes, and yield those of the file, inflated if it is gzip."""
        if self._on_the_fly and self._inflater is not None:
            for inflated in self._inflater.feed(data):
                yield from self._taken(inflated)
            return
        for stored in self._taken(data):
            if self._inflater is None:
                yield stored
            else:
                yield from self._inflater.feed(stored)

    def _taken(self, data: bytes) -> Iterator[bytes]:
        """Stored bytes, without repeated and unrequested ones."""
        skip = min(len(data), max(0, self._next - self._position))
        self._position += len(data)
        end = len(data) if self.span.end is None else skip + max(0, self.span.end - self._next)
        if skip or end < len(data):
            data = data[skip:end]
        if data:
            self.done += len(data)
            if self._checksum is not None:
                self._checksum.update(data)
            yield data

    @property
    def is_satisfied(self) -> bool:
        """Whether the requested range is complete."""
        return self.span.end is not None and self._next >= self.span.end

    def check_end(self) -> None:
        """The response's body has ended. Raises `InvalidResponse` if it is shorter or longer than announced."""
        goal = self._part_end if self.total is None else self._end_in(self.total)
        if goal is not None and (self._next < goal or (self.done and self._next > goal)):
            raise InvalidResponse(f"The response ended after {self._next} of {goal} bytes.")
        if self._on_the_fly and self._inflater is not None:
            self._inflater.check_end()
        self._has_ended = self._is_framed or self.total is not None

    # --- integrity --------------------------------------------------------------------------------------------------

    @property
    def is_complete(self) -> bool:
        """Whether framing or length confirm that all bytes are there, and of one version."""
        return self.is_satisfied or (self._has_ended and self._is_same_version)

    @property
    def is_compared(self) -> bool:
        """Whether the headers contain a checksum of the bytes."""
        return self._checksum is not None and self._expected.has_checksum

    def difference(self) -> str | None:
        """The difference between the bytes and the checksum in the headers; None if there is none to compare."""
        return None if self._checksum is None else self._checksum.differs(self._expected)

    def check_gzip(self) -> None:
        """Raise `InvalidResponse` if a file that is inflated here ends within its gzip data."""
        if self._inflater is not None:
            self._inflater.check_end()

    def compare(self, metadata: Metadata) -> InvalidResponse | None:
        """Compare the bytes with the object's metadata. Returns the error if bytes are missing."""
        stored = of_metadata(metadata)
        generation = metadata.get("generation")
        if stored.size is None or (isinstance(generation, str) and _differ(generation, self.generation)):
            return InvalidResponse(f"Could not confirm that {self.location.name!r} arrived complete.")
        if self._next < self._end_in(stored.size):
            return InvalidResponse(f"The response ended after {self._next} of {self._end_in(stored.size)} bytes.")
        if self._checksum is not None:
            self._checksum.check(stored, f"{self.location.name!r} arrived damaged")
        return None

    @property
    def came_inflated(self) -> bool:
        return self._encoding == ""


def _expected(response: Response) -> ExpectedChecksum:
    sums = of_header(response.headers.get("x-goog-hash", ""))
    return replace(sums, size=decimal(response.headers.get("x-goog-stored-content-length", "")))


def _differ(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and one != other


class Inflater:
    """Inflates gzip as it comes, a bounded piece at a time: a small answer may hold gigabytes of zeros."""

    def __init__(self) -> None:
        self._inside = zlib.decompressobj(31)
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What these bytes become. Raises `InvalidResponse` for what is no gzip."""
        while data:
            self._begun = True
            if self._inside.eof:  # gzip files may follow each other
                self._inside = zlib.decompressobj(31)
            try:
                piece = self._inside.decompress(data, PIECE)
            except zlib.error:
                piece = None
            if piece is None:
                raise InvalidResponse("The object says that it is gzip, and its bytes are not.")
            data = self._inside.unconsumed_tail or self._inside.unused_data
            if piece:
                yield piece

    def check_end(self) -> None:
        """Raises `InvalidResponse` in the middle of a gzip file."""
        if self._begun and not self._inside.eof:
            raise InvalidResponse("The object's gzip data end too early.")


# --- the flow --------------------------------------------------------------------------------------------------------


def receive(arrival: DownloadState, attempts: int) -> BodyFlow[None]:
    """Yield the object's bytes. Resumes after a break, and gives up after `attempts` without any progress.

    Raises `PreconditionFailed` if the object is overwritten meanwhile, `ChecksumMismatch`, `InvalidResponse` if nothing
    confirms that the bytes are complete, and typed refusals.
    """
    failures = 0
    while True:
        before = arrival.done
        response = yield arrival.request()
        failure: NetworkError | None = None
        if response.status == 416:
            arrival.beyond_end(response)
        else:
            failure = yield from _arriving(arrival, check(response))
        failure = failure or (yield from _verify(arrival))
        if failure is None:
            return
        failures = 1 if arrival.done > before else failures + 1
        if failures > attempts:
            raise failure
        if failures > 1:
            yield Pause(backoff_delay(failures - 1))


def _arriving(arrival: DownloadState, response: Response) -> BodyFlow[NetworkError | None]:
    """Yield the bytes of one response. Returns the error that interrupted it."""
    reader = response.reader or _Whole(response.body)
    size = _FIRST_PIECE
    try:
        try:
            arrival.opened(response)
        except InvalidResponse as error:
            return error
        while not arrival.is_satisfied:
            try:
                data = reader.read(size)
                if not data:
                    arrival.check_end()
            except NetworkError as error:
                return error
            if not data:
                break
            yield from arrival.take(data)
            size = min(PIECE, size * 2)
        return None
    finally:
        reader.close()


def _verify(arrival: DownloadState) -> BodyFlow[InvalidResponse | None]:
    """Compare the bytes with the checksum, or with the metadata where nothing else confirms that they are complete.

    Returns the error if bytes are missing, or may be. Raises `ChecksumMismatch` and `InvalidResponse`.
    """
    difference = arrival.difference()
    mismatch = ChecksumMismatch(f"{arrival.location.name!r} arrived damaged: {difference}.")
    if difference is None and (arrival.is_complete or arrival.is_compared):
        arrival.check_gzip()
        return None
    if arrival.is_complete and not arrival.came_inflated:
        raise mismatch
    try:
        metadata = yield from get_metadata(arrival.location)
    except ApiError:
        metadata = {}
    if arrival.is_complete:
        if str(metadata.get("contentEncoding", "")).lower() == "gzip":
            return None  # the server has inflated the file without saying so in the headers
        raise mismatch
    failure = arrival.compare(metadata)
    if failure is None:
        arrival.check_gzip()
    return failure


class _Whole:
    """An answer that came as a whole, read as if it were still coming."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def read(self, size: int) -> bytes:
        """The next bytes."""
        data, self._body = self._body[:size], self._body[size:]
        return data

    def abort(self) -> None:
        """Nothing waits here."""

    close = abort


def pieces(flow: BodyFlow[object], sender: Sender, opened: Callable[[], object] = lambda: None) -> Iterator[bytes]:
    """Drive a flow and hand on its bytes; `opened` is called when a body begins to arrive."""
    try:
        step = next(flow)
        while True:
            if isinstance(step, bytes):
                yield step
                step = next(flow)
                continue
            failure = None
            answer = Response(0)
            try:
                if isinstance(step, Request):
                    answer = sender.send(step)
                else:
                    sender.pause(step.seconds)
            except NetworkError as error:
                failure = error
            if answer.reader is not None:
                opened()
            step = flow.send(answer) if failure is None else flow.throw(failure)
    except StopIteration:
        return
    finally:
        flow.close()
