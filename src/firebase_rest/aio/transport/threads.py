"""Run blocking code in a thread, beside the event loop."""

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
    """Return or raise what `work` does. The thread continues if the task is cancelled.

    Not `asyncio.to_thread`: its few threads also resolve host names, for which `work` may wait.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is None:
            done.set_result(cast(T, result))
        else:
            done.set_exception(error)

    def run() -> None:
        result: T | None = None
        problem: BaseException | None = None
        try:
            result = work(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - raised again in the task
            problem = error
        with suppress(RuntimeError):  # the loop was closed
            loop.call_soon_threadsafe(settle, result, problem)

    # As with `asyncio.to_thread`, the program's context variables have their values.
    context = contextvars.copy_context()
    if start_thread(lambda: context.run(run), "firebase_rest worker") is None:
        run()
    return await done


def wait_for(loop: asyncio.AbstractEventLoop, work: Any) -> Any:
    """Return the result of a coroutine that runs in `loop`, in another thread than the loop's."""
    return asyncio.run_coroutine_threadsafe(work, loop).result()
