"""Applies the saved changes of a database, many of them in one step.

Invariant: the result is the same as if the changes were applied one by one. Changes are therefore joined to one step
only if their paths do not overlap, and if no change deletes a node below a node with a priority: a node that has no
children in between loses its priority.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from firebase_rest.emulator.database.tree import at, priority_of, replace, update, with_priority

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.database.tree import Node, Path, Priority


class Replay:
    """Applies changes to a root.

    Args:
        root: The root before the first change.
    """

    def __init__(self, root: Node) -> None:
        self._root = root
        self._joined: dict[Path, Node] = {}
        self._above: set[Path] = set()
        """The paths above those of `_joined`."""

    def apply(self, nodes: Mapping[Path, Node], priorities: Mapping[Path, Priority]) -> None:
        """Apply a change: first the nodes by path, then the priorities by path."""
        if priorities or not self._can_join_all(nodes):
            self._flush()
        if priorities or not self._can_join_all(nodes):
            self._root = update(self._root, nodes) if nodes else self._root
            for path, priority in priorities.items():
                node = with_priority(at(self._root, path), priority)
                self._root = replace(self._root, path, node)
            return
        self._joined.update(nodes)
        self._above.update(path[:length] for path in nodes for length in range(len(path)))

    def _can_join_all(self, nodes: Mapping[Path, Node]) -> bool:
        return all(self._can_join(path, node) for path, node in nodes.items())

    def _can_join(self, path: Path, node: Node) -> bool:
        """Return whether a write of `node` can be part of the same step as the joined changes."""
        if path in self._above or any(path[:length] in self._joined for length in range(len(path))):
            return False
        if path in self._joined:
            return node is not None and self._joined[path] is not None
        return node is not None or not self._has_priority_above(path)

    def _has_priority_above(self, path: Path) -> bool:
        return any(priority_of(at(self._root, path[:length])) is not None for length in range(len(path)))

    def _flush(self) -> None:
        if self._joined:
            self._root = update(self._root, self._joined)
            self._joined = {}
            self._above.clear()

    def root(self) -> Node:
        """Return the root after all changes."""
        self._flush()
        return self._root
