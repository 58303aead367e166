"""Many files at once, by a bounded number of workers, with a result for each.

The law of this file: one file's failure is its result and stops no other.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any, TypeVar, cast

from firebase_rest.errors import UsageError
from firebase_rest.storage.progress import Progress, reporting
from firebase_rest.transport.lifecycle import start_thread
from firebase_rest.types import ObjectMetadata

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one file: `error` is None if it went well, and then an upload has `metadata`."""

    name: str
    metadata: ObjectMetadata | None = None
    error: Exception | None = None

    @property
    def ok(self) -> bool:
        """Whether it went well."""
        return self.error is None


def run_batch(
    jobs: Sequence[tuple[str, T]],
    work: Callable[[str, T], ObjectMetadata | None],
    workers: int,
    progress: Progress,
    label: str,
) -> list[Result]:
    """`work(name, item)` for each job, `workers` at a time; the results in the order of the jobs.

    `progress` gets the number of files that are done. An interruption ends what has not begun yet.
    """

    def one(name: str, item: T) -> Result:
        try:
            return Result(name, work(name, item))
        except Exception as error:  # noqa: BLE001 - also what a program's own file or iterator raises is one file's
            return Result(name, error=error)

    # Plain threads: concurrent.futures takes no more work once the main thread has ended, and streams go on then.
    pending = deque(enumerate(jobs))
    finished: SimpleQueue[tuple[int, Result | BaseException]] = SimpleQueue()

    def run() -> None:
        with suppress(IndexError):
            while True:
                number, (name, item) = pending.popleft()
                try:
                    finished.put((number, one(name, item)))
                except BaseException as error:  # noqa: BLE001 - raised again in the thread that waits
                    finished.put((number, error))

    results: dict[int, Result] = {}
    with reporting(progress, label, files=True) as report:
        started = [start_thread(run, f"firebase_rest storage {number}") for number in range(min(workers, len(jobs)))]
        threads = [thread for thread in started if thread is not None]
        try:
            if not threads:
                run()
            while len(results) < len(jobs):
                number, result = finished.get()
                if isinstance(result, BaseException):
                    raise result
                results[number] = result
                report(len(results), len(jobs))
        finally:
            pending.clear()
            for thread in threads:
                thread.join()
    return [results[number] for number in range(len(jobs))]


def pairs(files: object, what: str) -> list[tuple[str, Any]]:
    """A dict, or pairs. Raises `UsageError`."""
    anything: Any = files
    entries: Any = anything.items() if isinstance(files, Mapping) else anything
    if not is_list(entries):
        raise UsageError(f"{what} or pairs of both, not {_kind(anything)}.")
    found: list[tuple[str, Any]] = []
    for entry in cast("Any", entries):
        if not isinstance(entry, tuple) or len(cast("Any", entry)) != 2:
            raise UsageError(f"{what} or pairs of both; {_kind(cast('object', entry))} is neither.")
        found.append(cast("tuple[str, Any]", entry))
    return found


def is_list(value: object) -> bool:
    """Whether `value` has items, and is no text."""
    return isinstance(value, Iterable) and not isinstance(value, (str, bytes))


def _kind(value: object) -> str:
    return type(value).__name__


def local_file(folder: Path, name: str, created: set[Path]) -> Path:
    """The local path of an object below a folder; the folders made for it are added to `created`.

    Raises `UsageError` for a name that leads out of the folder.
    """
    root = folder.resolve()
    path = root.joinpath(*name.split("/"))
    if not path.resolve().is_relative_to(root) or path.resolve() == root or "\\" in name or "\0" in name:
        raise UsageError(f"{name!r} leads out of the folder {str(folder)!r}. Download it to a path of your choice.")
    created.update(parent for parent in path.parents if not parent.exists())
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def remove_empty(folders: set[Path]) -> None:
    """Remove those folders that are empty."""
    for folder in sorted(folders, key=lambda path: len(path.parts), reverse=True):
        with suppress(OSError):
            folder.rmdir()
