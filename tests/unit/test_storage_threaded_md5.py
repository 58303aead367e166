"""The threaded MD5 equals hashlib's, and its thread ends."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import threading
from contextlib import suppress

import pytest

from firebase_rest import UsageError
from firebase_rest.storage.threaded_md5 import BATCH_SIZE, ThreadedMD5
from support.waiting import wait_for

DATA = random.Random(5).randbytes(5 * BATCH_SIZE + 7)


def helpers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "firebase_rest MD5"]


@pytest.fixture(autouse=True)
def no_thread_stays():
    yield
    wait_for(lambda: not helpers(), description="the end of the MD5 threads")


def feed(md5: ThreadedMD5, data: bytes, size: int) -> None:
    for start in range(0, len(data), size):
        md5.update(data[start : start + size])


@pytest.mark.parametrize("size", [1, BATCH_SIZE - 1, BATCH_SIZE, BATCH_SIZE + 1, len(DATA)])
@pytest.mark.parametrize("pieces", [1000, 16 * 1024, 256 * 1024, 3 * BATCH_SIZE])
def test_digest_equals_hashlib(size, pieces):
    with ThreadedMD5() as md5:
        feed(md5, DATA[:size], pieces)
        assert md5.digest() == hashlib.md5(DATA[:size]).digest()
        assert md5.digest() == hashlib.md5(DATA[:size]).digest()


def test_update_after_digest():
    with ThreadedMD5() as md5:
        for start, end in ((0, 3 * BATCH_SIZE), (3 * BATCH_SIZE, 4 * BATCH_SIZE), (4 * BATCH_SIZE, len(DATA))):
            feed(md5, DATA[start:end], 100_000)
            assert md5.digest() == hashlib.md5(DATA[:end]).digest()


def test_few_bytes_start_no_thread():
    with ThreadedMD5() as md5:
        feed(md5, DATA[: BATCH_SIZE - 1], 10_000)
        assert not helpers()
    assert ThreadedMD5().digest() == hashlib.md5().digest()


def test_queue_of_batches_is_bounded():
    with ThreadedMD5() as md5:
        feed(md5, DATA, BATCH_SIZE)
        assert len(helpers()) == 1
        assert md5._queue.qsize() <= 2


def test_hashing_without_a_thread(monkeypatch):
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    with ThreadedMD5() as md5:
        feed(md5, DATA, 100_000)
        assert md5.digest() == hashlib.md5(DATA).digest()


def test_error_ends_the_thread():
    with suppress(KeyError), ThreadedMD5() as md5:
        feed(md5, DATA, BATCH_SIZE)
        assert helpers()
        raise KeyError


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("more", [b"", DATA])
def test_update_in_forked_child_raises(more):
    with ThreadedMD5() as md5:
        feed(md5, DATA, BATCH_SIZE)
        child = os.fork()
        if child == 0:  # the child must not run the other tests
            signal.alarm(10)  # ends a child that hangs
            try:
                feed(md5, more, BATCH_SIZE)
                md5.digest()
            except UsageError:
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        assert md5.digest() == hashlib.md5(DATA).digest()
