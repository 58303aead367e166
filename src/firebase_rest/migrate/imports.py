"""Imports: of pyrebase, of its forks, and of other files of the program."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace

from firebase_rest.migrate import fixes, names
from firebase_rest.migrate.context import ModuleContext
from firebase_rest.migrate.library_modules import find_module, member
from firebase_rest.migrate.values import LibraryModule, ProgramModule, ServiceValue, Value

_INSTEAD = {
    "firebase-rest-api": "write `import firebase_rest as firebase`, or `from firebase_rest import initialize_app`",
    "empyrebase": "write `import firebase_rest as empyrebase`, or `from firebase_rest import initialize_app`",
    "python-firebase": "write `import firebase_rest`, and initialize_app({'databaseURL': ...}).database()",
}
_FORK_ONLY = {"fork-call", "python-firebase", "missing-name", "constructor"}


def imported_names(context: ModuleContext, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Value | None]]:
    """Yield the names that an import binds, with their values. Reports modules and names that do not exist."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield alias.asname or alias.name.partition(".")[0], _module(context, alias, node)
        return
    source = _source(context, node)
    for alias in node.names:
        if alias.name == "*":
            yield from _public_names(context, source, node)
        else:
            yield alias.asname or alias.name, _member(context, source, alias, node)


def _module(context: ModuleContext, alias: ast.alias, node: ast.Import) -> Value | None:
    """Return what `import name` binds."""
    binds_module = alias.asname or "." not in alias.name
    facts = context.find(alias.name)
    if facts is not None:
        return ProgramModule(facts) if binds_module else None
    found = find_module(alias.name, alias.asname)
    if found is not None:
        _use(context, found, node, alias.name)
        _check_submodule(context, found, node)
    return found if binds_module else find_module(alias.name.partition(".")[0])


def _source(context: ModuleContext, node: ast.ImportFrom) -> ProgramModule | LibraryModule | None:
    """Return the module of `from module import ...`."""
    facts = context.find(node.module, node.level)
    if facts is not None:
        return ProgramModule(facts)
    if node.level or node.module is None:
        return None
    is_renamed = any(alias.asname == "pyrebase" for alias in node.names)
    found = find_module(node.module, "pyrebase" if is_renamed else None)
    if found is None:
        return None
    if found.name == "firebase" and names.PYTHON_FIREBASE_NAMES & {alias.name for alias in node.names}:
        found = replace(found, library="python-firebase")
    _use(context, found, node, node.module)
    return None if _check_submodule(context, found, node) else found


def _member(
    context: ModuleContext, source: ProgramModule | LibraryModule | None, alias: ast.alias, node: ast.ImportFrom
) -> Value | None:
    """Return one name of `from module import name`."""
    if isinstance(source, LibraryModule):
        return member(context.report, source, alias.name, alias)
    found = source.facts.names.get(alias.name) if source is not None else None
    if found is None:
        facts = context.find(f"{node.module}.{alias.name}" if node.module else alias.name, node.level)
        found = ProgramModule(facts) if facts is not None else None
    if found is None and source is None:
        found = _unread_database(context, alias)
    if isinstance(found, ServiceValue):
        context.facts.libraries.add(found.library)
    return found


def _public_names(
    context: ModuleContext, source: ProgramModule | LibraryModule | None, node: ast.ImportFrom
) -> Iterator[tuple[str, Value | None]]:
    """Yield what `from module import *` binds."""
    if isinstance(source, ProgramModule):
        for name, value in source.facts.names.items():
            if isinstance(value, ServiceValue):
                context.facts.libraries.add(value.library)
            if not name.startswith("_"):
                yield name, value
    elif source is not None and source.library:
        exported = {"pyrebase": names.MODULE_NAMES, "pyrebase.pyrebase": names.INNER_NAMES}
        for name in exported.get(source.name, {"initialize_app"}):
            yield name, member(context.report, source, name, node)


def _unread_database(context: ModuleContext, alias: ast.alias) -> ServiceValue | None:
    """Recognise a database from a file that is not read, by its name and the calls of child() on it."""
    name = alias.asname or alias.name
    is_used = re.search(rf"\b{name}\s*\.\s*child\s*\(", context.source.text)
    if alias.name not in names.DATABASE_NAMES or not is_used:
        return None
    return ServiceValue("database", context.library or "pyrebase", alias, is_complete=False)


def _use(context: ModuleContext, found: LibraryModule, node: ast.Import | ast.ImportFrom, name: str) -> None:
    """Note which library the file uses. Reports imports that must be replaced."""
    if found.library:
        context.facts.libraries.add(found.library)
    is_simple = len(node.names) == 1 and (isinstance(node, ast.Import) or node.names[0].name == "initialize_app")
    module, instead = "firebase_rest", _INSTEAD.get(found.library)
    if name.partition(".")[0] == "pyrebase4":
        module, instead = "pyrebase", "write `import pyrebase`"
    if instead is not None:
        context.report(
            "fork-import",
            node,
            f"firebase-rest does not provide the module {name}.",
            instead,
            (lambda source: fixes.replace_import(source, node, node.names[0], module))
            if is_simple and name in names.FORKS
            else None,
        )


def _check_submodule(context: ModuleContext, found: LibraryModule, node: ast.Import | ast.ImportFrom) -> bool:
    """Report an import of a submodule that pyrebase had. Returns whether it was one."""
    is_missing = found.name.startswith("pyrebase.") and found.name != "pyrebase.pyrebase"
    if is_missing:
        member(context.report, LibraryModule("pyrebase", found.library), found.name.partition(".")[2], node)
    return is_missing


def drop_unsafe_fixes(context: ModuleContext) -> None:
    """Keep the fix of an import only if the file uses nothing else that only the fork has."""
    if any(finding.code in _FORK_ONLY for finding in context.found.values()):
        for position, finding in context.found.items():
            if finding.code == "fork-import":
                context.found[position] = replace(finding, edits=())
