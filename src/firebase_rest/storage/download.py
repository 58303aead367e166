"""The flow of a download. It resumes after an interruption, and confirms that the bytes are complete and consistent.

https://cloud.google.com/storage/docs/json_api/v1/objects/get
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BytesIO

from firebase_rest.errors import ApiError, ChecksumMismatch, InvalidResponse, NetworkError, PreconditionFailed
from firebase_rest.storage.checksum import Checksum, ExpectedChecksum, Hasher, parse_decimal
from firebase_rest.storage.location import ObjectLocation
from firebase_rest.storage.protocol import check, error_of, get_metadata
from firebase_rest.transport.failure import api_error
from firebase_rest.transport.retries import backoff_delay
from firebase_rest.transport.wire import BodyFlow, Pause, Request, Response, RetryPolicy
from firebase_rest.types import ObjectMetadata

READ_SIZE = 256 * 1024
"""Maximum number of bytes of one read. An interruption loses the bytes of the current read."""

_FIRST_READ_SIZE = 16 * 1024
"""Number of bytes of the first read. It is small, so that a connection that is lost early makes some progress too."""

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19}|\*)")
_UNSATISFIED_RANGE = re.compile(r"bytes \*/([0-9]{1,19})")


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The bytes from `start` to `end` of the stored object. `end` is exclusive; None is the end of the object."""

    start: int = 0
    end: int | None = None

    @property
    def is_whole(self) -> bool:
        return self.start == 0 and self.end is None

    def end_in(self, size: int) -> int:
        """Return the end of the range in an object of this size."""
        return size if self.end is None else min(self.end, size)


