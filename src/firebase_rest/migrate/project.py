"""A program of several files. A file that another one imports is read when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from firebase_rest.migrate.analysis import FileAnalysis
from firebase_rest.migrate.findings import Finding
from firebase_rest.migrate.sources import SourceFile
from firebase_rest.migrate.values import ModuleFacts, ProgramClass, ProgramFunction, ServiceValue

_MAX_ROUNDS = 5
_MAX_PARENTS = 5


class Program:
    """All files of one check."""

    def __init__(self, load: Callable[[Path], SourceFile | None]) -> None:
        self._load = load
        self._files: dict[Path, FileAnalysis | None] = {}
        self._imports: dict[tuple[str | None, int, Path], FileAnalysis | None] = {}

    def add(self, source: SourceFile) -> None:
        self._files[source.path.resolve()] = FileAnalysis(source, self.find)

    def has(self, path: Path) -> bool:
        """Return whether a file was read already, by its resolved path."""
        return path in self._files

    def find(self, name: str | None, level: int, path: Path) -> ModuleFacts | None:
        """Return the facts of an imported file of the program, or None."""
        key = (name, level, path.parent)
        if key not in self._imports:
            self._imports[key] = self._search(name, level, path.resolve().parent)
        file = self._imports[key]
        return None if file is None else file.facts

    def _search(self, name: str | None, level: int, folder: Path) -> FileAnalysis | None:
        parts = name.split(".") if name else []
        parents = [folder, *folder.parents]
        for start in parents[level - 1 : level] if level else parents[:_MAX_PARENTS]:
            base = start.joinpath(*parts)
            for candidate in ([base.with_suffix(".py")] if parts else []) + [base / "__init__.py"]:
                file = self._file(candidate)
                if file is not None:
                    return file
        return None

    def _file(self, path: Path) -> FileAnalysis | None:
        if path not in self._files:
            self._files[path] = None
            source = self._load(path)
            if source is not None:
                self.add(source)
        return self._files[path]

    def service_modules(self) -> set[str]:
        """Return the names of the modules from which a database, or what may return one, can be imported."""
        kinds = (ServiceValue, ProgramFunction, ProgramClass)
        return {
            path.stem if path.stem != "__init__" else path.parent.name
            for path, file in self._files.items()
            if file is not None and any(isinstance(value, kinds) for value in file.facts.names.values())
        }

    def run(self) -> list[Finding]:
        """Analyse the files until nothing new becomes known. Returns all findings."""
        for _ in range(_MAX_ROUNDS):
            outdated = [file for file in list(self._files.values()) if file is not None and file.is_outdated]
            for file in outdated:
                file.run()
            if not outdated:
                break
        return [finding for file in self._files.values() if file for finding in file.findings]
