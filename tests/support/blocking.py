"""The async client behind a blocking interface, so that one test body runs for both clients.

`BlockingApp(AsyncApp)` runs an event loop in a thread. Objects of `firebase_rest.aio` are wrapped: calls of coroutine
functions block, and asynchronous iterators become plain iterators.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import firebase_rest
from firebase_rest import aio

LIMIT = 60.0
"""Seconds for one call, after which a test fails."""


def clients_of(metafunc: pytest.Metafunc) -> list[str]:
    """Return the clients that a test of a module with `CLIENTS = ("blocking", "async")` runs for.

    Slow tests run for the async client only if ALL_CLIENTS is set, as by `make judge`.
    """
    marked = metafunc.definition.get_closest_marker
    if marked("blocking_client") or (marked("slow") and not os.environ.get("ALL_CLIENTS")):
        return ["blocking"]
    return list(getattr(metafunc.module, "CLIENTS", ["blocking"]))


class LoopThread:
    """An event loop in a thread. `problems` has the errors that its exception handler received."""

    def __init__(self, *, debug: bool = True) -> None:
        self.loop = asyncio.new_event_loop()
        self.loop.set_debug(debug)
        self.loop.slow_callback_duration = 60
        self.problems: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, context: self.problems.append(context))
        self._thread = threading.Thread(target=self.loop.run_forever, name="test event loop", daemon=True)
        self._thread.start()

    def run(self, work: Callable[[], Any]) -> Any:
        """Call `work` in the loop, await an awaitable result, and return or raise the outcome."""

        async def call() -> Any:
            result = work()
            return await result if inspect.isawaitable(result) else result

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(LIMIT)

    def tasks(self) -> list[asyncio.Task[Any]]:
        """Return the unfinished tasks except the current one."""

        def find() -> list[asyncio.Task[Any]]:
            return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

        return list(self.run(find))

    def close(self) -> None:
        """Stop the loop. Raises AssertionError for anything that its exception handler received."""
        self.run(self.loop.shutdown_asyncgens)
        self.run(self.loop.shutdown_default_executor)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(LIMIT)
        self.loop.close()
        assert not self.problems, self.problems


class TaskThread:
    """The task of an `AsyncStream` in place of the thread of a `Stream`."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self._task = task

    def is_alive(self) -> bool:
        return not self._task.done()

    def join(self, timeout: float = LIMIT) -> None:
        end = time.monotonic() + timeout
        while self.is_alive() and time.monotonic() < end:
            time.sleep(0.002)


class Blocking:
    """A wrapped object of the async client."""

    def __init__(self, target: Any, thread: LoopThread) -> None:
        object.__setattr__(self, "_target", target)
        object.__setattr__(self, "_thread", thread)

    def __getattr__(self, name: str) -> Any:
        thread, target = self._thread, self._target
        if name == "thread" and hasattr(target, "task"):
            return TaskThread(target.task)
        value = thread.run(lambda: getattr(target, name))
        if not callable(value) or isinstance(value, type):
            return wrapped(value, thread)

        def call(*arguments: Any, **keywords: Any) -> Any:
            positional = [unwrapped(item) for item in arguments]
            by_name = {key: unwrapped(item) for key, item in keywords.items()}
            result = thread.run(lambda: value(*positional, **by_name))
            return self if result is target else wrapped(result, thread)

        return call

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._target, name, unwrapped(value))

    def __enter__(self) -> Any:
        return wrapped(self._thread.run(self._target.__aenter__), self._thread)

    def __exit__(self, *error: object) -> None:
        self._thread.run(lambda: self._target.__aexit__(*error))

    def __iter__(self) -> Iterator[Any]:
        iterator = self._target.__aiter__()
        end = object()

        async def next_item() -> Any:
            return await anext(iterator, end)

        while (item := self._thread.run(next_item)) is not end:
            yield wrapped(item, self._thread)

    def __next__(self) -> Any:
        try:
            return wrapped(self._thread.run(self._target.__anext__), self._thread)
        except StopAsyncIteration:
            raise StopIteration from None

    def __eq__(self, other: object) -> bool:
        return bool(self._target == unwrapped(other))

    def __hash__(self) -> int:
        return hash(self._target)

    def __repr__(self) -> str:
        return repr(self._target)


def wrapped(value: Any, thread: LoopThread) -> Any:
    """Wrap an object of the async client, or an asynchronous iterator; return anything else as it is."""
    if isinstance(value, tuple | list) and type(value) in (tuple, list):
        return type(value)(wrapped(item, thread) for item in value)
    is_ours = type(value).__module__.startswith("firebase_rest.aio")
    return Blocking(value, thread) if is_ours or inspect.isasyncgen(value) else value


def unwrapped(value: Any) -> Any:
    return value._target if isinstance(value, Blocking) else value


class _Settings:
    """Replaces the `requests.Session` of an App: `verify` is the path of the CA certificates."""

    def __init__(self, transport: Any) -> None:
        object.__setattr__(self, "_transport", transport)

    def __setattr__(self, name: str, value: str) -> None:
        assert name == "verify"
        self._transport._tls = ssl.create_default_context(cafile=value)


class BlockingApp(Blocking):
    """A wrapped `AsyncApp` with its own event loop, which `stop()` ends."""

    def __init__(self, create: Callable[[], Any]) -> None:
        thread = LoopThread()
        try:
            app = thread.run(create)
        except BaseException:
            thread.close()
            raise
        super().__init__(app, thread)

    @property
    def requests(self) -> _Settings:
        return _Settings(self._target._transport)

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close the App, and end its event loop."""
        thread = self._thread
        if not thread.loop.is_closed():
            thread.run(self._target.close)
            thread.close()


def create_app(client: str, config: Any, **options: Any) -> Any:
    """Return an App of the "blocking" or the "async" client."""
    if client == "async":
        return BlockingApp(lambda: aio.initialize_app(config, **options))
    return firebase_rest.initialize_app(config, **options)


def close_app(app: Any) -> None:
    if isinstance(app, BlockingApp):
        app.stop()
    else:
        app.close()
