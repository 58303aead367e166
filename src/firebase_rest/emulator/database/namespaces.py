"""The databases by name. Unused ones are removed, so that requests with many names do not fill the memory."""

from __future__ import annotations

from weakref import WeakValueDictionary

from firebase_rest.emulator.database.namespace import Namespace

MAX_UNUSED = 1000
"""Number of databases above which unused ones are removed."""


class Namespaces(dict[str, Namespace]):
    """Databases by name. Callers must hold a lock while they call `setdefault`.

    A request or session that uses a removed database can still write to it. The write adds the database again.
    """

    def __init__(self) -> None:
        super().__init__()
        self._unused: WeakValueDictionary[str, Namespace] = WeakValueDictionary()
        self._limit = MAX_UNUSED

    def setdefault(self, name: str, default: Namespace) -> Namespace:
        """Return the database of this name, or add `default`."""
        namespace = super().setdefault(name, self._unused.pop(name, default))
        namespace.on_first_use = None
        if len(self) > self._limit:
            self._remove_unused(name)
            self._limit = 2 * len(self) + MAX_UNUSED
        return namespace

    def _remove_unused(self, current: str) -> None:
        for name, namespace in list(self.items()):
            if name != current and namespace.is_unused(self._add_again):
                self._unused[name] = namespace
                del self[name]

    def _add_again(self, namespace: Namespace) -> None:
        self[namespace.name] = namespace
