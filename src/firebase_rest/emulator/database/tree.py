"""The data of one database: immutable nodes, and writes that share the unchanged ones.

Invariant: nodes are immutable. A write returns a new root and copies only the nodes on its path, and of large nodes
only the parts it changes, so a root is a consistent snapshot for readers and streams without a lock.

A node is `None` (no data), a leaf, or has children. A leaf without a priority is a Python scalar, and a node with few
children, all of them such leaves, is a dict, because objects would double the memory and the time of every read. Other
nodes with children are a `Branch`. There are no arrays and no empty objects: an array is a node with integer keys, and
a node without children is `None`.
https://firebase.google.com/docs/database/web/structure-data
"""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha1, sha256
from itertools import chain
from typing import TYPE_CHECKING, TypeAlias, TypeGuard, cast

from firebase_rest.database.ordering import sorted_keys
from firebase_rest.database.path import array_length
from firebase_rest.emulator.database.children import Children, KeyKind, children_work, differing_keys
from firebase_rest.emulator.database.chunks import SIZE
from firebase_rest.emulator.database.slices import finish, parts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from firebase_rest.emulator.database.indexes import Index
    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.transport.wire import Json

Scalar: TypeAlias = "bool | int | float | str"
Priority: TypeAlias = "int | float | str | None"
Path: TypeAlias = "tuple[str, ...]"
Record: TypeAlias = "dict[str, Scalar]"
Node: TypeAlias = "None | bool | int | float | str | Leaf | Record | Branch"

MAX_RECORD = 16
"""Maximum number of children of a node that is a dict."""

MAX_SMALL = SIZE // 2
"""Up to this number of children, a dict is faster than `Children`."""

NULL_ETAG = "null_etag"
"""The ETag of a node without data."""


_NO_INDEXES: Mapping[str, Index] = {}


class Leaf:
    """A scalar with a priority."""

    __slots__ = ("priority", "value")

    def __init__(self, value: Scalar, priority: int | float | str) -> None:
        self.value = value
        self.priority = priority


class Branch:
    """A node with at least one child (none of them None) and optionally a priority.

    Invariant: the children are in Firebase's order.

    The ETag, the array length and the indexes are computed on first use. If two threads compute them at the same time,
    the results are equal.

    Attributes:
        children: A dict, or `Children` if there are many.
        priority: The priority, or None.
        weight: The number of nodes below this one.
        indexes: The indexes that were built, by their order.
    """

    __slots__ = ("_etag", "_length", "children", "indexes", "priority", "weight")

    def __init__(
        self,
        children: Mapping[str, Node],
        priority: Priority = None,
        weight: int | None = None,
        indexes: Mapping[str, Index] = _NO_INDEXES,
    ) -> None:
        self.children = children
        self.priority = priority
        self.weight = sum(map(weight_of, children.values())) if weight is None else weight
        self.indexes = indexes
        self._length = -1
        self._etag = ""

    @property
    def array_length(self) -> int:
        """The length if this node is rendered as an array, else 0."""
        if self._length < 0:
            self._length = _array_length(self.children)
        return self._length

    def etag_work(self) -> Work[str]:
        """Compute `etag`. Children that are large enough keep theirs."""
        if not self._etag:
            if self.weight <= _MAX_WHOLE_TAG:
                tag = _tag(_canonical(self))
            else:
                total = yield from _digest_of_children(self.children)
                tag = _tag(f"{total:x}{_canonical(self.priority)}")
            if self.weight <= _MAX_UNCACHED_TAG:
                return tag
            self._etag = tag
        return self._etag

    def with_children_work(self, changes: Mapping[str, Node]) -> Work[Node]:
        """Return this branch, which has many children, with some changed; None if no child is left."""
        before = self.children
        assert isinstance(before, Children)
        after = yield from before.changed_work(changes)
        if len(after) <= MAX_SMALL // 2:
            return branch_of(dict(after.items()), self.priority)
        weight, indexes = self.weight, dict(self.indexes)
        for part in parts(changes.items()):
            weight += sum([weight_of(node) - weight_of(before.get(key)) for key, node in part])
            yield
        for order, index in self.indexes.items():
            indexes[order] = yield from index.moved_work(before, after, changes)
        return Branch(after, self.priority, weight, indexes)

    def with_priority(self, priority: Priority) -> Branch:
        """Return this branch with another priority."""
        return Branch(self.children, priority, self.weight, self.indexes)


def branch_of(children: dict[str, Node], priority: Priority = None) -> Node:
    """Return the node with these children, which are not `None` and in any order; `None` without children."""
    if not children:
        return None
    keys = list(children)
    if len(keys) > MAX_SMALL:
        return with_priority(finish(branch_work([keys], [list(children.values())])), priority)
    ordered = sorted_keys(keys)
    return small_branch(children if keys == ordered else {key: children[key] for key in ordered}, priority)


