"""Objects of pyrebase's API: what their attributes and calls return, and which of them no longer exist."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from firebase_rest.migrate import fixes, names
from firebase_rest.migrate.context import Fix, Report
from firebase_rest.migrate.library_modules import member
from firebase_rest.migrate.values import (
    BoundMethod,
    CallSite,
    Collection,
    Constant,
    ExternalName,
    LibraryClass,
    LibraryModule,
    ServiceValue,
    TextValue,
    Value,
)

_SNAPSHOTS = ("snapshot", "query snapshot", "shallow snapshot")
_DICTS = ("value", "query value")
_RESULTS = {
    ("app", "auth"): "auth",
    ("database", "sort"): "snapshot",
    ("database", "stream"): "stream",
    ("storage", "list_files"): "files",
    ("snapshot", "val"): "value",
    ("snapshot", "each"): "items",
    ("query snapshot", "val"): "query value",
    ("query snapshot", "each"): "items",
    ("shallow snapshot", "val"): "keys",
}
_TEXT_METHODS = {"replace", "split", "strip", "lstrip", "startswith", "removeprefix", "partition", "find", "sub"}


def attribute(report: Report, of: ServiceValue, node: ast.Attribute) -> Value | None:
    """Return an attribute: a method not called yet, or another object. Reports one that no longer exists."""
    kind, name = of.kind, node.attr
    instead = names.MISSING.get("snapshot" if kind in _SNAPSHOTS else kind, {}).get(name)
    if instead is not None and of.library != "native" and not (name == "query_key" and of.library == "pyrebase"):
        fix = (lambda source: fixes.rename(source, node, "key()")) if name == "query_key" else None
        report("missing-attribute", node, f"A {kind} object has no {name!r}.", instead, fix)
        return None
    if kind == "file":
        if name not in names.LISTED_FILE:
            instead = names.INSTEAD_OF_BLOB.get(name, f"firebase.storage().bucket.blob(file.name).{name}")
            message = f"Files of list_files() have no {name!r}: they are not google-cloud-storage blobs."
            report("listed-file", node, message, f"write {instead}")
        return None
    if kind == "storage" and name == "bucket" and of.steps and of.library != "native":
        message = "`bucket` of a child is the bucket's name, not the google-cloud-storage bucket."
        report("missing-attribute", node, message, "write firebase.storage().bucket")
    if kind in _DICTS and name == "move_to_end" and of.library != "pyrebase":
        _report_ordered_dict(report, node)
    if kind == "keys" and of.library != "native" and name in ("isdisjoint", "mapping"):
        message = f"val() after shallow() returns a list, which has no {name}()."
        report("shallow-keys", node, message, "convert it with set(...)")
    if kind in _SNAPSHOTS and name in ("pyres", "firebases"):
        if name == "firebases" and of.library == "firebase-rest-api":
            report_firebases(report, node)
        return ServiceValue("keys" if kind == "shallow snapshot" else "items", of.library)
    return BoundMethod(of, name)


def report_firebases(report: Report, node: ast.Attribute) -> None:
    """Report firebase-rest-api's name for the items of a snapshot."""
    report("fork-call", node, "A snapshot has no 'firebases'.", "write pyres, or each()")


def result(report: Report, of: ServiceValue, call: CallSite) -> Value | None:
    """Return the result of a method call."""
    kind = _RESULTS.get((of.kind, call.name))
    if of.kind == "database" and call.name == "get":
        is_shallow = any(step.method == "shallow" for step in of.steps)
        kind = "shallow snapshot" if is_shallow else "query snapshot" if of.is_query else "snapshot"
    if of.kind == "auth" and call.name in ("session", "load_session"):
        return TextValue("session")
    if of.kind in _DICTS and call.name == "popitem" and call.node.keywords and of.library != "pyrebase":
        _report_ordered_dict(report, call.node)
    return ServiceValue(kind, of.library, call.node if kind == "stream" else None) if kind is not None else None


def _report_ordered_dict(report: Report, node: ast.AST) -> None:
    message = "val() returns a dict in Firebase's order, not an OrderedDict."
    report("ordered-dict", node, message, "test for dict, or convert it with collections.OrderedDict(value)")


def _is_ordered_dict(value: Value | None) -> bool:
    return isinstance(value, ExternalName) and value.name.endswith("OrderedDict")


