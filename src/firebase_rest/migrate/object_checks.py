"""Check the objects of pyrebase's API: the values of attributes and calls, and attributes that no longer exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from functools import partial

from firebase_rest.migrate import domain, fixes, names
from firebase_rest.migrate.context import Fix, Report
from firebase_rest.migrate.imports import class_kind

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


def attribute(report: Report, receiver: domain.ServiceValue, node: ast.Attribute) -> domain.Value | None:
    """Return the value of an attribute or method. Reports an attribute that no longer exists."""
    kind, name = receiver.kind, node.attr
    instead = names.MISSING.get("snapshot" if kind in _SNAPSHOTS else kind, {}).get(name)
    has_attribute = receiver.library == "native" or (name == "query_key" and receiver.library == "pyrebase")
    if instead is not None and not has_attribute:
        fix = partial(fixes.rename, node=node, name="key()") if name == "query_key" else None
        report("missing-attribute", node, f"A {kind} object has no {name!r}.", instead, fix)
        return None
    if kind == "file":
        if name not in names.LISTED_FILE:
            instead = names.INSTEAD_OF_BLOB.get(name, f"firebase.storage().bucket.blob(file.name).{name}")
            message = f"Files of list_files() have no {name!r}: they are not google-cloud-storage blobs."
            report("listed-file", node, message, f"write {instead}")
        return None
    if kind == "storage" and name == "bucket" and receiver.steps and receiver.library != "native":
        message = "`bucket` of a child is the bucket's name, not the google-cloud-storage bucket."
        report("missing-attribute", node, message, "write firebase.storage().bucket")
    if kind in _DICTS and name == "move_to_end" and receiver.library != "pyrebase":
        _report_ordered_dict(report, node)
    if kind == "keys" and receiver.library != "native" and name in ("isdisjoint", "mapping"):
        message = f"val() after shallow() returns a list, which has no {name}()."
        report("shallow-keys", node, message, "convert it with set(...)")
    if kind in _SNAPSHOTS and name in ("pyres", "firebases"):
        if name == "firebases" and receiver.library == "firebase-rest-api":
            report_firebases(report, node)
        return domain.ServiceValue("keys" if kind == "shallow snapshot" else "items", receiver.library)
    return domain.BoundMethod(receiver, name)


def report_firebases(report: Report, node: ast.Attribute) -> None:
    """Report firebase-rest-api's name for the items of a snapshot."""
    report("fork-call", node, "A snapshot has no 'firebases'.", "write pyres, or each()")


def result(report: Report, receiver: domain.ServiceValue, name: str, call: domain.CallSite) -> domain.Value | None:
    """Return the result of a method call."""
    kind = _RESULTS.get((receiver.kind, name))
    if receiver.kind == "database" and name == "get":
        kind = "query snapshot" if receiver.is_query else "snapshot"
        if any(step.method == "shallow" for step in receiver.steps):
            kind = "shallow snapshot"
    if receiver.kind == "auth" and name in ("session", "load_session"):
        return domain.TextValue("session")
    if receiver.kind in _DICTS and name == "popitem" and call.keywords and receiver.library != "pyrebase":
        _report_ordered_dict(report, call.node)
    if kind is None:
        return None
    return domain.ServiceValue(kind, receiver.library, call.node if kind == "stream" else None)


def _report_ordered_dict(report: Report, node: ast.AST) -> None:
    message = "val() returns a dict in Firebase's order, not an OrderedDict."
    report("ordered-dict", node, message, "test for dict, or convert it with collections.OrderedDict(value)")


def _is_ordered_dict(value: domain.Value | None) -> bool:
    return isinstance(value, domain.QualifiedName) and value.name.endswith("OrderedDict")