def branch_work(keys: list[Sequence[str]], nodes: list[Sequence[Node]]) -> Work[Node]:
    """Do `branch_of` in slices for segments of keys and nodes, see `children_work`."""
    if sum(map(len, keys)) <= MAX_SMALL:
        children = dict(zip(chain.from_iterable(keys), chain.from_iterable(nodes), strict=True))
        return branch_of({key: node for key, node in children.items() if node is not None})
    mapping: Children[Node] = yield from children_work(keys, nodes)
    weight = 0
    for chunk in mapping.chunks.chunks:
        weight += sum(map(weight_of, chunk.values))
        yield
    return Branch(mapping, None, weight) if weight else None


def small_branch(children: dict[str, Node], priority: Priority = None) -> Node:
    """Return the node with few children, in Firebase's order."""
    if priority is None and len(children) <= MAX_RECORD and _SCALARS.issuperset(map(type, children.values())):
        return cast("Record", children)
    return Branch(children, priority)


_SCALARS = frozenset({bool, int, float, str})


def _changed_dict(before: Mapping[str, Node], changes: Mapping[str, Node]) -> dict[str, Node]:
    children = {**before, **changes}
    return {key: node for key, node in children.items() if node is not None}


def weight_of(node: Node) -> int:
    """Return the number of nodes in `node`: 1 and those below it, 0 for None."""
    if isinstance(node, Branch):
        return node.weight + 1
    return len(node) + 1 if isinstance(node, dict) else int(node is not None)


def _array_length(children: Mapping[str, Node] | Record) -> int:
    if isinstance(children, Children):
        first, last = children.first_key(), children.last_key()
        if children.kind is KeyKind.INTEGER:
            return int(last) + 1 if int(first) >= 0 and int(last) < 2 * len(children) else 0
    else:
        first, last = next(iter(children)), next(reversed(cast("dict[str, Node]", children)))
    # Array indexes sort before other keys, so most objects are excluded by their first and last key.
    return array_length(children) if first.isdigit() and last.isdigit() else 0


# --- reading ----------------------------------------------------------------------------------------------------------


def has_children(node: Node) -> TypeGuard[Branch | Record]:
    """Return whether a node is neither a leaf nor None."""
    return isinstance(node, (dict, Branch))


def children_of(node: Node) -> Mapping[str, Node]:
    """Return the children of a node in Firebase's order; a leaf has none."""
    if isinstance(node, Branch):
        return node.children
    return cast("dict[str, Node]", node) if isinstance(node, dict) else {}


def child(node: Node, key: str) -> Node:
    """Return the child `key`, or None."""
    if isinstance(node, dict):
        return node.get(key)
    return node.children.get(key) if isinstance(node, Branch) else None


def at(node: Node, path: Sequence[str]) -> Node:
    """Return the node at `path` below `node`."""
    for key in path:
        node = child(node, key)
    return node


def priority_of(node: Node) -> Priority:
    """Return the priority of a node, or None."""
    return node.priority if isinstance(node, (Branch, Leaf)) else None


def leaf_value(node: Node) -> Scalar | None:
    """Return the scalar of a leaf, or None."""
    if isinstance(node, Leaf):
        return node.value
    return None if isinstance(node, (dict, Branch)) else node


def nodes_equal(one: Node, other: Node) -> bool:
    """Return whether two nodes have equal values and priorities. True and 1 differ, as in JSON."""
    if one is other:
        return True
    if has_children(one) and has_children(other):
        mine, theirs = children_of(one), children_of(other)
        if len(mine) != len(theirs) or not _scalars_equal(priority_of(one), priority_of(other)):
            return False
        if isinstance(mine, Children) and isinstance(theirs, Children):
            return all(nodes_equal(mine.get(key), theirs.get(key)) for key in differing_keys(mine, theirs))
        return all(nodes_equal(node, theirs.get(key)) for key, node in mine.items())
    if type(one) is not type(other):
        return False
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
    groups = _by_first_key(changes.items(), {})
    return _with_child_nodes(node, {key: update(child(node, key), group) for key, group in groups.items()})


def update_work(node: Node, changes: Mapping[Path, Node]) -> Work[Node]:
    """Do `update` in slices."""
    if len(changes) <= _UPDATE_SLICE:
        return update(node, changes)
    groups: dict[str, dict[Path, Node]] = {}
    for part in parts(changes.items()):
        _by_first_key(part, groups)
        yield
    nodes: dict[str, Node] = {}
    for some_groups in parts(groups.items(), _UPDATE_SLICE):
        for key, group in some_groups:
            nodes[key] = yield from update_work(child(node, key), group)
        yield
    return (yield from _with_child_nodes_work(node, nodes))


_UPDATE_SLICE = 64


