"""Run blocking code in a thread, so that it does not block the event loop."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ParamSpec, TypeVar, cast

from firebase_rest.transport.lifecycle import start_thread

P = ParamSpec("P")
T = TypeVar("T")


async def run_in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `work` in a thread, and return its result. The thread continues if the task is cancelled.

    `asyncio.to_thread` is not used, because its few threads also resolve host names, for which `work` may wait.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def set_outcome(result: T | None, error: BaseException | None) -> None:
        if future.cancelled():
            return
        if error is None:
            future.set_result(cast(T, result))
        else:
            future.set_exception(error)

    def run() -> None:
        result: T | None = None
        error: BaseException | None = None
        try:
            result = work(*args, **kwargs)
        except BaseException as raised:  # noqa: BLE001 - raised again in the task
            error = raised
        with suppress(RuntimeError):  # the loop was closed
            loop.call_soon_threadsafe(set_outcome, result, error)

    # As with `asyncio.to_thread`, the program's context variables are available in the thread.
    context = contextvars.copy_context()
    if start_thread(lambda: context.run(run), "firebase_rest worker") is None:
        run()
    return await future


def wait_for(loop: asyncio.AbstractEventLoop, work: Any) -> Any:
    """Run a coroutine in `loop` from another thread, and return its result."""
    return asyncio.run_coroutine_threadsafe(work, loop).result()
