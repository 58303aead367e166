"""Rendering of large values and nodes as JSON, and the release of their memory, in slices."""

from __future__ import annotations

import ctypes
import gc
import sys
from itertools import repeat
from typing import TYPE_CHECKING, Any, cast

from firebase_rest.emulator.database.children import Children
from firebase_rest.emulator.database.chunks import Chunk
from firebase_rest.emulator.database.indexes import Index
from firebase_rest.emulator.database.parsing import LargeArray, LargeObject
from firebase_rest.emulator.database.responses import INDENT, compact, pretty, pretty_members
from firebase_rest.emulator.database.slices import SLICE, batches
from firebase_rest.emulator.database.tree import Branch, children_of, export, render, shallow, weight_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.tree import Node
    from firebase_rest.transport.wire import Json

SMALL = 1000
"""A node with at most this many nodes below it is rendered in one step."""

_MEMBERS_PER_BATCH = 16
_CHARACTERS_PER_NODE = 64
"""Rendering a string of this length takes about as long as rendering a node."""
_TRIM_ABOVE = 100_000


class _TextBuilder:
    """Collects a JSON text in pieces, in the format of `compact` or, with `is_pretty`, of `pretty`."""

    def __init__(self, *, is_pretty: bool) -> None:
        self.pieces: list[bytes] = []
        self._is_pretty = is_pretty
        self._is_empty = True
        self._depth = 0

    def open(self, *, is_object: bool) -> None:
        """Start a container."""
        self.pieces.append(b"{" if is_object else b"[")
        self._depth += is_object
        self._is_empty = True

    def close(self, *, is_object: bool) -> None:
        """End a container."""
        self._depth -= is_object
        if self._is_pretty:
            is_block = is_object and not self._is_empty
            self.pieces.append(b"\n" + INDENT * self._depth if is_block else b" ")
        self.pieces.append(b"}" if is_object else b"]")
        self._is_empty = False

    def add_members(self, members: dict[str, Json] | list[Json]) -> None:
        """Add members to the open container."""
        if members:
            self._separate(is_object=isinstance(members, dict))
            self.pieces.append(pretty_members(members, self._depth) if self._is_pretty else compact(members)[1:-1])
            self._is_empty = False

    def start_member(self, key: str | None) -> None:
        """Start a member, whose value must be added next. `key` is None for an item of an array."""
        self._separate(is_object=key is not None)
        if key is None:
            return
        if self._is_pretty:
            self.pieces.append(INDENT * self._depth + compact(key) + b" : ")
        else:
            self.pieces.append(compact(key) + b":")

    def _separate(self, *, is_object: bool) -> None:
        if not self._is_empty:
            self.pieces.append(b",")
        if self._is_pretty:
            self.pieces.append(b"\n" if is_object else b" ")


def json_work(value: Json | LargeObject, *, is_pretty: bool = False) -> Work[list[bytes]]:
    """Return a value that `parse_work` returned as JSON, in pieces."""
    if not _is_large(value):
        return [pretty(cast("Json", value)) if is_pretty else compact(cast("Json", value))]
    text = _TextBuilder(is_pretty=is_pretty)
    yield from _add_json(text, value)
    return text.pieces


def _add_json(text: _TextBuilder, value: Any) -> Work[None]:
    is_object = isinstance(value, LargeObject)
    text.open(is_object=is_object)
    if isinstance(value, LargeObject) and value.may_repeat_keys:
        members_by_key = yield from value.merged_work()
        parts: Iterable[Any] = map(dict, batches(members_by_key.items(), _MEMBERS_PER_BATCH))
    else:
        parts = value.parts if is_object else batches(value, _MEMBERS_PER_BATCH)
    part: Any
    for part in parts:
        if not any(map(_is_large, part.values() if is_object else part)):
            text.add_members(part)
            yield
            continue
        pairs = part.items() if is_object else zip(repeat(None, len(part)), part, strict=True)
        for key, item in cast("Iterable[tuple[Any, Any]]", pairs):
            if _is_large(item):
                text.start_member(key)
                yield from _add_json(text, item)
            else:
                text.add_members({str(key): item} if is_object else [item])
    text.close(is_object=is_object)


