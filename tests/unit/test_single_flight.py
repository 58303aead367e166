from __future__ import annotations

import threading
import time
from types import SimpleNamespace

import pytest

from firebase_rest.errors import FirebaseError, NetworkError, NetworkTimeout, SessionExpired
from firebase_rest.transport import single_flight
from firebase_rest.transport.single_flight import SingleFlight, deadline_var
from support.waiting import LIMIT


class Credential:
    """A credential that the test can expire; `work` waits for the event `go`."""

    def __init__(self, *outcomes):
        self.outcomes = list(outcomes)
        self.needed, self.usable = True, False
        self.started = threading.Event()
        self.go = threading.Event()
        self.count = 0
        self.renewal = SingleFlight()

    def work(self):
        self.count += 1
        self.started.set()
        assert self.go.wait(LIMIT)
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None:
            raise outcome
        self.needed = False

    def ensure(self):
        self.renewal.ensure(lambda: self.needed, lambda: self.usable, self.work)


def crowd(credential, size):
    """Start `size` threads that call `ensure`; return them and a list of None or the error of each."""
    results: list[Exception | None] = []

    def ask():
        try:
            credential.ensure()
            results.append(None)
        except FirebaseError as error:
            results.append(error)

    threads = [threading.Thread(target=ask) for _ in range(size)]
    for thread in threads:
        thread.start()
    return threads, results


def ended(threads):
    for thread in threads:
        thread.join(LIMIT)
        assert not thread.is_alive()


def test_no_work_without_need():
    credential = Credential()
    credential.needed = False
    credential.ensure()
    assert credential.count == 0


def test_many_threads_share_one_refresh():
    credential = Credential()
    threads, results = crowd(credential, 64)
    assert credential.started.wait(LIMIT)
    credential.go.set()
    ended(threads)
    assert credential.count == 1
    assert results == [None] * 64


def test_many_threads_share_a_failure_with_separate_errors():
    credential = Credential(SessionExpired("sign in again", status=400, code="TOKEN_EXPIRED"))
    threads, results = crowd(credential, 16)
    assert credential.started.wait(LIMIT)
    credential.go.set()
    ended(threads)
    failures = [result for result in results if result is not None]
    assert len({id(error) for error in failures}) == len(failures)
    assert {error.code for error in failures} == {"TOKEN_EXPIRED"}


def test_no_thread_waits_while_the_credential_is_usable():
    credential = Credential()
    credential.usable = True
    threads, _ = crowd(credential, 1)
    assert credential.started.wait(LIMIT)
    credential.ensure()  # does not wait for the other thread
    credential.go.set()
    ended(threads)
    assert credential.count == 1


def test_network_failure_is_not_retried_during_the_cooldown(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(single_flight, "time", SimpleNamespace(monotonic=lambda: now[0]))
    credential = Credential(NetworkError("down"))
    credential.usable = True
    credential.go.set()
    credential.ensure()
    credential.ensure()
    assert credential.count == 1
    now[0] += single_flight.FAILURE_COOLDOWN + 1
    credential.ensure()
    assert credential.count == 2


def test_network_failure_raises_without_a_usable_credential():
    credential = Credential(NetworkError("down"))
    credential.go.set()
    with pytest.raises(NetworkError, match="down"):
        credential.ensure()
    credential.ensure()
    assert credential.count == 2, "and the next call tries again"


def within(seconds):
    return deadline_var.set(time.monotonic() + seconds)


def test_refresh_continues_after_a_call_reached_its_deadline():
    credential = Credential()
    token = within(0.05)
    try:
        with pytest.raises(NetworkTimeout, match="deadline"):
            credential.ensure()
    finally:
        deadline_var.reset(token)
    threads, results = crowd(credential, 4)
    credential.go.set()
    ended(threads)
    assert results == [None] * 4
    assert credential.count == 1


def test_waiting_call_ends_at_its_deadline():
    credential = Credential()
    threads, results = crowd(credential, 1)
    assert credential.started.wait(LIMIT)
    token = within(0.05)
    try:
        with pytest.raises(NetworkTimeout):
            credential.ensure()
    finally:
        deadline_var.reset(token)
    credential.go.set()
    ended(threads)
    assert results == [None]


def test_interrupted_refresh_is_repeated_by_another_thread():
    credential = Credential(KeyboardInterrupt())
    caught = []

    def interrupted():
        try:
            credential.ensure()
        except KeyboardInterrupt:
            caught.append(True)

    first = threading.Thread(target=interrupted)
    first.start()
    assert credential.started.wait(LIMIT)
    threads, results = crowd(credential, 4)
    credential.go.set()
    ended([first, *threads])
    assert caught == [True]
    assert results == [None] * 4
    assert credential.count == 2


def test_refresh_within_a_refresh_does_not_deadlock():
    renewal = SingleFlight()
    notified = []

    def work() -> None:
        renewal.ensure(lambda: True, lambda: False, lambda: notified.append("never"))
        notified.append("once")

    asked = iter([True, False])
    renewal.ensure(lambda: next(asked), lambda: False, work)
    assert notified == ["once"]
