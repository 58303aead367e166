"""Commits of one database: writes that others overtake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from firebase_rest.emulator import Emulator
from firebase_rest.emulator.database.namespace import Namespace
from firebase_rest.emulator.database.slices import done, finish
from firebase_rest.emulator.database.tree import Change
from firebase_rest.emulator.urls import RequestUrl
from firebase_rest.transport.wire import Request

if TYPE_CHECKING:
    from firebase_rest.emulator.database.slices import Work


def replacing(value: Any) -> Any:
    return lambda before: done(Change(before, value, ()))


def slow_check(_: Change) -> Work[None]:
    yield
    yield


def overtake(namespace: Namespace, value: Any) -> None:
    namespace.commit(lambda before: Change(before, value, ()), lambda _: None)


@pytest.fixture
def namespace() -> Namespace:
    return Namespace("n")


def overtaken(namespace: Namespace) -> Work[Change]:
    """Return a write that others overtook until they must wait."""
    work = namespace.commit_work(replacing("slow"), slow_check)
    for number in range(100):
        next(work)
        if namespace.must_wait:
            return work
        overtake(namespace, number)
    raise AssertionError("others need not wait")


def test_others_must_wait_for_a_write_that_was_overtaken_several_times(namespace: Namespace) -> None:
    work = overtaken(namespace)
    assert not namespace._lock.locked()
    finish(work)
    assert namespace.root == "slow"
    assert not namespace.must_wait


def test_write_without_competition_lets_others_write(namespace: Namespace) -> None:
    work = namespace.commit_work(replacing("slow"), slow_check)
    next(work)
    assert not namespace.must_wait


@pytest.mark.parametrize("ending", ["close", "deny"])
def test_others_write_after_the_write_is_closed_or_denied(namespace: Namespace, ending: str) -> None:
    work = overtaken(namespace)
    if ending == "close":
        work.close()
    else:
        with pytest.raises(PermissionError):
            work.throw(PermissionError())
    assert not namespace.must_wait


def test_write_that_an_urgent_write_overtakes_is_repeated(namespace: Namespace) -> None:
    work = overtaken(namespace)
    overtake(namespace, "urgent")
    assert namespace.must_wait
    finish(work)
    assert namespace.root == "slow"


def test_requests_that_write_to_the_same_database_wait() -> None:
    emulator = Emulator("p")
    work = overtaken(emulator._database.namespace("one"))

    def must_wait(method: str, url: str) -> bool:
        return emulator.must_wait(method, RequestUrl.parse(Request(method, url)))

    assert must_wait("PUT", "http://localhost/a.json?ns=one")
    assert must_wait("POST", "https://one.firebaseio.com/a.json")
    assert not must_wait("GET", "http://localhost/a.json?ns=one")
    assert not must_wait("PUT", "http://localhost/a.json?ns=other")
    assert not must_wait("PUT", "http://localhost/a.json?ns=a/b")
    work.close()
    assert not must_wait("PUT", "http://localhost/a.json?ns=one")
