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
Defaults = Mapping[str, "Value | None"]
Fix = Callable[[SourceFile], Iterable[Edit]]
FindModule = Callable[["str | None", int, Path], "ModuleContext | None"]
"""find(module, level, path) returns the file to which `from module import` refers in the file at `path`."""


class Report(Protocol):
    """Report a finding. `fix` returns the edits that correct it."""

    def __call__(self, code: str, node: ast.AST, message: str, suggestion: str, fix: Fix | None = None) -> None: ...


class ModuleContext:
    """The analysis of one file: its source, the known facts, and the findings."""

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
        """Prepare for the next analysis of the file. The facts are not reset."""
        self._analysed_size = self._size()
        self.findings: dict[tuple[int, int, str], Finding] = {}
        self.unused_calls: set[ast.AST] = set()
        """The builder calls in statements that do not use their value."""
        self.downloads: set[str] = set()
        """The arguments of download()."""
        self.guesses: dict[str, ast.AST] = {}
        """The origins of databases that are recognized by their name."""
        # The functions to analyse after the enclosing scope: node, evaluator of that scope, default values.
        self.pending: deque[tuple[AnyFunction, Any, Defaults]] = deque()

    def _size(self) -> int:
        return self.facts.size() + sum(facts.size() for facts in self.imported)

    @property
    def is_outdated(self) -> bool:
        """Whether there are new facts about the file or its imports since its last analysis."""
        return self._size() != self._analysed_size

    def find(self, name: str | None, level: int = 0) -> ModuleFacts | None:
        """Return the facts of another file of the program, or None."""
        module = self._find(name, level, self.source.path)
        if module is None or module is self:
            return None
        self.imported.add(module.facts)
        return module.facts

    @property
    def library(self) -> str | None:
        """The library that the file uses. If there are several, pyrebase has priority."""
        order = ("pyrebase", "renamed", "firebase-rest-api", "empyrebase", "native")
        return next((library for library in order if library in self.facts.libraries), None)

    @property
    def may_guess(self) -> bool:
        """Whether an unknown `db` is probably pyrebase's. In tests it is probably a mock."""
        return not self._is_test and (self.library is not None or not self._has_admin)

    def report(self, code: str, node: ast.AST, message: str, suggestion: str, fix: Fix | None = None) -> None:
        """Add a finding, once for each position and code, unless a comment ignores it."""
        expression = cast("ast.expr", node)
        line = expression.lineno
        if self.source.is_ignored(line, expression.end_lineno or line, code):
            return
        edits = () if fix is None or self.source.cells else tuple(fix(self.source))
        cell, cell_line = self.source.cell_of(line)
        column = self.source.column(line, expression.col_offset) + 1
        finding = Finding(str(self.source.path), cell_line, column, code, message, suggestion, edits, cell)
        self.findings.setdefault((line, column, code), finding)