def check_type_test(report: Report, node: ast.Call, args: Sequence[domain.Value | None], library: str) -> None:
    """Report isinstance() with OrderedDict or a class of pyrebase's, and text cut out of repr(OrderedDict(...)).

    With the drop-in, references are instances of its class Database, and val() returns an OrderedDict.
    """
    match node.func, args:
        case ast.Name(id="isinstance"), [value, tested]:
            if isinstance(value, domain.ServiceValue) and class_kind(tested) is not None and _has_other_class(value):
                message = f"This is not a {ast.unparse(node.args[1])}: queries and storage children have other classes."
                suggestion = "test for firebase_rest.Query or firebase_rest.StorageReference, or remove the test"
                report("instance-test", node, message, suggestion)
            kinds = tested.values if isinstance(tested, domain.Collection) else (tested,)
            accepts_dict = "dict" in re.findall(r"\w+", ast.unparse(node.args[1]))
            if library != "pyrebase" and not accepts_dict and any(map(_is_ordered_dict, kinds)):
                _report_ordered_dict(report, node)
        case ast.Attribute(attr=name), _ if name in _TEXT_METHODS and library != "pyrebase":
            if any(isinstance(value, domain.Constant) and "OrderedDict(" in str(value.value) for value in args):
                _report_ordered_dict(report, node)
        case _:
            pass


def _has_other_class(value: domain.ServiceValue) -> bool:
    """Return whether pyrebase's object had another class than ours: a query, or a child of Storage."""
    return value.is_query or (value.kind == "storage" and bool(value.steps))


def check_existence_test(report: Report, node: ast.Call, downloads: set[str]) -> None:
    """Report os.path.exists(name) and Path(name).exists() for a name that download() wrote to."""
    function = node.func
    if not isinstance(function, ast.Attribute) or function.attr not in ("exists", "isfile", "is_file"):
        return
    holder = function.value
    tested = [*node.args, *(holder.args if isinstance(holder, ast.Call) else ()), holder][0]
    if ast.unparse(tested) in downloads:
        message = "A failed download raises, so this test is not reached. pyrebase wrote no file and raised nothing."
        suggestion = "catch firebase_rest.NotFound and firebase_rest.PermissionDenied around the download"
        report("silent-download", node, message, suggestion)


def check_comparison(report: Report, node: ast.Compare, sides: Sequence[domain.Value | None]) -> None:
    """Report type(value) is OrderedDict, and value == [] for a query's value."""
    has_value = any(isinstance(side, domain.ServiceValue) and side.kind == "query value" for side in sides)
    if has_value and any(isinstance(side, ast.List) and not side.elts for side in (node.left, *node.comparators)):
        message = "val() of a query without results returns {}; pyrebase4 returned []."
        report("empty-result", node, message, "write `not value`, which is true for both")
    if any(map(_is_ordered_dict, sides)):
        _report_ordered_dict(report, node)


def check_assignment(report: Report, owner: domain.Value | None, target: ast.Attribute, fix: Fix | None = None) -> None:
    """Report an assignment to an attribute of one of pyrebase's objects, classes or modules.

    `fix` removes the statement; it is used where the statement resets the path or the query.
    """
    name = target.attr
    match owner:
        case domain.QualifiedName(name="pyrebase" | "pyrebase.pyrebase") if name not in ("initialize_app", "quote"):
            # Programs call initialize_app themselves, and replacing `quote` has never had an effect on firebase-rest.
            message = f"firebase-rest never uses {owner.name}.{name}: the assignment has no effect."
            report("missing-name", target, message, "delete it")
        case domain.QualifiedName() if name in names.MISSING.get(class_kind(owner) or "", ()):
            message = f"firebase-rest never calls {owner.name}.{name}: the assignment has no effect."
            suggestion = "use the options of initialize_app(), or change app.requests, the requests.Session"
            report("missing-name", target, message, suggestion)
        case domain.ServiceValue():
            is_known = owner.is_reference and owner.is_complete
            if is_known or name in names.ASSIGNED.get(owner.kind, ()):
                is_reset = owner.is_reference and not owner.steps and name in ("path", "build_query")
                message = f"{name!r} cannot be assigned: {owner.kind} objects are immutable."
                suggestion = names.INSTEAD_OF_ASSIGNING.get(name, "keep the value in your own variable")
                report("assigned-attribute", target, message, suggestion, fix if is_reset else None)
        case _:
            pass


