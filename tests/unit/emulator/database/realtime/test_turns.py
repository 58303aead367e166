"""How much of what is ready the event loop does before it reads from connections again."""

from __future__ import annotations

import asyncio
import gc
import json
import weakref

from firebase_rest.emulator import Emulator
from firebase_rest.emulator.database.realtime import delivery
from firebase_rest.emulator.database.realtime.long_polling import LongPolling
from firebase_rest.emulator.database.realtime.turns import Turns, running_turns
from firebase_rest.emulator.database.realtime.websocket import serve_websocket
from firebase_rest.emulator.database.slices import finish
from firebase_rest.emulator.urls import RequestUrl
from support.waiting import LIMIT

URL = RequestUrl("ws", "127.0.0.1:9000", "/.ws", (("v", "5"), ("ns", "d")))
MANY = 200


async def most_per_iteration(done, limit=LIMIT):
    """Return the greatest increase of `len(done)` in one iteration of the event loop, until it is `MANY`."""
    most, end = 0, asyncio.get_running_loop().time() + limit
    while len(done) < MANY:
        before = len(done)
        await asyncio.sleep(0)
        most = max(most, len(done) - before)
        assert asyncio.get_running_loop().time() < end
    return most


def test_limited_number_of_functions_is_called_per_iteration_in_order():
    async def run():
        turns, done = Turns(3), []
        for number in range(MANY):
            turns.take(lambda number=number: done.append(number))
        assert done == [0, 1, 2]
        assert await most_per_iteration(done) == 3
        assert done == [*range(MANY)]
        turns.take(lambda: done.append("later"))
        assert "later" in done  # at once, because no other waits

    asyncio.run(run())


def test_write_does_not_wake_all_listeners_at_once():
    async def run():
        emulator, received = Emulator(), []
        session = emulator.sessions.open(URL.host, dict(URL.params))

        async def send(event):
            if '"a":"d"' in event.get("text", ""):
                received.append(event)

        queues = [asyncio.Queue() for _ in range(MANY)]
        listen = {"t": "d", "d": {"r": 1, "a": "q", "b": {"p": "/hot", "h": ""}}}
        for queue in queues:
            queue.put_nowait({"type": "websocket.connect"})
            queue.put_nowait({"type": "websocket.receive", "text": json.dumps(listen)})
        polling = LongPolling(emulator.sessions)
        serving = [
            asyncio.ensure_future(serve_websocket(emulator.sessions, polling, URL, queue.get, send)) for queue in queues
        ]
        for _ in range(100):
            await asyncio.sleep(0)
        write = {"t": "d", "d": {"r": 1, "a": "p", "b": {"p": "/hot", "d": 1}}}
        finish(session.receive_work(json.dumps(write)))
        assert await most_per_iteration(received) <= 8
        for queue in queues:
            queue.put_nowait({"type": "websocket.disconnect"})
        await asyncio.wait_for(asyncio.gather(*serving), LIMIT)

    asyncio.run(run())


def test_long_work_of_many_clients_shares_the_iterations(monkeypatch):
    monkeypatch.setattr(delivery, "_SLICE_SECONDS", 0)

    def work(done):
        yield
        done.append(None)

    async def run():
        done = []
        tasks = [asyncio.ensure_future(delivery.in_slices(work(done))) for _ in range(MANY)]
        assert await most_per_iteration(done) <= 4
        await asyncio.gather(*tasks)

    asyncio.run(run())


def test_other_threads_wake_a_task():
    async def run():
        subscribers = []
        added = delivery.watch(subscribers.append)
        await asyncio.get_running_loop().run_in_executor(None, subscribers[0])
        await asyncio.wait_for(added.wait(), LIMIT)

    asyncio.run(run())


def test_closed_event_loop_is_forgotten():
    async def run():
        assert running_turns() is running_turns()
        return weakref.ref(asyncio.get_running_loop())

    loop = asyncio.run(run())
    gc.collect()
    assert loop() is None
