"""What differs in calls of Storage: one small function for each finding."""

from __future__ import annotations

import ast

from firebase_rest.migrate.call import Call, Report
from firebase_rest.migrate.values import Constant, Method, Place, Step, Text, Value


def download(report: Report, place: Place, call: Call) -> None:
    """Two arguments below a child: is the first a path, and which path counts?"""
    if not place.steps or place.style == "native":
        return
    path = call.kwargs.get("path")
    if "path" not in call.kwargs:
        second = call.args[1] if len(call.args) > 1 else None
        if len(call.args) < 2 or (len(call.args) == 2 and _is_token(second, call.node.args[1])):
            return
        if isinstance(second, Constant) and second.value is None:
            return
        path = call.args[0]
    if isinstance(path, Constant) and path.value in (None, ""):
        return
    if _is_the_childs(place, path, call.syntax(0, "path")):
        return
    report(
        "download-forms",
        call.node,
        "Two arguments below a child(): if the second is no ID token, they are (path, file name), and the child's path "
        "counts; pyrebase took (file name, token), and pyrebase4 the first path with a service account.",
        "write child(path).download(filename), or download(filename, token=token)",
    )


def delete(report: Report, place: Place, call: Call) -> None:
    """A name below a child."""
    name = call.given(0, "name")
    syntax = call.syntax(0, "name")
    is_token = syntax is not None and (place.style == "firebase-rest-api" or _is_token(name, syntax))
    if not place.steps or syntax is None or is_token:
        return
    if (isinstance(name, Constant) and name.value is None) or _is_the_childs(place, name, syntax):
        return
    report(
        "delete-path",
        call.node,
        "delete(name) below a child() deletes `name` in the bucket, as ever in pyrebase; the child is not part of it.",
        "keep it if that is meant, else write child(path).delete(token=token)",
    )


def get_url(report: Report, place: Place, call: Call) -> None:
    """An ID token, or what is called a token and is no download token as far as is known."""
    syntax, value = call.syntax(0, "token"), call.given(0, "token")
    if syntax is None or place.style not in ("pyrebase", "renamed", "empyrebase"):
        return
    name = _last_name(syntax).lower()
    is_unknown = value is None or isinstance(value, Method)
    if not (_is_id_token(value, syntax) or (is_unknown and "token" in name and "download" not in name)):
        return
    report(
        "url-token",
        call.node,
        "pyrebase put the token into the link, and asked nobody; with an ID token get_url() now asks the server for "
        "the shareable link, and raises NotFound where there is no file.",
        "call it after put(), or catch firebase_rest.NotFound; get_url() without a token is the bare address and asks "
        "nobody",
    )


def list_files(report: Report, place: Place, call: Call) -> None:
    """A folder."""
    if place.steps and place.style != "native":
        report(
            "list-folder",
            call.node,
            "pyrebase listed the whole bucket here, whatever the child; now it lists that folder.",
            "keep it if the folder is meant, else write storage.list_files()",
        )


def _literal_path(place: Place) -> str | None:
    literals = [literal for step in place.steps for literal in step.literals]
    if not literals or not all(isinstance(literal, Constant) for literal in literals):
        return None
    return "/".join(str(literal.value) for literal in literals if isinstance(literal, Constant)).lstrip("/")


def _is_the_childs(place: Place, path: Value | None, syntax: ast.expr | None) -> bool:
    """Whether a path is the one that the child has: in value, or as it is written."""
    if isinstance(path, Constant) and isinstance(path.value, str) and path.value.lstrip("/") == _literal_path(place):
        return True
    match place.steps:
        case [Step(node=ast.Call(args=[written]))]:
            return syntax is not None and ast.dump(written) == ast.dump(syntax)
        case _:
            return False


def _is_token(value: Value | None, syntax: ast.expr) -> bool:
    if isinstance(value, Text):
        return value.kind in ("id token", "session")
    return "token" in _last_name(syntax).lower() or _is_id_token(value, syntax)


def _is_id_token(value: Value | None, syntax: ast.expr) -> bool:
    if value is not None:
        return isinstance(value, Text) and value.kind == "id token"
    return _last_name(syntax).lower().replace("_", "") in ("idtoken", "usertoken", "useridtoken", "authtoken")


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name():
            return node.id
        case ast.Attribute():
            return node.attr
        case ast.Subscript(slice=ast.Constant(value=str(key))):
            return key
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(key)), *_]):
            return key
        case ast.Call(func=ast.Name() | ast.Attribute() as function):
            return _last_name(function)
        case _:
            return ""


CHECKS = {"download": download, "delete": delete, "get_url": get_url, "list_files": list_files}
"""By the name of the method."""
