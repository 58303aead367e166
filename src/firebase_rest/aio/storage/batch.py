"""Run a coroutine function for many files, with a bounded number of tasks and one result for each file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from firebase_rest.aio.transport.callbacks import call
from firebase_rest.storage.batch import Result
from firebase_rest.storage.progress import reporting
from firebase_rest.types import ObjectMetadata

T = TypeVar("T")


async def run_batch(
    jobs: Sequence[tuple[str, T]],
    work: Callable[[str, T], Awaitable[ObjectMetadata | None]],
    workers: int,
    progress: Any,
    label: str,
) -> list[Result]:
    """Await `work(name, item)` for each job, at most `workers` at a time; see `storage.batch.run_batch`.

    If the calling task is cancelled, the jobs are cancelled too.
    """
    slots = asyncio.Semaphore(workers)
    done = 0

    async def run_job(name: str, item: T) -> Result:
        nonlocal done
        async with slots:
            try:
                result = Result(name, await work(name, item))
            except Exception as error:  # noqa: BLE001 - also an error in the program's own file object
                result = Result(name, error=error)
        done += 1
        await call(report, done, len(jobs))
        return result

    with reporting(None if callable(progress) else progress, label, files=True) as default_report:
        report = progress if callable(progress) else default_report
        tasks = [asyncio.ensure_future(run_job(name, item)) for name, item in jobs]
        try:
            return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
