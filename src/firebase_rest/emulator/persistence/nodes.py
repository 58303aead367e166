"""Texts from which the nodes of the database are built again.

A small node is one text. A large one is a document of several pieces, so that neither writing nor reading it is one
long step. Texts are JSON, with priorities as in `tree.export`. What is read was written here, so it is not validated.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from firebase_rest.emulator.database.slices import batches, finish
from firebase_rest.emulator.database.tree import (
    MAX_SMALL,
    Branch,
    Leaf,
    at,
    branch_of,
    branch_work,
    children_of,
    export,
    has_children,
    priority_of,
    small_branch,
    weight_of,
    with_priority,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.tree import Change, Node, Path, Priority

PIECE = 1024
"""Nodes with more nodes than this below them are large. A string counts as one for each `_LEAF` characters."""

_LEAF = 32
_PATHS = 64

encode = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


def is_large(node: Node) -> bool:
    """Return whether a node is a document of several pieces."""
    return isinstance(node, Branch) and _size(node) > PIECE


def _size(node: Node) -> int:
    """Return the number of nodes in `node`, with long strings counted as several."""
    if isinstance(node, str):
        return 1 + len(node) // _LEAF
    if not has_children(node) or weight_of(node) > PIECE:
        return weight_of(node)
    return 1 + sum(map(_size, children_of(node).values()))


def pieces(node: Node) -> Iterator[str]:
    """Return the pieces of the document of a node.

    A piece is `[value]` for a small node, else `[path, children]`, where the path is that of a large branch; the last
    piece of a branch is `[path, children, priority]`. What is below a branch precedes its next children.
    """
    if isinstance(node, Branch) and is_large(node):
        yield from _branch_pieces((), node)
    else:
        yield encode([export(node)])


def _branch_pieces(path: Path, branch: Branch) -> Iterator[str]:
    children: dict[str, object] = {}
    weight = 0
    for key, node in branch.children.items():
        if isinstance(node, Branch) and is_large(node):
            if children:
                yield encode([path, children])
                children, weight = {}, 0
            yield from _branch_pieces((*path, key), node)
            continue
        children[key] = export(node)
        weight += _size(node)
        if weight > PIECE:
            yield encode([path, children])
            children, weight = {}, 0
    yield encode([path, children, branch.priority])


def read_document(texts: Iterator[str]) -> Node:
    """Return the node of a document. Raises `ValueError` if the end is missing."""
    branches: dict[Path, tuple[list[Sequence[str]], list[Sequence[Node]]]] = {}
    for text in texts:
        piece = json.loads(text)
        if len(piece) == 1:
            return _node(piece[0])
        path: Path = tuple(piece[0])
        keys, nodes = branches.setdefault(path, ([], []))
        children = _with_nodes(piece[1])
        if children:
            keys.append(list(children))
            nodes.append(list(children.values()))
        if len(piece) == 3:
            del branches[path]
            node = with_priority(finish(branch_work(keys, nodes)), piece[2])
            if not path:
                return node
            keys, nodes = branches.setdefault(path[:-1], ([], []))
            keys.append([path[-1]])
            nodes.append([node])
    raise ValueError("The end of the document is missing.")


def _node(value: Any) -> Node:
    if not isinstance(value, dict):
        return cast("Node", value)
    members = cast("dict[str, Any]", value)
    priority = members.pop(".priority", None)
    if ".value" in members:
        return Leaf(members[".value"], priority)
    children = _with_nodes(members)
    return branch_of(children, priority) if len(children) > MAX_SMALL else small_branch(children, priority)


def _with_nodes(children: dict[str, Any]) -> dict[str, Node]:
    for key, value in children.items():
        if isinstance(value, dict):
            children[key] = _node(value)
    return children


def entries_work(change: Change, document: Callable[[Node], Work[int]]) -> Work[str]:
    """Return the text of a change: what is at each written path afterwards.

    Args:
        change: The change.
        document: Returns the number of the document of a large node, of which the text only contains the number.
    """
    texts: list[str] = []
    for part in batches(change.paths(), _PATHS):
        for path in part:
            entry = yield from _entry_work(change, path, document)
            texts.append(encode(entry))
        yield
    return f"[{','.join(texts)}]"


def _entry_work(change: Change, path: Path, document: Callable[[Node], Work[int]]) -> Work[list[object]]:
    if path[-1:] == (".priority",):
        return [path, priority_of(at(change.after, path[:-1]))]
    before, after = at(change.before, path), at(change.after, path)
    if isinstance(before, Branch) and isinstance(after, Branch) and before.children is after.children:
        return [(*path, ".priority"), after.priority]  # children can be many
    return [path, None, (yield from document(after))] if is_large(after) else [path, export(after)]


def read_entries(text: str, read: Callable[[int], Node]) -> tuple[dict[Path, Node], dict[Path, Priority]]:
    """Return the nodes and the priorities of a change, by path. `read` returns the node of a document by its number."""
    nodes: dict[Path, Node] = {}
    priorities: dict[Path, Priority] = {}
    for names, value, *number in json.loads(text):
        path = tuple(names)
        if path[-1:] == (".priority",):
            priorities[path[:-1]] = value
        else:
            nodes[path] = read(number[0]) if number else _node(value)
    return nodes, priorities
