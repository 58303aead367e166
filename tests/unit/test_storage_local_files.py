"""Local files of uploads and downloads, progress, and batches."""

from __future__ import annotations

import io
import logging
import sys
import threading
from pathlib import Path

import pytest

from firebase_rest.errors import ChecksumMismatch, UsageError
from firebase_rest.storage.batch import run_batch
from firebase_rest.storage.checksum import Checksum, ExpectedChecksum
from firebase_rest.storage.progress import reporting
from firebase_rest.storage.source import ReadFailed, UploadSource
from firebase_rest.storage.target import open_target

DATA = bytes(range(256)) * 4096  # a MiB


class Slowly:
    """A file whose `read` returns at most 1000 bytes."""

    def __init__(self, data: bytes) -> None:
        self.inside = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self.inside.read(min(size, 1000))


def read(source: UploadSource, start: int, size: int) -> bytes:
    return b"".join(source.piece(start, size)[0])


@pytest.mark.parametrize("kind", [lambda: DATA, lambda: io.BytesIO(DATA), lambda: Slowly(DATA)])
def test_pieces_can_be_read_again_and_are_hashed_once(kind):
    with UploadSource(kind()) as source:
        assert read(source, 0, 600_000) == DATA[:600_000]
        assert read(source, 0, 600_000) == DATA[:600_000]
        assert read(source, 1000, 300) == DATA[1000:1300]
        assert read(source, 500_000, 200_000) == DATA[500_000:700_000]
        piece, is_last = source.piece(600_000, 10**9)
        assert (b"".join(piece), is_last) == (DATA[600_000:], True)
        assert len(piece) == len(DATA) - 600_000
        summed = Checksum(crc32c=True)
        summed.update(DATA)
        assert source.checksum.difference(ExpectedChecksum(summed.md5, summed._crc32c, len(DATA))) is None


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="the file system does not exist")
def test_proc_file_of_size_zero_is_read_to_its_end():
    with UploadSource("/proc/version") as source:
        assert read(source, 0, 10**6) == Path("/proc/version").read_bytes() != b""


def test_disk_error_is_no_network_error():
    class Failing(io.BytesIO):
        def read(self, size=-1):
            if self.tell() >= 300_000:
                raise OSError("the disk was removed")
            return super().read(size)

    with UploadSource(Failing(DATA)) as source, pytest.raises(ReadFailed, match="removed") as caught:
        b"".join(source.piece(0, 600_000)[0])
    assert isinstance(caught.value.error, OSError)


def test_other_checksum_is_computed_by_reading_again():
    with UploadSource(DATA) as source:
        read(source, 0, len(DATA))
        with pytest.raises(ChecksumMismatch):
            source.check(ExpectedChecksum(md5="AAAA"), "x")
        with pytest.raises(ChecksumMismatch):
            source.check(ExpectedChecksum(crc32c=1), "x")


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (io.StringIO("text"), "'rb'"),
        (iter(["text"]), "encode the text"),
        ([1, 2], "got int"),
        (5, "got int"),
        (type("Nonblocking", (), {"read": lambda self, size: None})(), "blocking"),
    ],
)
def test_file_without_bytes_raises(file, words):
    with pytest.raises(UsageError, match=words), UploadSource(file) as source:
        source.piece(0, 10)


def test_asynchronous_upload_raises():
    class Asynchronous:
        async def read(self, size=-1):
            return b""

    with pytest.raises(UsageError, match=r"upload\.file"), UploadSource(Asynchronous()) as source:
        source.piece(0, 10)


def test_failed_upload_restores_the_file_position():
    file = io.BytesIO(DATA)
    file.seek(7)

    def fail():
        with UploadSource(file) as source:
            source.piece(0, 100)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert file.tell() == 7


def write_and_fail(target, data):
    with open_target(target) as file:
        file.write(data)
        raise ZeroDivisionError


# --- targets ---------------------------------------------------------------------------------------------------------


def test_target_is_replaced_only_when_complete(tmp_path):
    path = tmp_path / "file"
    with open_target(path) as target:
        target.write(b"one")
        assert not path.exists()
        target.restart()
        target.write(b"two")
    assert path.read_bytes() == b"two"
    with pytest.raises(ZeroDivisionError):
        write_and_fail(path, b"three")
    assert path.read_bytes() == b"two"
    assert list(tmp_path.iterdir()) == [path]


