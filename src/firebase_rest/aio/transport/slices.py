"""Run long computations in slices. The event loop runs other tasks between two slices."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import TypeVar, cast

from firebase_rest.transport.wire import without_garbage_collection

T = TypeVar("T")


async def run_in_slices(slices: Generator[None, None, T]) -> T:
    """Return the result of a generator, and let other tasks run at each `yield`."""
    try:
        while True:
            # Garbage collection would traverse all objects of the result, which takes longer than a slice.
            with without_garbage_collection():
                next(slices)
            await asyncio.sleep(0)
    except StopIteration as done:
        return cast(T, done.value)
