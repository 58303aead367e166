"""Modules: what an import gives, and which names of pyrebase's modules are left."""

from __future__ import annotations

import ast

from firebase_rest.migrate import names
from firebase_rest.migrate.call import Report
from firebase_rest.migrate.values import Class, Foreign, Method, Module, Place, Thing, Value

STYLES = {
    "pyrebase": "pyrebase",
    "firebase_rest": "native",
    "firebase": "firebase-rest-api",
    "empyrebase": "empyrebase",
}
_ADMIN = {"FirebaseApplication", "FirebaseAuthentication", "firebase"}
_FOREIGN = {
    "urllib.parse.quote",
    "urllib.parse.quote_plus",
    "urllib.quote",
    "urllib.quote_plus",
    "collections.OrderedDict",
    "typing.OrderedDict",
}
_WORTH_FOLLOWING = {"urllib", "urllib.parse", "collections", "typing"}
_NOT_OURS = {"firebase_admin", "flask_sqlalchemy", "sqlalchemy", "google", "pymongo", "peewee", "unittest", "mock"}
"""What has a database, or storage, of its own, or stands in for one."""


def module(name: str, alias: str | None = None) -> Module | None:
    """The module of that name, if it matters."""
    top = name.partition(".")[0]
    if name in ("firebase.firebase", "firebase.firebase_token_generator"):
        return Module(name, "python-firebase")
    if top in STYLES:
        return Module(name, "renamed" if top == "firebase_rest" and alias == "pyrebase" else STYLES[top])
    return Module(name) if name in _WORTH_FOLLOWING or top in _NOT_OURS else None


def is_foreign(name: str) -> bool:
    """Whether it belongs to another library, and so does everything that it gives."""
    return name.partition(".")[0] in _NOT_OURS


def member(report: Report, of: Module, name: str, node: ast.AST) -> Value | None:
    """A name of a module, imported or read; what is not there any more is reported."""
    if not of.style:
        full = f"{of.name}.{name}"
        return Foreign(full) if full in _FOREIGN or is_foreign(full) else module(full)
    if name in _ADMIN and (of.name.startswith("firebase.") or of.name == "firebase"):
        return Module("firebase.firebase", "python-firebase") if name == "firebase" else Class(name, name, of.style)
    if name == "initialize_app" and of.style != "python-firebase":
        return Method(of, name)
    if of.name == "pyrebase":
        return _of_pyrebase(report, name, node)
    if of.name == "firebase_rest":
        return _of_ours(report, of, name, node)
    if of.name == "pyrebase.pyrebase":
        return _of_inner(report, of, name, node)
    if of.name in ("firebase", "empyrebase") and name in names.CLASSES:
        return Class(name, names.CLASSES[name], of.style)
    if of.name == "empyrebase" and name == "empyrebase":
        return of
    if of.style in names.FORKS.values() and not name.startswith("__"):
        report("missing-name", node, f"{of.name}.{name} is {of.style}'s own.", _instead(name))
    return None


def _of_pyrebase(report: Report, name: str, node: ast.AST) -> Value | None:
    if name == "pyrebase":
        return Module("pyrebase.pyrebase", "pyrebase")
    if name not in names.MODULE_NAMES and not name.startswith("__"):
        report(
            "missing-name",
            node,
            f"The package pyrebase has no {name!r}: it gives initialize_app and pyrebase.",
            f"use pyrebase.pyrebase.{name}" if name in names.INNER_NAMES else _instead(name),
        )
    return None


def _of_ours(report: Report, of: Module, name: str, node: ast.AST) -> Value | None:
    if name == "pyrebase":
        report(
            "missing-name",
            node,
            "firebase_rest has no inner module `pyrebase`.",
            "write `import pyrebase`, which firebase-rest brings along, or use the names of firebase_rest itself",
        )
        return Module("pyrebase.pyrebase", of.style)
    return None


def _of_inner(report: Report, of: Module, name: str, node: ast.AST) -> Value | None:
    if name in names.CLASSES:
        return Class(name, names.CLASSES[name], of.style)
    if name not in names.INNER_NAMES and not name.startswith("__"):
        report("missing-name", node, f"pyrebase.pyrebase has no {name!r} any more.", _instead(name))
    return None


def _instead(name: str) -> str:
    return names.INSTEAD_OF_NAMES.get(name, "import it from where it comes from, or use firebase_rest's public names")


def call_class(report: Report, cls: Class, node: ast.AST) -> Value | None:
    """An object made with a class of pyrebase's, or of python-firebase."""
    if cls.kind == "FirebaseApplication":
        report(
            "python-firebase",
            node,
            "python-firebase's FirebaseApplication is not there.",
            "write db = firebase_rest.initialize_app({'databaseURL': url}).database()",
        )
        return Thing("python-firebase", "python-firebase")
    if cls.kind == "FirebaseAuthentication":
        report(
            "python-firebase",
            node,
            "python-firebase's FirebaseAuthentication made tokens from a database secret, which Firebase has retired.",
            "configure 'serviceAccount', or sign in: firebase.auth().sign_in_with_email_and_password(email, password)",
        )
        return None
    if cls.kind in names.CONSTRUCTIBLE and cls.style == "pyrebase":
        return Thing(cls.kind, cls.style)
    report(
        "constructor",
        node,
        f"{cls.name}(...) takes other arguments than pyrebase's did.",
        f"write {names.CONSTRUCTORS[cls.kind]}",
    )
    if cls.kind in ("database", "storage"):
        return Place(cls.kind, node, cls.style)
    return Thing(cls.kind, cls.style)
