"""Storage in the same process, and its authorizer."""

from __future__ import annotations

import tracemalloc

import pytest

from firebase_rest.emulator import Emulator
from firebase_rest.emulator.storage import StorageEmulator
from firebase_rest.errors import NetworkError, NetworkTimeout
from firebase_rest.transport.wire import Request

NOW = 1_700_000_000.25
URL = "https://storage.test/v0/b/bucket/o"


@pytest.fixture
def storage():
    return StorageEmulator(clock=lambda: NOW, check_id_token={"t": {"sub": "u", "email": "e"}}.get)


def ask(storage, method, path="", body=None, headers=None, *, stream=False, **params):
    request = Request(method, URL + path, tuple(params.items()), headers or {}, body, stream=stream)
    return storage.handle(request)


def upload(storage, name, body=b"hello world", **headers):
    return ask(storage, "POST", body=body, headers=headers, name=name)


def test_body_can_be_bytes_iterable_or_none(storage):
    for body, size in ((b"hello", "5"), (iter([b"he", b"", b"llo"]), "5"), (None, "0"), (b"", "0")):
        assert upload(storage, "a", body).json_object()["size"] == size


def test_download_is_bytes_or_a_reader(storage):
    upload(storage, "a")
    complete = ask(storage, "GET", "/a", alt="media")
    assert (complete.body, complete.reader) == (b"hello world", None)
    piecemeal = ask(storage, "GET", "/a", headers={"Range": "bytes=6-"}, stream=True, alt="media")
    assert (piecemeal.status, piecemeal.body) == (206, b"")
    assert [piecemeal.reader.read(3) for _ in range(3)] == [b"wor", b"ld", b""]
    piecemeal.reader.close()
    assert ask(storage, "GET", "/b", stream=True, alt="media").json_object()["error"]["code"] == 404
    head = ask(storage, "HEAD", "/a", alt="media")
    assert (head.body, head.reader, head.headers["content-length"]) == (b"", None, "11")


def test_closed_reader_returns_nothing(storage):
    upload(storage, "a")
    reader = ask(storage, "GET", "/a", stream=True, alt="media").reader
    reader.close()
    assert reader.read(5) == b""


def test_resumable_upload_url_has_the_requested_host(storage):
    headers = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}
    url = ask(storage, "POST", headers=headers, name="a b").headers["x-goog-upload-url"]
    assert url.startswith("https://storage.test/v0/b/bucket/o?name=a%20b&upload_id=")


def test_generations_ascend_with_a_stopped_clock(storage):
    generations = [int(upload(storage, "a").json_object()["generation"]) for _ in range(3)]
    assert generations == [1_700_000_000_250_000, 1_700_000_000_250_001, 1_700_000_000_250_002]


def test_metadata_request_creates_a_missing_download_token(storage):
    """Objects that were not uploaded through Firebase have no token."""
    upload(storage, "a")
    store = storage._service.store
    stored = store.find("bucket", "a")
    store.put(type(stored)(stored.metadata.with_tokens((), NOW), stored.blob))
    ask(storage, "GET", "/a", alt="media")
    assert store.find("bucket", "a").metadata.tokens == ()
    token = ask(storage, "GET", "/a").json_object()["downloadTokens"]
    assert token == ask(storage, "GET", "/a").json_object()["downloadTokens"]


class RecordingRules:
    """Rules that allow paths below "open/" and record their arguments."""

    def __init__(self):
        self.calls = []

    def allows(self, caller, access):
        uid = caller.auth and caller.auth["uid"]
        sizes = [metadata and metadata.size for metadata in (access.before, access.after)]
        self.calls.append((uid, access.operation, access.bucket, access.path, *sizes))
        assert access.now == NOW
        return access.path.startswith("open")


def test_rules_do_not_apply_to_administrators_and_download_tokens(storage):
    rules = storage.rules = RecordingRules()
    user = {"Authorization": "Firebase t"}
    token = upload(storage, "open/a", **user).json_object()["downloadTokens"]
    upload(storage, "open/a", b"new")
    ask(storage, "GET", "/open%2Fa")
    ask(storage, "PATCH", "/open%2Fa", b'{"cacheControl":"x"}')
    ask(storage, "GET", prefix="open/", delimiter="/")
    ask(storage, "DELETE", "/open%2Fa")
    assert rules.calls == [
        ("u", "create", "bucket", "open/a", None, 11),
        (None, "create", "bucket", "open/a", 11, 3),
        (None, "get", "bucket", "open/a", 3, None),
        (None, "update", "bucket", "open/a", 3, 3),
        (None, "list", "bucket", "open", None, None),
        (None, "delete", "bucket", "open/a", 3, None),
    ]
    rules.calls.clear()
    assert upload(storage, "closed").status == 403
    admin = {"Authorization": "Bearer owner"}
    token = upload(storage, "closed", **admin).json_object()["downloadTokens"]
    assert ask(storage, "GET", "/closed", alt="media", token=token).body == b"hello world"
    assert ask(storage, "GET", "/closed", alt="media", token="").status == 403
    assert [call[1] for call in rules.calls] == ["create", "get"]


def test_denied_request_changes_nothing(storage):
    admin = {"Authorization": "Bearer owner"}
    before = upload(storage, "closed", **admin).json_object()
    storage.rules = RecordingRules()
    for method, path, params in (("DELETE", "/closed", {}), ("PATCH", "/closed", {}), ("POST", "", {"name": "closed"})):
        assert ask(storage, method, path, b"{}", **params).status == 403
    assert ask(storage, "GET", "/closed", headers=admin).json_object() == before


def test_drop_raises_network_error_and_stall_raises_timeout(storage):
    storage.faults.drop_upload(after=5)
    with pytest.raises(NetworkError) as broken:
        upload(storage, "a")
    assert broken.value.outcome_unknown
    storage.faults.stall_upload(after=5)
    with pytest.raises(NetworkTimeout):
        upload(storage, "a")
    assert ask(storage, "GET", "/a").status == 404
    upload(storage, "a")
    storage.faults.drop_download(after=5)
    reader = ask(storage, "GET", "/a", stream=True, alt="media").reader
    assert reader.read(100) == b"hello"
    with pytest.raises(NetworkError):
        reader.read(100)
    storage.faults.stall_download(after=5)
    reader = ask(storage, "GET", "/a", stream=True, alt="media").reader
    assert reader.read(100) == b"hello"
    with pytest.raises(NetworkTimeout):
        reader.read(100)
    storage.faults.resume()
    assert reader.read(100) == b" world"


def test_faults_of_one_kind_apply_in_order(storage):
    storage.faults.reject("list", status=500, skip=1)
    storage.faults.reject("list", status=429, times=2)
    assert [ask(storage, "GET").status for _ in range(5)] == [429, 500, 429, 200, 200]


def test_large_body_is_not_copied():
    emulator = Emulator()
    data = b"x" * 20_000_000
    tracemalloc.start()
    emulator.handle(Request("POST", URL, (("name", "a"),), {}, data))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


def test_damaged_gzip_raises_network_error(storage):
    upload(storage, "z", b"\x1f\x8b\x08\x00damaged for sure" * 3)
    ask(storage, "PATCH", "/z", b'{"contentEncoding":"gzip"}')
    reader = ask(storage, "GET", "/z", stream=True, alt="media").reader
    with pytest.raises(NetworkError, match="contentEncoding of the object is gzip"):
        list(iter(lambda: reader.read(1000), b""))
