"""A dict of limited size, so that codes that are never used do not fill the memory."""

from __future__ import annotations

from typing import TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

DEFAULT_LIMIT = 10_000


class BoundedDict(dict[Key, Value]):
    """A dict with at most `limit` items (by default `DEFAULT_LIMIT`). Adding another item deletes the oldest."""

    def __init__(self, limit: int | None = None) -> None:
        super().__init__()
        self._limit = DEFAULT_LIMIT if limit is None else limit

    def __setitem__(self, key: Key, value: Value) -> None:
        super().__setitem__(key, value)
        if len(self) > self._limit:
            del self[next(iter(self))]
