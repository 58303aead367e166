"""`stream(handler)`: messages, exceptions and callbacks."""

from __future__ import annotations

import functools
import queue
import threading
from decimal import Decimal

import pytest

from firebase_rest import initialize_app
from firebase_rest.errors import (
    ConfigError,
    InvalidResponse,
    NetworkTimeout,
    PermissionDenied,
    StopStream,
    StreamError,
    UsageError,
)
from support.stream_server import StreamPeer, StreamServer, fin, put
from support.waiting import LIMIT, wait_for

CLIENTS = ("blocking", "async")


@pytest.mark.blocking_client
def test_handler_gets_dicts_in_the_thread_of_the_stream(db):
    received = queue.Queue()
    stream = db.child("a").stream(lambda message: received.put((message, threading.current_thread())), stream_id="mine")
    assert received.get(timeout=LIMIT) == (
        {"event": "put", "path": "/", "data": None, "stream_id": "mine"},
        stream.thread,
    )
    db.child("a").update({"b": 1})
    message, _ = received.get(timeout=LIMIT)
    assert type(message) is dict
    assert message == {"event": "patch", "path": "/", "data": {"b": 1}, "stream_id": "mine"}
    assert not stream.thread.daemon
    assert stream.is_alive()
    assert stream.close() is stream
    stream.thread.join(LIMIT)
    assert not stream.thread.is_alive()
    assert not stream.is_alive()


@pytest.mark.blocking_client
def test_message_without_stream_id(db):
    received = queue.Queue()
    with db.stream(received.put, daemon=True) as stream:
        assert received.get(timeout=LIMIT) == {"event": "put", "path": "/", "data": None}
        assert stream.thread.daemon


def test_positional_arguments_are_those_of_pyrebase(db):
    received = queue.Queue()
    stream = db.child("a").stream(received.put, None, "third")
    assert received.get(timeout=LIMIT)["stream_id"] == "third"
    stream.close()


def test_query_streams_selected_children(db):
    db.set({"a": 1, "b": 2, "c": 3})
    received = queue.Queue()
    with db.order_by_value().limit_to_last(2).stream(received.put):
        assert received.get(timeout=LIMIT)["data"] == {"b": 2, "c": 3}
        db.child("d").set(4)
        assert received.get(timeout=LIMIT)["data"] == {"b": None, "d": 4}


@pytest.mark.blocking_client
def test_sync_stream_runs_until_stop_stream(db):
    received = []

    def handler(message):
        received.append((message["data"], threading.current_thread()))
        if len(received) == 2:
            raise StopStream
        db.child("a").set(2)

    db.child("a").set(1)
    stream = db.child("a").stream(handler, is_async=False)
    assert received == [(1, threading.main_thread()), (2, threading.main_thread())]
    assert stream.thread is None
    assert not stream.is_alive()


@pytest.mark.blocking_client
def test_sync_stream_runs_until_app_close(connect):
    with StreamServer(put(1)) as server:
        app = connect(server.url)
        stream = app.database().stream(lambda message: app.close(), is_async=False)
        assert stream.state == "closed"


def test_sync_stream_raises_its_error(connect):
    with (
        StreamServer(lambda peer: peer.respond_error(401, "Permission denied")) as server,
        pytest.raises(PermissionDenied),
    ):
        connect(server.url).database().stream(print, is_async=False)


def test_stop_stream_ends_the_stream(db):
    def handler(message):
        raise StopStream

    stream = db.stream(handler)
    stream.thread.join(LIMIT)
    assert not stream.is_alive()


def test_handler_exception_is_passed_to_on_error(db):
    received, errors = queue.Queue(), queue.Queue()

    def handler(message):
        if message["path"] == "/":
            raise ZeroDivisionError("of the program")
        received.put(message)

    with db.stream(handler, on_error=errors.put):
        assert str(errors.get(timeout=LIMIT)) == "of the program"
        db.child("a").set(1)
        assert received.get(timeout=LIMIT)["path"] == "/a"


@pytest.mark.blocking_client
def test_handler_exception_is_logged_without_on_error(db, caplog):
    received = queue.Queue()

    def handler(message):
        received.put(message)
        raise ZeroDivisionError("of the program")

    with db.child("a").stream(handler):
        received.get(timeout=LIMIT)
        wait_for(lambda: "Traceback" in caplog.text)
    assert "The handler of <Stream of /a, open> failed" in caplog.text
    assert "ZeroDivisionError: of the program" in caplog.text


