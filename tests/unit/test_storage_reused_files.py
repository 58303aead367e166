"""Files that are at their end, empty, or changed during the upload."""

from __future__ import annotations

import io
import os
import tempfile

import pytest

from firebase_rest.errors import UsageError
from firebase_rest.storage.location import ObjectLocation
from firebase_rest.storage.source import UploadSource
from firebase_rest.storage.upload import GRANULARITY, UploadHooks, UploadRequest, UploadSession, upload
from firebase_rest.transport.requestor import run
from support.storage_server import Bucket

AT = ObjectLocation("https://firebasestorage.googleapis.com", "bucket", "a")


def put(file, bucket: Bucket | None = None) -> bytes:
    bucket = bucket or Bucket()
    with UploadSource(file) as source:
        run(upload(UploadRequest(AT, {"contentType": "a/b"}), source, UploadSession(), UploadHooks()), bucket)
    return bucket.objects["a"]


class ReadOnly:
    """A reader without seek."""

    def __init__(self, data: bytes) -> None:
        self.inside = io.BytesIO(data)

    def read(self, size: int = -1) -> bytes:
        return self.inside.read(size)


class WebUpload:
    """An upload like Django's: `seek` returns None."""

    def __init__(self, data: bytes) -> None:
        self.inside = io.BytesIO(data)
        self.name = "a.png"

    def read(self, size: int = -1) -> bytes:
        return self.inside.read(size)

    def seek(self, offset: int, whence: int = 0) -> None:
        self.inside.seek(offset, whence)

    def tell(self) -> int:
        return self.inside.tell()


def written(file):
    file.write(b"image")
    return file


@pytest.mark.parametrize(
    "make",
    [
        io.BytesIO,
        tempfile.TemporaryFile,
        tempfile.NamedTemporaryFile,
        tempfile.SpooledTemporaryFile,
        lambda: tempfile.SpooledTemporaryFile(max_size=1),  # noqa: SIM115 - closed by the test
    ],
    ids=["BytesIO", "TemporaryFile", "NamedTemporaryFile", "SpooledTemporaryFile", "rolled over"],
)
def test_file_at_its_end_is_rewound(make):
    with make() as file:
        assert put(written(file)) == b"image"
        assert put(file) == b"image"  # an upload has read it
        file.seek(2)
        assert put(file) == b"age"
        file.seek(100)
        assert put(file) == b"image"


def test_web_upload_at_its_end_is_rewound():
    file = WebUpload(b"image")
    assert (file.read(), put(file), put(file)) == (b"image", b"image", b"image")


def test_empty_files_that_can_seek_are_stored_empty(tmp_path):
    (tmp_path / "f").write_bytes(b"")
    with (tmp_path / "f").open("rb") as file:
        for empty in (
            b"",
            bytearray(),
            io.BytesIO(),
            WebUpload(b""),
            tmp_path / "f",
            str(tmp_path / "f"),
            file,
            [],
            (),
        ):
            assert put(empty) == b""
    assert put(piece for piece in ()) == b""


def used_up(iterator):
    for _ in iterator:
        pass
    return iterator


@pytest.mark.parametrize(
    "make",
    [
        lambda: ReadOnly(b""),
        lambda: used_up(iter([b"x"])),
        lambda: used_up(piece for piece in [b"x"]),
        lambda: used_up(map(bytes, [b"x"])),
    ],
    ids=["reader", "iterator", "generator", "map"],
)
def test_readers_without_bytes_that_cannot_be_rewound_are_rejected(make):
    bucket = Bucket()
    with pytest.raises(UsageError, match="To store an empty file, pass b''"):
        put(make(), bucket)
    assert not bucket.requests


def test_pipe_at_its_end_is_rejected():
    read_end, write_end = os.pipe()
    os.close(write_end)
    with open(read_end, "rb") as file, pytest.raises(UsageError, match="cannot be rewound"):  # noqa: PTH123
        put(file)


@pytest.mark.parametrize("size", [1000, 5 * GRANULARITY])
@pytest.mark.parametrize("is_open", [True, False], ids=["file", "path"])
@pytest.mark.parametrize("change", ["longer", "rewritten", "shorter"])
def test_file_that_changes_during_its_upload_is_not_stored(tmp_path, size, is_open, change):
    path = tmp_path / "f"
    path.write_bytes(bytes(size))
    os.utime(path, ns=(1, 1))
    bucket = Bucket()

    def alter():
        with path.open("r+b") as file:
            if change == "shorter":
                file.truncate(size - 1)
            else:
                file.seek(0, os.SEEK_END if change == "longer" else os.SEEK_SET)
                file.write(b"x")

    plan = UploadRequest(AT, {"contentType": "a/b"}, chunk_size=GRANULARITY)
    with path.open("rb") as file, UploadSource(file if is_open else path) as source:
        alter()
        flow = upload(plan, source, UploadSession(), UploadHooks())
        with pytest.raises(UsageError, match="changed while it was uploaded"):
            run(flow, bucket)
    assert bucket.objects == {}


def test_file_that_changes_after_its_first_piece_is_not_stored(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(bytes(3 * GRANULARITY))
    os.utime(path, ns=(1, 1))
    bucket = Bucket()

    def report(done: int) -> None:
        if done == GRANULARITY:
            path.write_bytes(b"y" * 3 * GRANULARITY)

    plan = UploadRequest(AT, {"contentType": "a/b"}, chunk_size=GRANULARITY)
    with UploadSource(path) as source, pytest.raises(UsageError, match="changed while it was uploaded"):
        run(upload(plan, source, UploadSession(), UploadHooks(report)), bucket)
    assert bucket.objects == {}
