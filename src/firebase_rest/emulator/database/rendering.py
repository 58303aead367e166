"""JSON texts of large values and nodes, and the release of their memory, in slices."""

from __future__ import annotations

import ctypes
import sys
from typing import TYPE_CHECKING, Any, cast

from firebase_rest.emulator.database.children import Children
from firebase_rest.emulator.database.chunks import Chunk
from firebase_rest.emulator.database.indexes import Index
from firebase_rest.emulator.database.parsing import LargeArray, LargeObject
from firebase_rest.emulator.database.responses import compact
from firebase_rest.emulator.database.slices import SLICE, parts
from firebase_rest.emulator.database.tree import Branch, children_of, export, render, shallow, weight_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.tree import Node
    from firebase_rest.transport.wire import Json

SMALL = 1000
"""Nodes below which there are at most this many others are rendered in one step."""

_MEMBERS = 16
_LEAF_CHARACTERS = 64
_TRIM_ABOVE = 100_000


class _Pieces:
    """Collects a JSON text in pieces."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self._needs_comma = False

    def open(self, bracket: bytes) -> None:
        self.pieces.append(bracket)
        self._needs_comma = False

    def close(self, bracket: bytes) -> None:
        self.pieces.append(bracket)
        self._needs_comma = True

    def add_members(self, members: dict[str, Json] | list[Json]) -> None:
        """Add members of the container that is open."""
        if members:
            self._separate()
            self.pieces.append(compact(members)[1:-1])
            self._needs_comma = True

    def start_member(self, key: str | None) -> None:
        """Start a member of which the value follows; an item of an array has no key."""
        self._separate()
        self._needs_comma = False
        if key is not None:
            self.pieces.append(compact(key) + b":")

    def _separate(self) -> None:
        if self._needs_comma:
            self.pieces.append(b",")


def json_work(value: Json) -> Work[list[bytes]]:
    """Return the text of a result of `parse_work`."""
    if not isinstance(value, (LargeObject, LargeArray)):
        return [compact(value)]
    text = _Pieces()
    yield from _add_json(text, value)
    return text.pieces


def _add_json(text: _Pieces, value: LargeObject | LargeArray) -> Work[None]:
    is_object = isinstance(value, LargeObject)
    text.open(b"{" if is_object else b"[")
    pairs: Iterable[tuple[str, Json]] = (
        value.items() if isinstance(value, LargeObject) else (("", item) for item in value)
    )
    for part in parts(pairs, _MEMBERS):
        if any(isinstance(item, (LargeObject, LargeArray)) for _, item in part):
            for key, item in part:
                if isinstance(item, (LargeObject, LargeArray)):
                    text.start_member(key if is_object else None)
                    yield from _add_json(text, item)
                else:
                    text.add_members({key: item} if is_object else [item])
        else:
            text.add_members(dict(part) if is_object else [item for _, item in part])
        yield
    text.close(b"}" if is_object else b"]")


def node_work(node: Node, *, as_export: bool) -> Work[list[bytes]]:
    """Return the text of a node, as `render` or `export` return it."""
    if not isinstance(node, Branch) or node.weight <= SMALL:
        return [compact(export(node) if as_export else render(node))]
    text = _Pieces()
    yield from _add_node(text, node, as_export=as_export)
    return text.pieces


def shallow_work(node: Node) -> Work[list[bytes]]:
    """Return the text of `shallow`."""
    if weight_of(node) <= SMALL:
        return [compact(shallow(node))]
    text = _Pieces()
    text.open(b"{")
    for part in parts(children_of(node)):
        text.add_members(dict.fromkeys(part, True))
        yield
    text.close(b"}")
    return text.pieces


def _add_node(text: _Pieces, branch: Branch, *, as_export: bool) -> Work[None]:
    """Add a large node. Small children are rendered together."""
    is_array = not as_export and branch.array_length > 0
    show = export if as_export else render
    text.open(b"[" if is_array else b"{")
    members: dict[str, Json] = {}
    weight = index = 0
    for key, node in branch.children.items():
        if is_array:
            while index < int(key):
                members[str(-index - 1)] = None
                index += 1
            index += 1
        weight += weight_of(node)
        if isinstance(node, str):
            weight += len(node) // _LEAF_CHARACTERS
        is_large = isinstance(node, Branch) and node.weight > SMALL
        if not is_large:
            members[key] = show(node)
        if is_large or weight > SMALL:
            text.add_members(list(members.values()) if is_array else members)
            members, weight = {}, 0
            yield
        if isinstance(node, Branch) and is_large:
            text.start_member(None if is_array else key)
            yield from _add_node(text, node, as_export=as_export)
    if as_export and branch.priority is not None:
        members[".priority"] = branch.priority
    text.add_members(list(members.values()) if is_array else members)
    text.close(b"]" if is_array else b"}")


def release_work(garbage: list[Any]) -> Work[None]:
    """Release the memory of values and nodes step by step. The list must have the only references to them.

    What others still use is not changed, only visited.
    """
    released = 0
    while garbage:
        item = garbage.pop()
        if isinstance(item, LargeObject):
            while item:
                garbage += filter(_is_large, [item.popitem()[1] for _ in range(min(SLICE, len(item)))])
                yield
        elif isinstance(item, LargeArray):
            while item:
                garbage += filter(_is_large, item[-SLICE:])
                del item[-SLICE:]
                yield
        else:
            if isinstance(item, Chunk):
                released += len(item.keys)
            garbage += _large_parts(cast("object", item))
        del item
        yield
    if released > _TRIM_ABOVE:
        trim_memory()


def _is_large(value: object) -> bool:
    return isinstance(value, (LargeObject, LargeArray))


def _large_parts(item: Any) -> Iterable[Any]:
    """Return what may hold much memory in a node or a part of one."""
    if isinstance(item, Branch):
        return [item.children, *item.indexes.values()]
    if isinstance(item, (Children, Index)):
        return cast("Iterable[Any]", item.chunks.chunks)  # pyright: ignore[reportUnknownMemberType]
    nodes: Iterable[Any] = ()
    if isinstance(item, Chunk):
        nodes = cast("Any", item).values
    elif isinstance(item, dict):
        nodes = cast("dict[str, Any]", item).values()
    return [node for node in nodes if isinstance(node, Branch)]


def trim_memory() -> None:
    """Return free memory to the operating system, which glibc does not do on its own."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
