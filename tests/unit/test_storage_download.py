"""The flow of a download: ranges, interruptions, versions, checksums and gzip."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest

from firebase_rest.errors import (
    ChecksumMismatch,
    InvalidResponse,
    NetworkError,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    Unauthenticated,
)
from firebase_rest.storage.crc32c import extend, to_base64
from firebase_rest.storage.download import ByteRange, DownloadState, download
from firebase_rest.storage.location import ObjectLocation
from firebase_rest.transport.requestor import drive
from firebase_rest.transport.wire import Request, Response
from support.storage_server import error_response

DATA = bytes(range(256)) * 400
AT = ObjectLocation("https://firebasestorage.googleapis.com", "bucket", "a.bin")


class Reader:
    """A body that breaks after `breaks_after` bytes."""

    def __init__(self, data: bytes, breaks_after: int | None) -> None:
        self.data, self.left, self.closed = data, breaks_after, False

    def read(self, size: int) -> bytes:
        size = min(size, 10_000)
        if self.left is not None:
            if not self.left:
                raise NetworkError("broke")
            size = min(size, self.left)
            self.left -= size
        piece, self.data = self.data[:size], self.data[size:]
        return piece

    def abort(self) -> None: ...

    def close(self) -> None:
        self.closed = True


@dataclass
class Bucket:
    """Serves DATA. `breaks` has the size at which each response is cut; None means a complete response."""

    breaks: list[int | None] = field(default_factory=list)
    data: bytes = DATA
    headers: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    wrong: dict[str, str] = field(default_factory=dict)
    before: list[Callable[[], Response | None]] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    readers: list[Reader] = field(default_factory=list)
    pauses: list[float] = field(default_factory=list)
    metadata: bytes = b'{"name": "a.bin"}'

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def send(self, request: Request) -> Response:
        self.requests.append(request)
        if not request.stream:
            return Response(200, {}, self.metadata)
        replacement = self.before.pop(0)() if self.before else None
        if replacement is not None:
            return replacement
        sums = f"crc32c={to_base64(extend(0, self.data))}, md5={b64encode(hashlib.md5(self.data).digest()).decode()}"
        headers = {"etag": "v1", "x-goog-generation": "1", "x-goog-hash": sums, **self.headers}
        requested = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
        part, status = self.data, 200
        if requested and self.ranges:
            start = int(requested[1])
            if start >= len(self.data):
                return error_response(416)
            part = self.data[start : int(requested[2]) + 1 if requested[2] else None]
            headers["content-range"] = f"bytes {start}-{start + len(part) - 1}/{len(self.data)}"
            status = 206
        headers["content-length"] = str(len(part))
        reader = Reader(part, self.breaks.pop(0) if self.breaks else None)
        self.readers.append(reader)
        return Response(status, {**headers, **self.wrong}, reader=reader)


def fetch(bucket: Bucket, span: ByteRange | None = None, attempts: int = 3) -> bytes:
    return b"".join(drive(download(DownloadState(AT, span), attempts), bucket))


def test_download_in_one_request():
    bucket = Bucket()
    assert fetch(bucket) == DATA
    (request,) = bucket.requests
    assert request.params == (("alt", "media"),)
    assert request.headers == {"Accept-Encoding": "gzip"}
    assert bucket.readers[0].closed


@pytest.mark.parametrize("ranges", [True, False], ids=["206", "200 to a Range"])
def test_interrupted_download_resumes(ranges):
    bucket = Bucket([30_000, 1, 50_000], ranges=ranges)
    if not ranges:
        bucket.breaks = [30_000, 40_000, 90_000]
    assert fetch(bucket) == DATA
    assert bucket.requests[1].headers["Range"] == "bytes=30000-"
    assert not bucket.pauses
    assert all(reader.closed for reader in bucket.readers)


def test_breaks_without_progress_end_the_download():
    bucket = Bucket([30_000, 0, 0, 0, 0])
    with pytest.raises(NetworkError, match="broke"):
        fetch(bucket)
    assert len(bucket.requests) == 4
    assert len(bucket.pauses) == 2
    with pytest.raises(NetworkError):
        fetch(Bucket([30_000]), attempts=0)


def test_short_response_is_resumed():
    bucket = Bucket()
    real = bucket.send

    def send(request):
        response = real(request)
        if len(bucket.requests) == 1:
            bucket.readers[0].data = DATA[:500]
        return response

    bucket.send = send
    assert fetch(bucket) == DATA
    assert bucket.requests[1].headers["Range"] == "bytes=500-"


@pytest.mark.parametrize("header", ["etag", "x-goog-generation"])
def test_overwritten_object_raises_precondition_failed(header):
    bucket = Bucket([30_000])

    def overwrite():
        bucket.headers[header] = "another"

    bucket.before = [lambda: None, overwrite]
    with pytest.raises(PreconditionFailed, match="overwritten"):
        fetch(bucket)


def test_shortened_object_raises_precondition_failed():
    bucket = Bucket([30_000], before=[lambda: None, lambda: error_response(416)])
    with pytest.raises(PreconditionFailed):
        fetch(bucket)


def test_break_after_the_last_byte():
    bucket = Bucket([len(DATA)])
    assert fetch(bucket) == DATA


def test_wrong_content_range_raises():
    bucket = Bucket([30_000])
    bucket.before = [lambda: None, lambda: bucket.wrong.update({"content-range": "bytes 5-9/102400"})]
    with pytest.raises(InvalidResponse, match="another part"):
        fetch(bucket)


@pytest.mark.parametrize("ranges", [True, False], ids=["206", "200 to a Range"])
@pytest.mark.parametrize(("start", "end"), [(0, 10), (5, 6), (100, 30_000), (102_399, None), (50_000, 900_000)])
def test_byte_range_returns_the_requested_bytes(start, end, ranges):
    assert fetch(Bucket([20_000], ranges=ranges), ByteRange(start, end)) == DATA[start:end]


@pytest.mark.parametrize("ranges", [True, False], ids=["416", "200 to a Range"])
def test_range_beyond_the_end_is_empty(ranges):
    assert fetch(Bucket(ranges=ranges), ByteRange(102_400)) == b""
    assert fetch(Bucket(data=b"", ranges=ranges), ByteRange(0, 10)) == b""
    assert fetch(Bucket(data=b"")) == b""


@pytest.mark.parametrize(
    "sums",
    ["crc32c=AAAAAA==", "md5=1B2M2Y8AsgTpgAmY7PhCfg==", "crc32c=AAAAAA==,md5=1B2M2Y8AsgTpgAmY7PhCfg==", "crc32c=0"],
)
def test_damaged_bytes_raise_checksum_mismatch(sums):
    with pytest.raises(ChecksumMismatch, match=r"a\.bin"):
        fetch(Bucket(headers={"x-goog-hash": sums}))


def test_missing_and_decimal_checksums():
    assert fetch(Bucket(headers={"x-goog-hash": ""})) == DATA
    assert fetch(Bucket(headers={"x-goog-hash": f"crc32c={extend(0, DATA)}"})) == DATA


@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        (404, b"Not Found", NotFound, "Not Found"),
        (404, b"<html><title>404</title></html>", NotFound, "<html>"),
        (403, b"", PermissionDenied, ""),
        (401, b'{"error": "no"}', Unauthenticated, "no"),
    ],
)
def test_error_responses_raise_typed_errors(status, body, error, message):
    with pytest.raises(error) as caught:
        fetch(Bucket(before=[lambda: Response(status, {}, body)]))
    assert caught.value.message.startswith(message)


# --- which end is confirmed -------------------------------------------------------------------------------------------


def close_delimited(bucket: Bucket, *sizes: int | None) -> None:
    """Omit every length, and end the first responses without an error after `sizes` bytes."""
    real, left = bucket.send, list(sizes)

    def send(request):
        response = real(request)
        if response.reader is None:
            return response
        size = left.pop(0) if left else None
        if size is not None:
            bucket.readers[-1].data = bucket.readers[-1].data[:size]
        headers = {name: value for name, value in response.headers.items() if name != "content-length"}
        return replace(response, headers=headers, has_length=False)

    bucket.send = send


def metadata_of(data: bytes, **changes: object) -> bytes:
    md5 = b64encode(hashlib.md5(data).digest()).decode()
    return json.dumps({"name": "a.bin", "size": str(len(data)), "md5Hash": md5, "generation": "1", **changes}).encode()


NO_HASH = {"x-goog-hash": ""}


def test_body_without_length_is_confirmed_by_hash_header():
    bucket = Bucket()
    close_delimited(bucket)
    assert fetch(bucket) == DATA
    assert len(bucket.requests) == 1


def test_body_without_length_is_resumed_and_confirmed_by_metadata():
    bucket = Bucket(headers=NO_HASH, metadata=metadata_of(DATA))
    close_delimited(bucket, 500, 30_000)
    assert fetch(bucket) == DATA
    assert [request.headers.get("Range") for request in bucket.requests] == [None, None, "bytes=500-", "bytes=30500-"]


@pytest.mark.parametrize(
    "changes", [{"size": None}, {"size": "x"}, {"generation": "2"}, {"size": str(len(DATA) + 1)}], ids=repr
)
def test_body_without_length_raises_if_metadata_do_not_confirm_it(changes):
    bucket = Bucket(headers=NO_HASH, metadata=metadata_of(DATA, **changes), ranges=False)
    close_delimited(bucket)
    with pytest.raises(InvalidResponse):
        fetch(bucket)


def test_body_without_length_is_compared_with_metadata():
    for metadata in (metadata_of(b"x" + DATA[1:]), metadata_of(DATA[1:])):
        bucket = Bucket(headers=NO_HASH, metadata=metadata)
        close_delimited(bucket)
        with pytest.raises(ChecksumMismatch):
            fetch(bucket)


def test_resumed_download_without_version_is_compared_with_metadata():
    bucket = Bucket([30_000], headers=NO_HASH, metadata=metadata_of(DATA))
    bucket.wrong = {"etag": "", "x-goog-generation": ""}
    real = bucket.send

    def send(request):
        response = real(request)
        for name in ("etag", "x-goog-generation"):
            dict(response.headers).pop(name, None)
        return replace(
            response, headers={key: value for key, value in response.headers.items() if key not in bucket.wrong}
        )

    bucket.send = send
    assert fetch(bucket) == DATA
    bucket.breaks = [30_000]
    bucket.before = [lambda: None, lambda: setattr(bucket, "data", DATA[::-1])]
    with pytest.raises(ChecksumMismatch):
        fetch(bucket)


def test_cut_headers_are_replaced_by_the_next_response():
    bucket = Bucket([0], headers={"etag": "v", "x-goog-hash": "md5=abc", "x-goog-stored-content-length": "1"})
    bucket.before = [lambda: None, bucket.headers.clear]
    assert fetch(bucket) == DATA


def test_break_after_the_last_byte_of_a_chunked_body():
    bucket = Bucket([len(DATA)], headers=NO_HASH, metadata=metadata_of(DATA))
    bucket.wrong = {"content-length": ""}
    bucket.before = [lambda: None, lambda: Response(416, {"content-range": f"bytes */{len(DATA)}"})]
    assert fetch(bucket) == DATA
    bucket = Bucket([len(DATA) - 5], headers=NO_HASH, metadata=metadata_of(DATA))
    bucket.wrong = {"content-length": ""}
    bucket.before = [lambda: None, lambda: Response(416, {"content-range": f"bytes */{len(DATA) - 6}"})]
    with pytest.raises(PreconditionFailed):
        fetch(bucket)


@pytest.mark.parametrize("start", [0, 5])
def test_wrongly_rejected_range_raises(start):
    bucket = Bucket(before=[lambda: Response(416, {"content-range": "bytes */100"})])
    with pytest.raises(InvalidResponse):
        fetch(bucket, ByteRange(start, 50))


# --- gzip ------------------------------------------------------------------------------------------------------------

ZIPPED = gzip.compress(DATA, mtime=0) + gzip.compress(b"second member", mtime=0)


@pytest.mark.parametrize("stored", [{"x-goog-stored-content-encoding": "gzip"}, {}])
def test_stored_gzip_is_verified_resumed_and_inflate(stored):
    bucket = Bucket([100, 200], ZIPPED, {"content-encoding": "gzip", **stored})
    assert fetch(bucket) == DATA + b"second member"
    assert bucket.requests[1].headers["Range"] == "bytes=100-"


def test_range_of_stored_gzip_is_of_the_stored_bytes():
    assert fetch(Bucket(data=ZIPPED, headers={"content-encoding": "gzip"}), ByteRange(0, 50)) == ZIPPED[:50]


def test_server_side_inflation_skips_the_checksum():
    headers = {"x-goog-stored-content-encoding": "gzip", "x-goog-hash": "crc32c=AAAAAA=="}
    assert fetch(Bucket([3000], headers=headers, ranges=False)) == DATA
    quiet = Bucket(headers={"x-goog-hash": "crc32c=AAAAAA=="}, metadata=b'{"name": "a", "contentEncoding": "gzip"}')
    assert fetch(quiet) == DATA


def test_gzip_in_transit_is_inflate_and_resumed_without_gzip():
    bucket = Bucket(
        [60], gzip.compress(DATA), {"content-encoding": "gzip", "x-goog-stored-content-encoding": "identity"}
    )
    sums = f"crc32c={to_base64(extend(0, DATA))}"
    bucket.headers["x-goog-hash"] = sums

    def plain():
        bucket.data = DATA
        bucket.headers = {"x-goog-hash": sums}

    bucket.before = [lambda: None, plain]
    assert fetch(bucket) == DATA
    assert bucket.requests[1].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("data", [b"this is no gzip", ZIPPED[:40]], ids=["text", "truncated"])
def test_invalid_gzip_raises_invalid_response(data):
    with pytest.raises(InvalidResponse, match="gzip"):
        fetch(Bucket(data=data, headers={"content-encoding": "gzip"}))


def test_gzip_bomb_is_inflate_in_bounded_pieces():
    bucket = Bucket(data=gzip.compress(bytes(20_000_000)), headers={"content-encoding": "gzip"})
    sizes = [len(piece) for piece in drive(download(DownloadState(AT), 3), bucket)]
    assert sum(sizes) == 20_000_000
    assert max(sizes) <= 1024 * 1024
