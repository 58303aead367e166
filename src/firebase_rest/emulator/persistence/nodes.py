"""Encodes nodes of the database as texts, and decodes them.

A small node is one text. A large node is a document of several pieces, so that writing and reading it can be done in
slices. Texts are JSON, with priorities as in `tree.export`. Texts are not validated when they are read, because only
this module writes them.
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
"""A node with more than this number of nodes is large. A string counts as one more node for each 32 characters."""

_CHARACTERS_PER_NODE = 32
_PATHS_PER_SLICE = 64

encode = json.JSONEncoder(check_circular=False, separators=(",", ":")).encode


def is_large(node: Node) -> bool:
    """Return whether a node is saved as a document of several pieces."""
    return isinstance(node, Branch) and _size(node) > PIECE


def _size(node: Node) -> int:
    """Return the number of nodes in `node`. A long string counts as several."""
    if isinstance(node, str):
        return 1 + len(node) // _CHARACTERS_PER_NODE
    if not has_children(node) or weight_of(node) > PIECE:
        return weight_of(node)
    return 1 + sum(map(_size, children_of(node).values()))


def pieces(node: Node) -> Iterator[str]:
    """Yield the pieces of the document of a node.

    A small node is one piece, `[value]`. A large branch is pieces `[path, children]`, where `path` is the path of the
    branch, and a last piece `[path, children, priority]`. The pieces of a large child are between those of its parent.
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
    """Return the node of a document. Raises `ValueError` if the last piece is missing."""
    branches: dict[Path, tuple[list[Sequence[str]], list[Sequence[Node]]]] = {}
    for text in texts:
        piece = json.loads(text)
        if len(piece) == 1:
            return _decode(piece[0])
        path: Path = tuple(piece[0])
        keys, nodes = branches.setdefault(path, ([], []))
        children = _decode_children(piece[1])
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


def _decode(value: Any) -> Node:
    """Return the node of a result of `tree.export`."""
    if not isinstance(value, dict):
        return cast("Node", value)
    members = cast("dict[str, Any]", value)
    priority = members.pop(".priority", None)
    if ".value" in members:
        return Leaf(members[".value"], priority)
    children = _decode_children(members)
    return branch_of(children, priority) if len(children) > MAX_SMALL else small_branch(children, priority)


def _decode_children(children: dict[str, Any]) -> dict[str, Node]:
    """Replace the values in `children` by nodes. Return `children`."""
    for key, value in children.items():
        if isinstance(value, dict):
            children[key] = _decode(value)
    return children


def entries_work(change: Change, write_document: Callable[[Node], Work[int]]) -> Work[str]:
    """Return the text of a change, which contains the new node at each written path.

    Args:
        change: The change.
        write_document: Writes a large node as a document. The text contains only the number of the document.
    """
    texts: list[str] = []
    for batch in batches(change.paths(), _PATHS_PER_SLICE):
        for path in batch:
            entry = yield from _entry_work(change, path, write_document)
            texts.append(encode(entry))
        yield
    return f"[{','.join(texts)}]"


def _entry_work(change: Change, path: Path, write_document: Callable[[Node], Work[int]]) -> Work[list[object]]:
    if path[-1:] == (".priority",):
        return [path, priority_of(at(change.after, path[:-1]))]
    before, after = at(change.before, path), at(change.after, path)
    if isinstance(before, Branch) and isinstance(after, Branch) and before.children is after.children:
        return [(*path, ".priority"), after.priority]  # only the priority has changed, and there may be many children
    return [path, None, (yield from write_document(after))] if is_large(after) else [path, export(after)]


def read_entries(text: str, read_document: Callable[[int], Node]) -> tuple[dict[Path, Node], dict[Path, Priority]]:
    """Return the nodes and the priorities of a change, by path.

    `read_document` returns the node of the document with a number.
    """
    nodes: dict[Path, Node] = {}
    priorities: dict[Path, Priority] = {}
    for keys, value, *document in json.loads(text):
        path = tuple(keys)
        if path[-1:] == (".priority",):
            priorities[path[:-1]] = value
        else:
            nodes[path] = read_document(document[0]) if document else _decode(value)
    return nodes, priorities
