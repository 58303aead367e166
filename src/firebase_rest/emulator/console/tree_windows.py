"""Parts of the tree of a database: a node and a limited number of its children."""

from __future__ import annotations

from typing import TYPE_CHECKING

from firebase_rest.database.filter import KEY, Bound, Filter
from firebase_rest.emulator.database.stream import PendingEvent, StreamView
from firebase_rest.emulator.database.tree import at, child, children_of, has_children, leaf_value, priority_of
from firebase_rest.emulator.database.windows import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from firebase_rest.emulator.database.slices import Work
    from firebase_rest.emulator.database.tree import Change, Node
    from firebase_rest.transport.wire import Json

MAX_CHILDREN = 1_000

_MAX_EXACT_INTEGER = 2**53
"""JavaScript rounds larger integers, so the page also gets them as text."""

_MAX_TEXT = 1_000
"""Longer strings are truncated, because the page shows one line for each child."""


def node_window(root: Node, path: Sequence[str], *, start: str = "", after: str = "", limit: int) -> dict[str, Json]:
    """Return a node and its first children as JSON.

    Args:
        root: The root of the database.
        path: The path of the node.
        start: The first key to return, or "" for the first child.
        after: The key after which to start, or "".
        limit: The maximum number of children. At most `MAX_CHILDREN` are returned.
    """
    node = at(root, path)
    limit = max(1, min(limit, MAX_CHILDREN))
    window = Filter(
        order=KEY,
        start_after=Bound(after) if after else None,
        start_at=Bound(start) if start and not after else None,
        limit_to_first=limit + 1,
    )
    keys = list(Window(node, window).keys()) if has_children(node) else []
    children: list[Json] = [{"key": key, **_summary(child(node, key))} for key in keys[:limit]]
    return {**_summary(node), "children": children, "hasMore": len(keys) > limit}


def _summary(node: Node) -> dict[str, Json]:
    """Return the number of children or the value of a node, and its priority."""
    summary: dict[str, Json] = {}
    if has_children(node):
        summary["count"] = len(children_of(node))
    else:
        value = leaf_value(node)
        if isinstance(value, str) and len(value) > _MAX_TEXT:
            summary |= {"value": value[:_MAX_TEXT], "length": len(value)}
        else:
            summary["value"] = value
            if isinstance(value, int) and abs(value) > _MAX_EXACT_INTEGER:
                summary["text"] = str(value)
    priority = priority_of(node)
    return summary if priority is None else {**summary, "priority": priority}


class ChangedPaths(StreamView):
    """A view that shows only the paths that are written, without data."""

    def __init__(self) -> None:
        super().__init__((), Filter())

    def initial_work(self, root: Node) -> Work[PendingEvent]:  # noqa: ARG002
        """Return an event for the root, so that a page that reconnects reads all data again."""
        yield
        return PendingEvent(())

    def pending_events(self, change: Change) -> list[PendingEvent]:
        """Return an event for each written path."""
        return [PendingEvent(tuple(path)) for path in change.paths()]
