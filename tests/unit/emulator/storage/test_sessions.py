"""Sessions of resumable uploads: writers, interruptions, threads."""

from __future__ import annotations

import base64
import hashlib
import random
import threading

import pytest

from firebase_rest.emulator.storage import StorageEmulator
from firebase_rest.emulator.storage.blob import Spool
from firebase_rest.emulator.storage.errors import StorageHTTPError
from firebase_rest.emulator.storage.firebase_api import API
from firebase_rest.emulator.storage.metadata import MetadataUpdate
from firebase_rest.emulator.storage.request import StorageRequest
from firebase_rest.emulator.storage.sessions import GRANULARITY, ResumableSession
from firebase_rest.storage import crc32c
from firebase_rest.transport.wire import Request

OVERTAKEN = "A newer request is writing this upload."
URL = "http://h/v0/b/bucket/o"


@pytest.fixture
def session():
    request = StorageRequest("POST", "/v0/b/b/o", {}, {}, "http://h", API.format, bucket="b", name="n")
    return ResumableSession(request, MetadataUpdate({}, {}), None, now=0, spool=Spool())


def test_older_writer_is_rejected(session):
    session.begin("old", 0)
    session.write("old", b"x" * (GRANULARITY + 5))
    session.begin("new", GRANULARITY)
    acts = (
        lambda: session.write("old", b"y"),
        lambda: session.finish_chunk("old"),
        lambda: session.complete("old"),
    )
    for act in acts:
        with pytest.raises(StorageHTTPError, match=OVERTAKEN):
            act()
    session.release("old")
    session.write("new", b"z")
    assert session.complete("new").blob().read(GRANULARITY - 1, 10) == b"xz"


def test_writer_of_a_cancelled_upload_is_rejected(session):
    session.begin("one", 0)
    session.end("cancelled", 200)
    with pytest.raises(StorageHTTPError, match=OVERTAKEN):
        session.write("one", b"x")
    with pytest.raises(StorageHTTPError, match="no longer active: it is cancelled"):
        session.begin("two", 0)


@pytest.mark.parametrize("seed", range(20))
def test_upload_with_many_interruptions_is_complete(session, seed):
    chance = random.Random(seed)
    data = chance.randbytes(chance.randrange(12 * GRANULARITY))
    while True:
        size = session.size
        session.begin(size, size)
        offset = size
        broken = chance.random() < 0.7
        end = chance.randrange(offset, len(data) + 1) if broken else len(data)
        while offset < end:
            step = chance.randrange(1, 2 * GRANULARITY)
            session.write(size, data[offset : min(end, offset + step)])
            offset = min(end, offset + step)
        if not broken:
            break
        session.release(size)
        assert session.size == max(size, offset // GRANULARITY * GRANULARITY)
    blob = session.complete(size).blob()
    assert blob.read(0, len(data) + 1) == data
    assert blob.md5 == base64.b64encode(hashlib.md5(data).digest()).decode()
    assert blob.crc32c == crc32c.to_base64(crc32c.extend(0, data))


def test_concurrent_uploads_and_resets():
    storage = StorageEmulator(clock=lambda: 1.0, check_id_token=lambda _: None)
    start = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}
    last = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "0"}
    statuses = set()

    def work(name):
        for _ in range(50):
            url = storage.handle(Request("POST", URL, (("name", name),), start)).headers["x-goog-upload-url"]
            statuses.add(storage.handle(Request("POST", url, (), last, b"x" * 1000)).status)

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(6)]
    for thread in threads:
        thread.start()
    for _ in range(30):
        storage.reset()
    for thread in threads:
        thread.join(30)
        assert not thread.is_alive()
    assert 200 in statuses
    assert statuses <= {200, 404, 400}
