"""Our objects: what their attributes and calls give, and what pyrebase's had that they have not."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import cast

from firebase_rest.migrate import names
from firebase_rest.migrate.call import Call, Report
from firebase_rest.migrate.modules import member
from firebase_rest.migrate.values import (
    Class,
    Constant,
    Data,
    Foreign,
    Method,
    Module,
    Pair,
    Place,
    Step,
    Text,
    Thing,
    Value,
)

_VALUES = ("value", "matches")
_INNER = ("pyrebase.pyrebase", "pyrebase")
_KEYS_ONLY = {"isdisjoint", "mapping"}
_TEXT_METHODS = {"replace", "split", "strip", "lstrip", "startswith", "removeprefix", "partition", "find", "sub"}


def position(node: ast.AST) -> tuple[int, int, int]:
    """Line, column in bytes of UTF-8, and last line."""
    place = cast("ast.expr", node)
    return place.lineno, place.col_offset, place.end_lineno or place.lineno


def path_of(steps: Sequence[Step]) -> str:
    """The path that children make, "..." where unknown."""
    parts = [
        str(literal.value) if isinstance(literal, Constant) else "..."
        for step in steps
        if step.method == "child"
        for literal in step.literals
    ]
    return "/".join(parts) or ("..." if any(step.method in ("child", "") for step in steps) else "")


def attribute(report: Report, of: Place | Thing, node: ast.Attribute) -> Value | None:
    """An attribute: a method not called yet, another object, or something that is not there any more."""
    kind = of.service if isinstance(of, Place) else of.kind
    name = node.attr
    instead = names.MISSING.get("snapshot" if kind in ("shallow", "answer") else kind, {}).get(name)
    if instead is not None and of.style != "native" and not (name == "query_key" and of.style == "pyrebase"):
        fix = "key()" if name == "query_key" else None
        report("missing-attribute", node, f"{name!r} of pyrebase's {kind} is not there.", instead, attribute=fix)
        return None
    if isinstance(of, Place):
        if kind == "storage" and name == "bucket" and of.steps and of.style != "native":
            report(
                "missing-attribute",
                node,
                "Below a child(), `bucket` is the bucket's name; pyrebase had google-cloud-storage's object.",
                "write firebase.storage().bucket",
            )
        return Method(of, name)
    if kind == "file":
        if name not in names.LISTED_FILE:
            report(
                "listed-file",
                node,
                f"The files of list_files() have no {name!r}, which google-cloud-storage's blobs have.",
                names.INSTEAD_OF_BLOB.get(name, f"use firebase.storage().bucket.blob(file.name).{name}"),
            )
        return None
    if kind in _VALUES and name == "move_to_end" and of.style != "pyrebase":
        _no_ordered_dict(report, node)
    if kind == "keys" and of.style != "native" and name in _KEYS_ONLY:
        report(
            "shallow-keys", node, f"val() after shallow() is a list now and has no {name}.", "write set(...) around it"
        )
    if kind in ("snapshot", "answer", "shallow") and name == "firebases" and of.style == "firebase-rest-api":
        firebases(report, node)
    if kind in ("snapshot", "answer", "shallow") and name in ("pyres", "firebases"):
        return Thing("keys" if kind == "shallow" else "items", of.style)
    return Method(of, name)


def firebases(report: Report, node: ast.Attribute) -> None:
    """The items of an answer, as firebase-rest-api calls them."""
    report("fork-call", node, "firebase-rest-api's `firebases` is not there.", "write pyres, or each()")


def result(report: Report, of: Place | Thing, call: Call) -> Value | None:
    """What a call of a method gives."""
    if isinstance(of, Place):
        if call.name in ("get", "sort"):
            is_shallow = any(step.method == "shallow" for step in of.steps)
            kind = "shallow" if is_shallow else "answer" if of.is_query else "snapshot"
            return Thing(kind, of.style) if of.service == "database" else None
        made = {"stream": "stream", "list_files": "files"}.get(call.name)
        return Thing(made, of.style) if made is not None else None
    kinds = {
        ("snapshot", "val"): "value",
        ("snapshot", "each"): "items",
        ("answer", "val"): "matches",
        ("answer", "each"): "items",
        ("shallow", "val"): "keys",
        ("app", "auth"): "auth",
    }
    if of.kind == "auth" and call.name in ("session", "load_session"):
        return Text("session")
    if of.kind in _VALUES and call.name == "popitem" and call.node.keywords and of.style != "pyrebase":
        _no_ordered_dict(report, call.node)
    found = kinds.get((of.kind, call.name))
    return Thing(found, of.style) if found is not None else None


def _no_ordered_dict(report: Report, node: ast.AST) -> None:
    report(
        "ordered-dict",
        node,
        "val() gave an OrderedDict; now it gives a plain dict, in the same order.",
        "test for dict, or build collections.OrderedDict(value)",
    )


def type_test(report: Report, node: ast.Call, args: Sequence[Value | None], is_drop_in: bool) -> None:
    """isinstance(...) with OrderedDict or a class of ours, and text cut out of repr(OrderedDict(...)).

    The drop-in's places are all of its class Database, and its answers are OrderedDicts.
    """
    match node.func:
        case ast.Name(id="isinstance") if len(args) == 2:
            place, kind = args
            is_step = isinstance(place, Place) and (place.is_query or (place.service == "storage" and place.steps))
            if is_step and isinstance(kind, Class):
                report(
                    "instance-test",
                    node,
                    f"This is no {kind.name}: pyrebase gave the same object back; now each step gives its own.",
                    "test for firebase_rest.Query and firebase_rest.StorageReference, or leave the test out",
                )
            if is_drop_in:
                return
            kinds = args[1].values if isinstance(args[1], Pair) else (args[1],)
            has_dict = isinstance(node.args[1], ast.Tuple) and any(
                isinstance(item, ast.Name) and item.id == "dict" for item in node.args[1].elts
            )
            if not has_dict and any(isinstance(kind, Foreign) and kind.name.endswith("OrderedDict") for kind in kinds):
                _no_ordered_dict(report, node)
        case ast.Attribute(attr=name) if name in _TEXT_METHODS and not is_drop_in:
            if any(isinstance(value, Constant) and "OrderedDict(" in str(value.value) for value in args):
                _no_ordered_dict(report, node)
        case _:
            pass


def existence_test(report: Report, node: ast.Call, downloads: set[str]) -> None:
    """os.path.exists(name), Path(name).exists(): of a name that was downloaded to."""
    tested: ast.expr | None = None
    match node:
        case ast.Call(func=ast.Attribute(attr="exists" | "isfile"), args=[tested]):
            pass
        case ast.Call(func=ast.Attribute(attr="exists" | "is_file", value=ast.Call(args=[tested])), args=[]):
            pass
        case ast.Call(func=ast.Attribute(attr="exists" | "is_file", value=tested), args=[]):
            pass
        case _:
            pass
    if tested is not None and ast.unparse(tested) in downloads:
        report(
            "silent-download",
            node,
            "When the download fails, it raises: this test is not reached. pyrebase wrote nothing, and said nothing.",
            "catch firebase_rest.NotFound and firebase_rest.PermissionDenied around the download",
        )


def compared(report: Report, node: ast.Compare, sides: Sequence[Value | None]) -> None:
    """type(value) is OrderedDict; value == []."""
    values = [side for side in sides if isinstance(side, Thing) and side.kind == "matches"]
    lists = [side.node for side in sides if isinstance(side, Data) and isinstance(side.node, ast.List)]
    empty = [node for node in lists if not node.elts]
    if values and empty:
        report(
            "empty-answer",
            node,
            "A query that matches nothing gives {} for its val(); pyrebase4 gave [].",
            "write `not value`, which is true for both",
        )
    if any(isinstance(side, Foreign) and side.name.endswith("OrderedDict") for side in sides):
        _no_ordered_dict(report, node)


def assigned(report: Report, of: Value | None, target: ast.Attribute, statement: ast.stmt | None) -> None:
    """An assignment to an attribute of one of our objects, classes or modules."""
    name = target.attr
    if isinstance(of, Module) and of.name in _INNER:
        if name not in ("initialize_app", "quote"):  # the program calls the one, and `quote` never mattered to ours
            report(
                "missing-name",
                target,
                f"Nothing looks {name!r} up in {of.name}: assigning it does nothing.",
                "delete it",
            )
    elif isinstance(of, Class) and of.style != "native":
        if name in names.MISSING.get(of.kind, ()):
            report(
                "missing-name",
                target,
                f"Nothing calls {of.name}.{name}: replacing it does nothing.",
                "use the options of initialize_app(), or change app.requests, the requests.Session",
            )
    elif isinstance(of, (Place, Thing)):
        kind = of.service if isinstance(of, Place) else of.kind
        is_ours = isinstance(of, Place) and of.known
        if is_ours or name in names.ASSIGNED.get(kind, ()):
            reset = isinstance(of, Place) and not of.steps and name in ("path", "build_query") and is_empty(statement)
            report(
                "assigned-attribute",
                target,
                f"{name!r} cannot be assigned: {kind} objects never change.",
                names.INSTEAD_OF_ASSIGNING.get(name, "keep the value in a variable of your own"),
                remove=statement if reset else None,
            )


def patched(report: Report, path: str, node: ast.expr) -> None:
    """patch("pyrebase.pyrebase.SSEClient"), import_module("pyrebase.pyre_sseclient"): a name of pyrebase's, as text."""
    match path.split("."):
        case ["pyrebase", "pyrebase", "requests", "get" | "post" as name]:
            report(
                "missing-name",
                node,
                f"Nothing looks requests.{name} up: everything goes over the session firebase.requests.",
                "replace a method of firebase.requests, or use firebase_rest.emulator",
            )
        case ["pyrebase", "pyrebase", name]:
            target = ast.copy_location(ast.Attribute(node, name, ast.Store()), node)
            assigned(report, Module("pyrebase.pyrebase", "pyrebase"), target, None)
        case ["pyrebase", name, *_]:
            member(report, Module("pyrebase", "pyrebase"), name, node)
        case _:
            pass


def is_empty(statement: ast.stmt | None) -> bool:
    """Whether a statement assigns "", None or {} to one target."""
    match statement:
        case ast.Assign(targets=[_], value=ast.Constant(value="" | None) | ast.Dict(keys=[])):
            return True
        case _:
            return False