# --- Auth and the forks ---------------------------------------------------------------------------------------------


def check_method(report: Report, receiver: domain.ServiceValue, name: str, call: domain.CallSite) -> None:
    """Check a method call on any object of pyrebase's API."""
    if receiver.kind == "python-firebase":
        _check_python_firebase(report, name, call)
    elif receiver.kind == "auth" and name == "verify_password_reset_code":
        message = "verify_password_reset_code() sets the new password."
        suggestion = "write confirm_password_reset(code, new_password), or check_action_code(code) to verify only"
        function = call.node.func if isinstance(call.node, ast.Call) and not call.keywords else call.node
        fix = partial(fixes.rename, node=function, name="confirm_password_reset")
        report("reset-code", call.node, message, suggestion, fix)
    if receiver.library in names.FORKS:
        _check_fork_call(report, receiver, name, call)


def _check_fork_call(report: Report, receiver: domain.ServiceValue, name: str, call: domain.CallSite) -> None:
    """Report a method or an argument that only a fork has."""
    instead = names.FORK_CALLS.get(f"{receiver.kind} {name}")
    if instead and receiver.kind != "database":
        report("fork-call", call.node, f"firebase-rest has no {name}() of {receiver.library}.", f"use {instead}")
    elif instead and receiver.library == "firebase-rest-api":
        report("fork-call", call.node, f"{name}() of {receiver.library} returns something else.", f"write {instead}")
    for keyword in call.keywords:
        instead = names.FORK_ARGUMENTS.get(f"{receiver.kind} {name} {keyword.arg}")
        if instead:
            report("fork-call", keyword.value, f"{name}() has no parameter {keyword.arg!r}.", instead)
    maximum = names.FORK_POSITIONS.get(f"{receiver.kind} {name}", len(call.args))
    if len(call.args) > maximum and (receiver.library == "empyrebase" or name != "stream"):
        suggestion = "pass the arguments after the token by keyword, with firebase-rest's names"
        if name == "put":
            suggestion = f"pass the size by keyword: chunk_size={ast.unparse(call.args[3])}"
        message = f"The positional arguments of {name}() differ from those of {receiver.library}."
        report("fork-call", call.node, message, suggestion)


def _check_python_firebase(report: Report, name: str, call: domain.CallSite) -> None:
    """Report a call of FirebaseApplication's methods."""
    instead = names.PYTHON_FIREBASE.get(name.removesuffix("_async"))
    if instead is None:
        return
    if name in ("get", "get_async") and call.value(1, "name") in (domain.Constant(None), domain.Constant("")):
        instead = "db.child(url).get().val()"
    suggestion = f"write {instead}" + (", in a thread of a concurrent.futures pool" if name.endswith("_async") else "")
    report("python-firebase", call.node, f"firebase-rest has no {name}() of python-firebase.", suggestion)


def check_expires_at(report: Report, node: ast.expr) -> None:
    """Report user["expiresAt"], which only firebase-rest-api adds."""
    suggestion = "add int(user['expiresIn']) to the time of sign-in, or use auth.session(user), which refreshes itself"
    report("fork-call", node, "The result of a sign-in has no 'expiresAt'.", suggestion)


def check_initialize_app(report: Report, call: domain.CallSite) -> None:
    """Report arguments that initialize_app() does not have."""
    extra = [item.value for item in call.keywords if item.arg and item.arg not in names.INITIALIZE_KEYWORDS]
    for argument in [*extra, *call.args[1:]][:1]:
        message = "initialize_app() accepts only the configuration and its own keyword arguments."
        report("fork-call", argument, message, "remove the argument")