def check_type_test(report: Report, node: ast.Call, args: Sequence[Value | None], library: str) -> None:
    """Report isinstance() with OrderedDict or a class of pyrebase's, and text cut out of repr(OrderedDict(...)).

    With the drop-in, references are instances of its class Database, and val() returns an OrderedDict.
    """
    match node.func, args:
        case ast.Name(id="isinstance"), [of, tested]:
            is_step = isinstance(of, ServiceValue) and (of.is_query or (of.kind == "storage" and of.steps))
            if is_step and isinstance(tested, LibraryClass):
                message = f"This is not a {tested.name}: queries and storage children have their own classes."
                suggestion = "test for firebase_rest.Query or firebase_rest.StorageReference, or remove the test"
                report("instance-test", node, message, suggestion)
            kinds = tested.values if isinstance(tested, Collection) else (tested,)
            syntax = node.args[1].elts if isinstance(node.args[1], ast.Tuple) else ()
            accepts_dict = any(isinstance(item, ast.Name) and item.id == "dict" for item in syntax)
            if library != "pyrebase" and not accepts_dict and any(map(_is_ordered_dict, kinds)):
                _report_ordered_dict(report, node)
        case ast.Attribute(attr=name), _ if name in _TEXT_METHODS and library != "pyrebase":
            if any(isinstance(value, Constant) and "OrderedDict(" in str(value.value) for value in args):
                _report_ordered_dict(report, node)
        case _:
            pass


def check_existence_test(report: Report, node: ast.Call, downloads: set[str]) -> None:
    """Report os.path.exists(name) and Path(name).exists() for a name that download() wrote to."""
    match node:
        case ast.Call(func=ast.Attribute(attr="exists" | "isfile"), args=[tested]):
            pass
        case ast.Call(func=ast.Attribute(attr="exists" | "is_file", value=ast.Call(args=[tested])), args=[]):
            pass
        case ast.Call(func=ast.Attribute(attr="exists" | "is_file", value=tested), args=[]):
            pass
        case _:
            return
    if ast.unparse(tested) in downloads:
        message = "A failed download raises, so this test is not reached. pyrebase wrote no file and raised nothing."
        suggestion = "catch firebase_rest.NotFound and firebase_rest.PermissionDenied around the download"
        report("silent-download", node, message, suggestion)


def check_comparison(report: Report, node: ast.Compare, sides: Sequence[Value | None]) -> None:
    """Report type(value) is OrderedDict, and value == [] for a query's value."""
    has_value = any(isinstance(side, ServiceValue) and side.kind == "query value" for side in sides)
    if has_value and any(isinstance(side, ast.List) and not side.elts for side in (node.left, *node.comparators)):
        message = "val() of a query without results returns {}; pyrebase4 returned []."
        report("empty-answer", node, message, "write `not value`, which is true for both")
    if any(map(_is_ordered_dict, sides)):
        _report_ordered_dict(report, node)


def check_assignment(report: Report, of: Value | None, target: ast.Attribute, fix: Fix | None = None) -> None:
    """Report an assignment to an attribute of one of pyrebase's objects, classes or modules.

    `fix` removes the statement; it is used where the statement resets the path or the query.
    """
    name = target.attr
    match of:
        case LibraryModule(name="pyrebase" | "pyrebase.pyrebase") if name not in ("initialize_app", "quote"):
            # Programs call initialize_app themselves, and replacing `quote` has never had an effect on firebase-rest.
            message = f"firebase-rest never uses {of.name}.{name}: the assignment has no effect."
            report("missing-name", target, message, "delete it")
        case LibraryClass() if of.library != "native" and name in names.MISSING.get(of.kind, ()):
            message = f"firebase-rest never calls {of.name}.{name}: the assignment has no effect."
            suggestion = "use the options of initialize_app(), or change app.requests, the requests.Session"
            report("missing-name", target, message, suggestion)
        case ServiceValue():
            is_known = of.is_reference and of.is_complete
            if is_known or name in names.ASSIGNED.get(of.kind, ()):
                is_reset = of.is_reference and not of.steps and name in ("path", "build_query")
                message = f"{name!r} cannot be assigned: {of.kind} objects are immutable."
                suggestion = names.INSTEAD_OF_ASSIGNING.get(name, "keep the value in your own variable")
                report("assigned-attribute", target, message, suggestion, fix if is_reset else None)
        case _:
            pass


def check_patched_name(report: Report, path: str, node: ast.expr) -> None:
    """Report names of pyrebase given as text: patch("pyrebase.pyrebase.SSEClient"), import_module(...)."""
    match path.split("."):
        case ["pyrebase", "pyrebase", "requests", "get" | "post" as name]:
            message = f"firebase-rest never calls requests.{name}: requests are sent by the session firebase.requests."
            report(
                "missing-name", node, message, "replace a method of firebase.requests, or use firebase_rest.emulator"
            )
        case ["pyrebase", "pyrebase", name]:
            target = ast.copy_location(ast.Attribute(node, name, ast.Store()), node)
            check_assignment(report, LibraryModule("pyrebase.pyrebase", "pyrebase"), target)
        case ["pyrebase", name, *_]:
            member(report, LibraryModule("pyrebase", "pyrebase"), name, node)
        case _:
            pass
