"""Push IDs: ascending and unique with any clock, threads and forks."""

from __future__ import annotations

import os
import signal
import sys
import threading
from itertools import pairwise

import pytest

from firebase_rest.database import push_id
from firebase_rest.database.push_id import ALPHABET, PushIdGenerator, generate_key

COUNT = int(os.environ.get("KEYS", "200000"))


def number(text: str) -> int:
    value = 0
    for letter in text:
        value = value * 64 + ALPHABET.index(letter)
    return value


def rising(keys: list[str]) -> bool:
    return all(one < other for one, other in pairwise(keys))


@pytest.fixture
def digits(monkeypatch):
    """Set the random digits: `digits.append(n)` for each new millisecond."""
    coming: list[int] = []
    monkeypatch.setattr(push_id.secrets, "randbits", lambda _: coming.pop(0))
    return coming


def test_key_has_8_time_and_12_random_characters() -> None:
    key = PushIdGenerator().next(1_700_000_000_000)
    assert len(key) == 20
    assert key.startswith("-NjEtLV-")
    assert set(key) <= set(ALPHABET)
    assert number(key[:8]) == 1_700_000_000_000


@pytest.mark.parametrize(
    ("chance", "key"),
    [
        ("------------", "-NjEtLV-------------"),
        ("-0123456789A", "-NjEtLV--0123456789A"),
        ("zzzzzzzzzzzz", "-NjEtLV-zzzzzzzzzzzz"),
    ],
)
def test_keys_equal_those_of_the_official_sdks(digits: list[int], chance: str, key: str) -> None:
    digits.append(number(chance))
    assert PushIdGenerator().next(1_700_000_000_000) == key


def test_keys_count_up_within_a_millisecond(digits: list[int]) -> None:
    ids = PushIdGenerator()
    digits.append(number("-----------z"))
    assert [ids.next(1_700_000_000_000) for _ in range(3)] == [
        "-NjEtLV------------z",
        "-NjEtLV-----------0-",
        "-NjEtLV-----------00",
    ]


def test_overflow_borrows_from_the_next_millisecond(digits: list[int]) -> None:
    ids = PushIdGenerator()
    digits += [number("z" * 12), 5, 9]
    keys = [ids.next(1000) for _ in range(3)]
    assert rising(keys)
    assert [number(key[:8]) for key in keys] == [1000, 1001, 1001]
    assert rising([*keys, ids.next(1001), ids.next(1002)])


def test_keys_ascend_when_the_clock_steps_back() -> None:
    ids = PushIdGenerator()
    keys = [ids.next(now) for now in (5000, 5000, 4000, 1, 0, 4999, 5000, 5001, 4, 5001, 6000)]
    assert rising(keys)
    assert number(keys[-1][:8]) == 6000


def test_keys_sort_by_time() -> None:
    ids = PushIdGenerator()
    keys = [ids.next(now) for now in range(1_600_000_000_000, 1_600_000_000_000 + 3000, 7)]
    assert rising(keys)


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_keys_of_one_thread_ascend() -> None:
    keys = [generate_key() for _ in range(COUNT)]
    assert rising(keys)


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_keys_of_many_threads_are_unique_and_ascend() -> None:
    made: list[list[str]] = [[] for _ in range(8)]
    start = threading.Barrier(8)

    def make(keys: list[str]) -> None:
        start.wait()
        keys.extend(generate_key() for _ in range(COUNT // 8))

    threads = [threading.Thread(target=make, args=(keys,)) for keys in made]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert all(map(rising, made))
    assert len({key for keys in made for key in keys}) == COUNT


def test_key_is_greater_than_earlier_keys_of_other_threads() -> None:
    """Two threads in turn: the order of creation is the order of the keys."""
    keys: list[str] = []
    turns = [threading.Semaphore(1), threading.Semaphore(0)]

    def make(mine: threading.Semaphore, other: threading.Semaphore) -> None:
        for _ in range(500):
            assert mine.acquire(timeout=10)
            keys.append(generate_key())
            other.release()

    threads = [threading.Thread(target=make, args=pair) for pair in (turns, turns[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 1000
    assert rising(keys)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forked_child_does_not_repeat_keys(monkeypatch) -> None:
    monkeypatch.setattr(
        push_id.time, "time_ns", lambda: 1_700_000_000_000_000_000
    )  # parent and child in the same millisecond
    before = generate_key()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # the child must not continue to run the tests
        try:
            os.write(write, "".join(generate_key() for _ in range(50)).encode())
        finally:
            os._exit(0)
    os.close(write)
    parents = [generate_key() for _ in range(50)]
    with os.fdopen(read, "rb") as pipe:
        text = pipe.read().decode()
    assert os.waitpid(child, 0)[1] == 0
    childs = [text[start : start + 20] for start in range(0, len(text), 20)]
    assert len(childs) == 50
    assert rising([before, *childs])
    assert not set(childs) & set(parents)


def test_keys_of_signal_handlers_are_unique_and_ascend() -> None:
    """Signals interrupt the generator at any point: a lock would deadlock."""
    keys: list[str] = []
    active: list[bool] = []

    def handler(*_: object) -> None:
        if not active:  # a nested handler would append its key first
            active.append(True)
            keys.append(generate_key())
            active.clear()

    previous = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
    try:
        own = [generate_key() for _ in range(100_000)]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)
    assert keys
    assert rising(own)
    assert rising(keys)
    assert len({*own, *keys}) == len(own) + len(keys)
