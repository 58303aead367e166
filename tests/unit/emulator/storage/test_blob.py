"""Content in memory and in a file."""

from __future__ import annotations

import base64
import gc
import hashlib
import threading

import pytest

from firebase_rest.emulator.storage import blob as blob_module
from firebase_rest.emulator.storage.blob import Spool
from firebase_rest.storage import crc32c


@pytest.fixture(params=[10, 1_000_000], ids=["in a file", "in memory"], autouse=True)
def where(request, monkeypatch):
    monkeypatch.setattr(blob_module, "MAX_IN_MEMORY", request.param)


def spooled(*pieces):
    spool = Spool()
    for piece in pieces:
        spool.write(piece)
    return spool


def test_content_is_returned_with_checksums():
    data = bytes(range(256)) * 5
    blob = spooled(data[:5], data[5:700], b"", data[700:]).blob()
    assert blob.size == len(data)
    assert blob.read(0, 10_000) == data
    assert blob.read(100, 50) == data[100:150]
    assert blob.read(len(data), 10) == b""
    assert blob.md5 == base64.b64encode(hashlib.md5(data).digest()).decode()
    assert blob.crc32c == crc32c.to_base64(crc32c.extend(0, data))


def test_rewind_discards_bytes_after_a_checkpoint():
    spool = spooled(b"kept " * 3)
    mark = spool.checkpoint()
    for wrong in (b"wrong" * 100, b"again"):
        spool.write(wrong)
        spool.rewind(mark)
    spool.write(b"right")
    blob = spool.blob()
    assert blob.read(0, 100) == b"kept kept kept right"
    assert blob.md5 == base64.b64encode(hashlib.md5(b"kept kept kept right").digest()).decode()


@pytest.mark.parametrize("size", [5, 12, 40_000, 60_007])
def test_rewind_can_keep_the_first_bytes(size):
    data = bytes(range(251)) * 240
    spool = spooled(data[:5])
    mark = spool.checkpoint()
    for start in range(5, len(data), 10_000):
        spool.write(data[start : start + 10_000])
    spool.rewind(mark, size)
    spool.write(b"right")
    blob = spool.blob()
    assert blob.read(0, len(data)) == data[:size] + b"right"
    assert blob.md5 == base64.b64encode(hashlib.md5(data[:size] + b"right").digest()).decode()
    assert blob.crc32c == crc32c.to_base64(crc32c.extend(0, data[:size] + b"right"))


def test_empty_spool_is_an_empty_blob():
    blob = Spool().blob()
    assert (blob.size, blob.read(0, 1), blob.md5, blob.crc32c) == (0, b"", "1B2M2Y8AsgTpgAmY7PhCfg==", "AAAAAA==")


def test_concurrent_reads():
    data = bytes(range(256)) * 200
    blob = spooled(data).blob()
    wrong = []

    def read(place):
        wrong.extend(place for _ in range(200) if blob.read(place, 256) != data[place : place + 256])

    threads = [threading.Thread(target=read, args=(256 * number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_unreferenced_blob_closes_its_file():
    """An unclosed file would be a ResourceWarning, which is an error in these tests."""
    spooled(b"x" * 100).blob()
    spooled(b"x" * 100)
    gc.collect()
