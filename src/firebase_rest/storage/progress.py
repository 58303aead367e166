"""Report the progress of transfers to a callback, a progress bar or the log."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from firebase_rest.errors import UsageError
from firebase_rest.transport.arguments import validate_callable

Progress = Callable[[int, "int | None"], object] | bool | None
"""A callback (bytes done, total bytes or None), True for a bar or log lines, or None."""

Report = Callable[[int, "int | None"], object]

logger = logging.getLogger("firebase_rest")

_STEP_WITHOUT_TOTAL = 64 * 1024 * 1024
"""Number of bytes between two log lines if the total is unknown."""


@contextmanager
def reporting(progress: Progress, label: str, *, files: bool = False) -> Generator[Report, None, None]:
    """Yield the function that is called with (done, total), in bytes or files. Raises `UsageError`."""
    if progress is None or progress is False:
        yield _no_report
    elif progress is True:
        bar = _bar(label, files=files)
        if bar is None:
            yield _LogReport(label, files=files)
        else:
            with bar:
                yield _bar_report(bar)
    elif callable(progress):
        yield validate_callable("progress", progress)
    else:
        raise UsageError(f"progress must be a function of (done, total), True or None, got {type(progress).__name__}.")


def _no_report(*_: object) -> None:
    """Do nothing."""


def _bar(label: str, *, files: bool) -> Any:
    """Return a tqdm bar, or None without a terminal or without tqdm."""
    if sys.stderr is None or not sys.stderr.isatty():
        return None
    try:
        tqdm = import_module("tqdm")
    except ImportError:
        return None
    if files:
        return tqdm.tqdm(desc=label, unit="file")
    return tqdm.tqdm(desc=label, unit="B", unit_scale=True, unit_divisor=1024)


def _bar_report(bar: Any) -> Report:
    def report(done: int, total: int | None) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return report


class _LogReport:
    """Logs a line at every tenth of the total."""

    def __init__(self, label: str, *, files: bool) -> None:
        self._label = label
        self._files = files
        self._next = 0.0

    def __call__(self, done: int, total: int | None) -> None:
        step = _STEP_WITHOUT_TOTAL if total is None else total / 10
        if done < self._next and done != total:
            return
        self._next = (done // step + 1) * step if step else float("inf")
        if total is None:
            logger.info("%s: %.1f MB", self._label, done / 1e6)
        else:
            percent = 100 if total == 0 else 100 * done // total
            size = f"{total} files" if self._files else f"{total / 1e6:.1f} MB"
            logger.info("%s: %d %% of %s", self._label, percent, size)
