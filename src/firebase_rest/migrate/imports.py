"""Names of libraries: what an import binds, and which names of pyrebase and its forks no longer exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from firebase_rest.migrate import fixes, names
from firebase_rest.migrate.context import ModuleContext, Report
from firebase_rest.migrate.domain import ModuleFacts, QualifiedName, ServiceValue, Value

_LIBRARIES = {
    "pyrebase": "pyrebase",
    "pyrebase4": "pyrebase",
    "firebase_rest": "native",
    "firebase": "firebase-rest-api",
    "empyrebase": "empyrebase",
}
_PYTHON_FIREBASE = {"firebase", "FirebaseApplication", "FirebaseAuthentication"}
_STANDARD = {"urllib", "collections", "typing", "functools"}
_EXTERNAL = {"firebase_admin", "flask_sqlalchemy", "sqlalchemy", "google", "pymongo", "peewee", "unittest", "mock"}
"""Libraries with their own database or storage, or with objects that replace one in tests."""
_FORK_ONLY = {"fork-call", "python-firebase", "missing-name", "constructor"}


def imported_names(context: ModuleContext, node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, Value | None]]:
    """Yield the names that an import binds, with their values. Reports modules and names that do not exist."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            found = context.find(alias.name) or _library_module(context, alias.name, alias.asname, node)
            top = alias.name.partition(".")[0]
            if not alias.asname and top != alias.name:
                found = _qualified(top, None)
            yield alias.asname or top, found
        return
    source: ModuleFacts | QualifiedName | None = context.find(node.module, node.level)
    if source is None and node.module is not None and not node.level:
        new_name = next((alias.asname for alias in node.names if alias.asname == "pyrebase"), None)
        source = _library_module(context, node.module, new_name, node)
    for alias in node.names:
        if alias.name == "*":
            yield from _public_names(context, source, node)
        else:
            yield alias.asname or alias.name, _imported_name(context, source, alias, node)


def _qualified(name: str, alias: str | None) -> QualifiedName | None:
    """Return the module of that name if it matters."""
    top = name.partition(".")[0]
    if name in ("firebase.firebase", "firebase.firebase_token_generator"):
        return QualifiedName(name, "python-firebase")
    if top in _LIBRARIES:
        library = "renamed" if top == "firebase_rest" and alias == "pyrebase" else _LIBRARIES[top]
        return QualifiedName(name.replace("pyrebase4", "pyrebase"), library)
    return QualifiedName(name) if top in _STANDARD | _EXTERNAL else None


def _library_module(
    context: ModuleContext, name: str, alias: str | None, node: ast.Import | ast.ImportFrom
) -> QualifiedName | None:
    """Return an imported module of a library. Reports one that must be replaced or does not exist."""
    found = _qualified(name, alias)
    if found is None or not found.library:
        return found
    imported = {alias.name for alias in node.names}
    if name == "firebase" and isinstance(node, ast.ImportFrom) and imported & _PYTHON_FIREBASE:
        found = replace(found, library="python-firebase")
    context.facts.libraries.add(found.library)
    module = "pyrebase" if name.startswith("pyrebase4") else "firebase_rest"
    if found.library in names.FORK_IMPORTS or module == "pyrebase":
        fixable = {name} if isinstance(node, ast.Import) else {"initialize_app"}
        can_fix = "." not in name and imported == fixable
        fix = partial(fixes.replace_import, statement=node, alias=node.names[0], module=module) if can_fix else None
        instead = names.FORK_IMPORTS.get(found.library, "write `import pyrebase`")
        context.report("fork-import", node, f"firebase-rest does not provide the module {name}.", instead, fix)
    if found.name.startswith("pyrebase.") and found.name != "pyrebase.pyrebase":
        member(context.report, QualifiedName("pyrebase", found.library), found.name.partition(".")[2], node)
        return None
    return found


