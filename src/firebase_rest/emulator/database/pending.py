"""`PendingQueue`: what waits to be sent to one client."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

Item = TypeVar("Item")

MAX_PENDING = 100_000
"""Maximum number of items. Beyond it the connection ends. A client that reconnects receives the whole value."""

MAX_PENDING_BYTES = 256 * 1024 * 1024
"""The same for their size. A single item may be larger."""


class PendingQueue(Generic[Item]):
    """A queue with a limited number of items and bytes. Any thread may add items; one reader takes them."""

    def __init__(self) -> None:
        self._items: deque[tuple[Item, int]] = deque()
        self._size = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._items)

    def add(self, item: Item, size: int = 0) -> bool:
        """Append an item of about `size` bytes. If the queue is full, remove all items and return False."""
        with self._lock:
            is_full = self._items and self._size + size > MAX_PENDING_BYTES
            if is_full or len(self._items) >= MAX_PENDING:
                self._items.clear()
                self._size = 0
                return False
            self._items.append((item, size))
            self._size += size
            return True

    def take(self) -> tuple[Item, int]:
        """Remove the first item. Return it and its size."""
        with self._lock:
            item, size = self._items.popleft()
            self._size -= size
            return item, size
