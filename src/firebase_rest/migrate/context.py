"""The state of the analysis of one file, shared by its evaluators."""

from __future__ import annotations

import ast
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol, cast

from firebase_rest.migrate.domain import ModuleFacts, Value
from firebase_rest.migrate.findings import Edit, Finding
from firebase_rest.migrate.sources import SourceFile

AnyFunction = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Fix = Callable[[SourceFile], Iterable[Edit]]
FindModule = Callable[["str | None", int, Path], "ModuleContext | None"]
"""find(module, level, path): the file that `from module import` means in the file at `path`."""


class Report(Protocol):
    """Report a finding. `fix` makes its edits."""

    def __call__(self, code: str, node: ast.AST, message: str, suggestion: str, fix: Fix | None = None) -> None: ...


class ModuleContext:
    """One file, what is known about it, and its findings."""

    def __init__(self, source: SourceFile, find: FindModule) -> None:
        self.source = source
        self.facts = ModuleFacts()
        self.imported: set[ModuleFacts] = set()
        """The files of the program that this one imports."""
        self._find = find
        self._is_test = "pytest" in source.text or "mock" in source.text
        self._has_admin = "firebase_admin" in source.text
        self.reset()
        self._analysed_size = -1

    def reset(self) -> None:
        """Prepare for the next analysis of the file. Facts stay."""
        self._analysed_size = self._size()
        self.found: dict[tuple[int, int, str], Finding] = {}
        self.dropped: set[ast.AST] = set()
        """The builder calls in statements that drop their value."""
        self.downloads: set[str] = set()
        """The arguments of download()."""
        self.guesses: dict[str, ast.AST] = {}
        """The origins of databases that are recognised by their name."""
        # The functions to analyse when their surroundings are known: node, evaluator of the scope, default values.
        self.pending: deque[tuple[AnyFunction, Any, Mapping[str, Value | None]]] = deque()

    def _size(self) -> int:
        return self.facts.size() + sum(facts.size() for facts in self.imported)

    @property
    def is_outdated(self) -> bool:
        """Return whether more is known, of the file and its imports, than at its last analysis."""
        return self._size() != self._analysed_size

    def find(self, name: str | None, level: int = 0) -> ModuleFacts | None:
        """Return the facts of another file of the program, or None."""
        found = self._find(name, level, self.source.path)
        if found is None or found is self:
            return None
        self.imported.add(found.facts)
        return found.facts

    @property
    def library(self) -> str | None:
        """Return the library that the file uses, pyrebase first."""
        order = ("pyrebase", "renamed", "firebase-rest-api", "empyrebase", "native")
        return next((library for library in order if library in self.facts.libraries), None)

    @property
    def may_guess(self) -> bool:
        """Return whether an unknown `db` is likely to be pyrebase's. In tests it is likely to be a mock."""
        return not self._is_test and (self.library is not None or not self._has_admin)

    def report(self, code: str, node: ast.AST, message: str, suggestion: str, fix: Fix | None = None) -> None:
        """Add a finding, once for each position and code, unless a comment ignores it."""
        located = cast("ast.expr", node)
        line = located.lineno
        if self.source.is_ignored(line, located.end_lineno or line, code):
            return
        edits = () if fix is None or self.source.cells else tuple(fix(self.source))
        cell, shown = self.source.cell_of(line)
        column = self.source.column(line, located.col_offset) + 1
        found = Finding(str(self.source.path), shown, column, code, message, suggestion, edits, cell)
        self.found.setdefault((line, column, code), found)
