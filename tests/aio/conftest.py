"""Fixtures of the async client's tests: coroutine functions as tests, in debug mode, and no leaks."""

from __future__ import annotations

import asyncio
import gc
import inspect
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from firebase_rest.database import event_stream
from firebase_rest.emulator import Emulator, Server
from firebase_rest.transport import retries
from support.waiting import wait_for

pytest.importorskip("aiohttp")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "MIN_RECONNECT_INTERVAL", 0.0)
    monkeypatch.setattr(retries, "BASE", 0.001)
    monkeypatch.setattr(retries, "CAP", 0.01)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for service in ("AUTH", "DATABASE", "STORAGE"):
        monkeypatch.delenv(f"FIREBASE_{service}_EMULATOR_HOST", raising=False)


def sockets() -> int:
    """Return the number of open sockets of this process; 0 on systems that do not list them."""
    count = 0
    if not Path("/proc/self/fd").exists():
        return count
    for link in Path("/proc/self/fd").iterdir():
        with suppress(OSError):
            count += str(link.readlink()).startswith("socket:")
    return count


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
        before = sockets()
        await function(**arguments)
        await settled(lambda: len(asyncio.all_tasks()) == 1, "the end of all tasks")
        gc.collect()
        await settled(lambda: sockets() <= before, f"at most {before} sockets")

    asyncio.run(run(), debug=True)
    assert not problems, problems
    wait_for(lambda: not workers(), what="the end of all threads")
    return True


def workers() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("firebase_rest")]


async def settled(condition: Callable[[], object], what: str, limit: float = 20) -> None:
    """Wait until a condition is true."""
    end = asyncio.get_running_loop().time() + limit
    while not condition():
        assert asyncio.get_running_loop().time() < end, f"timed out waiting for {what}: {asyncio.all_tasks()}"
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