def test_exception_in_on_error_is_logged(db, caplog):
    with db.stream(lambda message: 1 / 0, on_error=lambda error: error.nothing):
        wait_for(lambda: "on_error of" in caplog.text)
        assert "AttributeError" in caplog.text


def test_final_error_is_passed_to_on_error(server, db):
    errors, received = queue.Queue(), queue.Queue()
    stream = db.stream(received.put, on_error=errors.put)
    received.get(timeout=LIMIT)
    server.emulator.faults.cancel()
    error = errors.get(timeout=LIMIT)
    assert isinstance(error, PermissionDenied)
    stream.thread.join(LIMIT)
    assert stream.last_error is error
    assert stream.state == "closed"


@pytest.mark.blocking_client
def test_unexpected_exception_is_passed_to_on_error(connect):
    errors = queue.Queue()
    with StreamServer(put(1)) as server:
        app = connect(server.url)
        app.requests.hooks["response"].append(lambda *_, **__: {}["a hook of the program"])
        stream = app.database().stream(print, on_error=errors.put)
        assert isinstance(errors.get(timeout=LIMIT), KeyError)
        stream.thread.join(LIMIT)
        assert not stream.is_alive()


@pytest.mark.parametrize("config", [{}, {"databaseURL": "https://a.firebaseio.com", "serviceAccount": {"type": "?"}}])
def test_missing_configuration_raises_and_is_reported(config):
    errors = queue.Queue()
    with initialize_app(config) as app:
        with pytest.raises(ConfigError), app.database().stream() as events:
            next(events)
        with pytest.raises(ConfigError):
            app.database().live(on_error=errors.put)
        app.database().stream(print, on_error=errors.put).thread.join(LIMIT)
    assert [type(errors.get_nowait()) for _ in range(2)] == [ConfigError, ConfigError]


def test_max_retries_ends_with_stream_error(connect):
    errors = queue.Queue()
    with StreamServer(lambda peer: peer.respond_error(503)) as server:
        stream = connect(server.url).database().stream(print, on_error=errors.put, max_retries=2)
        assert isinstance(errors.get(timeout=LIMIT), StreamError)
        stream.thread.join(LIMIT)
    assert len(server.requests) == 3


@pytest.mark.blocking_client
def test_stream_shows_its_state(connect):
    received, states = queue.Queue(), []
    with StreamServer(put(1, fin), put(2)) as server:
        with connect(server.url).database().child("a").stream(received.put, on_state=states.append) as stream:
            assert repr(stream).startswith("<Stream of /a, ")
            assert [received.get(timeout=LIMIT)["data"] for _ in range(2)] == [1, 2]
            assert (stream.state, stream.reconnects, stream.is_alive()) == ("open", 1, True)
            assert stream.last_error is not None
            assert "/a" in stream.thread.name
        stream.thread.join(LIMIT)
    assert states == ["connecting", "open", "waiting", "connecting", "open", "closed"]


def test_events_arrive_once_in_write_order(server, db):
    received = queue.Queue()
    with db.child("n").stream(received.put):
        received.get(timeout=LIMIT)
        for number in range(200):
            db.child("n", number).set(number)
        assert [received.get(timeout=LIMIT)["data"] for _ in range(200)] == list(range(200))
        assert received.empty()


def test_deletions_while_disconnected_reach_the_handler(server, db):
    db.child("p").set({"a": 1, "b": 2})
    received = queue.Queue()
    with db.child("p").stream(received.put) as stream:
        received.get(timeout=LIMIT)
        server.emulator.faults.reject(3)
        server.emulator.faults.drop(how="rst")
        db.child("p", "b").remove()
        assert received.get(timeout=LIMIT) == {"event": "put", "path": "/", "data": {"a": 1}}
        assert stream.reconnects == 4


@pytest.mark.blocking_client
def test_slow_handler_loses_no_events(connect):
    go, received = threading.Event(), []

    def burst(peer):
        for number in range(50):
            peer.send_event("put", f"/{number}", number)
        StreamPeer.hold(peer)

    def handler(message):
        go.wait(LIMIT)
        received.append(message["data"])

    with StreamServer(put(None, burst)) as server, connect(server.url).database().stream(handler):
        go.set()
        wait_for(lambda: len(received) == 51)
    assert received == [None, *range(50)]


def test_closed_stream_is_not_alive(connect):
    with StreamServer(put(1)) as server:
        for _ in range(20):
            stream = connect(server.url).database().stream(lambda _: None)
            assert stream.close().state == "closed"
            assert not stream.is_alive()