class DownloadState:
    """The progress of a download.

    `done` and `total` count stored bytes; `total` is `None` while it is unknown. `hasher` computes the MD5 in place of
    hashlib.
    """

    def __init__(self, location: ObjectLocation, byte_range: ByteRange | None = None) -> None:
        self.location = location
        self.range = byte_range or ByteRange()
        self.done = 0
        self.total: int | None = None
        self.hasher: Hasher | None = None
        self._generation: str | None = None
        self._etag: str | None = None
        self._encoding = ""
        self._stored_gzip = False
        self._gzip_in_transit = False
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
        """The number of the next stored byte."""
        return self.range.start + self.done

    @property
    def _is_ranged(self) -> bool:
        return bool(self._next) or self.range.end is not None

    def request(self) -> Request:
        """Return the request for the missing bytes."""
        # Gzip objects are requested as they are stored, so that lengths, ranges and checksums are of the same bytes.
        headers = {"Accept-Encoding": "identity" if self._gzip_in_transit else "gzip"}
        if self._is_ranged:
            last = "" if self.range.end is None else str(self.range.end - 1)
            headers["Range"] = f"bytes={self._next}-{last}"
        return Request(
            "GET",
            self.location.url,
            (("alt", "media"),),
            headers,
            retry_policy=RetryPolicy.IDEMPOTENT,
            stream=True,
            fill=True,
            reauth_on_401=True,
        )

    # --- response headers -------------------------------------------------------------------------------------------

    def open(self, response: Response) -> None:
        """Read the headers of a response.

        Raises `PreconditionFailed` if the object has been overwritten since the earlier bytes, and `InvalidResponse` if
        the body is not the requested part of the object.
        """
        if response.status not in (200, 206):
            raise InvalidResponse(f"Expected the object's bytes, got an empty response (HTTP {response.status}).")
        encoding = response.headers.get("content-encoding", "").strip().lower()
        encoding = "" if encoding == "identity" else encoding
        generation, etag = response.headers.get("x-goog-generation"), response.headers.get("etag")
        if not self.done:  # also after an earlier response without a body
            self._begin(response, encoding)
            self._generation, self._etag = generation, etag
        elif (
            _differ(generation, self._generation)
            or _differ(etag, self._etag)
            or (not self._gzip_in_transit and encoding != self._encoding)
        ):
            raise self._overwritten_error(response)
        else:
            self._is_same_version &= None not in (generation, self._generation) or None not in (etag, self._etag)
        if self._gzip_in_transit:
            self._inflater = Inflater() if encoding == "gzip" else None
        total = self._read_framing(response)
        if total is not None:
            if self.done and self.total is not None and self.total != total:
                raise self._overwritten_error(response)
            self.total = total

    @property
    def length(self) -> int | None:
        """The number of stored bytes of the whole download; None while it is unknown."""
        return None if self.total is None else max(0, self.range.end_in(self.total) - self.range.start)

    def _begin(self, response: Response, encoding: str) -> None:
        stored = response.headers.get("x-goog-stored-content-encoding", "").lower()
        self._expected = ExpectedChecksum.from_headers(response.headers)
        self._encoding = encoding
        self._gzip_in_transit = encoding == "gzip" and stored not in ("", "gzip")
        self._stored_gzip = stored == "gzip"
        self.total = None
        if self.range.is_whole:
            self._inflater = Inflater() if encoding == "gzip" else None
            # The checksums are those of the stored bytes. The client does not receive them if the server inflates them.
            is_comparable = not (self._stored_gzip and encoding != "gzip")
            self._checksum = Checksum.cheapest(self._expected, self.hasher) if is_comparable else None

    def _read_framing(self, response: Response) -> int | None:
        """Read which bytes the body contains. Return the size of the stored object, or None if it is unknown."""
        self._position, self._part_end, self._has_ended = 0, None, False
        length = response.headers.get("content-length")
        if response.status == 206:
            match = _CONTENT_RANGE.fullmatch(response.headers.get("content-range", "").strip())
            if match is None or int(match[1]) != self._next:
                raise InvalidResponse("The server sent another part of the object than the requested one.")
            self._position, self._part_end = self._next, int(match[2]) + 1
            total = parse_decimal(match[3])
            if total is not None and total < self._part_end:
                raise InvalidResponse(f"Invalid Content-Range: byte {match[2]} of {total}.")
            self._is_framed = False  # the part may be shorter than the requested one
            return total
        # The transport verifies the end of such a body, by its length or by its last chunk.
        self._is_framed = response.has_length and (length is None or parse_decimal(length) is not None)
        size = None if self._gzip_in_transit else parse_decimal(length or "")
        is_as_stored = not (self._stored_gzip and self._encoding != "gzip")
        return self._expected.size if size is None and is_as_stored else size

    def reject_range(self, response: Response) -> None:
        """Record that the server has no bytes in the requested range (HTTP 416). Raises the errors of `open`."""
        if not self._is_ranged:
            raise error_of(response)
        match = _UNSATISFIED_RANGE.fullmatch(response.headers.get("content-range", "").strip())
        if match:
            self.total = int(match[1])
        if self.total is not None:
            if self.done and self._next != self.total:
                raise self._overwritten_error(response)
            if self._next < self.total:
                raise InvalidResponse("The server rejected a range that the object has.")
        self._has_ended = not self.done or self.total is not None

    def _overwritten_error(self, response: Response) -> PreconditionFailed:
        message = f"{self.location.name!r} was overwritten while it was being downloaded."
        precondition_failed = replace(response, status=412, body=message.encode(), reader=None)
        return api_error(PreconditionFailed, precondition_failed, message)

    # --- response body ----------------------------------------------------------------------------------------------

    def process(self, data: bytes) -> Iterator[bytes]:
        """Process received bytes, and yield the bytes of the file. Gzip data is decompressed."""
        if self._gzip_in_transit and self._inflater is not None:
            for inflated in self._inflater.feed(data):
                yield from self._process_stored(inflated)
            return
        for stored in self._process_stored(data):
            if self._inflater is None:
                yield stored
            else:
                yield from self._inflater.feed(stored)

    def _process_stored(self, data: bytes) -> Iterator[bytes]:
        """Yield the stored bytes that are new and within the requested range."""
        skip = min(len(data), max(0, self._next - self._position))
        self._position += len(data)
        end = len(data) if self.range.end is None else skip + max(0, self.range.end - self._next)
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
        return self.range.end is not None and self._next >= self.range.end

    def end_body(self) -> None:
        """Record the end of the response's body. Raises `InvalidResponse` if its length differs from the headers."""
        end = self._part_end if self.total is None else self.range.end_in(self.total)
        if end is not None and (self._next < end or (self.done and self._next > end)):
            raise self._length_error(end)
        if self._gzip_in_transit and self._inflater is not None:
            self._inflater.check_end()
        self._has_ended = self._is_framed or self.total is not None

    def _length_error(self, expected: int) -> InvalidResponse:
        return InvalidResponse(f"The response ended after {self._next} of {expected} bytes.")

    # --- integrity --------------------------------------------------------------------------------------------------

    @property
    def is_complete(self) -> bool:
        """Whether the end of the body or its length confirm that all bytes of one version have arrived."""
        return self.is_satisfied or (self._has_ended and self._is_same_version)

    @property
    def has_checksum(self) -> bool:
        """Whether the headers contain a checksum of the bytes."""
        return self._checksum is not None and self._expected.has_checksum

    @property
    def may_be_inflated(self) -> bool:
        """Whether the server may have decompressed a gzip object without reporting it."""
        return self._encoding == ""

    def difference(self) -> str | None:
        """Return how the bytes differ from the checksum in the headers, or None if no difference is known."""
        return None if self._checksum is None else self._checksum.difference(self._expected)

    def check_gzip(self) -> None:
        """Raise `InvalidResponse` if the gzip data that the client decompresses is incomplete."""
        if self._inflater is not None:
            self._inflater.check_end()

    def compare(self, metadata: ObjectMetadata) -> InvalidResponse | None:
        """Compare the bytes with the object's metadata. Returns the error if bytes are missing."""
        stored = ExpectedChecksum.from_metadata(metadata)
        generation = metadata.get("generation")
        if stored.size is None or (isinstance(generation, str) and _differ(generation, self._generation)):
            return InvalidResponse(
                f"Could not confirm that all bytes of {self.location.name!r} arrived; repeat the download."
            )
        if self._next < self.range.end_in(stored.size):
            return self._length_error(self.range.end_in(stored.size))
        if self._checksum is not None:
            self._checksum.check(stored, f"The download of {self.location.name!r} is corrupt")
        return None


