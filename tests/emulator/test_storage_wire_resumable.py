"""Resumable uploads: every command, the checks of production, and interrupted chunks."""

from __future__ import annotations

import socket
from urllib.parse import parse_qs, urlsplit

import pytest

from emulator.files import KB256, Files, error
from firebase_rest.emulator import Clock, Emulator
from support.waiting import LIMIT, wait_for

CHUNK = bytes(range(256)) * 1024


@pytest.fixture
def url(files):
    return files.start("r", {"contentType": "text/x"}).headers["X-Goog-Upload-URL"]


def test_start_returns_the_upload_url(server, files):
    response = files.start("dir/é", size=10)
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["X-Goog-Upload-Status"] == "active"
    assert response.headers["X-Goog-Upload-Chunk-Granularity"] == "262144"
    url = urlsplit(response.headers["X-Goog-Upload-URL"])
    assert (url.scheme, url.netloc, url.path) == ("http", server.host, f"/v0/b/{files.bucket}/o")
    query = parse_qs(url.query)
    assert query["name"] == ["dir/é"]
    assert query["upload_protocol"] == ["resumable"]
    assert query["upload_id"] == [response.headers["X-GUploader-UploadID"]]
    assert response.headers["X-Goog-Upload-Control-URL"] == response.headers["X-Goog-Upload-URL"]


def test_chunks_are_assembled(files, url):
    for offset in (0, 2 * KB256):
        response = files.command(url, "upload", CHUNK * 2, offset)
        assert (response.status_code, response.content, response.headers["X-Goog-Upload-Status"]) == (
            200,
            b"",
            "active",
        )
        assert files.received(url) == ("active", offset + 2 * KB256)
    assert files.metadata("r").status_code == 404
    response = files.command(url, "upload, finalize", b"end", 4 * KB256)
    assert (response.status_code, response.headers["X-Goog-Upload-Status"]) == (200, "final")
    assert response.json()["contentType"] == "text/x"
    assert response.json() == files.metadata("r").json()
    assert files.download("r").content == CHUNK * 4 + b"end"
    assert files.received(url) == ("final", 4 * KB256 + 3)


def test_empty_resumable_upload(files, url):
    assert files.command(url, "finalize", offset=0).json()["size"] == "0"
    assert files.download("r").content == b""


def test_finalize_without_bytes(files, url):
    files.command(url, "upload", CHUNK, 0, method="PUT")
    assert files.command(url, "finalize", offset=KB256).json()["size"] == str(KB256)


@pytest.mark.parametrize("body", [None, b"{}"])
def test_finalize_needs_no_offset_and_ignores_a_body(files, url, body):
    files.command(url, "upload", CHUNK, 0)
    assert files.command(url, "finalize", body).headers["X-Goog-Upload-Status"] == "final"
    assert files.download("r").content == CHUNK


def test_finalize_can_be_repeated(files, url):
    assert files.command(url, "upload, finalize", b"x", 0).status_code == 200
    response = files.command(url, "finalize", offset=1)
    assert (response.status_code, response.content, response.headers["X-Goog-Upload-Status"]) == (200, b"", "final")


@pytest.mark.parametrize("offset", [0, KB256 - 1, KB256 + 1, 10**20])
def test_chunk_at_wrong_offset_is_rejected(files, url, offset):
    files.command(url, "upload", CHUNK, 0)
    for command in ("upload", "upload, finalize", "finalize"):
        response = files.command(url, command, None if command == "finalize" else CHUNK, offset)
        assert error(response)[0] == 400
        assert response.headers["X-Goog-Upload-Status"] == "active"
        assert response.headers["X-Goog-Upload-Size-Received"] == str(KB256)
    assert files.received(url) == ("active", KB256)
    files.command(url, "upload, finalize", b"end", KB256)
    assert files.download("r").content == CHUNK + b"end"


@pytest.mark.parametrize("offset", [None, "", "x", "-1", "1.0", "\u00b2"])
def test_chunk_offset_must_be_a_number(files, url, offset):
    encoded = offset.encode("utf-8").decode("latin-1") if offset else offset
    assert error(files.command(url, "upload", CHUNK, encoded))[0] == 400
    assert files.received(url) == ("active", 0)


@pytest.mark.parametrize("size", [1, KB256 - 1, KB256 + 1, 5 * KB256 - 7])
def test_chunk_size_must_be_a_multiple_except_the_last(files, url, size):
    files.command(url, "upload", CHUNK, 0)
    response = files.command(url, "upload", b"x" * size, KB256)
    assert error(response)[0] == 400
    assert response.headers["X-Goog-Upload-Status"] == "active"
    assert files.received(url) == ("active", KB256)
    assert files.command(url, "upload, finalize", b"x" * size, KB256).json()["size"] == str(KB256 + size)


