"""What differs in calls of the database: one small function for each finding.

The law of this file: a check looks at one call and what is known of its receiver and arguments; it changes nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence

from firebase_rest.migrate import names
from firebase_rest.migrate.call import Call, Report
from firebase_rest.migrate.values import Constant, Data, Function, Place, Step, Text, Value

_FORBIDDEN = re.compile(r"[.$#\[\]\x00-\x1f\x7f]")
_URL_TEXT = re.compile(r"%[0-9A-Fa-f]{2}|[?+]")
_OBJECT_URL_TEXT = re.compile(r"%[0-9A-Fa-f]{2}|[?+&#]")
_URL = re.compile(r"(?:(https?)://)?(localhost|\[[\da-f:]*\]|[\w-]+(?:\.[\w-]+)+)(?::\d+)?(/[^?#]*)?(?:\?(.*))?")
_FIELD = re.compile(r"\{[^{}]*\}|%[-+ #0-9.*]*[a-z]")
_ORDER_NAMES = ("$key", "$value", "$priority")
_KEYWORD_ARGUMENTS = {
    "order_by_child": "order", "start_at": "start", "end_at": "end", "equal_to": "equal",
    "limit_to_first": "limit_first", "limit_to_last": "limit_last",
}  # fmt: skip


# --- building -------------------------------------------------------------------------------------------------------


def child(report: Report, place: Place, call: Call) -> None:
    """None, nothing, forbidden characters, and text that was meant for a URL."""
    empty = Constant("")
    is_below = any(not step.literals or any(item != empty for item in step.literals) for step in place.steps)
    for argument, value in zip(call.node.args, call.args, strict=True):
        if isinstance(value, Constant) and value.value is None:
            report(
                "invalid-key",
                argument,
                "child(None) is refused: pyrebase made it the key 'None'.",
                "pass the key, or test for None before",
            )
        elif value == empty and is_below:
            report(
                "invalid-key",
                argument,
                "child('') below another key is refused: it would be that very place.",
                "leave the empty key out",
            )
        elif isinstance(value, Text) and value.kind == "quoted":
            _quoted(report, place, argument, value)
        else:
            _key_text(report, place, argument, value)
        is_below = is_below or value != empty


def _quoted(report: Report, place: Place, argument: ast.expr, value: Text) -> None:
    where = f"the quote() of line {value.line}" if isinstance(argument, ast.Name) and value.line else "quote()"
    report(
        "url-text",
        argument,
        "The text in child() is encoded twice: child() encodes it, exactly once.",
        f"pass the text as it is, without {where}",
        replace=(argument, value.inner) if place.service == "database" and isinstance(argument, ast.Call) else None,
    )


def _key_text(report: Report, place: Place, argument: ast.expr, value: Value | None) -> None:
    text = "".join(_literal_text(argument, value))
    bad = _FORBIDDEN.search(text) if place.service == "database" else None
    raw = (_URL_TEXT if place.service == "database" else _OBJECT_URL_TEXT).search(text)
    if bad:
        report(
            "invalid-key",
            argument,
            f"child() refuses {bad.group()!r} in a key: keys cannot contain . $ # [ ] or control characters.",
            "replace the character, for example by '_' or ','",
        )
    elif raw:
        report(
            "url-text",
            argument,
            f"{raw.group()!r} in child() is data now; pyrebase put it into the URL as it was, where it has a meaning.",
            "write the key itself: decoded text, and queries with order_by_...(), shallow() and the others",
        )


def _literal_text(node: ast.expr, value: Value | None) -> Iterator[str]:
    """The literal pieces of a text: of constants, f-strings, sums, and formats."""
    if isinstance(value, Constant):
        if isinstance(value.value, (str, float)):
            yield str(value.value)
        return
    match node:
        case ast.JoinedStr():
            for piece in node.values:
                if isinstance(piece, ast.Constant):
                    yield str(piece.value)
        case ast.BinOp(op=ast.Add()):
            yield from _literal_text(node.left, _constant(node.left))
            yield from _literal_text(node.right, _constant(node.right))
        case ast.BinOp(op=ast.Mod(), left=ast.Constant(value=str(text))):
            yield _FIELD.sub("", text)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format")):
            yield _FIELD.sub("", text)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="join")):
            yield text
        case _:
            pass


def _constant(node: ast.expr) -> Constant | None:
    return Constant(node.value) if isinstance(node, ast.Constant) else None


def builder(report: Report, place: Place, call: Call) -> None:
    """An argument of a query's builder that cannot be."""
    value = call.given(0, _KEYWORD_ARGUMENTS.get(call.name, ""))
    if not isinstance(value, Constant):
        return
    literal = value.value
    if call.name in names.LIMITS and (type(literal) is not int or literal < 1):
        report(
            "invalid-query",
            call.node,
            f"{call.name}({literal!r}) is refused: a limit is a positive int.",
            "pass a positive int",
        )
    elif call.name == "order_by_child" and isinstance(literal, str):
        if literal not in _ORDER_NAMES and (_FORBIDDEN.search(literal) or not literal.strip("/")):
            report(
                "invalid-query",
                call.node,
                f"order_by_child({literal!r}) is refused: that cannot be a child's key.",
                "pass the name of a child, or its path with slashes",
            )
    elif call.name in names.BOUNDS and literal is None and place.style != "native":
        report(
            "null-bound",
            call.node,
            f"{call.name}(None) went out as the text None, which the server refused; now it is JSON's null.",
            "keep it if null is meant, else test for None before",
        )


# --- queries --------------------------------------------------------------------------------------------------------


