"""Downloads with a response cut at every byte return the exact bytes or raise, and keep the local file."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import stat
from base64 import b64encode
from contextlib import suppress

import pytest

from firebase_rest import FirebaseError, InvalidResponse
from support.scripted_server import Peer, ScriptedServer

DATA = b"the exact bytes of the object"
MD5 = b64encode(hashlib.md5(DATA).digest()).decode()
METADATA = {"name": "a", "size": str(len(DATA)), "md5Hash": MD5, "generation": "7"}

FRAMINGS = {
    "length": ("HTTP/1.1 200 OK", f"Content-Length: {len(DATA)}", DATA),
    "chunks": (
        "HTTP/1.1 200 OK",
        "Transfer-Encoding: chunked",
        b"5\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (DATA[:5], len(DATA) - 5, DATA[5:]),
    ),
    "close": ("HTTP/1.1 200 OK", "Connection: close", DATA),
    "http10": ("HTTP/1.0 200 OK", "Server: old", DATA),
}
HASH = f"X-Goog-Generation: 7\r\nX-Goog-Hash: md5={MD5}\r\n"
SIZE = f"X-Goog-Stored-Content-Length: {len(DATA)}\r\n"


def complete_response(framing: str, extra: str) -> bytes:
    status, header, body = FRAMINGS[framing]
    return f"{status}\r\n{extra}{header}\r\n\r\n".encode() + body


class CuttingServer:
    """Cuts the first `cuts` downloads after `size` bytes. With `metadata` None, the metadata request gets 404."""

    def __init__(self, response: bytes, metadata: dict[str, str] | None) -> None:
        self.response, self.metadata = response, metadata
        self.size = 0
        self.cuts = 0

    def __call__(self, peer: Peer) -> None:
        while True:
            request = peer.read_request()
            if "alt=media" not in request.query:
                peer.respond(json.dumps(self.metadata or {"error": "no"}), 200 if self.metadata else 404)
            elif self.cuts:
                self.cuts -= 1
                peer.send(self.response[: self.size])
                return
            else:
                start = int((re.findall(r"bytes=(\d+)-", request.headers.get("range", "")) or ["0"])[0])
                headers = {"Content-Range": f"bytes {start}-{len(DATA) - 1}/{len(DATA)}", "X-Goog-Generation": "7"}
                peer.respond(DATA[start:], 206 if start else 200, headers)


@pytest.fixture(params=["plain", pytest.param("tls", marks=pytest.mark.slow)])
def storage(request, connect, monkeypatch, server_tls, ca_file):
    """Return `storage(server, ...)` and the TLS context for its server."""
    tls = server_tls if request.param == "tls" else None

    def storage(server: ScriptedServer, **options):
        if tls is None:
            monkeypatch.setenv("FIREBASE_STORAGE_EMULATOR_HOST", server.host)
        else:
            monkeypatch.setattr("firebase_rest.storage.location.PRODUCTION", server.url)
        app = connect(server, config={"storageBucket": "b"}, **options)
        app.requests.verify = ca_file
        return app.storage().child("a")

    return storage, tls


@pytest.fixture
def no_waiting(monkeypatch):
    monkeypatch.setattr("firebase_rest.storage.download.backoff_delay", lambda _: 0.0)


def read_all(reference) -> bytes:
    with reference.open_stream() as stream:
        return stream.read()


@pytest.mark.parametrize("metadata", [METADATA, None], ids=["metadata", "no metadata"])
@pytest.mark.parametrize("extra", ["", HASH, SIZE], ids=["bare", "hash", "size"])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_cut_download_raises_and_keeps_local_file(storage, tmp_path, framing, extra, metadata):
    make, tls = storage
    response = complete_response(framing, extra)
    script = CuttingServer(response, metadata)
    target = tmp_path / "a"
    target.write_bytes(b"old")
    target.chmod(0o640)
    with ScriptedServer(script, tls=tls) as server:
        reference = make(server, retries=0)
        for size in range(len(response) + 1):
            script.size, script.cuts = size, 1
            calls = (reference.get_bytes, lambda: read_all(reference), lambda: reference.download(target))
            if size % 3 == 2:
                try:
                    reference.download(target)
                except FirebaseError:
                    assert target.read_bytes() == b"old", size
                else:
                    assert target.read_bytes() == DATA, size
                    target.write_bytes(b"old")
            else:
                with suppress(FirebaseError):
                    assert calls[size % 3]() == DATA, size
            assert stat.S_IMODE(target.stat().st_mode) == 0o640
            assert list(tmp_path.iterdir()) == [target]


@pytest.mark.slow
@pytest.mark.parametrize("extra", ["", HASH, SIZE], ids=["bare", "hash", "size"])
@pytest.mark.parametrize("framing", FRAMINGS)
def test_cut_download_is_retried_and_completed(storage, no_waiting, framing, extra):
    make, tls = storage
    response = complete_response(framing, extra)
    script = CuttingServer(response, METADATA)
    with ScriptedServer(script, tls=tls) as server:
        reference = make(server, retries=2)
        for size in range(len(response) + 1):
            script.size, script.cuts = size, 1
            assert reference.get_bytes() == DATA, size


def test_unconfirmed_body_is_rejected_without_metadata(storage, no_waiting, tmp_path):
    make, tls = storage
    (tmp_path / "a").write_bytes(b"old")
    script = CuttingServer(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n", None)
    with ScriptedServer(script, tls=tls) as server:
        reference = make(server, retries=1)
        for call in (
            reference.get_bytes,
            lambda: read_all(reference),
            lambda: reference.download(tmp_path / "a"),
        ):
            script.size, script.cuts = 1000, 1000
            with pytest.raises(InvalidResponse):
                call()
        (result,) = reference.parent.download_many({"a": tmp_path / "a"})
        assert isinstance(result.error, InvalidResponse)
    assert (tmp_path / "a").read_bytes() == b"old"


def test_close_delimited_body_is_accepted_when_metadata_confirm_it(storage, tmp_path):
    make, tls = storage
    response = complete_response("close", "")
    script = CuttingServer(response, METADATA)
    script.size, script.cuts = len(response), 1
    with ScriptedServer(script, tls=tls) as server:
        make(server, retries=0).download(tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == DATA


ZIPPED = gzip.compress(DATA, mtime=0)
GZIP = {
    "stored": f"Content-Encoding: gzip\r\nX-Goog-Stored-Content-Length: {len(ZIPPED)}\r\n",
    "bare": "Content-Encoding: gzip\r\n",
    "on the fly": f"Content-Encoding: gzip\r\nX-Goog-Stored-Content-Encoding: identity\r\n{HASH}",
}
GZIP_FRAMINGS = {
    "length": (f"Content-Length: {len(ZIPPED)}", ZIPPED),
    "chunks": ("Transfer-Encoding: chunked", b"%x\r\n%b\r\n0\r\n\r\n" % (len(ZIPPED), ZIPPED)),
    "close": ("Connection: close", ZIPPED),
}


@pytest.mark.slow
@pytest.mark.parametrize("extra", GZIP)
@pytest.mark.parametrize("framing", GZIP_FRAMINGS)
def test_cut_gzip_response_is_retried_or_rejected(storage, no_waiting, framing, extra):
    make, tls = storage
    header, body = GZIP_FRAMINGS[framing]
    response = f"HTTP/1.1 200 OK\r\n{GZIP[extra]}{header}\r\n\r\n".encode() + body
    script = CuttingServer(response, METADATA if extra == "on the fly" else None)
    with ScriptedServer(script, tls=tls) as server:
        reference = make(server, retries=0)
        complete = 0
        for size in range(len(response) + 1):
            script.size, script.cuts = size, 1
            with suppress(FirebaseError):
                assert reference.get_bytes() == DATA, size
                complete += 1
    assert complete <= len("0\r\n\r\n")  # the last chunk may have no line breaks


@pytest.mark.parametrize("framing", ["length", "close"])
@pytest.mark.parametrize("total", [str(len(DATA)), "*"])
def test_cut_range_raises(storage, framing, total):
    make, tls = storage
    header = "Content-Length: 10" if framing == "length" else "Connection: close"
    response = f"HTTP/1.1 206 OK\r\nContent-Range: bytes 5-14/{total}\r\n{header}\r\n\r\n".encode() + DATA[5:15]
    script = CuttingServer(response, None)
    with ScriptedServer(script, tls=tls) as server:
        reference = make(server, retries=0)
        for size in range(len(response) + 1):
            script.size, script.cuts = size, 1
            with suppress(FirebaseError):
                assert reference.get_bytes(start=5, end=15) == DATA[5:15], size
                assert size == len(response)


# --- local files -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
@pytest.mark.parametrize(("old", "expected"), [(0o600, 0o600), (0o640, 0o640), (0o400, 0o400), (None, 0o644)])
def test_download_keeps_permissions(storage, tmp_path, old, expected):
    make, tls = storage
    target = tmp_path / "a"
    if old is not None:
        target.write_bytes(b"old")
        target.chmod(old)
    modes = []

    def progress(done, total):
        modes.extend(stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir() if path.name.endswith(".part"))

    umask = os.umask(0o022)
    try:
        with ScriptedServer(CuttingServer(b"", METADATA), tls=tls) as server:
            make(server).download(target, progress=progress)
    finally:
        os.umask(umask)
    assert target.read_bytes() == DATA
    assert stat.S_IMODE(target.stat().st_mode) == expected
    assert modes
    assert all(not mode & ~(expected | stat.S_IWUSR) for mode in modes)


def test_failed_download_many_leaves_no_folders(storage, tmp_path):
    make, tls = storage
    (tmp_path / "kept").mkdir()

    def script(peer: Peer) -> None:
        while True:
            request = peer.read_request()
            peer.respond(DATA if "good" in request.path else "no", 200 if "good" in request.path else 404)

    with ScriptedServer(script, tls=tls) as server:
        root = make(server).root
        results = root.download_many(["x/y/a", "x/z/b", "kept/n/c", "kept/d"], tmp_path)
        assert not any(result.ok for result in results)
        assert [path.name for path in tmp_path.rglob("*")] == ["kept"]
        root.download_many(["x/a"], tmp_path / "new" / "folder")
        assert not (tmp_path / "new").exists()
        good, bad = root.download_many(["x/y/good", "x/z/b"], tmp_path)
        assert (good.ok, bad.ok) == (True, False)
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*")) == ["kept", "x", "x/y", "x/y/good"]
