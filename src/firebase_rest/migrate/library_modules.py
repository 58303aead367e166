"""Library modules: which imports matter, and which names of pyrebase's modules still exist."""

from __future__ import annotations

import ast

from firebase_rest.migrate import names
from firebase_rest.migrate.context import Report
from firebase_rest.migrate.values import BoundMethod, ExternalName, LibraryClass, LibraryModule, ServiceValue, Value

_LIBRARIES = {
    "pyrebase": "pyrebase",
    "pyrebase4": "pyrebase",
    "firebase_rest": "native",
    "firebase": "firebase-rest-api",
    "empyrebase": "empyrebase",
}
_CLASS_MODULES = ("pyrebase.pyrebase", "firebase", "empyrebase")
QUOTES = {"urllib.parse.quote", "urllib.parse.quote_plus", "urllib.quote", "urllib.quote_plus"}
_FUNCTIONS = {*QUOTES, "collections.OrderedDict", "typing.OrderedDict", "functools.partial"}
_STANDARD = {"urllib", "urllib.parse", "collections", "typing", "functools"}
_EXTERNAL = {"firebase_admin", "flask_sqlalchemy", "sqlalchemy", "google", "pymongo", "peewee", "unittest", "mock"}
"""Libraries with a database or storage of their own, or with objects that replace one in tests."""


def find_module(name: str, alias: str | None = None) -> LibraryModule | None:
    """Return the module of that name if it matters."""
    top = name.partition(".")[0]
    if name in ("firebase.firebase", "firebase.firebase_token_generator"):
        return LibraryModule(name, "python-firebase")
    if top in _LIBRARIES:
        library = "renamed" if top == "firebase_rest" and alias == "pyrebase" else _LIBRARIES[top]
        return LibraryModule(name.replace("pyrebase4", "pyrebase"), library)
    return LibraryModule(name) if name in _STANDARD or is_external(name) else None


def is_external(name: str) -> bool:
    """Return whether a name belongs to another library, as does everything that it returns."""
    return name.partition(".")[0] in _EXTERNAL


def member(report: Report, of: LibraryModule, name: str, node: ast.AST) -> Value | None:
    """Return a name of a module. Reports one that no longer exists."""
    if not of.library:
        full = f"{of.name}.{name}"
        return ExternalName(full) if full in _FUNCTIONS or is_external(full) else find_module(full)
    if name in names.PYTHON_FIREBASE_NAMES and of.name.partition(".")[0] == "firebase":
        is_module = name == "firebase"
        return (
            LibraryModule("firebase.firebase", "python-firebase") if is_module else LibraryClass(name, name, of.library)
        )
    if name == "initialize_app" and of.library != "python-firebase":
        return BoundMethod(of, name)
    if name in names.CLASSES and of.name in _CLASS_MODULES:
        return LibraryClass(name, names.CLASSES[name], of.library)
    if of.name == name == "empyrebase":
        return of
    is_inner_module = name == "pyrebase" and of.name in ("pyrebase", "firebase_rest")
    if _is_missing(of, name):
        instead = (
            f"use pyrebase.pyrebase.{name}" if of.name == "pyrebase" and name in names.INNER_NAMES else _instead(name)
        )
        report("missing-name", node, f"firebase-rest has no {of.name}.{name}.", instead)
    return LibraryModule("pyrebase.pyrebase", of.library) if is_inner_module else None


def _is_missing(of: LibraryModule, name: str) -> bool:
    if name.startswith("__"):
        return False
    if of.name == "firebase_rest":
        return name == "pyrebase"
    known = {"pyrebase": names.MODULE_NAMES, "pyrebase.pyrebase": names.INNER_NAMES}.get(of.name)
    return name not in known if known is not None else of.library in names.FORKS.values()


def _instead(name: str) -> str:
    return names.INSTEAD_OF_NAMES.get(name, "import it from its own package, or use firebase_rest's public names")


def construct(report: Report, cls: LibraryClass, node: ast.AST) -> Value | None:
    """Return an object made by calling a class of pyrebase's or of python-firebase."""
    if cls.kind == "FirebaseApplication":
        message = "firebase-rest has no FirebaseApplication."
        suggestion = "write db = firebase_rest.initialize_app({'databaseURL': url}).database()"
        report("python-firebase", node, message, suggestion)
        return ServiceValue("python-firebase", "python-firebase")
    if cls.kind == "FirebaseAuthentication":
        message = "FirebaseAuthentication creates tokens from a database secret, which Firebase no longer supports."
        suggestion = "configure 'serviceAccount', or call auth.sign_in_with_email_and_password(email, password)"
        report("python-firebase", node, message, suggestion)
        return None
    if cls.kind not in names.CONSTRUCTIBLE or cls.library != "pyrebase":
        message = f"{cls.name}(...) takes other arguments than pyrebase's class."
        report("constructor", node, message, f"write {names.CONSTRUCTORS[cls.kind]}")
    return ServiceValue(cls.kind, cls.library, node if cls.kind in ("database", "storage") else None)