def node_work(node: Node, *, as_export: bool, is_pretty: bool = False) -> Work[list[bytes]]:
    """Return a node as JSON in pieces, in the form of `export` or of `render`."""
    if not isinstance(node, Branch) or node.weight <= SMALL:
        value = export(node) if as_export else render(node)
        return [pretty(value) if is_pretty else compact(value)]
    text = _TextBuilder(is_pretty=is_pretty)
    yield from _add_node(text, node, as_export=as_export)
    return text.pieces


def members_work(nodes: Mapping[str, Node], *, as_export: bool) -> Work[list[bytes]]:
    """Return an object whose members are nodes as JSON, in pieces."""
    text = _TextBuilder(is_pretty=False)
    text.open(is_object=True)
    yield from _add_children(text, nodes, is_array=False, as_export=as_export)
    text.close(is_object=True)
    return text.pieces


def shallow_work(node: Node, *, is_pretty: bool = False) -> Work[list[bytes]]:
    """Return the result of `shallow` as JSON, in pieces."""
    if weight_of(node) <= SMALL:
        return [pretty(shallow(node)) if is_pretty else compact(shallow(node))]
    text = _TextBuilder(is_pretty=is_pretty)
    text.open(is_object=True)
    for part in batches(children_of(node)):
        text.add_members(dict.fromkeys(part, True))
        yield
    text.close(is_object=True)
    return text.pieces


def _add_node(text: _TextBuilder, branch: Branch, *, as_export: bool) -> Work[None]:
    """Add a large node."""
    is_array = not as_export and branch.array_length > 0
    text.open(is_object=not is_array)
    yield from _add_children(text, branch.children, is_array=is_array, as_export=as_export)
    if as_export and branch.priority is not None:
        text.add_members({".priority": branch.priority})
    text.close(is_object=not is_array)


def _add_children(text: _TextBuilder, children: Mapping[str, Node], *, is_array: bool, as_export: bool) -> Work[None]:
    """Add nodes to the open container. Render small ones together."""
    to_json = export if as_export else render
    members: dict[str, Json] = {}
    weight = index = 0
    for key, node in children.items():
        if is_array:
            while index < int(key):
                members[str(-index - 1)] = None  # a missing item; the key is not used, and must only be unique
                index += 1
            index += 1
        weight += weight_of(node)
        if isinstance(node, str):
            weight += len(node) // _CHARACTERS_PER_NODE
        is_large = isinstance(node, Branch) and node.weight > SMALL
        if not is_large:
            members[key] = to_json(node)
        if is_large or weight > SMALL:
            text.add_members(list(members.values()) if is_array else members)
            members, weight = {}, 0
            yield
        if isinstance(node, Branch) and is_large:
            text.start_member(None if is_array else key)
            yield from _add_node(text, node, as_export=as_export)
    text.add_members(list(members.values()) if is_array else members)


def release_work(garbage: list[Any]) -> Work[None]:
    """Release the memory of values and nodes in slices. The list must contain the only references to them.

    Nodes that are also in other trees are not changed.
    """
    released = 0
    while garbage:
        item = garbage.pop()
        if isinstance(item, LargeObject):
            while item.parts:
                garbage += filter(_is_large, item.parts.pop().values())
                yield
        elif isinstance(item, LargeArray):
            while item:
                garbage += filter(_is_large, item[-SLICE:])
                del item[-SLICE:]
                yield
        else:
            if isinstance(item, Chunk):
                released += len(item.keys)
            garbage += _large_batches(cast("object", item))
        del item
        yield
    if released > _TRIM_ABOVE:
        trim_memory()


def _is_large(value: object) -> bool:
    return isinstance(value, (LargeObject, LargeArray))


def _large_batches(item: Any) -> Iterable[Any]:
    """Return the parts of a node, mapping or chunk that may use much memory."""
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
    """Return free memory to the operating system. Neither Python nor glibc does so automatically."""
    if gc.get_freeze_count() == 0:
        # Python keeps some freed tuples, lists and dicts for reuse until the next full collection, and each of them
        # keeps an arena of a megabyte. After freeze(), this full collection visits no objects, so it is fast.
        gc.freeze()
        gc.collect()
        gc.unfreeze()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)
