"""The flows of an upload, against a bucket as strict as production."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from firebase_rest.errors import (
    ChecksumMismatch,
    InvalidResponse,
    NetworkError,
    NotFound,
    PermissionDenied,
    PreconditionFailed,
    ServerError,
    TransferCancelled,
    UsageError,
)
from firebase_rest.storage.location import ObjectLocation
from firebase_rest.storage.source import UploadSource
from firebase_rest.storage.upload import UploadHooks, UploadRequest, UploadSession, cancel, upload, validate_session_url
from firebase_rest.transport.requestor import run
from firebase_rest.transport.wire import ChunkedBody, Response
from support.storage_server import BASE, GRANULARITY, Bucket, error_response

K = GRANULARITY
LARGE = bytes(range(256)) * (K // 256) * 10 + b"the end"
AT = ObjectLocation(BASE, "bucket", "a/large.bin")
PLAN = UploadRequest(AT, {"contentType": "text/x-test"}, chunk_size=2 * K)


def put(
    bucket: Bucket,
    file,
    plan: UploadRequest = PLAN,
    session: UploadSession | None = None,
    control: UploadHooks | None = None,
):
    with UploadSource(file) as source:
        return run(upload(plan, source, session or UploadSession(), control or UploadHooks()), bucket)


def pieces(data: bytes):
    return (data[start : start + 1000] for start in range(0, len(data), 1000))


class Unseekable(io.RawIOBase):
    def __init__(self, data: bytes) -> None:
        self.inside = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self.inside.read(min(size, 100_000))


# --- in one request --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [b"", b"x", b"--\r\n--", bytes(K)])
def test_small_upload_is_one_multipart_request(data):
    bucket = Bucket()
    metadata = put(bucket, data, replace(PLAN, fields={"contentType": "text/x-test", "metadata": {"owner": "ada"}}))
    assert bucket.objects == {"a/large.bin": data}
    assert bucket.commands == ["multipart"]
    assert bucket.fields["metadata"] == {"owner": "ada"}
    assert bucket.fields["md5Hash"] == metadata["md5Hash"]


def test_boundary_does_not_occur_in_the_file(monkeypatch):
    words = iter(["in-the-file", "not-there"])
    monkeypatch.setattr("firebase_rest.storage.upload.secrets.token_hex", lambda size: next(words))
    bucket = Bucket()
    put(bucket, b"this is in-the-file")
    assert bucket.objects["a/large.bin"] == b"this is in-the-file"


def test_small_upload_is_not_retried_after_lost_response():
    bucket = Bucket(["lost"])
    with pytest.raises(NetworkError) as caught:
        put(bucket, b"small")
    assert caught.value.outcome_unknown
    assert len(bucket.requests) == 1


def test_412_after_lost_response_succeeds_if_the_file_is_stored():
    plan = replace(PLAN, if_generation_match=0)
    bucket = Bucket(["ok", lambda request: replace(error_response(412), earlier_attempt_uncertain=True)])
    put(bucket, b"small", plan)
    assert put(bucket, b"small", plan)["size"] == "5"
    assert dict(bucket.requests[1].params)["ifGenerationMatch"] == "0"
    assert bucket.requests[1].retry_policy.name == "IDEMPOTENT"
    bucket.outcomes = [lambda request: replace(error_response(412), earlier_attempt_uncertain=True)]
    with pytest.raises(PreconditionFailed):
        put(bucket, b"other", plan)


@pytest.mark.parametrize("member", ["md5Hash", "crc32c", "size"])
@pytest.mark.parametrize("data", [b"small", LARGE], ids=["small", "large"])
def test_damaged_upload_raises_checksum_mismatch(data, member):
    class Damaging(Bucket):
        def metadata(self, name):
            good = json.loads(super().metadata(name).body)
            wrong = {"md5Hash": "AAAAAAAAAAAAAAAAAAAAAA==", "crc32c": "AAAAAA==", "size": "1"}
            others = {"md5Hash", "crc32c"} - {member}
            rest = {key: value for key, value in good.items() if key not in others}
            return Response(200, {}, json.dumps({**rest, member: wrong[member]}).encode())

    bucket = Damaging()
    with pytest.raises(ChecksumMismatch, match="generation 1700000000000000"):
        put(bucket, data)
    assert not [request for request in bucket.requests if request.method == "DELETE"]


# --- in pieces -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [K + 1, 2 * K, 2 * K + 1, 4 * K, len(LARGE)])
@pytest.mark.parametrize("kind", [bytes, io.BytesIO, Unseekable, pieces])
def test_large_upload_is_sent_in_multiples_of_256_kib(kind, size):
    bucket = Bucket()
    metadata = put(bucket, kind(LARGE[:size]))
    assert bucket.objects["a/large.bin"] == LARGE[:size]
    assert metadata["size"] == str(size)


def test_known_size_is_announced():
    for file, announced in ((LARGE, str(len(LARGE))), (pieces(LARGE), None)):
        bucket = Bucket()
        put(bucket, file)
        assert bucket.requests[0].headers.get("X-Goog-Upload-Header-Content-Length") == announced


def test_larger_granularity_of_the_server_is_used():
    bucket = Bucket(granularity=3 * K)
    put(bucket, LARGE)
    assert bucket.objects["a/large.bin"] == LARGE
    assert bucket.commands[1:3] == ["upload 0", f"upload {3 * K}"]


@pytest.mark.parametrize("kind", [bytes, io.BytesIO, Unseekable, pieces])
@pytest.mark.parametrize("word", ["lost", "cut", "half"])
def test_upload_resumes_from_the_offset_of_the_server(word, kind):
    bucket = Bucket(["ok", "ok", word])
    put(bucket, kind(LARGE))
    assert bucket.objects["a/large.bin"] == LARGE
    assert bucket.commands[3] == "query"
    assert not bucket.pauses, "the first query is sent without a delay"


def test_lost_response_resends_no_bytes():
    bucket = Bucket(["ok", "ok", "lost", "ok", "ok", "lost"])
    put(bucket, LARGE)
    sent = sum(len(request.body or b"") for request in bucket.requests[1:])
    assert sent == len(LARGE)


def test_piece_size_shrinks_after_a_break_and_grows_again():
    bucket = Bucket(["ok", "cut"])
    put(bucket, LARGE, replace(PLAN, chunk_size=4 * K))
    sizes = [len(request.body or b"") // K for request in bucket.requests[1:]]
    assert sizes[0] == 4
    assert sizes[2:6] == [1, 2, 4, 3]


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_server_error_on_a_piece_is_resumed(status):
    bucket = Bucket(["ok", "ok", lambda request: error_response(status)])
    put(bucket, LARGE)
    assert bucket.objects["a/large.bin"] == LARGE
    assert bucket.commands[3] == "query"


def test_wrong_offset_is_corrected():
    bucket = Bucket()
    session = UploadSession(f"{BASE}/v0/b/bucket/o?upload_id=secret-upload-id", 0)
    bucket.state, bucket.uploaded, bucket.fields = "active", LARGE[: 2 * K], {"name": "a/large.bin"}

    def stale(request):
        bucket.uploaded = LARGE[: 4 * K]
        return error_response(400, "Wrong offset.", "active")

    bucket.outcomes = ["ok", stale]
    put(bucket, LARGE, session=session)
    assert bucket.objects["a/large.bin"] == LARGE


def test_failures_without_progress_end_the_upload():
    bucket = Bucket(["ok", *["cut", "ok"] * 4])
    with pytest.raises(NetworkError, match="cut"):
        put(bucket, LARGE)
    assert bucket.commands.count("upload 0") == 4
    assert len(bucket.pauses) == 2
    assert put(Bucket(["ok", *["cut", "ok"] * 3]), LARGE)


def test_progress_resets_the_failure_count():
    bucket = Bucket(["ok", "half", "ok", "ok", "half", "ok", "ok", "half"])
    put(bucket, LARGE, replace(PLAN, attempts=1, chunk_size=10 * K))
    assert bucket.objects["a/large.bin"] == LARGE


@pytest.mark.parametrize(("status", "error"), [(403, PermissionDenied), (500, ServerError), (400, None)])
def test_final_error_is_not_resumed(status, error):
    bucket = Bucket(["ok", "ok", lambda request: error_response(status, upload="final")])
    with pytest.raises(error or Exception) as caught:
        put(bucket, LARGE)
    assert caught.value.status == status
    assert "query" not in bucket.commands


def test_lost_response_of_finalize_returns_metadata():
    bucket = Bucket(["ok"] * 6 + ["lost"])
    metadata = put(bucket, LARGE)
    assert bucket.commands[-2:] == ["query", "GET"]
    assert metadata["size"] == str(len(LARGE))


def test_finalize_response_without_json_returns_metadata():
    def plainly(request):
        bucket.respond(request, b"".join(request.body))
        return Response(200, {"x-goog-upload-status": "final"}, b"OK")

    bucket = Bucket(["ok"] * 6 + [plainly])
    assert put(bucket, LARGE)["size"] == str(len(LARGE))


def test_lost_session_is_restarted_once():
    def forget(request):
        bucket.state = "none"
        return error_response(404)

    bucket = Bucket(["ok", "ok", forget])
    put(bucket, LARGE)
    assert bucket.commands.count("start") == 2
    bucket = Bucket(["ok", "ok", forget, "ok", forget])
    with pytest.raises(NotFound):
        put(bucket, LARGE)


def test_lost_session_raises_if_bytes_cannot_be_read_again():
    bucket = Bucket(["ok", "ok", "ok", lambda request: error_response(404)])
    with pytest.raises(NotFound):
        put(bucket, pieces(LARGE))


def test_lost_bytes_that_cannot_be_read_again_raise():
    def lose(request):
        bucket.uploaded = b""
        raise NetworkError("gone")

    bucket = Bucket(["ok", "ok", "ok", lose])
    with pytest.raises(UsageError, match="a file that can seek"):
        put(bucket, pieces(LARGE))
    bucket = Bucket(["ok", "ok", "ok", lose])
    put(bucket, LARGE)
    assert bucket.objects["a/large.bin"] == LARGE


@pytest.mark.parametrize(
    ("response", "error", "words"),
    [
        (Response(200, {"x-goog-upload-status": "active"}), InvalidResponse, "received bytes is missing"),
        (
            Response(200, {"x-goog-upload-status": "active", "x-goog-upload-size-received": str(9 * K)}),
            InvalidResponse,
            "but only",
        ),
        (Response(200, {"x-goog-upload-status": "cancelled"}), TransferCancelled, "cancelled"),
    ],
)
def test_malformed_query_response_ends_the_upload(response, error, words):
    with pytest.raises(error, match=words):
        put(Bucket(["ok", "cut", lambda request: response]), LARGE)


@pytest.mark.parametrize("status", ["", "final"])
def test_start_without_active_session_raises(status):
    with pytest.raises(InvalidResponse):
        put(Bucket([lambda request: Response(200, {"x-goog-upload-status": status})]), LARGE)


def test_rejected_start_raises_typed_error():
    with pytest.raises(PermissionDenied):
        put(Bucket([lambda request: error_response(403)]), LARGE)


def test_shrinking_file_raises():
    file = io.BytesIO(LARGE)

    def shrink(request):
        file.truncate(3 * K)
        return bucket.respond(request, b"".join(request.body))

    bucket = Bucket(["ok", shrink])
    with pytest.raises(UsageError, match="changed while it was uploaded"):
        put(bucket, file)


# --- resumed and ended -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [bytes, io.BytesIO, pieces])
def test_another_process_resumes_the_upload(kind):
    bucket = Bucket(["ok", "ok", "cut", "cut", "cut", "cut", "cut"])
    session = UploadSession()
    with pytest.raises(NetworkError):
        put(bucket, LARGE, session=session)
    bucket.outcomes, bucket.requests, bucket.received = [], [], 0
    put(bucket, kind(LARGE), session=UploadSession(session.url, session.offset))
    assert bucket.commands[:2] == ["query", f"upload {2 * K}"]
    assert bucket.objects["a/large.bin"] == LARGE
    assert bucket.received == len(LARGE) - 2 * K


def test_shorter_file_cannot_resume_the_upload():
    bucket = Bucket(["ok", "ok", *["cut"] * 5])
    session = UploadSession()
    with pytest.raises(NetworkError):
        put(bucket, LARGE, session=session)
    bucket.outcomes = []
    with pytest.raises((UsageError, InvalidResponse)):
        put(bucket, LARGE[:K], session=session)


def test_resuming_a_complete_upload_returns_metadata():
    bucket = Bucket()
    session = UploadSession()
    put(bucket, LARGE, session=session)
    bucket.requests = []
    assert put(bucket, LARGE, session=session)["size"] == str(len(LARGE))
    assert bucket.commands == ["query", "GET"]


def test_cancel_stops_before_the_next_piece():
    bucket = Bucket()
    done: list[int] = []
    control = UploadHooks(done.append, lambda: len(done) > 2)
    session = UploadSession()
    with pytest.raises(TransferCancelled):
        put(bucket, LARGE, session=session, control=control)
    assert done == [0, 2 * K, 4 * K]
    run(cancel(session), bucket)
    assert bucket.state == "cancelled"


def test_progress_reports_confirmed_bytes():
    for outcomes in ([], ["ok", "ok", "half", "ok", "lost"]):
        done: list[int] = []
        put(Bucket(list(outcomes)), LARGE, control=UploadHooks(done.append))
        assert done[0] == 0
        assert done[-1] == len(LARGE)
        assert done == sorted(done)


# --- secrets ---------------------------------------------------------------------------------------------------------


def test_upload_url_is_in_no_repr_and_no_error():
    bucket = Bucket(
        [
            "ok",
            lambda request: replace(
                error_response(403),
                request=request,
                headers={"x-goog-upload-url": f"{BASE}/?upload_id=secret-upload-id"},
            ),
        ]
    )
    session = UploadSession()
    with pytest.raises(PermissionDenied) as caught:
        put(bucket, LARGE, session=session)
    error = caught.value
    texts = [repr(error), str(error), repr(error.response.headers), error.request.url, repr(session)]
    texts += [repr(request) for request in bucket.requests]
    assert "secret-upload-id" in str(session.url)
    assert not [text for text in texts if "secret-upload-id" in text]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v0/b/bucket/o?upload_id=1",
        "http://firebasestorage.googleapis.com/o?upload_id=1",
        "https://googleapis.com.evil.example/o",
        "",
    ],
)
def test_foreign_upload_url_raises(url):
    with pytest.raises(InvalidResponse):
        validate_session_url(url, AT)


def test_upload_url_of_google_and_emulator():
    url = "https://firebasestorage-eu.googleapis.com/o?upload_id=1"
    assert validate_session_url(url, AT) == url
    emulator = ObjectLocation("http://storage:9199", "bucket", "x")
    assert validate_session_url("http://localhost:1234/o?upload_id=1", emulator) == "http://storage:9199/o?upload_id=1"


def test_piece_is_sent_again_after_401():
    bucket = Bucket()
    put(bucket, LARGE)
    assert isinstance(bucket.requests[1].body, ChunkedBody)
    assert all(request.reauth_on_401 for request in bucket.requests)