def query(report: Report, place: Place, call: Call) -> None:
    """A read that the server refuses."""
    if not place.known and not any(step.method == "child" for step in place.steps):
        return  # an order may have come before
    used = {step.method: step for step in place.steps if step.method in names.QUERY_BUILDERS}
    problem = _problem(used, [step.method for step in place.steps if step.method in names.ORDERS])
    if problem:
        message, suggestion = problem
        report("invalid-query", call.node, f"{message}: it now raises UsageError before anything is sent.", suggestion)


def _problem(used: Mapping[str, Step], orders: Sequence[str]) -> tuple[str, str] | None:
    bounds = [name for name in used if name in names.BOUNDS]
    limits = [name for name in used if name in names.LIMITS]
    narrowing = [*bounds, *limits]
    if "shallow" in used and (narrowing or orders):
        return "shallow() cannot be combined with an order, bounds or limits", "leave one of them out"
    if narrowing and not orders:
        return f"{narrowing[0]}() needs an order", "add order_by_key() or order_by_child(...) to the chain"
    if len(limits) == 2:
        return "limit_to_first() and limit_to_last() exclude each other", "keep one of them"
    if "equal_to" in bounds and len(bounds) > 1:
        other = next(name for name in bounds if name != "equal_to")
        return f"equal_to() cannot be combined with {other}()", "leave one of them out"
    if orders and orders[-1] == "order_by_key":
        for name in bounds:
            literal = next(iter(used[name].literals), None)
            if isinstance(literal, Constant) and literal.value is not None and not isinstance(literal.value, str):
                return (
                    f"order_by_key() with {name}({literal.value!r}): keys are strings",
                    f"write {str(literal.value)!r}",
                )
    return None


def handler(report: Report, place: Place, call: Call) -> None:
    """A stream's handler that raises."""
    function = call.given(0, "stream_handler")
    if call.name != "stream" or place.style == "native" or not isinstance(function, Function):
        return
    raised = next(_raises(function.node.body), None) if not isinstance(function.node, ast.Lambda) else None
    if raised is not None:
        report(
            "handler-raise",
            raised,
            "What a stream's handler raises is logged, and the stream goes on; pyrebase's ended.",
            "raise firebase_rest.StopStream to end it, or pass on_error=",
        )


def _raises(body: Sequence[ast.stmt]) -> Iterator[ast.Raise]:
    """What is raised in a function for its caller: outside of `try`, and of functions inside."""
    for node in body:
        if isinstance(node, ast.Raise):
            if not (node.exc is not None and "StopStream" in ast.unparse(node.exc)):
                yield node
        elif isinstance(node, (ast.If, ast.For, ast.While, ast.With)):
            yield from _raises([*node.body, *getattr(node, "orelse", [])])


def on_query(report: Report, place: Place, call: Call) -> bool:
    """A method that a query does not have. Returns whether it is one."""
    if not place.is_query or call.name not in names.ON_REFERENCES_ONLY:
        return False
    what = "ignored the query and wrote to the whole place" if call.name in names.WRITES else "had it on queries too"
    suggestion = f"call {call.name}() on the place itself: db.child(...).{call.name}(...)"
    if call.name in ("remove", "conditional_remove"):
        suggestion = "read the query, and remove each child: for item in query.get(): place.child(item.key()).remove()"
    report(
        "query-write",
        call.node,
        f"A query has no {call.name}(): pyrebase {what}.",
        suggestion,
    )
    return True


def database_url(report: Report, url: object, node: ast.expr) -> None:
    """A configuration's databaseURL that is more than the root of a database, or nothing that https reaches."""
    found = _URL.fullmatch(url.strip()) if isinstance(url, str) else None
    if found is None:
        return
    scheme, host, path, query = found.groups(default="")
    local = host in ("localhost", "127.0.0.1", "[::1]") or "ns=" in query
    if scheme and path.strip("/"):
        report(
            "database-url",
            node,
            f"This databaseURL has the path {path!r}; it must be the root of a database.",
            f"leave it out, and write db = firebase.database().child({path.strip('/')!r})",
        )
    elif (scheme == "http" and not local) or not scheme:
        report("database-url", node, "This databaseURL does not begin with https://.", "write https://")


# --- data -----------------------------------------------------------------------------------------------------------


def data(report: Report, call: Call) -> None:
    """Keys in literal data that the database cannot have."""
    syntax, value = call.syntax(0, "data"), call.given(0, "data")
    node = value.node if isinstance(value, Data) else syntax
    if syntax is not None and isinstance(node, (ast.Dict, ast.List)):
        _data(report, node, paths=call.name == "update")


def _data(report: Report, node: ast.expr, *, paths: bool) -> None:
    match node:
        case ast.Dict():
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant):
                    _data_key(report, key, paths=paths)
                _data(report, value, paths=False)
        case ast.List():
            for item in node.elts:
                _data(report, item, paths=False)
        case _:
            pass


def _data_key(report: Report, key: ast.Constant, *, paths: bool) -> None:
    name = key.value
    if isinstance(name, str):
        if name.rpartition("/" if paths else "\0")[2] in (".sv", ".value", ".priority"):
            return
        bad = _FORBIDDEN.search(name) or (None if paths else re.search("/", name))
        if bad is None and name != "":
            return
        shown = f"{bad.group()!r} in the key {name!r}" if bad else "the empty key"
        report(
            "invalid-key",
            key,
            f"The data have {shown}, which the database cannot have.",
            "replace it, for example by '_'; for a deeper place, nest another dict",
        )
    elif name is None or isinstance(name, (bool, float, bytes)):
        report("invalid-key", key, f"The data have the key {name!r}; keys are strings.", f"write {str(name)!r}")
