"""Storage over HTTP: authentication, errors, retries, interruptions and secrets."""

from __future__ import annotations

import gzip
import json
import logging
import pickle
import random

import pytest
import responses

import firebase_rest
from firebase_rest import (
    ApiError,
    ConfigError,
    InvalidResponse,
    NetworkError,
    NetworkTimeout,
    NotFound,
    PayloadTooLarge,
    PermissionDenied,
    PreconditionFailed,
    QuotaExceeded,
    RateLimited,
    ServerError,
    TokenExpired,
    TransferCancelled,
    Unauthenticated,
)
from firebase_rest.errors import AppVerificationFailed
from support.scripted_server import Peer, ScriptedServer, ok, respond_with

OLD, NEW = "old-id-token", "new-id-token"
USER = {"idToken": OLD, "refreshToken": "refresh-1", "expiresIn": "3600", "localId": "u"}
REFRESHED = {"user_id": "u", "id_token": NEW, "refresh_token": "refresh-2", "expires_in": "3600"}
METADATA = json.dumps({"name": "a", "size": "1", "downloadTokens": "secret-download-token,second"})
SESSION = {"x-goog-upload-status": "active"}


@pytest.fixture
def bucket(connect, monkeypatch):
    def bucket(server, **options):
        monkeypatch.setenv("FIREBASE_STORAGE_EMULATOR_HOST", server.host)
        monkeypatch.setenv("FIREBASE_AUTH_EMULATOR_HOST", server.host)
        config = {"storageBucket": "b", **options.pop("config", {})}
        return connect(server, config=config, **options).storage()

    return bucket


def firebase(error_body: str):
    """A server of Storage and Secure Token that accepts only the new token."""

    def script(peer: Peer) -> None:
        while True:
            request = peer.read_request()
            if "securetoken" in request.path:
                peer.respond(json.dumps(REFRESHED))
            elif request.headers.get("authorization") == f"Firebase {NEW}":
                peer.respond(METADATA)
            else:
                peer.respond(error_body, 401)

    return script


# --- authentication --------------------------------------------------------------------------------------------------


def test_user_token_is_sent_as_header_not_in_the_url(bucket):
    with ScriptedServer(ok(METADATA)) as server:
        bucket(server).child("a").get_metadata("an-id-token")
        (request,) = server.requests
    assert request.headers["authorization"] == "Firebase an-id-token"
    assert "an-id-token" not in request.target


def test_authorization_header_with_and_without_service_account(bucket):
    with ScriptedServer(ok(METADATA)) as server:
        bucket(server).child("a").get_metadata()
        bucket(server, config={"serviceAccount": {"client_email": "x"}}).child("a").get_metadata()
        anonymous, owner = server.requests
    assert "authorization" not in anonymous.headers
    assert owner.headers["authorization"] == "Bearer owner"


@responses.activate
def test_service_account_sends_its_access_token():
    from google.oauth2.credentials import Credentials

    address = "https://firebasestorage.googleapis.com/v0/b/b/o/a%2Fb"
    responses.get(address, json={"name": "a/b"})
    with firebase_rest.initialize_app({"storageBucket": "b"}, credentials=Credentials(token="access-token")) as app:
        app.storage().child("a", "b").get_metadata()
        app.storage().child("a", "b").get_metadata("users-token")
    account, user = (call.request.headers["Authorization"] for call in responses.calls)
    assert (account, user) == ("Bearer access-token", "Firebase users-token")


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_rejected_download_keeps_the_local_file(bucket, tmp_path, status):
    (tmp_path / "kept").write_bytes(b"before")
    with ScriptedServer(respond_with((status, "No."))) as server:
        reference = bucket(server, retries=0).child("a")
        for name in ("kept", "new"):
            with pytest.raises(ApiError):
                reference.download(tmp_path / name)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("kept", b"before")]


@pytest.mark.parametrize("error_body", ["", "Unauthorized", '{"error": {"code": 401, "message": "Who?"}}'])
@pytest.mark.parametrize("call", ["get_metadata", "delete", "get_bytes", "put"])
def test_401_refreshes_a_session_once_and_retries(bucket, connect, error_body, call):
    with ScriptedServer(firebase(error_body)) as server:
        reference = bucket(server).child("a")
        app = connect(server)
        session = app.auth().session(USER)
        reference.as_user(session).put(b"x") if call == "put" else getattr(reference.as_user(session), call)()
        assert sum("securetoken" in request.path for request in server.requests) == 1
        assert len(server.requests) == 3


