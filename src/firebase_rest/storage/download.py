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

from firebase_rest.errors import ChecksumMismatch, InvalidResponse, NetworkError, PreconditionFailed
from firebase_rest.storage.checksum import Checksum, Expected, Md5, of_header
from firebase_rest.storage.location import Location
from firebase_rest.storage.protocol import check, get_metadata
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

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


@dataclass(frozen=True, slots=True)
class Span:
    """Bytes `start` to `end` (exclusive; None: to the last one) of the stored object."""

    start: int = 0
    end: int | None = None

    @property
    def is_whole(self) -> bool:
        return self.start == 0 and self.end is None


class Arrival:
    """How far a download has come. `done` and `total` count stored bytes; `total` is None while nobody has said it.

    `md5` adds up the MD5 if that is needed; None: it is added up here.
    """

    def __init__(self, location: Location, span: Span | None = None) -> None:
        self.location = location
        self.span = span or Span()
        self.done = 0
        self.total: int | None = None
        self.md5: Md5 | None = None
        self.generation: str | None = None
        self._etag: str | None = None
        self._encoding: str | None = None
        self._stored_gzip = False
        self._on_the_fly = False
        self._inflater: Inflater | None = None
        self._expected = Expected()
        self._checksum: Checksum | None = None
        self._position = 0

    @property
    def _next(self) -> int:
        """The stored byte that is wanted next."""
        return self.span.start + self.done

    def request(self) -> Request:
        """The request for what is still missing."""
        # Stored gzip must come as it is stored: only so do lengths, ranges and checksums mean the same bytes.
        headers = {"Accept-Encoding": "identity" if self._on_the_fly else "gzip"}
        if self._next or self.span.end is not None:
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

    # --- what the headers say ---------------------------------------------------------------------------------------

    def opened(self, response: Response) -> None:
        """An answer has begun. Raises `PreconditionFailed` if it is of another version than what has arrived."""
        headers = response.headers
        encoding = headers.get("content-encoding", "").strip().lower()
        encoding = "" if encoding == "identity" else encoding
        generation, etag = headers.get("x-goog-generation"), headers.get("etag")
        if self._encoding is None:
            self._expected = _expected(response)
            self._begin(headers.get("x-goog-stored-content-encoding", "").lower(), encoding)
            self.generation, self._etag = generation, etag
        elif (
            _differ(generation, self.generation)
            or _differ(etag, self._etag)
            or (not self._on_the_fly and encoding != self._encoding)
        ):
            raise self.changed(response)
        if self._on_the_fly:
            self._inflater = Inflater() if encoding == "gzip" else None
        self._position = self._first_byte(response)
        total = _total(response)
        if total is not None and not self._on_the_fly:
            if self.total is not None and self.total != total:
                raise self.changed(response)
            self.total = total

    @property
    def length(self) -> int | None:
        """How many stored bytes the whole download has; None while nobody has said it."""
        if self.total is None:
            return None
        end = self.total if self.span.end is None else min(self.span.end, self.total)
        return max(0, end - self.span.start)

    def _begin(self, stored: str, encoding: str) -> None:
        self._encoding = encoding
        self._on_the_fly = encoding == "gzip" and stored not in ("", "gzip")
        self._stored_gzip = stored == "gzip"
        if self.span.is_whole:
            self._inflater = Inflater() if encoding == "gzip" else None
            if not (self._stored_gzip and encoding != "gzip"):
                # Otherwise the server inflates on the way, and the sums are of what we do not see.
                self._checksum = Checksum.quickest(self._expected, self.md5)

    def _first_byte(self, response: Response) -> int:
        """Which stored byte the answer's body begins with."""
        if response.status != 206:
            return 0  # a server may ignore the Range
        match = _CONTENT_RANGE.match(response.headers.get("content-range", ""))
        if match is None or int(match[1]) != self._next:
            raise InvalidResponse("The server sent another part of the object than it was asked for.")
        return int(match[1])

    def changed(self, response: Response) -> PreconditionFailed:
        """The error for an object that is not the one that the download began with."""
        message = f"{self.location.name!r} was overwritten while it was being downloaded."
        answer = replace(response, status=412, body=message.encode(), reader=None)
        return api_error(PreconditionFailed, answer, message)

    # --- what the body brings ---------------------------------------------------------------------------------------

    def take(self, data: bytes) -> Iterator[bytes]:
        """Bytes as they came; what of them, inflated where need be, is handed on."""
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
        """Stored bytes, without those that have been here before and those that nobody asked for."""
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
        """Whether all that was asked for is here."""
        return self.span.end is not None and self._next >= self.span.end

    def check_end(self) -> None:
        """The body has ended. Raises `InvalidResponse` if the object has not."""
        goal = self.total if self.span.end is None else self.span.end
        if goal is not None and self.total is not None and self._next < min(goal, self.total):
            raise InvalidResponse(f"The answer ended after {self._next} of {min(goal, self.total)} bytes.")

    def difference(self) -> str | None:
        """What differs from the checksum, if the whole object was compared with one."""
        if self._inflater is not None:
            self._inflater.check_end()
        return None if self._checksum is None else self._checksum.differs(self._expected)

    @property
    def came_inflated(self) -> bool:
        return self._encoding == ""


def _expected(response: Response) -> Expected:
    sums = of_header(response.headers.get("x-goog-hash", ""))
    length = response.headers.get("x-goog-stored-content-length", "")
    return Expected(sums.md5, sums.crc32c, int(length) if length.isdecimal() else None)


def _total(response: Response) -> int | None:
    """The length of the stored object, if the answer says it."""
    if response.status == 206:
        match = _CONTENT_RANGE.match(response.headers.get("content-range", ""))
        return int(match[3]) if match and match[3] != "*" else None
    length = response.headers.get("content-length", "")
    return int(length) if length.isdecimal() else None


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


def receive(arrival: Arrival, attempts: int) -> BodyFlow[None]:
    """The object's bytes. After a break it goes on where it was, and gives up after `attempts` without any progress.

    Raises `PreconditionFailed` if the object is overwritten meanwhile, `ChecksumMismatch`, and the typed refusals.
    """
    failures = 0
    while True:
        before = arrival.done
        response = yield arrival.request()
        if response.status == 416:
            if arrival.done and arrival.done != arrival.total:
                raise arrival.changed(response)
            break  # nothing there, or nothing more
        check(response)
        failure = yield from _arriving(arrival, response)
        if failure is None:
            break
        failures = 1 if arrival.done > before else failures + 1
        if failures > attempts:
            raise failure
        if failures > 1:
            yield Pause(backoff_delay(failures - 1))
    difference = arrival.difference()
    if difference is not None:
        yield from _explained(arrival, difference)


def _arriving(arrival: Arrival, response: Response) -> BodyFlow[NetworkError | None]:
    """The bytes of one answer. Returns what broke it off, if anything did."""
    reader = response.reader or _Whole(response.body)
    size = _FIRST_PIECE
    try:
        arrival.opened(response)
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


def _explained(arrival: Arrival, difference: str) -> BodyFlow[None]:
    """The checksum differs: an error, unless the server has inflated the object without saying so."""
    if arrival.came_inflated:
        metadata = yield from get_metadata(arrival.location)
        if str(metadata.get("contentEncoding", "")).lower() == "gzip":
            return
    raise ChecksumMismatch(f"{arrival.location.name!r} arrived damaged: {difference}.")


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
