"""Imports: pyrebase, its forks, and other files of the same project."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from firebase_rest.migrate import names
from firebase_rest.migrate.modules import member, module
from firebase_rest.migrate.values import Facts, Module, Place, ProjectModule, Thing, Value

if TYPE_CHECKING:
    from firebase_rest.migrate.program import File

_INSTEAD = {
    "firebase-rest-api": "write `import firebase_rest as firebase`, or `from firebase_rest import initialize_app`",
    "empyrebase": "write `import firebase_rest as empyrebase`, or `from firebase_rest import initialize_app`",
    "python-firebase": "write `import firebase_rest`, and initialize_app({'databaseURL': ...}).database()",
}

_OF_PYTHON_FIREBASE = {"firebase", "FirebaseApplication", "FirebaseAuthentication"}


class Imports:
    """The imports of one file. `find` gives the facts of another file of the project."""

    def __init__(self, file: File, find: Callable[[str | None, int, Path], Facts | None]) -> None:
        self._file = file
        self._find = find
        self.used: set[Facts] = set()
        """Those of the project's files that are imported."""

    def find(self, name: str | None, level: int, path: Path) -> Facts | None:
        """The facts of another file of the project, or None."""
        facts = self._find(name, level, path)
        if facts is not None and facts is not self._file.facts:
            self.used.add(facts)
        return facts

    def module(self, alias: ast.alias, node: ast.Import) -> Value | None:
        """`import name`."""
        facts = self.find(alias.name, 0, self._file.source.path)
        if facts is not None and facts is not self._file.facts:
            return ProjectModule(facts) if alias.asname or "." not in alias.name else None
        found = module(alias.name, alias.asname)
        self._uses(found, node, [alias])
        top = alias.name.partition(".")[0]
        if found is not None and found.name.startswith("pyrebase.") and found.name != "pyrebase.pyrebase":
            member(self._file.report, Module("pyrebase", found.style), found.name.partition(".")[2], node)
        return found if alias.asname or "." not in alias.name else module(top)

    def source(self, node: ast.ImportFrom) -> Value | None:
        """The module of `from module import ...`."""
        facts = self.find(node.module, node.level, self._file.source.path)
        if facts is not None and facts is not self._file.facts:
            return ProjectModule(facts)
        if node.level or node.module is None:
            return None
        aliases = [alias.asname for alias in node.names]
        found = module(node.module, "pyrebase" if "pyrebase" in aliases else None)
        wanted = {alias.name for alias in node.names}
        if found is not None and found.name == "firebase" and wanted & _OF_PYTHON_FIREBASE:
            found = replace(found, style="python-firebase")
        if found is not None and found.name.startswith("pyrebase.") and found.name != "pyrebase.pyrebase":
            member(self._file.report, Module("pyrebase", found.style), found.name.partition(".")[2], node)
            return None
        self._uses(found, node, node.names)
        return found

    def name(self, inside: Value | None, alias: ast.alias, node: ast.ImportFrom) -> Value | None:
        """One name of `from module import name`."""
        if isinstance(inside, ProjectModule):
            found = inside.facts.names.get(alias.name) or self._submodule(alias, node)
            if isinstance(found, (Place, Thing)):
                self._file.facts.styles.add(found.style)
            return found
        if isinstance(inside, Module):
            return member(self._file.report, inside, alias.name, alias)
        return self._submodule(alias, node) or self._by_its_name(alias)

    def everything(self, inside: Value | None, node: ast.ImportFrom) -> dict[str, Value]:
        """`from module import *`."""
        if isinstance(inside, ProjectModule):
            for value in inside.facts.names.values():
                if isinstance(value, (Place, Thing)):
                    self._file.facts.styles.add(value.style)
            return {name: value for name, value in inside.facts.names.items() if not name.startswith("_")}
        if not isinstance(inside, Module) or not inside.style:
            return {}
        wanted = {"pyrebase": names.MODULE_NAMES, "pyrebase.pyrebase": names.INNER_NAMES}
        found = {
            name: member(self._file.report, inside, name, node) for name in wanted.get(inside.name, {"initialize_app"})
        }
        return {name: value for name, value in found.items() if value is not None}

    def _submodule(self, alias: ast.alias, node: ast.ImportFrom) -> Value | None:
        name = f"{node.module}.{alias.name}" if node.module else alias.name
        facts = self.find(name, node.level, self._file.source.path)
        return ProjectModule(facts) if facts is not None and facts is not self._file.facts else None

    def _by_its_name(self, alias: ast.alias) -> Value | None:
        """A database from a file that is not read: known by its name, and by child() being called on it."""
        name = alias.asname or alias.name
        if alias.name not in names.DATABASE_NAMES:
            return None
        if not re.search(rf"\b{name}\s*\.\s*child\s*\(", self._file.source.text):
            return None
        style = self._file.style or "pyrebase"
        self._file.facts.styles.add(style)
        return Place("database", alias, style, known=False)

    def _uses(self, found: Module | None, node: ast.Import | ast.ImportFrom, aliases: list[ast.alias]) -> None:
        if found is None or not found.style:
            return
        self._file.facts.styles.add(found.style)
        if found.style in _INSTEAD:
            alone = len(aliases) == 1 and found.name in names.FORKS
            fixable = alone and (isinstance(node, ast.Import) or aliases[0].name == "initialize_app")
            self._file.report(
                "fork-import",
                node,
                f"This imports {found.style}, not firebase-rest.",
                _INSTEAD[found.style],
                fork=(node, aliases[0]) if fixable else None,
            )

    def keep_or_drop_fixes(self) -> None:
        """An import is fixed only where nothing else of the fork's own is used."""
        others = {"fork-call", "python-firebase", "missing-name", "constructor"}
        found = self._file.found
        if any(finding.code in others for finding in found.values()):
            for place, finding in found.items():
                if finding.code == "fork-import":
                    found[place] = replace(finding, edits=())