def _differ(left: str | None, right: str | None) -> bool:
    return left is not None and right is not None and left != right


class Inflater:
    """Inflates gzip data in bounded pieces, because a small response may contain gigabytes of zeros."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(31)
        self._has_begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the inflated bytes. Raises `InvalidResponse` for invalid data."""
        while data:
            self._has_begun = True
            if self._member.eof:  # a gzip file may have several members
                self._member = zlib.decompressobj(31)
            try:
                piece = self._member.decompress(data, READ_SIZE)
            except zlib.error:
                piece = None
            if piece is None:
                raise InvalidResponse("The object is declared as gzip, but its bytes are not valid gzip data.")
            data = self._member.unconsumed_tail or self._member.unused_data
            if piece:
                yield piece

    def check_end(self) -> None:
        """Raise `InvalidResponse` if the last gzip member is incomplete."""
        if self._has_begun and not self._member.eof:
            raise InvalidResponse("The object's gzip data is incomplete.")


# --- the flow --------------------------------------------------------------------------------------------------------


def download(state: DownloadState, attempts: int) -> BodyFlow[None]:
    """Yield the object's bytes. Resumes after an interruption, at most `attempts` times in a row without progress.

    Raises `PreconditionFailed` if the object is overwritten during the download, `ChecksumMismatch`, `InvalidResponse`
    if nothing confirms that the bytes are complete, and the typed error of an error response.
    """
    failures = 0
    while True:
        before = state.done
        response = yield state.request()
        failure: NetworkError | None = None
        if response.status == 416:
            state.reject_range(response)
        else:
            failure = yield from _receive(state, check(response, state.location.name))
        failure = failure or (yield from _verify(state))
        if failure is None:
            return
        failures = 1 if state.done > before else failures + 1
        if failures > attempts:
            raise failure
        if failures > 1:
            yield Pause(backoff_delay(failures - 1))


def _receive(state: DownloadState, response: Response) -> BodyFlow[NetworkError | None]:
    """Yield the bytes of one response. Returns the error that interrupted it."""
    reader = response.reader or BytesIO(response.body)
    size = _FIRST_READ_SIZE
    try:
        try:
            state.open(response)
        except InvalidResponse as error:
            return error
        while not state.is_satisfied:
            try:
                data = reader.read(size)
                if not data:
                    state.end_body()
            except NetworkError as error:
                return error
            if not data:
                break
            yield from state.process(data)
            size = min(READ_SIZE, size * 2)
        return None
    finally:
        reader.close()


def _verify(state: DownloadState) -> BodyFlow[InvalidResponse | None]:
    """Compare the bytes with the checksum, or with the metadata if nothing else confirms that they are complete.

    Returns the error if bytes are or may be missing. Raises `ChecksumMismatch` and `InvalidResponse`.
    """
    difference = state.difference()
    mismatch = ChecksumMismatch(f"The download of {state.location.name!r} is corrupt: {difference}.")
    if difference is None and (state.is_complete or state.has_checksum):
        state.check_gzip()
        return None
    if state.is_complete and not state.may_be_inflated:
        raise mismatch
    try:
        metadata = yield from get_metadata(state.location)
    except ApiError:
        metadata = ObjectMetadata()
    if state.is_complete:
        if str(metadata.get("contentEncoding", "")).lower() == "gzip":
            return None  # the server has inflated the file
        raise mismatch
    failure = state.compare(metadata)
    if failure is None:
        state.check_gzip()
    return failure
