"""Validate and call the program's functions and coroutine functions."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any, cast

from firebase_rest.errors import UsageError


def validate_async_handler(name: str, value: object) -> Callable[..., Any]:
    """Return a function or a coroutine function. Raises `UsageError`."""
    if callable(value):
        return cast("Callable[..., Any]", value)
    raise UsageError(f"{name} must be callable, got {type(value).__name__}.")


async def call(function: Callable[..., Any], *arguments: object) -> None:
    """Call a function, and await its result if it is awaitable.

    Raises `RuntimeError` if the function raises `CancelledError` because it waited for another task that was cancelled.
    """
    try:
        result = function(*arguments)
        if inspect.isawaitable(result):
            await result
    except asyncio.CancelledError as error:
        task: Any = asyncio.current_task()
        # Python 3.10 does not tell whether the current task was cancelled.
        if not hasattr(task, "cancelling") or task.cancelling():
            raise
        raise RuntimeError(f"{function!r} waited for a task that was cancelled.") from error