def test_app_check_error_does_not_refresh_the_session(bucket, connect):
    words = '{"error": {"code": 401, "message": "Firebase App Check token is invalid."}}'
    with ScriptedServer(firebase(words)) as server:
        reference = bucket(server).child("a").as_user(connect(server).auth().session(USER))
        with pytest.raises(Unauthenticated) as caught:
            reference.get_metadata()
        assert "App Check" in caught.value.message
        assert len(server.requests) == 1


# --- errors ----------------------------------------------------------------------------------------------------------

PAGE = "<html><body>No.</body></html>"


@pytest.mark.parametrize(
    "body", ["", "Not Found", PAGE, '{"error": {"code": 1, "message": "No."}}', '{"error": "No."}', "[]"]
)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ApiError),
        (401, Unauthenticated),
        (402, QuotaExceeded),
        (403, PermissionDenied),
        (404, NotFound),
        (412, PreconditionFailed),
        (429, RateLimited),
        (500, ServerError),
        (501, ServerError),
        (503, ServerError),
    ],
)
def test_error_type_depends_on_the_status(bucket, status, kind, body):
    with ScriptedServer(respond_with((status, body))) as server:
        reference = bucket(server, retries=0).child("a")
        for call in (
            reference.get_metadata,
            reference.get_bytes,
            reference.delete,
            lambda: reference.put(b"x"),
            lambda: list(reference.list()),
        ):
            with pytest.raises(kind) as caught:
                call()
            assert caught.value.status == status
            assert caught.value.args[1] == body
            assert type(pickle.loads(pickle.dumps(caught.value))) is kind


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("Auth token is expired", TokenExpired),
        ("Firebase ID token has expired.", TokenExpired),
        ("Firebase App Check token has expired.", AppVerificationFailed),
        ("Could not parse auth token.", Unauthenticated),
    ],
)
def test_expired_and_invalid_tokens_raise_different_errors(bucket, words, kind):
    body = json.dumps({"error": {"code": 401, "message": words, "status": "UNAUTHENTICATED"}})
    with ScriptedServer(respond_with((401, body))) as server, pytest.raises(Unauthenticated) as caught:
        bucket(server, retries=0).child("a").get_bytes(token="TOKEN")
    assert type(caught.value) is kind
    assert caught.value.code == "UNAUTHENTICATED"


@pytest.mark.parametrize("body", ["", PAGE, "null", "[]", "{}", "5"])
def test_foreign_response_raises_invalid_response(bucket, body):
    with ScriptedServer(ok(body)) as server:
        reference = bucket(server).child("a")
        for call in (
            reference.get_metadata,
            lambda: reference.put(b"x"),
            lambda: reference.update_metadata({"contentType": "a/b"}),
        ):
            with pytest.raises(InvalidResponse):
                call()


# --- retries ---------------------------------------------------------------------------------------------------------


def counted(*steps):
    """Respond with each of the steps in turn (a status, "break" or "silence"), then with 200."""
    left = list(steps)

    def script(peer: Peer) -> None:
        while True:
            peer.read_request()
            step = left.pop(0) if left else 200
            if step == "break":
                peer.reset()
                return
            if step == "silence":
                peer.hold()
            else:
                peer.respond(METADATA if step == 200 else "", step)

    return script


@pytest.mark.parametrize("step", ["break", 408, 429, 500, 502, 503, 504])
def test_idempotent_requests_are_retried(bucket, step):
    calls = [
        lambda reference: reference.get_metadata(),
        lambda reference: reference.get_bytes(),
        lambda reference: list(reference.list()),
        lambda reference: reference.update_metadata({"contentType": "a/b"}),
        lambda reference: reference.delete(),
    ]
    for call in calls:
        with ScriptedServer(counted(step, step)) as server:
            call(bucket(server).child("a"))
            assert len(server.requests) == 3


@pytest.mark.parametrize(("step", "tries"), [("break", 1), (500, 1), (503, 1), (429, 2)])
def test_simple_upload_is_retried_only_if_not_processed(bucket, step, tries):
    with ScriptedServer(counted(step)) as server:
        reference = bucket(server).child("a")
        if tries == 1:
            with pytest.raises((NetworkError, ServerError)):
                reference.put(b"x")
        else:
            assert reference.put(b"x")["size"] == "1"
        assert len(server.requests) == tries


