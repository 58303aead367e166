"""The data of one database: immutable nodes, and functions that read, replace and render them.

Invariant: nodes are immutable. A write returns a new root. It copies only the nodes on its path, and only the changed
chunks of large nodes, and shares all others. A root is therefore a consistent snapshot that is read without a lock.

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
from firebase_rest.emulator.database.slices import batches, clear_work, finish

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
    """A node with at least one child and optionally a priority.

    Invariant: the children are in Firebase's order, and none of them is None.

    The ETag, the array length and the indexes are computed on first use. If two threads compute them at the same time,
    the results are equal, so no lock is needed.

    Attributes:
        children: A dict, or `Children` if there are many.
        priority: The priority, or None.
        weight: The number of nodes below this one.
        indexes: The indexes that have been built, by `orderBy`.
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
        """The length of the array that this node is rendered as, or 0 if it is rendered as an object."""
        if self._length < 0:
            self._length = _array_length(self.children)
        return self._length

    def etag_work(self) -> Work[str]:
        """Compute `etag`, and cache it unless the branch is small."""
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
        """Return a copy of this branch with changed children, or None if no child is left.

        The branch must have `Children`.
        """
        before = self.children
        assert isinstance(before, Children)
        after = yield from before.apply_changes_work(changes)
        if len(after) <= MAX_SMALL // 2:
            return branch_of(dict(after.items()), self.priority)
        weight, indexes = self.weight, dict(self.indexes)
        for batch in batches(changes.items()):
            weight += sum([weight_of(node) - weight_of(before.get(key)) for key, node in batch])
            yield
        for order, index in self.indexes.items():
            indexes[order] = yield from index.apply_changes_work(before, after, changes)
        return Branch(after, self.priority, weight, indexes)

    def with_priority(self, priority: Priority) -> Branch:
        """Return this branch with another priority."""
        return Branch(self.children, priority, self.weight, self.indexes)


def branch_of(children: dict[str, Node], priority: Priority = None) -> Node:
    """Return the node with these children, which may be in any order but not be None. Return None for no children."""
    if not children:
        return None
    keys = list(children)
    if len(keys) > MAX_SMALL:
        return with_priority(finish(branch_work([keys], [list(children.values())])), priority)
    ordered = sorted_keys(keys)
    return small_branch(children if keys == ordered else {key: children[key] for key in ordered}, priority)


def branch_work(keys: list[Sequence[str]], nodes: list[Sequence[Node]]) -> Work[Node]:
    """Do the same as `branch_of`, in slices, for segments of keys and nodes, see `children_work`."""
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
    """Return the node with a few children, which must be in Firebase's order."""
    if priority is None and len(children) <= MAX_RECORD and _SCALARS.issuperset(map(type, children.values())):
        return cast("Record", children)
    return Branch(children, priority)


_SCALARS = frozenset({bool, int, float, str})


def _changed_dict(before: Mapping[str, Node], changes: Mapping[str, Node]) -> dict[str, Node]:
    children = {**before, **changes}
    return {key: node for key, node in children.items() if node is not None}


def weight_of(node: Node) -> int:
    """Return the number of nodes in a tree: the node itself and those below it, or 0 for None."""
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


def nodes_equal(left: Node, right: Node) -> bool:
    """Return whether two nodes have equal values and priorities. True and 1 differ, as in JSON."""
    if left is right:
        return True
    if has_children(left) and has_children(right):
        return _scalars_equal(priority_of(left), priority_of(right)) and _children_equal(
            children_of(left), children_of(right)
        )
    if type(left) is not type(right):
        return False
    if isinstance(left, Leaf) and isinstance(right, Leaf):
        return _scalars_equal(left.value, right.value) and _scalars_equal(left.priority, right.priority)
    return left == right


def _children_equal(left: Mapping[str, Node], right: Mapping[str, Node]) -> bool:
    if len(left) != len(right):
        return False
    if isinstance(left, Children) and isinstance(right, Children):
        return all(nodes_equal(left.get(key), right.get(key)) for key in differing_keys(left, right))
    return all(nodes_equal(node, right.get(key)) for key, node in left.items())


def _scalars_equal(left: Scalar | None, right: Scalar | None) -> bool:
    return type(left) is type(right) and left == right


