"""`Watchers`: the watchers of a database, found by the path of a write.

The cost of a write depends on the number of watchers that it may concern, not on the number of all watchers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from firebase_rest.emulator.database.stream import Watcher
    from firebase_rest.emulator.database.tree import Change, Path


_FEW_TARGETS = 64


class _Place:
    """The watchers of one path, and the places below it that have some."""

    __slots__ = ("children", "watchers")

    def __init__(self) -> None:
        self.watchers: dict[Watcher, None] = {}
        self.children: dict[str, _Place] = {}


class Watchers:
    """A set of watchers."""

    def __init__(self) -> None:
        self._all: dict[Watcher, None] = {}  # in the order of their subscription
        self._root = _Place()

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[Watcher]:
        return iter(self._all)

    def add(self, watcher: Watcher) -> None:
        """Add a watcher."""
        self._all[watcher] = None
        place = self._root
        for key in watcher.path:
            below = place.children.get(key)
            if below is None:
                below = place.children[key] = _Place()
            place = below
        place.watchers[watcher] = None

    def discard(self, watcher: Watcher) -> None:
        """Remove a watcher if it is present."""
        if watcher not in self._all:
            return
        del self._all[watcher]
        places = [self._root]
        for key in watcher.path:
            places.append(places[-1].children[key])
        del places[-1].watchers[watcher]
        for key in reversed(watcher.path):
            place = places.pop()
            if place.watchers or place.children:
                break
            del places[-1].children[key]

    def concerned(self, change: Change) -> Iterable[Watcher]:
        """Return the watchers that may have to show a change."""
        if change.targets is None or len(change.targets) > _FEW_TARGETS:
            return self._along(change.base)
        return dict.fromkeys(watcher for path in change.paths() for watcher in self._along(path))

    def _along(self, path: Path) -> Iterator[Watcher]:
        """Return the watchers of a path, of the paths above it and of those below it."""
        place = self._root
        for key in path:
            yield from place.watchers
            below = place.children.get(key)
            if below is None:
                return
            place = below
        places = [place]
        while places:
            place = places.pop()
            yield from place.watchers
            places += place.children.values()