def _imported_name(
    context: ModuleContext, source: ModuleFacts | QualifiedName | None, alias: ast.alias, node: ast.ImportFrom
) -> Value | None:
    """Return one name of `from module import name`."""
    if isinstance(source, QualifiedName):
        return member(context.report, source, alias.name, alias)
    found = source.names.get(alias.name) if source is not None else None
    found = found or context.find(f"{node.module}.{alias.name}" if node.module else alias.name, node.level)
    use = rf"\b{alias.asname or alias.name}\s*\.\s*child\s*\("
    is_unread = found is None and source is None and alias.name in names.DATABASE_NAMES
    if is_unread and re.search(use, context.source.text):
        # A database from a file that is not read, recognised by its name and the calls of child().
        found = ServiceValue("database", context.library or "pyrebase", alias, is_complete=False)
    return found


def _public_names(
    context: ModuleContext, source: ModuleFacts | QualifiedName | None, node: ast.ImportFrom
) -> Iterator[tuple[str, Value | None]]:
    """Yield what `from module import *` binds."""
    if isinstance(source, ModuleFacts):
        yield from (item for item in source.names.items() if not item[0].startswith("_"))
    elif source is not None and source.library:
        for name in names.MODULES.get(source.name, {"initialize_app"}):
            yield name, member(context.report, source, name, node)


def member(report: Report, of: QualifiedName, name: str, node: ast.AST) -> Value | None:
    """Return a name of a module or class. Reports one that no longer exists."""
    found = QualifiedName(f"{of.name}.{name}", of.library)
    if of.name.partition(".")[0] == "firebase" and name in _PYTHON_FIREBASE:
        return QualifiedName("firebase.firebase" if name == "firebase" else name, "python-firebase")
    if of.name == name == "empyrebase":
        return of
    if of.name == "firebase_rest":
        is_missing = name == "pyrebase"
    elif of.name in names.MODULES:
        is_missing = name not in names.MODULES[of.name]
    else:
        is_known = name == "initialize_app" or (name in names.CLASSES and of.name in _LIBRARIES)
        is_missing = of.library in names.FORKS and not is_known
    if not is_missing or name.startswith("__"):
        return found
    instead = names.INSTEAD_OF_NAMES.get(name, "import it from its own package, or use firebase_rest's public names")
    if of.name == "pyrebase" and name in names.MODULES["pyrebase.pyrebase"]:
        instead = f"use pyrebase.pyrebase.{name}"
    report("missing-name", node, f"firebase-rest has no {found.name}.", instead)
    return QualifiedName("pyrebase.pyrebase", of.library) if of.name == "firebase_rest" else None


def is_external(value: Value | None) -> bool:
    """Return whether a value belongs to another library, as does everything that it returns."""
    return isinstance(value, QualifiedName) and value.name.partition(".")[0] in _EXTERNAL


def class_kind(value: Value | None) -> str | None:
    """Return the kind of the objects of a class of pyrebase's or of a fork."""
    if not isinstance(value, QualifiedName) or not value.library or value.library == "native":
        return None
    name = value.name.rpartition(".")[2]
    return name if value.library == "python-firebase" and name in names.CONSTRUCTORS else names.CLASSES.get(name)


def construct(report: Report, cls: QualifiedName, node: ast.AST) -> ServiceValue | None:
    """Return an object made by calling a class of pyrebase's or of python-firebase."""
    name, kind = cls.name.rpartition(".")[2], class_kind(cls) or ""
    if cls.library == "python-firebase":
        report("python-firebase", node, f"firebase-rest has no {name}.", names.CONSTRUCTORS[name])
        return ServiceValue("python-firebase", cls.library) if name == "FirebaseApplication" else None
    if kind not in names.CONSTRUCTIBLE or cls.library != "pyrebase":
        message = f"{name}(...) takes other arguments than pyrebase's class."
        report("constructor", node, message, f"write {names.CONSTRUCTORS[kind]}")
    return ServiceValue(kind, cls.library, node if kind in ("database", "storage") else None)


def drop_unsafe_fixes(context: ModuleContext) -> None:
    """Keep the fix of an import only if the file uses nothing else that only the fork has."""
    if any(finding.code in _FORK_ONLY for finding in context.found.values()):
        for position, finding in context.found.items():
            if finding.code == "fork-import":
                context.found[position] = replace(finding, edits=())
