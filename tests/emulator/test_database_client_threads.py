"""One database object, many threads, and an interpreter that switches between them as often as possible."""

from __future__ import annotations

import sys
import threading

import pytest

THREADS = 16
ROUNDS = 25


@pytest.fixture
def restless():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.slow
@pytest.mark.usefixtures("restless")
def test_threads_sharing_a_database_get_their_own_responses(root):
    db = root  # one object in all threads
    users = db.child("users")
    db.set({"users": {f"u{n}": {"n": n, "log": {f"{n}-{i}": i for i in range(5)}} for n in range(THREADS)}})
    wrong = []
    start = threading.Barrier(THREADS)

    def check(expected, result, name):
        if expected != result:
            wrong.append((name, expected, result))

    def work(n):
        log = [f"{n}-{i}" for i in range(5)]
        start.wait()
        try:
            for turn in range(ROUNDS):
                check({"n": n}, {"n": users.child(f"u{n}", "n").get().val()}, "child")
                snapshot = db.child("users").child(f"u{n}").child("log").order_by_value().limit_to_last(2).get()
                check(log[-2:], list(snapshot.val()), "query")
                check("log", snapshot.key(), "key")
                check([f"u{n}"], list(users.order_by_child("n").equal_to(n).get().val()), "order")
                check(log, users.child(f"u{n}/log").shallow().get().val(), "shallow")
                check(turn, db.child("own", str(n)).set(turn), "set")
                check(turn, db.child(f"own/{n}").get().val(), "own")
        except Exception as error:  # noqa: BLE001 - raised again in the main thread
            wrong.append((n, "raised", error))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert db.child("own").get().val() == [ROUNDS - 1] * THREADS
