"""Evaluate imports, and report the names of pyrebase and its forks that no longer exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from firebase_rest.migrate import fixes, names
from firebase_rest.migrate.context import ModuleContext, Report
from firebase_rest.migrate.domain import ModuleFacts, QualifiedName, ServiceValue, Value
from firebase_rest.migrate.sources import AnyImport

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


def imported_names(context: ModuleContext, node: AnyImport) -> Iterator[tuple[str, Value | None]]:
    """Yield the names that an import binds, with their values. Reports modules and names that do not exist."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            value = context.find(alias.name) or _library_module(context, alias.name, alias.asname, node)
            top = alias.name.partition(".")[0]
            if not alias.asname and top != alias.name:
                value = _qualified_name(top, None)
            yield alias.asname or top, value
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


def _qualified_name(name: str, alias: str | None) -> QualifiedName | None:
    """Return the module with this name if it belongs to a known library."""
    top = name.partition(".")[0]
    if name in ("firebase.firebase", "firebase.firebase_token_generator"):
        return QualifiedName(name, "python-firebase")
    if top in _LIBRARIES:
        library = "renamed" if top == "firebase_rest" and alias == "pyrebase" else _LIBRARIES[top]
        return QualifiedName(name.replace("pyrebase4", "pyrebase"), library)
    return QualifiedName(name) if top in _STANDARD | _EXTERNAL else None


def _library_module(context: ModuleContext, name: str, alias: str | None, node: AnyImport) -> QualifiedName | None:
    """Return an imported module of a library. Reports a module that must be replaced or does not exist."""
    module = _qualified_name(name, alias)
    if module is None or not module.library:
        return module
    imported = {alias.name for alias in node.names}
    if name == "firebase" and isinstance(node, ast.ImportFrom) and imported & _PYTHON_FIREBASE:
        module = replace(module, library="python-firebase")
    context.facts.libraries.add(module.library)
    new_name = "pyrebase" if name.startswith("pyrebase4") else "firebase_rest"
    if module.library in names.FORK_IMPORTS or new_name == "pyrebase":
        fixable = {name} if isinstance(node, ast.Import) else {"initialize_app"}
        can_fix = "." not in name and imported == fixable
        fix = partial(fixes.replace_import, statement=node, alias=node.names[0], module=new_name) if can_fix else None
        instead = names.FORK_IMPORTS.get(module.library, "write `import pyrebase`")
        context.report("fork-import", node, f"firebase-rest does not provide the module {name}.", instead, fix)
    if module.name.startswith("pyrebase.") and module.name != "pyrebase.pyrebase":
        member(context.report, QualifiedName("pyrebase", module.library), module.name.partition(".")[2], node)
        return None
    return module


def _imported_name(
    context: ModuleContext, source: ModuleFacts | QualifiedName | None, alias: ast.alias, node: ast.ImportFrom
) -> Value | None:
    """Return the value of one name in `from module import name`."""
    if isinstance(source, QualifiedName):
        return member(context.report, source, alias.name, alias)
    value = source.names.get(alias.name) if source is not None else None
    value = value or context.find(f"{node.module}.{alias.name}" if node.module else alias.name, node.level)
    child_call = rf"\b{alias.asname or alias.name}\s*\.\s*child\s*\("
    is_unread = value is None and source is None and alias.name in names.DATABASE_NAMES
    if is_unread and re.search(child_call, context.source.text):
        # A database from a file that is not read, recognized by its name and the calls of child().
        value = ServiceValue("database", context.library or "pyrebase", alias, is_complete=False)
    return value


def _public_names(
    context: ModuleContext, source: ModuleFacts | QualifiedName | None, node: ast.ImportFrom
) -> Iterator[tuple[str, Value | None]]:
    """Yield the names and values that `from module import *` binds."""
    if isinstance(source, ModuleFacts):
        yield from (item for item in source.names.items() if not item[0].startswith("_"))
    elif source is not None and source.library:
        for name in names.MODULES.get(source.name, {"initialize_app"}):
            yield name, member(context.report, source, name, node)


def member(report: Report, receiver: QualifiedName, name: str, node: ast.AST) -> Value | None:
    """Return the value of a name of a module or class. Reports a name that no longer exists."""
    qualified = QualifiedName(f"{receiver.name}.{name}", receiver.library)
    if receiver.name.partition(".")[0] == "firebase" and name in _PYTHON_FIREBASE:
        return QualifiedName("firebase.firebase" if name == "firebase" else name, "python-firebase")
    if receiver.name == name == "empyrebase":
        return receiver
    if receiver.name == "firebase_rest":
        is_missing = name == "pyrebase"
    elif receiver.name in names.MODULES:
        is_missing = name not in names.MODULES[receiver.name]
    else:
        is_known = name == "initialize_app" or (name in names.CLASSES and receiver.name in _LIBRARIES)
        is_missing = receiver.library in names.FORKS and not is_known
    if not is_missing or name.startswith("__"):
        return qualified
    instead = names.INSTEAD_OF_NAMES.get(name, "import it from its own package, or use firebase_rest's public names")
    if receiver.name == "pyrebase" and name in names.MODULES["pyrebase.pyrebase"]:
        instead = f"use pyrebase.pyrebase.{name}"
    report("missing-name", node, f"firebase-rest has no {qualified.name}.", instead)
    return QualifiedName("pyrebase.pyrebase", receiver.library) if receiver.name == "firebase_rest" else None


def is_external(value: Value | None) -> bool:
    """Return whether a value belongs to a library that is not related to pyrebase."""
    return isinstance(value, QualifiedName) and value.name.partition(".")[0] in _EXTERNAL


def class_kind(value: Value | None) -> str | None:
    """Return the kind of the objects of a class of pyrebase or a fork, or None."""
    if not isinstance(value, QualifiedName) or not value.library or value.library == "native":
        return None
    name = value.name.rpartition(".")[2]
    return name if value.library == "python-firebase" and name in names.CONSTRUCTORS else names.CLASSES.get(name)


def construct(report: Report, cls: QualifiedName, node: ast.AST) -> ServiceValue | None:
    """Return the object that the call of a class of pyrebase or python-firebase creates."""
    name, kind = cls.name.rpartition(".")[2], class_kind(cls) or ""
    if cls.library == "python-firebase":
        report("python-firebase", node, f"firebase-rest has no {name}.", names.CONSTRUCTORS[name])
        return ServiceValue("python-firebase", cls.library) if name == "FirebaseApplication" else None
    if kind not in names.CONSTRUCTIBLE or cls.library != "pyrebase":
        message = f"{name}(...) takes other arguments than pyrebase's class."
        report("constructor", node, message, f"write {names.CONSTRUCTORS[kind]}")
    return ServiceValue(kind, cls.library, node if kind in ("database", "storage") else None)


def drop_unsafe_fixes(context: ModuleContext) -> None:
    """Remove the fixes of imports if the file uses other names that only the fork has."""
    if any(finding.code in _FORK_ONLY for finding in context.findings.values()):
        for position, finding in context.findings.items():
            if finding.code == "fork-import":
                context.findings[position] = replace(finding, edits=())
