"""Values of wrong types in responses raise FirebaseError or are ignored; no other exception is raised."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest

from firebase_rest.errors import FirebaseError, InvalidResponse
from firebase_rest.storage import listing, protocol
from firebase_rest.storage.checksum import ExpectedChecksum
from firebase_rest.storage.download import DownloadState, download
from firebase_rest.storage.location import ObjectLocation
from firebase_rest.storage.source import UploadSource
from firebase_rest.storage.upload import (
    GRANULARITY,
    UploadHooks,
    UploadRequest,
    UploadSession,
    upload,
    validate_session_url,
)
from firebase_rest.transport.requestor import drive, run
from firebase_rest.transport.wire import Request, Response
from support.storage_server import Bucket

AT = ObjectLocation("https://firebasestorage.googleapis.com", "bucket", "a")
HUGE = "9" * 5000
VALUES: list[Any] = [None, True, 0, -1, 1.5, 10**400, "", "x", HUGE, "\u00b2", "\u0663", [], [1], {}, {"a": []}, [[]]]
FIELDS = ("name", "size", "md5Hash", "crc32c", "generation", "downloadTokens", "contentEncoding", "metadata")
LISTS = ("items", "prefixes", "nextPageToken")


class Fixed:
    """Sends the same response to every request."""

    def __init__(self, response: Response) -> None:
        self.response = response

    def send(self, request: Request) -> Response:
        return self.response

    def pause(self, seconds: float) -> None: ...


def as_json(value: Any) -> Response:
    return Response(200, {}, json.dumps(value).encode())


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:20])
def test_metadata_of_wrong_types(field, value):
    metadata = {"name": "a", "size": "1", "downloadTokens": "t", field: value}
    sender = Fixed(as_json(metadata))
    for flow in (protocol.get_metadata(AT), protocol.create_download_token(AT), protocol.get_download_url(AT)):
        with suppress(FirebaseError):
            run(flow, sender)
    ExpectedChecksum.from_metadata(metadata)
    protocol.download_tokens(metadata)
    with UploadSource(b"x") as source, suppress(FirebaseError):
        run(upload(UploadRequest(AT, {}), source, UploadSession(), UploadHooks()), sender)


@pytest.mark.parametrize("field", LISTS)
@pytest.mark.parametrize("value", [*VALUES, [{}], [{"name": 1}], [None], {"name": "a"}], ids=lambda v: repr(v)[:20])
def test_lists_of_wrong_types(field, value):
    flow = listing.list_page(AT, "", recursive=False)
    try:
        page = run(flow, Fixed(as_json({field: value})))
    except InvalidResponse:
        return
    assert all(isinstance(name, str) and name for name in (*page.items, *page.prefixes))
    assert page.next_page_token is None or isinstance(page.next_page_token, str)


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"text"', b"<html>", b"\xff", b"[" * 5000])
@pytest.mark.parametrize("status", [200, 201, 299, 404, 500])
def test_bodies_that_are_no_json_objects(body, status):
    for flow in (
        protocol.get_metadata(AT),
        protocol.update_metadata(AT, {}),
        listing.list_page(AT, "", recursive=True),
    ):
        with pytest.raises(FirebaseError):
            run(flow, Fixed(Response(status, {}, body)))


@pytest.mark.parametrize(
    "header",
    [
        "content-length",
        "content-range",
        "x-goog-hash",
        "x-goog-generation",
        "x-goog-stored-content-length",
        "x-goog-stored-content-encoding",
        "content-encoding",
        "etag",
    ],
)
@pytest.mark.parametrize(
    "value",
    ["", "x", HUGE, "-1", "\u00b2", f"bytes 0-{HUGE}/{HUGE}", "bytes 0-1/*", f"crc32c={HUGE},md5={HUGE}", "gzip"],
)
@pytest.mark.parametrize("status", [200, 206, 416])
def test_download_headers_of_wrong_form(header, value, status):
    response = Response(status, {"content-range": "bytes 0-0/1", header: value}, b"x")
    try:
        data = b"".join(drive(download(DownloadState(AT), 1), Fixed(response)))
    except FirebaseError:
        return
    assert data == b"x"
    ExpectedChecksum.from_headers({header: value})


@pytest.mark.parametrize("status", [201, 202, 204, 299, 416])
def test_status_without_object_is_no_empty_file(status):
    with pytest.raises(FirebaseError):
        b"".join(drive(download(DownloadState(AT), 1), Fixed(Response(status, {"content-length": "0"}))))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://[::1",
        "https://firebasestorage.googleapis.com:99999999/x",
        "https://firebasestorage.googleapis.com:x/x",
        "https://me:secret@firebasestorage.googleapis.com/x",
        "https://x.googleapis.com:8443/x",
        "https://firebasestorage.googleapis.com/\u00e9",
        "https://firebasestorage.googleapis.com/\x00",
        "http://firebasestorage.googleapis.com/x",
        "https://evilgoogleapis.com/x",
    ],
)
def test_upload_url_that_is_malformed_or_foreign(url):
    with pytest.raises(InvalidResponse) as caught:
        validate_session_url(url, AT)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("header", ["x-goog-upload-chunk-granularity", "x-goog-upload-size-received"])
@pytest.mark.parametrize("value", ["", "x", "-1", "0", HUGE, str(10**15), "\u00b2"])
def test_upload_headers_of_wrong_form(header, value):
    bucket = Bucket(outcomes=["ok", "cut"])
    real = bucket.send

    def send(request: Request) -> Response:
        response = real(request)
        return Response(response.status, {**response.headers, header: value}, response.body)

    bucket.send = send  # type: ignore[method-assign]
    data = bytes(GRANULARITY * 3)
    with UploadSource(data) as source:
        try:
            run(upload(UploadRequest(AT, {"contentType": "a/b"}), source, UploadSession(), UploadHooks()), bucket)
        except FirebaseError:
            return
    assert bucket.objects["a"] == data


def test_error_for_a_huge_generation_is_short():
    metadata = as_json({"name": "a", "size": "2", "generation": "9" * 1_000_000})
    with UploadSource(b"x") as source, pytest.raises(FirebaseError) as caught:
        run(upload(UploadRequest(AT, {}), source, UploadSession(), UploadHooks()), Fixed(metadata))
    assert len(str(caught.value)) < 500
