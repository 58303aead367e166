"""The one request of a stream, driven by hand; and waits that end at once."""

from __future__ import annotations

import threading
import time

import pytest

from firebase_rest.database.event_stream import InterruptibleCredentials, open_stream
from firebase_rest.database.filter import Bound, Filter
from firebase_rest.database.location import Location
from firebase_rest.errors import IndexNotDefined, InvalidResponse, NetworkError, PermissionDenied, UsageError
from firebase_rest.transport.credentials import UserCredentials
from firebase_rest.transport.interrupt import Interrupt
from firebase_rest.transport.wire import Request, Response, RetryPolicy
from unit.by_hand import answer

PLACE = Location("https://x.firebaseio.com", "ns").at(("a", "b c"))


class Reader:
    closed = False

    def read(self, size: int) -> bytes:
        return b""

    def abort(self) -> None:
        raise AssertionError

    def close(self) -> None:
        self.closed = True


def test_a_stream_asks_for_events_and_for_nothing_else_to_be_done_with_them() -> None:
    request = next(open_stream(PLACE, Filter(order="n", start_at=Bound(1))))
    assert isinstance(request, Request)
    assert (request.method, request.url) == ("GET", "https://x.firebaseio.com/a/b%20c.json")
    assert request.params == (("ns", "ns"), ("orderBy", '"n"'), ("startAt", "1"))
    assert request.headers["Accept"] == "text/event-stream"
    assert request.headers["Accept-Encoding"] == "identity"  # a compressor may hold events back
    assert request.stream
    assert request.retry_policy is RetryPolicy.IDEMPOTENT


def sent(response: Response) -> object:
    flow = open_stream(PLACE, Filter())
    next(flow)
    with pytest.raises(StopIteration) as done:
        flow.send(response)
    return done.value.value


def test_the_answer_is_the_open_body() -> None:
    reader = Reader()
    assert sent(Response(200, {"content-type": "text/event-stream; charset=utf-8"}, reader=reader)) is reader
    assert sent(Response(200, reader=reader)) is reader
    assert not reader.closed


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (answer({"error": "Permission denied"}, 401), PermissionDenied),
        (answer({"error": "Index not defined, add ..."}, 400), IndexNotDefined),
        (Response(204), InvalidResponse),
    ],
)
def test_a_refusal_is_a_typed_error(response: Response, kind: type[Exception]) -> None:
    flow = open_stream(PLACE, Filter())
    next(flow)
    with pytest.raises(kind):
        flow.send(response)


def test_a_body_of_another_kind_is_closed_and_refused() -> None:
    reader = Reader()
    flow = open_stream(PLACE, Filter())
    next(flow)
    with pytest.raises(InvalidResponse, match="text/html"):
        flow.send(Response(200, {"content-type": "text/html"}, reader=reader))
    assert reader.closed


def test_what_cannot_work_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(UsageError):
        next(open_stream(PLACE, Filter(limit_to_first=1)))


def test_a_wait_ends_when_its_time_is_over_or_at_once_when_it_is_called_off() -> None:
    interrupt = Interrupt()
    interrupt.wait(0.001)
    assert not interrupt.is_set()
    caller = threading.Timer(0.02, interrupt.set)
    caller.start()
    started = time.monotonic()
    interrupt.wait(30)
    interrupt.wait(30)  # and so do all that follow
    assert time.monotonic() - started < 5
    caller.join()


def test_what_rings_late_does_not_shorten_the_next_wait() -> None:
    interrupt, go = Interrupt(), threading.Event()
    asked = threading.Event()

    def work() -> str:
        asked.set()
        go.wait(5)
        return "late"

    assert interrupt.result(lambda: "at once") == "at once"
    started = time.monotonic()
    interrupt.wait(0.05)
    assert time.monotonic() - started >= 0.05
    caller = threading.Timer(0.02, interrupt.set)
    caller.start()
    with pytest.raises(NetworkError, match="was closed"):
        interrupt.result(work)
    go.set()
    caller.join()


def test_a_credential_that_is_at_hand_needs_no_thread() -> None:
    threads: list[threading.Thread] = []

    class Source:
        def current_token(self, *, rejected: str | None = None) -> str:
            threads.append(threading.current_thread())
            return "t"

    assert InterruptibleCredentials(UserCredentials("plain"), Interrupt()).get() == UserCredentials("plain").get()
    auth = InterruptibleCredentials(UserCredentials(Source()), Interrupt()).get()
    assert auth is not None
    assert auth.secret == "t"
    assert threads[0] is not threading.current_thread()


def test_what_hinders_a_credential_is_raised_where_it_was_asked_for() -> None:
    class Source:
        def current_token(self, *, rejected: str | None = None) -> str:
            raise NetworkError("down")

    with pytest.raises(NetworkError, match="down"):
        InterruptibleCredentials(UserCredentials(Source()), Interrupt()).get()
