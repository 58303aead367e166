"""Fixtures of the async client's tests: coroutine functions as tests, in debug mode, and no leaks."""

from __future__ import annotations

import asyncio
import gc
import inspect
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from firebase_rest.emulator import Emulator, Server
from support.process_state import clear_environment, open_sockets, shorten_pauses
from support.waiting import wait_for

pytest.importorskip("aiohttp")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    clear_environment(monkeypatch)
    shorten_pauses(monkeypatch)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine function in an event loop in debug mode. It fails if it leaves tasks or sockets behind."""
    function: Callable[..., Any] = pyfuncitem.obj
    if not inspect.iscoroutinefunction(function):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    arguments = {name: pyfuncitem.funcargs[name] for name in names}
    problems: list[dict[str, Any]] = []

    async def run() -> None:
        loop = asyncio.get_running_loop()
        loop.slow_callback_duration = 60
        loop.set_exception_handler(lambda _, context: problems.append(context))
        before = open_sockets()
        await function(**arguments)
        await settled(lambda: len(asyncio.all_tasks()) == 1, "the end of all tasks")
        gc.collect()
        await settled(lambda: open_sockets() <= before, f"at most {before} sockets")

    asyncio.run(run(), debug=True)
    assert not problems, problems
    wait_for(lambda: not workers(), description="the end of all threads")
    return True


def workers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("firebase_rest")]


async def settled(condition: Callable[[], object], description: str, limit: float = 20) -> None:
    """Wait until a condition is true."""
    end = asyncio.get_running_loop().time() + limit
    while not condition():
        assert asyncio.get_running_loop().time() < end, f"timed out waiting for {description}: {asyncio.all_tasks()}"
        await asyncio.sleep(0.005)


@pytest.fixture(scope="session")
def emulator() -> Emulator:
    return Emulator("demo")


@pytest.fixture(scope="session")
def server(emulator: Emulator) -> Iterator[Server]:
    with emulator.serve() as server:
        yield server


@pytest.fixture
def config(emulator: Emulator, server: Server) -> dict[str, Any]:
    """The configuration for the empty emulator."""
    emulator.reset()
    return server.config
