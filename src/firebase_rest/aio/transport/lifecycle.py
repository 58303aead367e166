"""The base class of async context managers that are closed at the end of their block."""

from __future__ import annotations

from typing import TypeVar

C = TypeVar("C", bound="AsyncClosable")


class AsyncClosable:
    """An async context manager that calls `close()` at its end."""

    __slots__ = ()

    async def __aenter__(self: C) -> C:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> object:
        """Release the resources. Idempotent."""
        raise NotImplementedError
