"""Run a function for many files, with a bounded number of threads and one result for each file."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from firebase_rest.errors import UsageError
from firebase_rest.storage.progress import Progress, reporting
from firebase_rest.transport.lifecycle import Closable, start_thread
from firebase_rest.types import ObjectMetadata

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Result:
    """The result for one file: the metadata of an upload, or the error; both are `None` after a download."""

    name: str
    metadata: ObjectMetadata | None = None
    error: Exception | None = None

    @property
    def ok(self) -> bool:
        """Whether there was no error."""
        return self.error is None


def run_batch(
    jobs: Sequence[tuple[str, T]],
    work: Callable[[str, T], ObjectMetadata | None],
    workers: int,
    progress: Progress,
    label: str,
) -> list[Result]:
    """Call `work(name, item)` for each job in `workers` threads.

    Args:
        jobs: Pairs of name and item.
        work: Returns the metadata of the result. Exceptions become the error of the result.
        workers: Maximum number of threads.
        progress: Counts files.
        label: The label of the progress.

    Returns:
        The results in the order of the jobs. An interruption cancels the jobs that have not started.
    """

    def run_job(name: str, item: T) -> Result:
        try:
            return Result(name, work(name, item))
        except Exception as error:  # noqa: BLE001 - also an error in the program's own file object
            return Result(name, error=error)

    # Not concurrent.futures: its pools reject work after the main thread has ended, while streams still run.
    pending = deque(enumerate(jobs))
    finished: queue.SimpleQueue[tuple[int, Result | BaseException]] = queue.SimpleQueue()

    def run() -> None:
        with suppress(IndexError):
            while True:
                index, (name, item) = pending.popleft()
                try:
                    finished.put((index, run_job(name, item)))
                except BaseException as error:  # noqa: BLE001 - raised again in the calling thread
                    finished.put((index, error))

    results: dict[int, Result] = {}
    with reporting(progress, label, files=True) as report:
        started = [start_thread(run, f"firebase_rest storage {number}") for number in range(min(workers, len(jobs)))]
        threads = [thread for thread in started if thread is not None]  # None while the program exits
        try:
            if not threads:
                run()
            while len(results) < len(jobs):
                index, result = finished.get()
                if isinstance(result, BaseException):
                    raise result
                results[index] = result
                report(len(results), len(jobs))
        finally:
            pending.clear()
            for thread in threads:
                thread.join()
    return [results[index] for index in range(len(jobs))]


class LocalFolder(Closable):
    """The local folder of a `download_many`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._created: set[Path] = set()

    def close(self) -> None:
        """Remove the created folders that are empty."""
        for folder in sorted(self._created, key=lambda path: len(path.parts), reverse=True):
            with suppress(OSError):
                folder.rmdir()

    def create_path(self, name: str) -> Path:
        """Return the local path of an object, and create its folders. Raises `UsageError` for a path outside."""
        root = self._path.resolve()
        path = root.joinpath(*name.split("/"))
        if not path.resolve().is_relative_to(root) or path.resolve() == root or "\\" in name or "\0" in name:
            raise UsageError(f"{name!r} is outside of the folder {str(self._path)!r}; download it to another path.")
        self._created.update(parent for parent in path.parents if not parent.exists())
        path.parent.mkdir(parents=True, exist_ok=True)
        return path
