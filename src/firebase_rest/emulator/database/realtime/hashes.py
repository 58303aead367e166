"""Hashes of nodes. A client sends the hash of the data that it has, so that equal data is not sent again."""

from __future__ import annotations

import struct
from base64 import b64encode
from hashlib import sha1
from typing import TYPE_CHECKING

from firebase_rest.database.ordering import keys_by_value
from firebase_rest.emulator.database.rendering import SMALL
from firebase_rest.emulator.database.slices import batches
from firebase_rest.emulator.database.tree import Branch, children_of, leaf_value, priority_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.tree import Node, Priority, Scalar

_CHILDREN_PER_SLICE = 64


def node_hash(node: Node) -> str:
    """Return the hash of a node, or "" if there is no data."""
    if node is None:
        return ""
    priority = priority_of(node)
    text = "" if priority is None else f"priority:{_priority_text(priority)}:"
    children = children_of(node)
    if children:
        text += "".join([f":{key}:{node_hash(children[key])}" for key in _ordered_keys(children)])
    else:
        text += _scalar_text(leaf_value(node))
    return b64encode(sha1(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()).decode()


def hash_work(node: Node) -> Work[str]:
    """Do the same as `node_hash`, in slices."""
    if not isinstance(node, Branch) or node.weight <= SMALL:
        return node_hash(node)
    priority = priority_of(node)
    digest = sha1(b"" if priority is None else f"priority:{_priority_text(priority)}:".encode(), usedforsecurity=False)
    has_priorities = False
    for batch in batches(node.children.values()):
        has_priorities = has_priorities or any(priority_of(child) is not None for child in batch)
        yield
    children = node.children
    pairs = ((key, children[key]) for key in _ordered_keys(children)) if has_priorities else children.items()
    for batch_of_pairs in batches(pairs, _CHILDREN_PER_SLICE):
        for key, child in batch_of_pairs:
            digest.update(f":{key}:{(yield from hash_work(child))}".encode("utf-8", "surrogatepass"))
        yield
    return b64encode(digest.digest()).decode()


def _ordered_keys(children: Mapping[str, Node]) -> list[str]:
    """Return the keys, sorted by priority and then by key."""
    priorities = {key: priority_of(node) for key, node in children.items()}
    if all(priority is None for priority in priorities.values()):
        return list(children)
    return keys_by_value(priorities)


def _scalar_text(value: Scalar | None) -> str:
    if isinstance(value, bool):
        return f"boolean:{'true' if value else 'false'}"
    if isinstance(value, (int, float)):
        return f"number:{_double(value)}"
    return f"string:{value}"


def _priority_text(priority: Priority) -> str:
    return f"string:{priority}" if isinstance(priority, str) else f"number:{_double(priority or 0)}"


def _double(value: int | float) -> str:
    """Return the bytes of a double as hexadecimal digits."""
    return struct.pack(">d", value).hex()
