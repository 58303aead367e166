"""Faults for uploads and downloads: their effect on the wire and on the emulator."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import requests

from emulator.files import KB256, Files, error
from firebase_rest.emulator import Emulator
from support.waiting import LIMIT, wait_for

DATA = bytes(range(256)) * 4 * 1024


@pytest.fixture
def faults(server):
    return server.emulator.faults.storage


@pytest.fixture
def url(files):
    return files.start("r").headers["X-Goog-Upload-URL"]


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_dropped_chunk_keeps_the_received_bytes(files, faults, url, how):
    faults.drop_upload(after=2 * KB256 + 7, how=how)
    with pytest.raises(requests.ConnectionError):
        files.command(url, "upload", DATA, 0)
    assert files.received(url) == ("active", 2 * KB256)
    assert files.command(url, "upload", DATA[2 * KB256 :], 2 * KB256).status_code == 200
    files.command(url, "finalize", offset=len(DATA))
    assert files.download("r").content == DATA


def test_dropped_simple_upload_stores_nothing(files, faults):
    faults.drop_upload(after=len(DATA) + 1)
    with pytest.raises(requests.ConnectionError):
        files.upload("a", DATA)
    assert files.metadata("a").status_code == 404
    assert files.upload("a", DATA).status_code == 200


@pytest.mark.parametrize("how", ["fin", "rst"])
def test_dropped_download_is_truncated(files, faults, how):
    files.upload("a", DATA)
    faults.drop_download(after=300_000, how=how)
    pieces = []
    broken = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)
    with files.download("a", stream=True) as response, pytest.raises(broken):
        pieces.extend(response.iter_content(1000))
    received = b"".join(pieces)
    assert DATA.startswith(received)
    assert len(received) <= 300_000
    if how == "fin":
        assert len(received) > 298_000  # the reader returns complete blocks only
    assert files.download("a").content == DATA


def test_dropped_response_follows_a_completed_operation(files, faults, url):
    faults.drop_response()
    with pytest.raises(requests.ConnectionError):
        files.command(url, "upload", DATA, 0)
    assert files.received(url) == ("active", len(DATA))
    faults.drop_response()
    with pytest.raises(requests.ConnectionError):
        files.command(url, "upload, finalize", b"end", len(DATA))
    assert files.received(url)[0] == "final"
    assert files.metadata("r").json()["size"] == str(len(DATA) + 3)
    faults.drop_response("delete")
    with pytest.raises(requests.ConnectionError):
        files.delete("r")
    assert files.delete("r").status_code == 404


def test_reject_with_skip_rejects_the_third_chunk(files, faults, url):
    faults.reject(skip=2, status=503, retry_after="7")
    for offset in (0, KB256):
        assert files.command(url, "upload", DATA[:KB256], offset).status_code == 200
    response = files.command(url, "upload", DATA[:KB256], 2 * KB256)
    assert error(response) == (503, "Service unavailable")
    assert response.headers["retry-after"] == "7"
    assert files.received(url) == ("active", 2 * KB256)
    assert files.command(url, "upload", DATA[:KB256], 2 * KB256).status_code == 200


@pytest.mark.parametrize(
    ("kind", "act"),
    [
        ("start", lambda files, url: files.start("x")),
        ("query", lambda files, url: files.command(url, "query")),
        ("cancel", lambda files, url: files.command(url, "cancel")),
        ("finalize", lambda files, url: files.command(url, "finalize", offset=0)),
        ("upload", lambda files, url: files.upload("x", b"")),
        ("download", lambda files, url: files.download("a")),
        ("metadata", lambda files, url: files.metadata("a")),
        ("update", lambda files, url: files.patch("a", {})),
        ("delete", lambda files, url: files.delete("a")),
        ("list", lambda files, url: files.list()),
        ("token", lambda files, url: files.request("POST", files.object_url("a", "?create_token=true"))),
    ],
)
def test_reject_applies_to_one_kind_of_request(files, faults, url, kind, act):
    files.upload("a", b"")
    faults.reject(kind, status=500, error="No.", times=2)
    for _ in range(2):
        assert error(act(files, url)) == (500, "No.")
    assert act(files, url).status_code in {200, 204, 403}


def test_fault_for_all_requests_lasts_until_clear(files, faults):
    faults.reject("list", times=None)
    assert [files.list().status_code for _ in range(3)] == [503, 503, 503]
    faults.clear()
    assert files.list().status_code == 200


def test_reset_clears_faults(server, files, faults):
    faults.reject("list", times=None)
    server.emulator.reset()
    assert files.list().status_code == 200


def test_stalled_upload_continues_after_resume(server, files, faults, url):
    faults.stall_upload(after=KB256)
    status = []
    worker = threading.Thread(target=lambda: status.append(Files.command(Files(server.host), url, "upload", DATA, 0)))
    worker.start()
    wait_for(lambda: server.emulator.storage.byte_counter.received >= KB256)
    assert not status
    faults.resume()
    worker.join(LIMIT)
    assert status[0].status_code == 200
    assert files.received(url) == ("active", len(DATA))


def test_abandoned_stalled_upload_can_be_resumed(server, files, faults, url):
    faults.stall_upload(after=KB256)
    headers = {"X-Goog-Upload-Command": "upload", "X-Goog-Upload-Offset": "0"}
    with pytest.raises(requests.Timeout):
        requests.post(url, DATA[: 2 * KB256], headers=headers, timeout=(LIMIT, 0.2))
    status, received = files.received(url)
    assert status == "active"
    assert received in {KB256, 2 * KB256}
    assert files.command(url, "upload, finalize", b"end", received).status_code == 200
    assert files.download("r").content == DATA[:received] + b"end"


def test_stalled_download_continues_after_resume(files, faults):
    files.upload("a", DATA)
    faults.stall_download(after=100_000)
    with files.download("a", stream=True) as response:
        start = response.raw.read(100_000)
        faults.resume()
        assert start + response.raw.read() == DATA


def test_stalled_download_does_not_delay_close():
    server = Emulator().serve()
    files = Files(server.host)
    files.upload("a", DATA)
    server.emulator.faults.storage.stall_download(after=10)
    with files.download("a", stream=True) as response:
        response.raw.read(10)
        started = time.monotonic()
        server.close()
        assert time.monotonic() - started < 5  # the grace period of half a second, on a busy machine
    files.close()


def test_byte_counter_counts_transferred_bytes(server, files):
    traffic = server.emulator.storage.byte_counter
    files.upload("a", DATA)
    files.patch("a", {"cacheControl": "x"})
    files.download("a", {"Range": "bytes=0-99"})
    files.download("a")
    assert (traffic.received, traffic.sent) == (len(DATA), len(DATA) + 100)


def test_abandoned_download_stops(server, files):
    files.upload("a", b"x" * 40_000_000)
    traffic = server.emulator.storage.byte_counter
    response = files.download("a", stream=True)
    response.raw.read(1000)
    response.close()
    files.close()
    assert files.download("a", {"Range": "bytes=0-0"}).content == b"x"  # the server has detected the disconnect
    assert traffic.sent < 30_000_000


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to read a process' memory")
def test_large_file_is_not_held_in_memory():
    size = 300_000_000
    command = [sys.executable, "-m", "firebase_rest.emulator", "--json", "--stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            ready = json.loads(process.stdout.readline())
            files = Files(ready["host"])
            files.upload("small", b"x" * 100_000)
            idle = peak_memory(process.pid)
            piece = b"x" * 1_000_000
            url = files.start("r", size=size).headers["X-Goog-Upload-URL"]
            pieces = (piece for _ in range(size // len(piece)))
            assert files.command(url, "upload, finalize", pieces, 0).status_code == 200
            assert files.upload("large", (piece for _ in range(size // len(piece)))).json()["size"] == str(size)
            with files.download("large", stream=True) as response:
                assert sum(len(part) for part in response.iter_content(1_000_000)) == size
            files.close()
            assert peak_memory(process.pid) - idle < 24_000_000
        finally:
            process.stdin.close()


def peak_memory(pid):
    """Return the peak memory of a process in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))