@pytest.mark.parametrize("step", ["break", 500, 503, 429])
def test_simple_upload_with_generation_match_is_retried(bucket, step):
    with ScriptedServer(counted(step)) as server:
        bucket(server).child("a").put(b"x", if_generation_match=5)
        assert len(server.requests) == 2
        assert "ifGenerationMatch=5" in server.requests[1].query


def test_retried_delete_ignores_404(bucket):
    with ScriptedServer(counted("break", 404)) as server:
        bucket(server).child("a").delete()
    with ScriptedServer(counted(429, 404)) as server, pytest.raises(NotFound):
        bucket(server).child("a").delete()


@pytest.mark.parametrize("call", ["get_metadata", "get_bytes", "delete"])
def test_read_timeout_is_not_retried(bucket, call):
    with ScriptedServer(counted("silence")) as server:
        with pytest.raises(NetworkTimeout):
            getattr(bucket(server, timeout=0.2).child("a"), call)()
        assert len(server.requests) == 1


@pytest.mark.parametrize("create", [True, False])
def test_creating_a_download_token_is_not_retried(bucket, create):
    with ScriptedServer(counted("break")) as server:
        reference = bucket(server).child("a")
        if create:
            with pytest.raises(NetworkError):
                reference.create_download_token()
        else:
            assert reference.revoke_download_token("first-token") == ["secret-download-token", "second"]


# --- configuration ---------------------------------------------------------------------------------------------------


def test_scheme_in_emulator_host_raises_at_first_use(monkeypatch):
    monkeypatch.setenv("FIREBASE_STORAGE_EMULATOR_HOST", "http://127.0.0.1:9199")
    with firebase_rest.initialize_app({"storageBucket": "b"}) as app:
        reference = app.storage().child("a")
        with pytest.raises(ConfigError, match="without a scheme"):
            reference.get_metadata()


def test_storage_emulator_host_variable_of_google(monkeypatch):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9199")
    with firebase_rest.initialize_app({"storageBucket": "b"}) as app:
        assert app.storage().storage_bucket == "http://127.0.0.1:9199/v0/b/b"
    monkeypatch.setenv("FIREBASE_STORAGE_EMULATOR_HOST", "127.0.0.1:9200")
    with firebase_rest.initialize_app({"storageBucket": "b"}) as app:
        assert app.storage().storage_bucket == "http://127.0.0.1:9200/v0/b/b"


def test_storage_and_get_url_validate_arguments():
    with firebase_rest.initialize_app({"storageBucket": "b"}) as app:
        for wrong in (5, b"b", ["b"]):
            with pytest.raises(firebase_rest.UsageError, match="bucket must be a string"):
                app.storage(wrong)
            with pytest.raises(firebase_rest.UsageError, match="token"):
                app.storage().child("a").get_url(wrong)


def test_missing_bucket_raises_at_first_use():
    with firebase_rest.initialize_app({}) as app:
        reference = app.storage().child("a")
        for call in (
            reference.get_metadata,
            reference.get_url,
            lambda: reference.put(b"x"),
            lambda: list(reference.list()),
        ):
            with pytest.raises(ConfigError, match="storageBucket"):
                call()
        assert app.storage().ref("gs://b/a").full_path == "a"


