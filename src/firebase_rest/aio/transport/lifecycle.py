"""The base class of async context managers that close themselves."""

from __future__ import annotations

from typing import TypeVar

C = TypeVar("C", bound="AsyncClosable")


class AsyncClosable:
    """An async context manager whose end closes it."""

    __slots__ = ()

    async def __aenter__(self: C) -> C:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> object:
        """Release what the object holds."""
        raise NotImplementedError
