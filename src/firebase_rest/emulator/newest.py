"""A dict that keeps its newest items, so that unused codes do not fill the memory."""

from __future__ import annotations

from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

LIMIT = 10_000


class NewestItems(dict[Key, Value]):
    """A dict with at most `LIMIT` items: setting another one deletes the oldest."""

    def __setitem__(self, key: Key, value: Value) -> None:
        super().__setitem__(key, value)
        if len(self) > LIMIT:
            del self[next(iter(self))]
