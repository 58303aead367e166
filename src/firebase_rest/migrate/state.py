"""Abstract states: what is known at one point of a program, on one path to it."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from firebase_rest.migrate.values import BuilderStep, Value

MAX_STATES = 8


class AbstractState:
    """What is known after one path through a scope.

    `names` are the values of names, attributes and items, by their source text. `positions` are the builders that had
    been called on each of pyrebase's shared objects: () or absent at the root, None where unknown. `opened` is the call
    of stream() if it was the last call.
    """

    __slots__ = ("names", "opened", "positions")

    def __init__(
        self,
        names: dict[str, Value | None] | None = None,
        positions: dict[ast.AST | None, tuple[BuilderStep, ...] | None] | None = None,
        opened: ast.AST | None = None,
    ) -> None:
        self.names = names or {}
        self.positions = positions or {}
        self.opened = opened

    def copy(self) -> AbstractState:
        return AbstractState(dict(self.names), dict(self.positions), self.opened)

    @property
    def signature(self) -> object:
        """Return a value that is equal for states which do not differ in anything known."""
        known = frozenset((name, value) for name, value in self.names.items() if value is not None)
        moved = frozenset((origin, steps) for origin, steps in self.positions.items() if steps != ())
        return known, moved, self.opened


def distinct(states: Iterable[AbstractState]) -> list[AbstractState]:
    """Return the states that differ, at most MAX_STATES."""
    found: dict[object, AbstractState] = {}
    for state in states:
        found.setdefault(state.signature, state)
    return list(found.values())[:MAX_STATES]
