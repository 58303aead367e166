"""How far a long transfer is, told to a function, a bar, or the log.

The law of this file: without a terminal there is no bar, only a line now and then.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from firebase_rest.errors import UsageError

Progress = Callable[[int, "int | None"], object] | bool | None
"""Called with bytes done and bytes in all (None while unknown); True: a bar, or log lines; None: nothing."""

Report = Callable[[int, "int | None"], object]

logger = logging.getLogger("firebase_rest")

_UNKNOWN_STEP = 64 * 1024 * 1024
"""Bytes between two lines where nobody knows how many there are."""


@contextmanager
def reporting(progress: Progress, label: str, *, files: bool = False) -> Generator[Report, None, None]:
    """What to call as it goes on, with numbers of bytes, or of `files`. Raises `UsageError` for what cannot be."""
    if progress is None or progress is False:
        yield _nothing
    elif progress is True:
        bar = _bar(label, files=files)
        if bar is None:
            yield _Lines(label, files=files)
        else:
            with bar:
                yield _onto(bar)
    elif callable(progress):
        yield progress
    else:
        raise UsageError(f"progress= takes a function of (done, total), or True, not {type(progress).__name__}.")


def _nothing(done: int, total: int | None) -> None:
    """Nobody wants to know."""


def _bar(label: str, *, files: bool) -> Any:
    """A tqdm bar, or None where there is no terminal, or no tqdm."""
    if sys.stderr is None or not sys.stderr.isatty():
        return None
    try:
        tqdm = import_module("tqdm")
    except ImportError:
        return None
    if files:
        return tqdm.tqdm(desc=label, unit="file")
    return tqdm.tqdm(desc=label, unit="B", unit_scale=True, unit_divisor=1024)


def _onto(bar: Any) -> Report:
    def report(done: int, total: int | None) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return report


class _Lines:
    """A line in the log at every tenth."""

    def __init__(self, label: str, *, files: bool) -> None:
        self._label = label
        self._files = files
        self._next = 0.0

    def __call__(self, done: int, total: int | None) -> None:
        step = _UNKNOWN_STEP if total is None else total / 10
        if done < self._next and done != total:
            return
        self._next = (done // step + 1) * step if step else float("inf")
        if total is None:
            logger.info("%s: %.1f MB", self._label, done / 1e6)
        else:
            share = 100 if total == 0 else 100 * done // total
            whole = f"{total} files" if self._files else f"{total / 1e6:.1f} MB"
            logger.info("%s: %d %% of %s", self._label, share, whole)
