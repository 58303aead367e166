"""A dict that keeps its newest items, so that unused codes do not fill the memory."""

from __future__ import annotations

from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

LIMIT = 10_000


class NewestItems(dict[Key, Value]):
    """A dict with at most `limit` items (default: `LIMIT`): setting another one deletes the oldest."""

    def __init__(self, limit: int | None = None) -> None:
        super().__init__()
        self._limit = LIMIT if limit is None else limit

    def __setitem__(self, key: Key, value: Value) -> None:
        super().__setitem__(key, value)
        if len(self) > self._limit:
            del self[next(iter(self))]
