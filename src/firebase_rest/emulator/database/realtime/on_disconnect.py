"""The `onDisconnect` operations of a session: writes that are committed when the session ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

    from firebase_rest.emulator.database.tree import Path
    from firebase_rest.transport.wire import Json


@dataclass(slots=True)
class _Value:
    """A value to write."""

    json: Json


@dataclass(slots=True)
class _Children:
    """Values to write at paths below this one."""

    by_key: dict[str, _Pending] = field(default_factory=dict[str, "_Pending"])


_Pending: TypeAlias = "_Value | _Children"


class PendingWrites:
    """The pending values by path. As in the SDKs, a value replaces earlier values at its path and below."""

    def __init__(self) -> None:
        self._root: _Pending | None = None

    def put(self, path: Path, value: Json) -> None:
        """Add a value for `path`, which may end in `.priority`."""
        self._root = _with(self._root, path, value)

    def merge(self, path: Path, targets: Mapping[Path, Json]) -> None:
        """Add values for several paths, relative to `path`."""
        for target, value in targets.items():
            self.put((*path, *target), value)

    def cancel(self, path: Path) -> None:
        """Remove the values at `path` and below. The other children of a value above `path` stay pending."""
        if not path:
            self._root = None
        elif self._root is not None:
            self._root = _without(self._root, path)

    def values(self) -> dict[Path, Json]:
        """Return the pending values by path. No path is inside another."""
        values: dict[Path, Json] = {}
        stack: list[tuple[Path, _Pending | None]] = [((), self._root)]
        while stack:
            path, node = stack.pop()
            if isinstance(node, _Value):
                values[path] = node.json
            elif node is not None:
                stack += [((*path, key), child) for key, child in node.by_key.items()]
        return values


def _as_object(value: Json) -> dict[str, Json]:
    """Return the children of a value, and its priority if it has one, as an object."""
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if key not in {".value", ".sv"}}
    if isinstance(value, list):
        return {str(index): item for index, item in enumerate(value)}
    return {}


def _with(node: _Pending | None, path: Path, value: Json) -> _Pending:
    """Return `node` with a value to write at `path` below it."""
    if not path:
        return _Value(value)
    if isinstance(node, _Value):
        return _Value(_with_value_at(node.json, path, value))
    children = node or _Children()
    children.by_key[path[0]] = _with(children.by_key.get(path[0]), path[1:], value)
    return children


def _with_value_at(outer: Json, path: Path, value: Json) -> Json:
    """Return the value `outer` with `value` at `path` below it."""
    if not path:
        return value
    if path == (".priority",) and not isinstance(outer, (dict, list)):
        return {".value": outer, ".priority": value}
    children = dict(outer) if path == (".priority",) and isinstance(outer, dict) else _as_object(outer)
    children[path[0]] = _with_value_at(children.get(path[0]), path[1:], value)
    return children


def _without(node: _Pending, path: Path) -> _Pending | None:
    """Return `node` without the values at `path` below it, or None if no values remain."""
    if not path:
        return None
    if isinstance(node, _Value):
        # The remaining children are written one by one. Writing the value would delete the data at the cancelled path.
        node = _Children({key: _Value(item) for key, item in _as_object(node.json).items()})
    child = node.by_key.pop(path[0], None)
    remaining = None if child is None else _without(child, path[1:])
    if remaining is not None:
        node.by_key[path[0]] = remaining
    return node if node.by_key else None