def _by_first_key(
    changes: Iterable[tuple[Path, Node]], groups: dict[str, dict[Path, Node]]
) -> dict[str, dict[Path, Node]]:
    for path, new in changes:
        groups.setdefault(path[0], {})[path[1:]] = new
    return groups


def _with_child_nodes(node: Node, changes: Mapping[str, Node]) -> Node:
    before = children_of(node)
    if isinstance(node, Branch) and isinstance(before, Children):
        return finish(node.with_children_work(changes))
    changed = branch_of(_changed_dict(before, changes), priority_of(node))
    return node if changed is None and not has_children(node) else changed


def _with_child_nodes_work(node: Node, changes: Mapping[str, Node]) -> Work[Node]:
    before = children_of(node)
    if isinstance(node, Branch) and isinstance(before, Children):
        return (yield from node.with_children_work(changes))
    keys: list[Sequence[str]] = list(parts(chain(before, changes)))
    nodes: list[Sequence[Node]] = list(parts(chain(before.values(), changes.values())))
    changed = with_priority((yield from branch_work(keys, nodes)), priority_of(node))
    return node if changed is None and not has_children(node) else changed


def with_priority(node: Node, priority: Priority) -> Node:
    """Return `node` with another priority. None has no priority."""
    if isinstance(node, Branch):
        return node.with_priority(priority)
    if isinstance(node, dict):
        return node if priority is None else Branch(children_of(node), priority)
    value = leaf_value(node)
    return value if priority is None or value is None else Leaf(value, priority)


# --- rendering --------------------------------------------------------------------------------------------------------


def render(node: Node) -> Json:
    """Return a node as JSON without priorities. Array-like nodes become arrays with None for missing items.

    Do not modify the result, which may be the node.
    """
    if isinstance(node, dict):
        length = _array_length(node)
        return cast("dict[str, Json]", node) if not length else [node.get(str(index)) for index in range(length)]
    if isinstance(node, Branch):
        return _render_branch(node)
    return node.value if isinstance(node, Leaf) else node


def _render_branch(branch: Branch) -> Json:
    length = branch.array_length
    if not length:
        return {key: render(node) for key, node in branch.children.items()}
    items: list[Json] = [None] * length
    for key, node in branch.children.items():
        items[int(key)] = render(node)
    return items


def export(node: Node) -> Json:
    """Return a node as JSON with priorities and arrays as objects; PUT of the result stores an equal node.

    Do not modify the result, which may be the node.
    """
    if isinstance(node, dict):
        return cast("dict[str, Json]", node)
    if isinstance(node, Branch):
        result: dict[str, Json] = {key: export(child) for key, child in node.children.items()}
        if node.priority is not None:
            result[".priority"] = node.priority
        return result
    if isinstance(node, Leaf):
        return {".priority": node.priority, ".value": node.value}
    return node


def shallow(node: Node) -> Json:
    """Return a leaf unchanged, and a node with children as an object with True for every child."""
    return dict.fromkeys(children_of(node), True) if has_children(node) else leaf_value(node)


def etag(node: Node) -> str:
    """Return the ETag, which equal data has in common.

    It is base64 of the SHA-1 of the canonical JSON. For more than 512 nodes, the hash covers the sum of the hashes of
    the children, so that a write does not hash all its siblings again.
    """
    return finish(etag_work(node))


def etag_work(node: Node) -> Work[str]:
    """Do `etag` in slices."""
    if node is None:
        return NULL_ETAG
    return (yield from node.etag_work()) if isinstance(node, Branch) else _tag(_canonical(node))


_MAX_WHOLE_TAG = 512
_MAX_UNCACHED_TAG = 16
"""Branches with at most this number of nodes do not keep their ETag, which would take more memory than they do."""

_DIGEST_MODULUS = 2**256


def _canonical(node: Node) -> str:
    return json.dumps(export(node), sort_keys=True, separators=(",", ":"))


def _tag(text: str) -> str:
    return b64encode(sha1(text.encode(), usedforsecurity=False).digest()).decode()


def _digest_of_children(children: Mapping[str, Node]) -> Work[int]:
    """Return the sum of the hashes of all children. Chunks keep theirs."""
    total = 0
    if not isinstance(children, Children):
        return (yield from _digest_of_pairs(children.items()))
    for chunk in children.chunks.chunks:
        if chunk.digest is None:
            chunk.digest = yield from _digest_of_pairs(zip(chunk.keys, chunk.values, strict=True))
            yield
        total += chunk.digest
    return total % _DIGEST_MODULUS


def _digest_of_pairs(pairs: Iterable[tuple[str, Node]]) -> Work[int]:
    total = 0
    for key, node in pairs:
        if isinstance(node, Branch) and node.weight > _MAX_UNCACHED_TAG:
            text = yield from node.etag_work()
            yield
        else:
            text = _canonical(node)
        total += int.from_bytes(sha256(f"{_canonical(key)}:{text}".encode()).digest(), "big")
    return total % _DIGEST_MODULUS
