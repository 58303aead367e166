"""The data of one database: immutable nodes, and writes that share the unchanged ones.

Invariant: nodes are immutable. A write returns a new root and copies only the nodes on its path, so a root is a
consistent snapshot for readers and streams without a lock.

A node is None (no data), a leaf, or a `Branch` with children. A leaf without a priority is a Python scalar, because an
object for each leaf would double the memory and the time of every read. There are no arrays and no empty objects: an
array is a branch with integer keys, and a branch without children is None.
https://firebase.google.com/docs/database/web/structure-data
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha1
from typing import TYPE_CHECKING, TypeAlias

from firebase_rest.database.ordering import sorted_keys
from firebase_rest.database.path import array_length

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from firebase_rest.transport.wire import Json

Scalar: TypeAlias = "bool | int | float | str"
Priority: TypeAlias = "int | float | str | None"
Path: TypeAlias = "tuple[str, ...]"
Node: TypeAlias = "None | bool | int | float | str | Leaf | Branch"

NULL_ETAG = "null_etag"
"""The ETag of a node without data."""


class Leaf:
    """A scalar with a priority."""

    __slots__ = ("priority", "value")

    def __init__(self, value: Scalar, priority: int | float | str) -> None:
        self.value = value
        self.priority = priority


class Branch:
    """A node with at least one child (none of them None) and optionally a priority.

    The order of the keys, the array length and the ETag are computed on first use. If two threads compute them at the
    same time, the results are equal.
    """

    __slots__ = ("_etag", "_keys", "_length", "children", "priority")

    def __init__(self, children: dict[str, Node], priority: Priority = None) -> None:
        self.children = children
        self.priority = priority
        self._keys: list[str] | None = None
        self._length = -1
        self._etag = ""

    @property
    def keys(self) -> list[str]:
        """The child keys in Firebase's order. Do not modify the list."""
        if self._keys is None:
            self._keys = sorted_keys(self.children)
        return self._keys

    @property
    def array_length(self) -> int:
        """The length if this node is rendered as an array, else 0."""
        if self._length < 0:
            self._length = array_length(self.children)
        return self._length

    @property
    def etag(self) -> str:
        """See `etag`."""
        if not self._etag:
            self._etag = _tag(self)
        return self._etag

    def with_children(self, changes: Mapping[str, Node]) -> Branch | None:
        """Return this branch with other children; None, without the priority, if no child is left."""
        children = self.children.copy()
        same_keys = True
        for key, node in changes.items():
            same_keys &= (key in children) == (node is not None)
            if node is None:
                children.pop(key, None)
            else:
                children[key] = node
        if not children:
            return None
        branch = Branch(children, self.priority)
        if same_keys:
            branch._copy_key_caches(self)
        return branch

    def with_priority(self, priority: Priority) -> Branch:
        """Return this branch with another priority."""
        branch = Branch(self.children, priority)
        branch._copy_key_caches(self)
        return branch

    def _copy_key_caches(self, other: Branch) -> None:
        """Copy what depends only on the keys, because sorting them again costs more than the write."""
        self._keys, self._length = other._keys, other._length

    def select_children(self, keys: Iterable[str]) -> Branch | None:
        """Return a branch with only the children `keys`, without the priority; None if there are none."""
        children = {key: self.children[key] for key in keys}
        return Branch(children) if children else None


# --- looking ----------------------------------------------------------------------------------------------------------


def child(node: Node, key: str) -> Node:
    """Return the child `key`, or None."""
    return node.children.get(key) if isinstance(node, Branch) else None


def at(node: Node, path: Sequence[str]) -> Node:
    """Return the node at `path` below `node`."""
    for key in path:
        if not isinstance(node, Branch):
            return None
        node = node.children.get(key)
    return node


def priority_of(node: Node) -> Priority:
    """Return the priority of a node, or None."""
    return node.priority if isinstance(node, (Branch, Leaf)) else None


def leaf_value(node: Node) -> Scalar | None:
    """Return the scalar of a leaf, or None."""
    if isinstance(node, Branch):
        return None
    return node.value if isinstance(node, Leaf) else node