def test_longest_name_fits_the_temporary_name(tmp_path):
    path = tmp_path / ("x" * 255)
    with open_target(path) as target:
        target.write(b"x")
    assert path.read_bytes() == b"x"


def test_longest_multibyte_name_fits_the_temporary_name(tmp_path):
    for name in ("\u5b57" * 85, "\U0001f600" * 63):
        with open_target(tmp_path / name) as file:
            file.write(DATA)
        assert (tmp_path / name).read_bytes() == DATA


@pytest.mark.parametrize("size", [10, 300])
def test_failed_download_keeps_the_rest_of_an_open_file(size):
    file = io.BytesIO(b"x" * 100)
    file.seek(40)
    with pytest.raises(ZeroDivisionError):
        write_and_fail(file, b"y" * size)
    assert (file.tell(), len(file.getvalue())) == (40, 100)
    assert file.getvalue()[:40] == b"x" * 40
    assert file.getvalue().endswith(b"x" * 50 if size == 10 else b"y" * 60)


def test_failed_download_restores_an_open_file():
    file = io.BytesIO(b"before")
    file.seek(6)
    with pytest.raises(ZeroDivisionError):
        write_and_fail(file, b"more")
    assert file.getvalue() == b"before"


def test_partial_writes_and_files_that_cannot_seek():
    class Little(io.RawIOBase):
        taken = b""

        def writable(self):
            return True

        def write(self, data):
            self.taken += bytes(data[:3])
            return min(3, len(data))

    file = Little()
    with open_target(file) as target:
        assert target.restart()
        target.write(b"0123456789")
        assert not target.restart()
    assert file.taken == b"0123456789"


@pytest.mark.parametrize("wrong", [5, None, "", io.StringIO(), object()])
def test_invalid_target_raises(wrong):
    with pytest.raises(UsageError):
        open_target(wrong)


def test_target_that_takes_no_bytes_raises():
    class Text:
        def write(self, text):
            raise TypeError("str")

    with pytest.raises(UsageError, match="'wb'"), open_target(Text()) as target:
        target.write(b"x")


# --- progress --------------------------------------------------------------------------------------------------------


def test_progress_is_logged_at_every_tenth_without_terminal(caplog):
    caplog.set_level(logging.INFO, "firebase_rest")
    with reporting(True, "a.bin") as report:
        for done in range(1001):
            report(done * 1000, 1_000_000)
    assert len(caplog.messages) == 11
    assert caplog.messages[5] == "a.bin: 50 % of 1.0 MB"
    caplog.clear()
    with reporting(True, "b") as report:
        for done in range(200):
            report(done * 1_000_000, None)
        report(0, 0)
    assert caplog.messages[:2] == ["b: 0.0 MB", "b: 68.0 MB"]


def test_progress_bar_on_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    pytest.importorskip("tqdm")
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with reporting(True, "a.bin") as report:
        report(500, 1000)
        report(1000, 1000)
    assert "a.bin" in terminal.getvalue()
    assert "100%" in terminal.getvalue()
    monkeypatch.setitem(sys.modules, "tqdm", None)
    with reporting(True, "a.bin") as report:
        report(1, 2)


def test_invalid_progress_raises():
    with pytest.raises(UsageError, match="progress must be"), reporting("bar", "x"):
        pass


def test_number_of_workers_is_limited():
    at_work, most = [0], [0]
    lock, together = threading.Lock(), threading.Barrier(3)

    def work(name, item):
        with lock:
            at_work[0] += 1
            most[0] = max(most[0], at_work[0])
        together.wait(10)  # raises BrokenBarrierError unless three run at a time
        with lock:
            at_work[0] -= 1

    assert [result.name for result in run_batch([(str(n), n) for n in range(12)], work, 3, None, "x")] == [
        str(n) for n in range(12)
    ]
    assert most == [3]


def test_batch_progress_counts_files(caplog):
    caplog.set_level(logging.INFO, "firebase_rest")
    run_batch([("a", 1), ("b", 2)], lambda name, item: None, 1, True, "upload")
    assert caplog.messages == ["upload: 50 % of 2 files", "upload: 100 % of 2 files"]


def test_exception_becomes_the_result_of_its_file():
    def work(name, item):
        return {"size": 1 // item}

    bad, good = run_batch([("a", 0), ("b", 1)], work, 2, None, "x")
    assert isinstance(bad.error, ZeroDivisionError)
    assert good.ok
