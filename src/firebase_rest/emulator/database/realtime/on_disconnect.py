"""Writes that a session leaves for the time when it ends."""

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
    """Paths below this one have values to write."""

    by_key: dict[str, _Pending] = field(default_factory=dict[str, "_Pending"])


_Pending: TypeAlias = "_Value | _Children"


class PendingWrites:
    """The values by path. A later value replaces what is pending at its path and below, as in the SDKs."""

    def __init__(self) -> None:
        self._root: _Pending | None = None

    def put(self, path: Path, value: Json) -> None:
        """Write `value` to `path`, which may end in `.priority`."""
        self._root = _with(self._root, path, value)

    def merge(self, path: Path, targets: Mapping[Path, Json]) -> None:
        """Write several values."""
        for target, value in targets.items():
            self.put((*path, *target), value)

    def cancel(self, path: Path) -> None:
        """Forget what is pending at `path` and below. The other children of a value above it stay pending."""
        if not path:
            self._root = None
        elif self._root is not None:
            self._root = _without(self._root, path)

    def values(self) -> dict[Path, Json]:
        """Return the pending values by path. No path is inside another."""
        found: dict[Path, Json] = {}
        stack: list[tuple[Path, _Pending | None]] = [((), self._root)]
        while stack:
            path, node = stack.pop()
            if isinstance(node, _Value):
                found[path] = node.json
            elif node is not None:
                stack += [((*path, key), child) for key, child in node.by_key.items()]
        return found


def _as_object(value: Json) -> dict[str, Json]:
    """Return the children of a value; a list as an object, a scalar as an empty one with its priority."""
    if isinstance(value, dict):
        return {key: item for key, item in value.items() if key not in {".value", ".sv"}}
    if isinstance(value, list):
        return {str(index): item for index, item in enumerate(value)}
    return {}


def _with(node: _Pending | None, path: Path, value: Json) -> _Pending:
    if not path:
        return _Value(value)
    if isinstance(node, _Value):
        return _Value(_with_value_at(node.json, path, value))
    children = node or _Children()
    children.by_key[path[0]] = _with(children.by_key.get(path[0]), path[1:], value)
    return children


def _with_value_at(outer: Json, path: Path, value: Json) -> Json:
    if not path:
        return value
    if path == (".priority",) and not isinstance(outer, (dict, list)):
        return {".value": outer, ".priority": value}
    children = dict(outer) if path == (".priority",) and isinstance(outer, dict) else _as_object(outer)
    children[path[0]] = _with_value_at(children.get(path[0]), path[1:], value)
    return children


def _without(node: _Pending, path: Path) -> _Pending | None:
    if not path:
        return None
    if isinstance(node, _Value):
        # What remains of the value is written child by child: the value itself would also delete the cancelled path.
        node = _Children({key: _Value(item) for key, item in _as_object(node.json).items()})
    below = node.by_key.pop(path[0], None)
    rest = None if below is None else _without(below, path[1:])
    if rest is not None:
        node.by_key[path[0]] = rest
    return node if node.by_key else None