@dataclass(frozen=True, slots=True)
class Change:
    """One write: the roots before and after it, and the written paths.

    The written path is `base`, unless there are `targets`; then the written paths are the targets, relative to `base`.
    """

    before: Node
    after: Node
    base: Path
    targets: tuple[Path, ...] | None = None

    def paths(self) -> Iterable[Path]:
        """Return the written paths, from the root."""
        return (self.base,) if self.targets is None else ((*self.base, *target) for target in self.targets)


# --- writing ----------------------------------------------------------------------------------------------------------


def replace(node: Node, path: Sequence[str], new: Node) -> Node:
    """Return `node` with `new` at `path`, creating missing parents and removing empty ones.

    A value below a leaf replaces the leaf but keeps its priority. None below a leaf changes nothing.
    """
    if not path:
        return new
    key = path[0]
    old_child = child(node, key)
    new_child = replace(old_child, path[1:], new)
    return node if new_child is old_child else _with_child_nodes(node, {key: new_child})


def update(node: Node, changes: Mapping[Path, Node]) -> Node:
    """Do the same as `replace` for several paths, none of them inside another. Copy every node only once."""
    if () in changes:
        return changes[()]
    groups = _by_first_key(changes.items(), {})
    return _with_child_nodes(node, {key: update(child(node, key), group) for key, group in groups.items()})


def update_work(node: Node, changes: Mapping[Path, Node]) -> Work[Node]:
    """Do the same as `update`, in slices."""
    if len(changes) <= _UPDATE_SLICE:
        return update(node, changes)
    groups: dict[str, dict[Path, Node]] = {}
    for batch in batches(changes.items()):
        _by_first_key(batch, groups)
        yield
    nodes: dict[str, Node] = {}
    for keys in batches(list(groups), _UPDATE_SLICE):
        for key in keys:
            group, old = groups.pop(key), child(node, key)
            if len(group) <= _UPDATE_SLICE:
                nodes[key] = update(old, group)
            else:
                nodes[key] = yield from update_work(old, group)
                yield from clear_work(group)
        yield
    changed = yield from _with_child_nodes_work(node, nodes)
    yield from clear_work(nodes)
    return changed


_UPDATE_SLICE = 64


def _by_first_key(
    changes: Iterable[tuple[Path, Node]], groups: dict[str, dict[Path, Node]]
) -> dict[str, dict[Path, Node]]:
    """Add the changes to `groups`, by the first key of their paths, and return `groups`."""
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
    keys: list[Sequence[str]] = list(batches(chain(before, changes)))
    nodes: list[Sequence[Node]] = list(batches(chain(before.values(), changes.values())))
    changed = with_priority((yield from branch_work(keys, nodes)), priority_of(node))
    return node if changed is None and not has_children(node) else changed


def with_priority(node: Node, priority: Priority) -> Node:
    """Return `node` with another priority. The node None cannot have a priority."""
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
    """Return a node as JSON with priorities, and with arrays as objects. Storing the result creates an equal node.

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
    """Return the value of a leaf, or an object with True for every child of a node."""
    return dict.fromkeys(children_of(node), True) if has_children(node) else leaf_value(node)


def etag(node: Node) -> str:
    """Return the ETag of a node. Nodes with equal data have equal ETags.

    The ETag is the SHA-1 of the canonical JSON in base64. For more than 512 nodes, it is the SHA-1 of the sum of the
    hashes of the children, so that after a write the hashes of the siblings need not be computed again.
    """
    return finish(etag_work(node))


def etag_work(node: Node) -> Work[str]:
    """Do the same as `etag`, in slices."""
    if node is None:
        return NULL_ETAG
    return (yield from node.etag_work()) if isinstance(node, Branch) else _tag(_canonical(node))


_MAX_WHOLE_TAG = 512
_MAX_UNCACHED_TAG = 16
"""A branch with at most this many nodes does not cache its ETag, which would use more memory than the branch."""

_DIGEST_MODULUS = 2**256


def _canonical(node: Node) -> str:
    return json.dumps(export(node), sort_keys=True, separators=(",", ":"))


def _tag(text: str) -> str:
    return b64encode(sha1(text.encode(), usedforsecurity=False).digest()).decode()


def _digest_of_children(children: Mapping[str, Node]) -> Work[int]:
    """Return the sum of the hashes of all children, and cache the sum of each chunk."""
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
