"""The request of a stream, and interruptible waits."""

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
from support.flow_driver import json_response

PLACE = Location("https://x.firebaseio.com", "ns").at(("a", "b c"))


class Reader:
    closed = False

    def read(self, size: int) -> bytes:
        return b""

    def abort(self) -> None:
        raise AssertionError

    def close(self) -> None:
        self.closed = True


def test_stream_request_accepts_events_only() -> None:
    request = next(open_stream(PLACE, Filter(order="n", start_at=Bound(1))))
    assert isinstance(request, Request)
    assert (request.method, request.url) == ("GET", "https://x.firebaseio.com/a/b%20c.json")
    assert request.params == (("ns", "ns"), ("orderBy", '"n"'), ("startAt", "1"))
    assert request.headers["Accept"] == "text/event-stream"
    assert request.headers["Accept-Encoding"] == "identity"  # compression may delay events
    assert request.stream
    assert request.retry_policy is RetryPolicy.IDEMPOTENT


def sent(response: Response) -> object:
    flow = open_stream(PLACE, Filter())
    next(flow)
    with pytest.raises(StopIteration) as done:
        flow.send(response)
    return done.value.value


def test_stream_response_is_the_open_body() -> None:
    reader = Reader()
    assert sent(Response(200, {"content-type": "text/event-stream; charset=utf-8"}, reader=reader)) is reader
    assert sent(Response(200, reader=reader)) is reader
    assert not reader.closed


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (json_response({"error": "Permission denied"}, 401), PermissionDenied),
        (json_response({"error": "Index not defined, add ..."}, 400), IndexNotDefined),
        (Response(204), InvalidResponse),
    ],
)
def test_stream_error_response_raises_typed_error(response: Response, kind: type[Exception]) -> None:
    flow = open_stream(PLACE, Filter())
    next(flow)
    with pytest.raises(kind):
        flow.send(response)


def test_other_content_type_closes_the_body_and_raises() -> None:
    reader = Reader()
    flow = open_stream(PLACE, Filter())
    next(flow)
    with pytest.raises(InvalidResponse, match="text/html"):
        flow.send(Response(200, {"content-type": "text/html"}, reader=reader))
    assert reader.closed


def test_invalid_filter_raises_before_sending() -> None:
    with pytest.raises(UsageError):
        next(open_stream(PLACE, Filter(limit_to_first=1)))


def test_wait_ends_after_its_time_or_on_interrupt() -> None:
    interrupt = Interrupt()
    interrupt.wait(0.001)
    assert not interrupt.is_set()
    caller = threading.Timer(0.02, interrupt.set)
    caller.start()
    started = time.monotonic()
    interrupt.wait(30)
    interrupt.wait(30)  # later waits end immediately too
    assert time.monotonic() - started < 5
    caller.join()


def test_late_interrupt_does_not_shorten_the_next_wait() -> None:
    interrupt, go = Interrupt(), threading.Event()
    requested = threading.Event()

    def work() -> str:
        requested.set()
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


def test_plain_token_needs_no_thread() -> None:
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


def test_refresh_error_is_raised_in_the_waiting_thread() -> None:
    class Source:
        def current_token(self, *, rejected: str | None = None) -> str:
            raise NetworkError("down")

    with pytest.raises(NetworkError, match="down"):
        InterruptibleCredentials(UserCredentials(Source()), Interrupt()).get()
