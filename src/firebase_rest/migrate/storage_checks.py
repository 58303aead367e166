"""Checks of calls of Storage that behave differently."""

from __future__ import annotations

import ast

from firebase_rest.migrate.context import Report
from firebase_rest.migrate.domain import BoundMethod, BuilderStep, CallSite, Constant, ServiceValue, TextValue, Value

_ID_TOKEN_NAMES = ("idtoken", "usertoken", "useridtoken", "authtoken")


def check_download(report: Report, receiver: ServiceValue, call: CallSite) -> None:
    """Report download(path, filename) below a child with another path."""
    if not receiver.steps or receiver.library == "native":
        return
    path = call.keyword_values.get("path")
    if "path" not in call.keyword_values:
        if len(call.values) < 2 or call.values[1] == Constant(None):
            return
        if len(call.values) == 2 and _is_token(call.values[1], call.args[1]):
            return
        path = call.values[0]
    if path not in (Constant(None), Constant("")) and not _is_path_of(receiver, path, call.syntax(0, "path")):
        message = "Below a child(), download(path, filename) uses the child's path. pyrebase used other paths."
        suggestion = "write child(path).download(filename), or download(filename, token=token)"
        report("download-forms", call.node, message, suggestion)


def check_delete(report: Report, receiver: ServiceValue, call: CallSite) -> None:
    """Report delete(name) below a child with another path."""
    name, syntax = call.value(0, "name"), call.syntax(0, "name")
    if not receiver.steps or syntax is None or receiver.library == "firebase-rest-api" or _is_token(name, syntax):
        return
    if name != Constant(None) and not _is_path_of(receiver, name, syntax):
        message = "delete(name) deletes `name` in the bucket, as in pyrebase. The path of the child is not used."
        suggestion = "keep it if that is meant, else write child(path).delete(token=token)"
        report("delete-path", call.node, message, suggestion)


def check_get_url(report: Report, receiver: ServiceValue, call: CallSite) -> None:
    """Report get_url() with an ID token, or with an unknown value that is named like a token."""
    syntax, value = call.syntax(0, "token"), call.value(0, "token")
    if syntax is None or receiver.library not in ("pyrebase", "renamed", "empyrebase"):
        return
    name = _last_name(syntax).lower()
    is_unknown = value is None or isinstance(value, BoundMethod)
    if _is_id_token(value, syntax) or (is_unknown and "token" in name and "download" not in name):
        message = "get_url() with an ID token sends a request, and raises NotFound if the file does not exist."
        suggestion = "call it after put(), or catch firebase_rest.NotFound; get_url() without a token sends no request"
        report("url-token", call.node, message, suggestion)


def check_list_files(report: Report, receiver: ServiceValue, call: CallSite) -> None:
    """Report list_files() below a child."""
    if receiver.steps and receiver.library != "native":
        message = "list_files() below a child() lists that folder. pyrebase listed the whole bucket."
        report("list-folder", call.node, message, "keep it if the folder is meant, else write storage.list_files()")


def _is_path_of(receiver: ServiceValue, path: Value | None, syntax: ast.expr | None) -> bool:
    """Return whether a path is the child's path, by value or as it is written."""
    literals = [literal for step in receiver.steps for literal in step.literals]
    own_path = "/".join(str(literal.value) for literal in literals if literal).lstrip("/")
    if isinstance(path, Constant) and None not in literals and str(path.value).lstrip("/") == own_path:
        return True
    match receiver.steps:
        case [BuilderStep(node=ast.Call(args=[written]))]:
            return syntax is not None and ast.dump(written) == ast.dump(syntax)
        case _:
            return False


def _is_token(value: Value | None, syntax: ast.expr) -> bool:
    if isinstance(value, TextValue):
        return value.kind in ("id token", "session")
    return "token" in _last_name(syntax).lower() or _is_id_token(value, syntax)


def _is_id_token(value: Value | None, syntax: ast.expr) -> bool:
    if value is not None:
        return isinstance(value, TextValue) and value.kind == "id token"
    return _last_name(syntax).lower().replace("_", "") in _ID_TOKEN_NAMES


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name) | ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(name)), *_]):
            return name
        case ast.Call(func=ast.Name() | ast.Attribute() as function):
            return _last_name(function)
        case _:
            return ""


CHECKS = {"download": check_download, "delete": check_delete, "get_url": check_get_url, "list_files": check_list_files}
"""The checks, by the name of the method."""
