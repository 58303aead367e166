"""Snapshots of the database before and after an operation, which rules read.

A `NodeReader` reads the nodes, so that this package does not depend on how the database stores them.
"""

# Values of rules have no static type: they are checked when a rule runs.
# pyright: reportUnknownMemberType=false, reportUnknownLambdaType=false, reportUnknownArgumentType=false
# pyright: reportUnknownVariableType=false, reportUnknownParameterType=false

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar

from firebase_rest.rules.errors import EvaluationError
from firebase_rest.rules.values import PrintableValue

N = TypeVar("N")

Scalar = str | int | float | bool | None


class ChildrenSentinel(PrintableValue):
    """The result of `val()` for a location with children. It is not null, and not equal to any value."""

    def __repr__(self) -> str:
        return "<children>"


class NodeReader(Protocol[N]):
    """Reads nodes. None means that a node does not exist.

    Rules may request a child by any text. If the text is not a valid key, the child does not exist.
    """

    def child(self, node: N, key: str) -> N | None:
        """Return the child `key`, or None."""
        ...

    def keys(self, node: N) -> Iterator[str]:
        """Return the keys of the children."""
        ...

    def has_children(self, node: N) -> bool:
        """Return whether the node has at least one child."""
        ...

    def value(self, node: N) -> Scalar:
        """Return the scalar of a leaf, or None for a node with children."""
        ...

    def priority(self, node: N) -> Scalar:
        """Return the priority, or None."""
        ...


class JsonReader:
    """Reads plain JSON: dicts, scalars, and priorities as `.priority` beside `.value`."""

    def child(self, node: Any, key: str) -> Any:
        """See `NodeReader`."""
        return node.get(key) if isinstance(node, Mapping) and not key.startswith(".") else None

    def keys(self, node: Any) -> Iterator[str]:
        """See `NodeReader`."""
        return iter([key for key in node if not key.startswith(".")] if isinstance(node, Mapping) else ())

    def has_children(self, node: Any) -> bool:
        """See `NodeReader`."""
        return any(True for _ in self.keys(node))

    def value(self, node: Any) -> Scalar:
        """See `NodeReader`."""
        return node.get(".value") if isinstance(node, Mapping) else node

    def priority(self, node: Any) -> Scalar:
        """See `NodeReader`."""
        return node.get(".priority") if isinstance(node, Mapping) else None


class RuleDataSnapshot(Generic[N]):
    """A location in the database, with the methods that rules can call.

    https://firebase.google.com/docs/reference/security/database#ruledatasnapshot_methods
    """

    __slots__ = ("_parent", "_reader", "node")

    def __init__(self, reader: NodeReader[N], node: N | None, parent: RuleDataSnapshot[N] | None = None) -> None:
        self._reader = reader
        self.node = node
        self._parent = parent

    def child(self, path: str) -> RuleDataSnapshot[N]:
        """Return the snapshot at a path below this one."""
        if not path:  # an empty path has no data and no parent, so that an empty variable grants no access
            return RuleDataSnapshot(self._reader, None)
        if "/" not in path:
            return self.child_of_key(path)
        snapshot = self
        for key in path.split("/"):
            if key:
                snapshot = snapshot.child_of_key(key)
        return snapshot

    def child_of_key(self, key: str) -> RuleDataSnapshot[N]:
        """Return the snapshot of the child with a key."""
        child = None if self.node is None else self._reader.child(self.node, key)
        return RuleDataSnapshot(self._reader, child, self)

    def parent(self) -> RuleDataSnapshot[N]:
        """Return the snapshot of the parent. Raises `EvaluationError` at the root and for an empty path."""
        if self._parent is None:
            raise EvaluationError("parent() is not defined for the root, or for child() with an empty path.")
        return self._parent

    def exists(self) -> bool:
        """Return whether there is data at the location."""
        return self.node is not None

    def val(self) -> Scalar | ChildrenSentinel:
        """Return the scalar, or None without data, or a sentinel for a location with children."""
        if self.node is None:
            return None
        return ChildrenSentinel() if self._reader.has_children(self.node) else self._reader.value(self.node)

    def get_priority(self) -> Scalar:
        """Return the priority, or None."""
        return None if self.node is None else self._reader.priority(self.node)

    def has_children(self, paths: tuple[str, ...] | None = None) -> bool:
        """Return whether data exists at all paths below this location, or without `paths`, whether it has children."""
        if paths is None:
            return self.node is not None and self._reader.has_children(self.node)
        return all(self.child(path).exists() for path in paths)
