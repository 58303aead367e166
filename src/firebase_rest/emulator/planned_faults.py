"""Faults that are planned for further requests."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Fault = TypeVar("Fault")


@dataclass(slots=True)
class _PlannedFault(Generic[Fault]):
    """A fault for the next `times` matching requests (None means all), after `skip` matching requests without it."""

    fault: Fault
    times: int | None
    skip: int


class PlannedFaults(list[_PlannedFault[Fault]]):
    """The planned faults that apply to further requests, oldest first. Its methods are thread-safe."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()

    def plan(self, fault: Fault, times: int | None, skip: int = 0) -> None:
        """Add a fault for the next `times` matching requests (None means all), after `skip` matching requests."""
        with self._lock:
            self.append(_PlannedFault(fault, times, skip))

    def take(self, matches: Callable[[Fault], bool]) -> Fault | None:
        """Return the first fault that applies to a request, or None. `matches` returns whether a fault is for it."""
        with self._lock:
            for planned in self:
                if not matches(planned.fault):
                    continue
                if planned.skip:
                    planned.skip -= 1
                    continue
                if planned.times is not None:
                    planned.times -= 1
                    if planned.times <= 0:
                        self.remove(planned)
                return planned.fault
        return None

    def clear(self) -> None:
        """Remove all faults."""
        with self._lock:
            super().clear()