@pytest.mark.parametrize("sent", [99, 101, 0])
def test_wrong_declared_size_ends_the_upload(files, sent):
    url = files.start("r", size=100).headers["X-Goog-Upload-URL"]
    response = files.command(url, "upload, finalize", b"x" * sent, 0)
    assert error(response)[0] == 400
    assert response.headers["X-Goog-Upload-Status"] == "final"
    assert files.metadata("r").status_code == 404
    assert files.received(url)[0] == "final"


def test_invalid_start_is_400(files):
    assert error(files.start("r", size="many"))[0] == 400
    assert error(files.start("r", metadata="text"))[0] == 400


def test_cancel_is_idempotent(files, url):
    files.command(url, "upload", CHUNK, 0)
    for _ in range(2):
        response = files.command(url, "cancel")
        assert (response.status_code, response.headers["X-Goog-Upload-Status"]) == (200, "cancelled")
    assert files.received(url)[0] == "cancelled"
    assert error(files.command(url, "upload", CHUNK, KB256))[0] == 400
    assert error(files.command(url, "finalize", offset=KB256))[0] == 400
    assert files.metadata("r").status_code == 404


def test_finished_upload_rejects_commands(files, url):
    files.command(url, "upload, finalize", b"x", 0)
    assert error(files.command(url, "cancel"))[0] == 400
    assert error(files.command(url, "upload", CHUNK, 1))[0] == 400
    assert files.download("r").content == b"x"


@pytest.mark.parametrize("command", ["query", "cancel", "upload", "finalize"])
def test_unknown_upload_is_404(files, command):
    assert error(files.command(f"{files.objects}?name=r&upload_id=none", command, offset=0))[0] == 404


@pytest.mark.parametrize("command", ["start, upload", "upload, cancel", "query, finalize", "pause", "", ","])
def test_unknown_upload_command_is_400(files, url, command):
    headers = {"X-Goog-Upload-Command": command, "X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Offset": "0"}
    assert error(files.request("POST", url, b"", headers))[0] == 400


def test_upload_session_expires_after_a_week():
    clock = Clock()
    with Emulator(clock=clock).serve() as server:
        files = Files(server.host)
        url = files.start("r").headers["X-Goog-Upload-URL"]
        clock.advance(7 * 24 * 3600 - 60)
        assert files.received(url) == ("active", 0)
        clock.advance(61)
        assert files.command(url, "query").status_code == 404
        assert files.start("other").status_code == 200
        files.close()


def half_a_chunk(server, url, offset, size, announced):
    """Return a connection on which `size` of `announced` bytes of a chunk have been sent and received."""
    before = server.emulator.storage.byte_counter.received
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=LIMIT)
    head = (
        f"POST {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Length: {announced}\r\n"
        f"X-Goog-Upload-Command: upload\r\nX-Goog-Upload-Offset: {offset}\r\n\r\n"
    )
    connection.sendall(head.encode() + b"x" * size)
    wait_for(lambda: server.emulator.storage.byte_counter.received >= before + size)
    return connection


def test_interrupted_chunk_keeps_complete_multiples(server, files, url):
    files.command(url, "upload", CHUNK, 0)
    half_a_chunk(server, url, KB256, 2 * KB256 + 1000, 8 * KB256).close()
    assert files.received(url) == ("active", 3 * KB256)
    files.command(url, "upload, finalize", b"end", 3 * KB256)
    assert files.download("r").content == CHUNK + b"x" * 2 * KB256 + b"end"


def test_query_stops_an_older_chunk_request(server, files, url):
    """The client has lost its connection, while the server still receives the rest of the old chunk."""
    with half_a_chunk(server, url, 0, KB256 + 1000, 4 * KB256) as old:
        assert files.received(url) == ("active", KB256)
        assert files.command(url, "upload", CHUNK, KB256).status_code == 200
        old.sendall(b"y" * (4 * KB256 - KB256 - 1000))
        assert old.recv(12) == b"HTTP/1.1 400"
    assert files.command(url, "finalize", offset=2 * KB256).json()["size"] == str(2 * KB256)
    assert files.download("r").content == b"x" * KB256 + CHUNK


def test_newer_request_replaces_an_older_one(server, files, url):
    with half_a_chunk(server, url, 0, 1000, KB256) as old:
        assert files.command(url, "upload", CHUNK, 0).status_code == 200
        old.sendall(b"y" * (KB256 - 1000))
        assert old.recv(12) == b"HTTP/1.1 400"
    assert files.received(url) == ("active", KB256)


def test_concurrent_uploads_of_one_name_are_independent(files):
    first, second = (files.start("r").headers["X-Goog-Upload-URL"] for _ in range(2))
    files.command(second, "upload, finalize", b"second", 0)
    files.command(first, "upload, finalize", b"first", 0)
    assert files.download("r").content == b"first"