# --- interruptions ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
def test_download_over_a_connection_that_breaks_every_20_kb(bucket, tmp_path, chunked):
    data = random.Random(6).randbytes(100_000)

    def script(peer: Peer) -> None:
        requested_range = peer.read_request().headers.get("range", "bytes=0-")
        start = int(requested_range.removeprefix("bytes=").rstrip("-"))
        part = data[start : start + 20_000]
        size = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {len(data) - start}"
        head = f"Content-Range: bytes {start}-{len(data) - 1}/{len(data)}\r\nETag: v1\r\n{size}"
        peer.send(f"HTTP/1.1 {206 if start else 200} OK\r\n{head}\r\n\r\n")
        peer.send(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
        if start + len(part) < len(data):
            peer.reset()
        elif chunked:
            peer.send("0\r\n\r\n")

    with ScriptedServer(script) as server:
        bucket(server).child("a").download(tmp_path / "a")
        assert len(server.requests) > 4
    assert (tmp_path / "a").read_bytes() == data


@pytest.mark.parametrize("bomb", [False, True], ids=["endless", "gzip"])
def test_get_bytes_is_limited_by_max_response_size(bucket, bomb):
    def script(peer: Peer) -> None:
        peer.read_request()
        data = gzip.compress(bytes(3_000_000)) if bomb else bytes(100_000)
        peer.send(
            f"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n{'Content-Encoding: gzip' if bomb else 'A: b'}\r\n\r\n"
        )
        while True:
            peer.send(b"%x\r\n%b\r\n" % (len(data), data))

    with ScriptedServer(script) as server:
        reference = bucket(server, max_response_size=1_000_000).child("a")
        with pytest.raises(PayloadTooLarge, match="max_size=1000000"):
            reference.get_bytes()
        with pytest.raises(PayloadTooLarge, match="max_size=50000"):
            reference.get_bytes(max_size=50_000)


# --- lists -----------------------------------------------------------------------------------------------------------


def test_open_stream_of_the_parent_process_raises_in_a_forked_child(bucket):
    with ScriptedServer(ok("x" * 2_000_000)) as server:
        storage = bucket(server)
        stream = storage.child("a").open_stream()
        storage._requestor.transport.reset_after_fork()  # what os.fork() does in the child
        with pytest.raises(NetworkError, match="belongs to the parent process"):
            stream.read()
        stream.close()


def test_delete_all_raises_if_the_list_has_other_folders(bucket):
    with ScriptedServer(ok(json.dumps({"items": [{"name": "old/a"}, {"name": "other/b"}]}))) as server:
        with pytest.raises(InvalidResponse, match=r"'other/b'.*'old/'"):
            bucket(server).delete_all("old", confirm="old")
        assert [request.method for request in server.requests] == ["GET"]


# --- secrets ---------------------------------------------------------------------------------------------------------


def test_errors_reprs_and_logs_contain_no_secret(bucket, caplog):
    caplog.set_level(logging.DEBUG)

    def script(peer: Peer) -> None:
        while True:
            request = peer.read_request()
            if request.headers.get("x-goog-upload-command") == "start":
                url = "http://other/o?upload_id=secret-upload-id&x=1"
                peer.respond("", 200, {"X-Goog-Upload-Status": "active", "X-Goog-Upload-URL": url})
            elif "delete_token" in request.query or "upload_id" in request.query:
                peer.respond(request.target, 403, {"X-Goog-Upload-URL": "http://other/o?upload_id=secret-upload-id"})
            else:
                peer.respond(METADATA)

    texts = []
    with ScriptedServer(script) as server:
        reference = bucket(server).child("a").as_user("secret-id-token")
        upload = reference.upload(bytes(300_000))
        for call in (upload.run, lambda: reference.revoke_download_token("secret-download-token")):
            with pytest.raises(PermissionDenied) as caught:
                call()
            error = caught.value
            texts += [str(error), repr(error), error.message, error.request.url, repr(error.response.headers)]
            texts += [repr(pickle.dumps(error)), repr(error.__context__), repr(error.__cause__)]
        texts += [repr(upload), repr(reference), repr(reference.get_metadata), caplog.text]
        link = reference.get_download_url()
    assert "secret-upload-id" in upload.state
    assert "secret-download-token" in link
    for secret in ("secret-upload-id", "secret-download-token", "secret-id-token"):
        assert not [text for text in texts if secret in text]


@pytest.mark.parametrize("status", [403, 500])
def test_cancel_ignores_errors_of_the_server(bucket, status):
    def script(peer: Peer) -> None:
        while True:
            command = peer.read_request().headers["x-goog-upload-command"]
            headers = {**SESSION, "X-Goog-Upload-URL": "http://other/o?upload_id=1"}
            peer.respond("", status if command == "cancel" else 200, headers)

    with ScriptedServer(script) as server:
        upload = bucket(server, retries=0).child("a").upload(bytes(300_000), progress=lambda *_: upload.cancel())
        with pytest.raises(TransferCancelled):
            upload.run()
        assert [request.headers["x-goog-upload-command"] for request in server.requests] == ["start", "cancel"]


def test_upload_stays_on_the_configured_emulator_host(bucket):
    def script(peer: Peer) -> None:
        while True:
            request = peer.read_request()
            if request.headers.get("x-goog-upload-command") == "start":
                url = "http://internal-name:1/v0/b/b/o?upload_id=1"
                peer.respond("", 200, {**SESSION, "X-Goog-Upload-URL": url})
            else:
                final = {"X-Goog-Upload-Status": "final"}
                peer.respond(json.dumps({"name": "a", "size": "300000"}), 200, final)

    with ScriptedServer(script) as server:
        assert bucket(server).child("a").put(bytes(300_000))["size"] == "300000"
        assert len(server.requests) == 2