def nodes_equal(one: Node, other: Node) -> bool:
    """Return whether two nodes have equal values and priorities. True and 1 differ, as in JSON."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, Branch) and isinstance(other, Branch):
        mine, theirs = one.children, other.children
        return (
            len(mine) == len(theirs)
            and _scalars_equal(one.priority, other.priority)
            and all(nodes_equal(node, theirs.get(key)) for key, node in mine.items())
        )
    if isinstance(one, Leaf) and isinstance(other, Leaf):
        return _scalars_equal(one.value, other.value) and _scalars_equal(one.priority, other.priority)
    return one == other


def _scalars_equal(one: Scalar | None, other: Scalar | None) -> bool:
    return type(one) is type(other) and one == other


@dataclass(frozen=True, slots=True)
class Change:
    """One committed write: `base` was replaced, or if `targets` is given, these paths below `base`."""

    before: Node
    after: Node
    base: Path
    targets: tuple[Path, ...] | None = None

    def paths(self) -> Sequence[Path]:
        """Return all written paths, from the root."""
        return (self.base,) if self.targets is None else [(*self.base, *target) for target in self.targets]


# --- writing ----------------------------------------------------------------------------------------------------------


def replace(node: Node, path: Sequence[str], new: Node) -> Node:
    """Return `node` with `new` at `path`, creating missing parents and removing empty ones.

    A value below a leaf replaces the leaf but keeps its priority; None below a leaf changes nothing.
    """
    if not path:
        return new
    key = path[0]
    old = child(node, key)
    fresh = replace(old, path[1:], new)
    return node if fresh is old else _with_child_nodes(node, {key: fresh})


def update(node: Node, changes: Mapping[Path, Node]) -> Node:
    """Apply `replace` for several paths, none inside another, copying every node once."""
    if () in changes:
        return changes[()]
    groups: dict[str, dict[Path, Node]] = {}
    for path, new in changes.items():
        groups.setdefault(path[0], {})[path[1:]] = new
    return _with_child_nodes(node, {key: update(child(node, key), group) for key, group in groups.items()})


def _with_child_nodes(node: Node, changes: Mapping[str, Node]) -> Node:
    if isinstance(node, Branch):
        return node.with_children(changes)
    children: dict[str, Node] = {key: fresh for key, fresh in changes.items() if fresh is not None}
    return Branch(children, priority_of(node)) if children else node


def with_priority(node: Node, priority: Priority) -> Node:
    """Return `node` with another priority. None has no priority."""
    if node is None:
        return None
    if isinstance(node, Branch):
        return node.with_priority(priority)
    value = node.value if isinstance(node, Leaf) else node
    return value if priority is None else Leaf(value, priority)


# --- rendering --------------------------------------------------------------------------------------------------------


def render(node: Node) -> Json:
    """Return a node as JSON without priorities. Array-like nodes become arrays with None for missing items."""
    if isinstance(node, Branch):
        return _render_branch(node)
    return node.value if isinstance(node, Leaf) else node


def _render_branch(branch: Branch) -> Json:
    children = branch.children
    if branch.array_length:
        items: list[Json] = [None] * branch.array_length
        for key, node in children.items():
            items[int(key)] = render(node)
        return items
    result: dict[str, Json] = {}
    for key in branch.keys:
        node = children[key]
        if isinstance(node, Branch):
            result[key] = _render_branch(node)
        else:
            result[key] = node.value if isinstance(node, Leaf) else node
    return result


def export(node: Node) -> Json:
    """Return a node as JSON with priorities and arrays as objects; PUT of the result stores an equal node."""
    if isinstance(node, Branch):
        result: dict[str, Json] = {key: export(node.children[key]) for key in node.keys}
        if node.priority is not None:
            result[".priority"] = node.priority
        return result
    if isinstance(node, Leaf):
        return {".priority": node.priority, ".value": node.value}
    return node


def shallow(node: Node) -> Json:
    """Return a leaf unchanged, and a branch as an object with True for every child."""
    return dict.fromkeys(node.keys, True) if isinstance(node, Branch) else leaf_value(node)


def etag(node: Node) -> str:
    """Return the ETag: base64 of the SHA-1 of the canonical JSON, so equal data has equal ETags."""
    if node is None:
        return NULL_ETAG
    return node.etag if isinstance(node, Branch) else _tag(node)


def _tag(node: Node) -> str:
    text = json.dumps(export(node), sort_keys=True, separators=(",", ":"))
    return b64encode(sha1(text.encode(), usedforsecurity=False).digest()).decode()
