"""Records of the responses of one emulator."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Recording:
    """Records responses.

    `responses` must be equal on both emulators; `differences[name]` are the responses that differ for a documented
    reason.
    """

    def __init__(self) -> None:
        self.responses: list[Any] = []
        self.differences: dict[str, list[Any]] = {}
        self._into = self.responses

    @contextmanager
    def deliberate(self, name: str) -> Iterator[None]:
        """Record the responses inside the block as a documented difference."""
        before, self._into = self._into, self.differences.setdefault(name, [])
        try:
            yield
        finally:
            self._into = before
