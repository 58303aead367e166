"""An MD5 that a thread adds up is the MD5 that hashlib adds up, and its thread goes when it is let go."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import threading
import time
from contextlib import suppress

import pytest

from firebase_rest import UsageError
from firebase_rest.storage._threaded_md5 import BATCH_SIZE, ThreadedMD5

DATA = random.Random(5).randbytes(5 * BATCH_SIZE + 7)


def helpers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "firebase_rest MD5"]


@pytest.fixture(autouse=True)
def no_thread_stays():
    yield
    limit = time.monotonic() + 10
    while helpers():
        assert time.monotonic() < limit, "The thread was not let go."
        time.sleep(0.01)


def feed(md5: ThreadedMD5, data: bytes, size: int) -> None:
    for start in range(0, len(data), size):
        md5.update(data[start : start + size])


@pytest.mark.parametrize("size", [1, BATCH_SIZE - 1, BATCH_SIZE, BATCH_SIZE + 1, len(DATA)])
@pytest.mark.parametrize("pieces", [1000, 16 * 1024, 256 * 1024, 3 * BATCH_SIZE])
def test_it_is_hashlibs_md5_however_the_bytes_are_cut(size, pieces):
    with ThreadedMD5() as md5:
        feed(md5, DATA[:size], pieces)
        assert md5.digest() == hashlib.md5(DATA[:size]).digest()
        assert md5.digest() == hashlib.md5(DATA[:size]).digest()


def test_more_may_come_after_a_digest():
    with ThreadedMD5() as md5:
        for start, end in ((0, 3 * BATCH_SIZE), (3 * BATCH_SIZE, 4 * BATCH_SIZE), (4 * BATCH_SIZE, len(DATA))):
            feed(md5, DATA[start:end], 100_000)
            assert md5.digest() == hashlib.md5(DATA[:end]).digest()


def test_few_bytes_need_no_thread():
    with ThreadedMD5() as md5:
        feed(md5, DATA[: BATCH_SIZE - 1], 10_000)
        assert not helpers()
    assert ThreadedMD5().digest() == hashlib.md5().digest()


def test_one_thread_adds_up_and_no_more_than_a_few_batches_wait():
    with ThreadedMD5() as md5:
        feed(md5, DATA, BATCH_SIZE)
        assert len(helpers()) == 1
        assert md5._queue.qsize() <= 2


def test_where_there_are_no_more_threads_to_have_it_is_added_up_here(monkeypatch):
    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    with ThreadedMD5() as md5:
        feed(md5, DATA, 100_000)
        assert md5.digest() == hashlib.md5(DATA).digest()


def test_an_error_lets_the_thread_go():
    with suppress(KeyError), ThreadedMD5() as md5:
        feed(md5, DATA, BATCH_SIZE)
        assert helpers()
        raise KeyError


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("more", [b"", DATA])
def test_a_forked_child_is_told_that_the_thread_stayed_behind(more):
    with ThreadedMD5() as md5:
        feed(md5, DATA, BATCH_SIZE)
        child = os.fork()
        if child == 0:  # nothing but this may happen here: the child must not go on running the tests
            signal.alarm(10)  # a child that waits for ever ends by this
            try:
                feed(md5, more, BATCH_SIZE)
                md5.digest()
            except UsageError:
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(child, 0)[1] == 0
        assert md5.digest() == hashlib.md5(DATA).digest()
