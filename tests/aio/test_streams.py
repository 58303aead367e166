"""Streams and live copies of the async client."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sys
from typing import Any

import pytest

from firebase_rest import PermissionDenied, StopStream, UsageError, aio
from firebase_rest.aio.database import sliced_json
from firebase_rest.aio.database.sliced_json import parse_in_slices
from support.scripted_server import Peer, ScriptedServer

from .conftest import settled


async def test_stream_is_an_asynchronous_iterator(config):
    async with aio.initialize_app(config) as app:
        ref = app.database().child("a")
        await ref.set({"x": 1})
        async with ref.stream() as events:
            async for event in events:
                if event.path == "/":
                    assert event.data == {"x": 1}
                    await ref.child("y").set(2)
                else:
                    assert (event.event, event.path, event.data) == ("put", "/y", 2)
                    break
        assert events.state == "closed"


@pytest.mark.parametrize("kind", ["function", "coroutine function"])
async def test_handlers_may_be_functions_or_coroutine_functions(config, kind):
    seen = []

    async def asynchronous(message):
        await asyncio.sleep(0)
        seen.append(message)

    async with aio.initialize_app(config) as app:
        ref = app.database().child("a")
        handler = seen.append if kind == "function" else asynchronous
        async with await ref.stream(handler, stream_id="s") as stream:
            await settled(lambda: seen, "the first event")
            await ref.set(5)
            await settled(lambda: len(seen) > 1, "the second event")
        assert seen[-1] == {"path": "/", "data": 5, "event": "put", "stream_id": "s"}
        assert not stream.is_alive()


async def test_stream_without_a_task_returns_when_a_handler_stops_it(config):
    async def handler(message):
        raise StopStream

    async with aio.initialize_app(config) as app:
        stream = await app.database().child("a").stream(handler, is_async=False)
        assert stream.state == "closed"


async def test_exceptions_of_handlers_are_passed_to_on_error(config):
    errors, seen = [], []

    async def handler(message):
        seen.append(message)
        raise ZeroDivisionError

    async with aio.initialize_app(config) as app:
        ref = app.database().child("a")
        async with await ref.stream(handler, on_error=errors.append):
            await settled(lambda: errors, "the first error")
            await ref.set(1)
            await settled(lambda: len(errors) > 1, "the second error")
    assert len(seen) == 2
    assert all(isinstance(error, ZeroDivisionError) for error in errors)


async def test_handler_can_close_its_stream_and_the_app(config):
    app = aio.initialize_app(config)
    closed = asyncio.Event()

    async def handler(message):
        await app.close()
        closed.set()

    stream = await app.database().child("a").stream(handler)
    await asyncio.wait_for(closed.wait(), 20)
    await settled(stream.task.done, "the end of the task")


async def test_denied_stream_raises(emulator, config):
    emulator.set_database_rules('{"rules": {".read": false}}')
    try:
        async with aio.initialize_app(config) as app:
            with pytest.raises(PermissionDenied):
                async for _ in app.database().child("a").stream():
                    pass
            with pytest.raises(PermissionDenied):
                async with app.database().child("a").live():
                    pass
    finally:
        emulator.set_database_rules(None)


async def test_stream_reconnects_and_resyncs():
    def script(peer: Peer) -> None:
        peer.read_request()
        number = len(peer.server.requests)
        body = f'event: put\ndata: {{"path":"/","data":{number}}}\n\n'
        peer.send(f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n{body}")

    with ScriptedServer(script) as server:
        async with aio.initialize_app({"databaseURL": server.url}) as app, app.database().stream() as events:
            changes = [(event.data, event.resync) async for event in _first(events, 3)]
    assert changes == [(1, False), (2, True), (3, True)]


async def _first(events, count):
    async for event in events:
        yield event
        count -= 1
        if not count:
            return


async def test_live_copy_reports_changes(config):
    async with aio.initialize_app(config) as app:
        ref = app.database().child("users")
        await ref.set({"ada": 1, "bob": 2})
        async with ref.live() as copy:
            assert copy.value == {"ada": 1, "bob": 2}
            changes = []
            async for change in copy.changes():
                changes.append((change.kind, change.snapshot.key(), change.previous_key))
                if change.kind == "value" and len(changes) == 3:
                    await ref.update({"ada": None, "eve": 3})
                elif change.kind == "value":
                    break
            assert changes == [
                ("child_added", "ada", None),
                ("child_added", "bob", "ada"),
                ("value", "users", None),
                ("child_removed", "ada", None),
                ("child_added", "eve", "bob"),
                ("value", "users", None),
            ]
            assert await copy.wait_until(lambda value: value == {"bob": 2, "eve": 3}, 20)


async def test_live_copy_calls_callbacks_one_after_the_other(config):
    async with aio.initialize_app(config) as app:
        ref = app.database().child("n")
        copy = await ref.live()
        running, seen = [], []

        async def callback(snapshot):
            assert not running
            running.append(1)
            await asyncio.sleep(0)  # lets a second call overlap, if there is one
            seen.append(snapshot.val())
            running.pop()

        remove = await copy.on_value(callback)
        for number in range(5):
            await ref.set(number)
        await settled(lambda: seen[-1] == 4, "the last value")
        remove()
        await ref.set(9)
        await copy.wait_until(lambda value: value == 9, 20)
        assert 9 not in seen
        with pytest.raises(UsageError, match="callback"):
            await _wait_in_callback(copy)
        await copy.close()


async def _wait_in_callback(copy):
    problem = []

    async def callback(_):
        try:
            await copy.wait_until(lambda _: True, 1)
        except UsageError as error:
            problem.append(error)

    await copy.on_value(callback)
    raise problem[0]


async def test_changes_end_when_the_copy_is_closed(config):
    async with aio.initialize_app(config) as app:
        copy = await app.database().child("a").live()
        kinds = []

        async def follow():
            kinds.extend([change.kind async for change in copy.changes()])

        task = asyncio.create_task(follow())
        await asyncio.sleep(0.01)
        await copy.close()
        await asyncio.wait_for(task, 20)
        assert kinds == ["value"]


async def test_failed_live_copy_is_logged(emulator, config, caplog):
    async with aio.initialize_app(config) as app:
        copy = await app.database().child("a").live()
        emulator.set_database_rules('{"rules": {".read": false}}')
        try:
            with caplog.at_level(logging.ERROR):
                await settled(lambda: not copy.is_alive(), "the end of the copy")
                await settled(lambda: "has ended" in caplog.text, "the log record")
        finally:
            emulator.set_database_rules(None)


# --- large events ----------------------------------------------------------------------------------------------------


def parsed(text):
    slices = parse_in_slices(text)
    try:
        while True:
            next(slices)
    except StopIteration as done:
        return done.value


def random_value(rng, depth):
    kind = rng.random()
    if depth == 0 or kind < 0.3:
        return rng.choice([None, True, 1, -2.5e3, 12345678901234567890, 'a"b\\é', "", " \n"])
    if kind < 0.7:
        return {f'k{rng.randrange(99)}"é': random_value(rng, depth - 1) for _ in range(rng.randrange(6))}
    return [random_value(rng, depth - 1) for _ in range(rng.randrange(6))]


@pytest.mark.parametrize("window", [1, 2, 7, 30, 200])
def test_sliced_parser_agrees_with_json(monkeypatch, window):
    monkeypatch.setattr(sliced_json, "WINDOW", window)
    rng = random.Random(window)
    for _ in range(300):
        value = random_value(rng, 5)
        text = json.dumps(value, indent=rng.choice([None, 1]), ensure_ascii=rng.random() < 0.5)
        assert parsed(text) == value
        broken = text[: rng.randrange(len(text) + 1)] + rng.choice(["", "}", "]", ",", ":", "x", '"'])
        try:
            expected = json.loads(broken)
        except ValueError:
            with pytest.raises(ValueError, match=r"char \d+"):
                parsed(broken)
        else:
            assert parsed(broken) == expected


async def test_large_event_is_parsed_in_slices(config):
    data = {f"k{number:06}": {"name": "x" * 30, "n": number} for number in range(20_000)}
    assert len(json.dumps(data)) > 4 * sliced_json.WINDOW
    async with aio.initialize_app(config) as app:
        ref = app.database().child("large")
        await ref.set(data)
        async with ref.stream() as events:
            event = await anext(events)
            assert events.is_large
        assert event.data == data
        async with ref.live() as copy:
            assert copy.value == data


async def test_cancelled_wait_for_an_event_loses_no_event(config):
    async with aio.initialize_app(config) as app:
        ref = app.database().child("a")
        async with ref.stream() as events:
            assert (await anext(events)).data is None
            for value in range(3):
                with pytest.raises(asyncio.TimeoutError):
                    await asyncio.wait_for(anext(events), 0.01)
                await ref.set(value)
                assert (await anext(events)).data == value
            assert events.reconnects == 0


async def test_stream_whose_connecting_was_cancelled_connects_again():
    def script(peer: Peer) -> None:
        peer.read_request()
        if peer.number == 0:
            peer.hold()
        peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        peer.send('event: put\ndata: {"path":"/","data":1}\n\n')
        peer.hold()

    with ScriptedServer(script) as server:
        async with aio.initialize_app({"databaseURL": server.url}) as app, app.database().stream() as events:
            waiting = asyncio.ensure_future(anext(events))
            await settled(lambda: server.requests, "the first request")
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert (await anext(events)).data == 1


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.10 cannot tell whose task was cancelled")
async def test_handler_that_waits_for_a_cancelled_task_does_not_end_the_stream(config):
    received: list[Any] = []
    problems: list[Exception] = []

    async def handle(message: Any) -> None:
        received.append(message["data"])
        other = asyncio.ensure_future(asyncio.sleep(60))
        asyncio.get_running_loop().call_soon(other.cancel)
        await other

    async with aio.initialize_app(config) as app:
        ref = app.database().child("a")
        async with await ref.stream(handle, on_error=problems.append):
            await settled(lambda: received == [None], "the first event")
            await ref.set(1)
            await settled(lambda: len(problems) == 2, "both errors")
        assert received == [None, 1]
        assert "was cancelled" in str(problems[0])