@pytest.mark.parametrize("start", ["stream", "live"])
def test_closed_app_opens_no_stream(connect, start):
    with StreamServer(put(1)) as server:
        app = connect(server.url)
        app.close()
        with pytest.raises(UsageError, match="The App is closed"):
            getattr(app.database(), start)()
        assert not server.times


def test_live_timeout_shows_the_connection_error(connect):
    with StreamServer(put(1)) as server:
        url = server.url
    with pytest.raises(NetworkTimeout, match=r"Timed out after 0.3 s.*Last error: .*refused"):
        connect(url).database().live(timeout=0.3)


async def coroutine_function(*_: object) -> None:
    """Would never run."""


async def generator_function(*_: object):
    yield


class AsyncCall:
    async def __call__(self, *_: object) -> None:
        """Would never run."""

    async def method(self, *_: object) -> None:
        """Would never run."""


COROUTINES = {
    "function": coroutine_function,
    "generator": generator_function,
    "method": AsyncCall().method,
    "object": AsyncCall(),
    "partial": functools.partial(coroutine_function, 1),
    "partial of an object": functools.partial(AsyncCall(), 1),
    "lambda": functools.partial(functools.partial(AsyncCall().method, 1), 2),
}


@pytest.mark.parametrize("function", COROUTINES.values(), ids=COROUTINES)
@pytest.mark.blocking_client
def test_coroutine_functions_as_callbacks_raise(db, function):
    with db.live() as live:
        for use, name in (
            (lambda: db.stream(function), "stream_handler"),
            (lambda: db.stream(print, on_error=function), "on_error"),
            (lambda: db.stream(print, on_state=function), "on_state"),
            (lambda: db.stream(on_state=function), "on_state"),
            (lambda: db.live(on_error=function), "on_error"),
            (lambda: db.live(on_state=function), "on_state"),
            (lambda: live.on_value(function), "callback"),
            (lambda: live.on_child_added(function), "callback"),
            (lambda: live.wait_until(function, 1), "predicate"),
            (lambda: db.transaction(function), "update"),
        ):
            with pytest.raises(UsageError, match=f"{name} must be a plain function, got a coroutine function"):
                use()


@pytest.mark.parametrize("handler", ["eyJhbGciOi.secret.token", {"idToken": "secret"}, 5, b"secret"])
def test_token_as_handler_raises_without_showing_it(db, handler):
    with pytest.raises(UsageError, match=r"must be callable, got \w+; pass a token as stream\(token=...\)") as caught:
        db.stream(handler)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("value", ["3", -1, True, 1.5, float("nan"), [], object()])
def test_stream_limits_must_be_integers(db, value):
    for use in (
        lambda: db.stream(max_retries=value),
        lambda: db.stream(print, max_retries=value),
        lambda: db.live(max_retries=value),
    ):
        with pytest.raises(UsageError, match="max_retries must be a whole number >= 0"):
            use()


@pytest.mark.parametrize("value", [None, "3", -1, True, float("nan"), [], 1j, Decimal(3)])
def test_live_timeouts_must_be_seconds(db, value):
    with db.live() as live:
        for use in (lambda: db.live(timeout=value), lambda: live.wait_until(print, value)):
            with pytest.raises(UsageError, match="timeout must be a number of seconds >= 0"):
                use()
        assert live.wait_until(lambda _: True, float("inf")) is None


def test_event_beyond_the_maximum_size_ends_the_stream(connect):
    with StreamServer(put("x" * 2000)) as server:
        db = connect(server.url, max_response_size=1000).database()
        with db.stream() as events, pytest.raises(StreamError, match="more than 1000 bytes"):
            next(events)
        with pytest.raises(StreamError, match="more than 1000 bytes"):
            db.live()
    assert len(server.requests) == 2


def test_deeply_nested_data_ends_live_query(connect):
    value: object = 1
    for _ in range(900):
        value = {"a": value}
    with StreamServer(put(value)) as server, pytest.raises(InvalidResponse, match="nested deeper"):
        connect(server.url).database().live()


def test_content_type_with_token_is_not_shown(connect):
    def echo(peer: StreamPeer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/eyJ.secret.token\r\nContent-Length: 0\r\n\r\n")

    with StreamServer(echo) as server:
        events = connect(server.url).database().stream(token="eyJ.secret.token", max_retries=0)
        with events, pytest.raises(StreamError, match="got another content type") as caught:
            next(events)
    assert "secret" not in f"{caught.value!r} {events.last_error!r}"


@pytest.mark.blocking_client
def test_error_for_a_coroutine_function_names_the_async_client(db):
    async def handler(message): ...

    with pytest.raises(UsageError, match=r"firebase_rest\.aio"):
        db.stream(handler)
