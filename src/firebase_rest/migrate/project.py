"""The analysis of a program with several files. An imported file is read when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from firebase_rest.migrate.context import ModuleContext
from firebase_rest.migrate.findings import Finding
from firebase_rest.migrate.sources import SourceFile
from firebase_rest.migrate.statements import analyse

_MAX_ROUNDS = 5
_MAX_PARENTS = 5


class Program:
    """The Python files of one check. `load` reads one of them by its resolved path."""

    def __init__(self, load: Callable[[Path], SourceFile | None]) -> None:
        self._load = load
        self._files: dict[Path, ModuleContext | None] = {}

    def add(self, path: Path) -> ModuleContext | None:
        """Return the file at a resolved path, if it can be read. It is read once."""
        if path not in self._files:
            self._files[path] = None
            source = self._load(path)
            self._files[path] = ModuleContext(source, self._find) if source is not None else None
        return self._files[path]

    def _find(self, name: str | None, level: int, path: Path) -> ModuleContext | None:
        """Return the file to which an import in the file at `path` refers."""
        parts = name.split(".") if name else []
        parents = path.resolve().parents
        for folder in parents[level - 1 : level] if level else parents[:_MAX_PARENTS]:
            base = folder.joinpath(*parts)
            module = (self.add(base.with_suffix(".py")) if parts else None) or self.add(base / "__init__.py")
            if module is not None:
                return module
        return None

    def run(self) -> list[Finding]:
        """Analyse the files until there are no new facts. Returns all findings."""
        for _ in range(_MAX_ROUNDS):
            for file in list(self._files.values()):
                if file is not None and file.is_outdated:
                    analyse(file)
        return [finding for file in self._files.values() if file for finding in file.findings.values()]
