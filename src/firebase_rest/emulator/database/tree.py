"""The data of one database: immutable nodes, and writes that share everything they do not touch.

The law of this file: a node never changes. A write returns a new root and copies only the nodes on its path, so whoever
holds a root (a reader, a stream) holds a snapshot, without a lock.

A node is nothing (`None`), a leaf, or a `Branch` of children. A leaf without a priority is the bare Python scalar: a
database is mostly leaves, and an object around each would double its memory and the time of every read. Neither arrays
nor empty objects exist here: an array is a branch with integer keys, and a branch without children is nothing.
https://firebase.google.com/docs/database/web/structure-data
"""

from __future__ import annotations

import json
from base64 import b64encode
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
"""The tag of nothing, as the service spells it."""


class Leaf:
    """A scalar that has a priority."""

    __slots__ = ("priority", "value")

    def __init__(self, value: Scalar, priority: int | float | str) -> None:
        self.value = value
        self.priority = priority


class Branch:
    """A node with children (at least one, none of them `None`) and perhaps a priority.

    What can be computed from it is computed when first asked for and kept: the order of the keys, whether it reads as
    an array, its ETag. Two threads may both compute it; they get the same.
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
        """The child keys in Firebase's order. Not to be changed."""
        if self._keys is None:
            self._keys = sorted_keys(self.children)
        return self._keys

    @property
    def array_length(self) -> int:
        """How long the array is that this node reads as, or 0 where it reads as an object."""
        if self._length < 0:
            self._length = array_length(self.children)
        return self._length

    @property
    def etag(self) -> str:
        """See `etag`."""
        if not self._etag:
            self._etag = _tag(self)
        return self._etag

    def replacing(self, changes: Mapping[str, Node]) -> Branch | None:
        """This branch with other children; `None` where none is left (and the priority goes with the last)."""
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
            branch._take_over_keys(self)
        return branch

    def prioritised(self, priority: Priority) -> Branch:
        """This branch with that priority."""
        branch = Branch(self.children, priority)
        branch._take_over_keys(self)
        return branch

    def _take_over_keys(self, other: Branch) -> None:
        """What depends on the keys alone stays true where they are the same; sorting those of a large node again would
        cost far more than the write itself.
        """
        self._keys, self._length = other._keys, other._length

    def only(self, keys: Iterable[str]) -> Branch | None:
        """The children named by `keys`, without the priority; `None` where there are none."""
        children = {key: self.children[key] for key in keys}
        return Branch(children) if children else None


# --- looking ----------------------------------------------------------------------------------------------------------


def child(node: Node, key: str) -> Node:
    """The child `key`, or nothing: leaves have no children."""
    return node.children.get(key) if isinstance(node, Branch) else None


def at(node: Node, path: Sequence[str]) -> Node:
    """The node at `path` below `node`."""
    for key in path:
        if not isinstance(node, Branch):
            return None
        node = node.children.get(key)
    return node


def priority_of(node: Node) -> Priority:
    """The node's priority, if it has one."""
    return node.priority if isinstance(node, (Branch, Leaf)) else None


def leaf_value(node: Node) -> Scalar | None:
    """The scalar of a leaf; `None` for a branch and for nothing."""
    if isinstance(node, Branch):
        return None
    return node.value if isinstance(node, Leaf) else node


def same(one: Node, other: Node) -> bool:
    """Whether two nodes hold the same values and priorities. `True` and 1 differ here, as they do in JSON."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, Branch) and isinstance(other, Branch):
        mine, theirs = one.children, other.children
        return (
            len(mine) == len(theirs)
            and _same_scalar(one.priority, other.priority)
            and all(same(node, theirs.get(key)) for key, node in mine.items())
        )
    if isinstance(one, Leaf) and isinstance(other, Leaf):
        return _same_scalar(one.value, other.value) and _same_scalar(one.priority, other.priority)
    return one == other


def _same_scalar(one: Scalar | None, other: Scalar | None) -> bool:
    return type(one) is type(other) and one == other


# --- writing ----------------------------------------------------------------------------------------------------------


def replace(node: Node, path: Sequence[str], new: Node) -> Node:
    """`node` with `new` at `path`. Missing parents appear, emptied ones vanish.

    Something written below a leaf replaces the leaf (its priority stays); nothing written there leaves it alone.
    """
    if not path:
        return new
    key = path[0]
    old = child(node, key)
    fresh = replace(old, path[1:], new)
    return node if fresh is old else _with_children(node, {key: fresh})


def update(node: Node, changes: Mapping[Path, Node]) -> Node:
    """`replace` for many places at once, none of which lies inside another: every node is copied once."""
    if () in changes:
        return changes[()]
    groups: dict[str, dict[Path, Node]] = {}
    for path, new in changes.items():
        groups.setdefault(path[0], {})[path[1:]] = new
    return _with_children(node, {key: update(child(node, key), group) for key, group in groups.items()})


def _with_children(node: Node, changes: Mapping[str, Node]) -> Node:
    if isinstance(node, Branch):
        return node.replacing(changes)
    children: dict[str, Node] = {key: fresh for key, fresh in changes.items() if fresh is not None}
    return Branch(children, priority_of(node)) if children else node


def with_priority(node: Node, priority: Priority) -> Node:
    """`node` with that priority; nothing has none."""
    if node is None:
        return None
    if isinstance(node, Branch):
        return node.prioritised(priority)
    value = node.value if isinstance(node, Leaf) else node
    return value if priority is None else Leaf(value, priority)


# --- reading out ------------------------------------------------------------------------------------------------------


def render(node: Node) -> Json:
    """The node as plain JSON, without priorities; nodes that look like arrays as arrays, their holes `None`."""
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
    """The node as plain JSON with its priorities, arrays as objects: what `PUT` would store as this very node."""
    if isinstance(node, Branch):
        result: dict[str, Json] = {key: export(node.children[key]) for key in node.keys}
        if node.priority is not None:
            result[".priority"] = node.priority
        return result
    if isinstance(node, Leaf):
        return {".priority": node.priority, ".value": node.value}
    return node


def shallow(node: Node) -> Json:
    """A leaf as it is; a branch as an object with `True` for every child."""
    return dict.fromkeys(node.keys, True) if isinstance(node, Branch) else leaf_value(node)


def etag(node: Node) -> str:
    """A tag that two nodes share exactly when they hold the same data: base64 of the SHA-1 of canonical JSON."""
    if node is None:
        return NULL_ETAG
    return node.etag if isinstance(node, Branch) else _tag(node)


def _tag(node: Node) -> str:
    text = json.dumps(export(node), sort_keys=True, separators=(",", ":"))
    return b64encode(sha1(text.encode(), usedforsecurity=False).digest()).decode()
