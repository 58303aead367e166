"""Check calls of the database. Each check reports one call that behaves differently, and changes nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from firebase_rest.migrate import domain, fixes, names
from firebase_rest.migrate.context import Report
from firebase_rest.migrate.domain import BuilderStep, CallSite, Constant, ServiceValue, TextValue, Value, path_of

_FORBIDDEN = re.compile(r"[.$#\[\]\x00-\x1f\x7f]")
_URL_TEXT = {"database": re.compile(r"%[0-9A-Fa-f]{2}|[?+]"), "storage": re.compile(r"%[0-9A-Fa-f]{2}|[?+&#]")}
_URL = re.compile(r"(?:(https?)://)?(localhost|\[[\da-f:]*\]|[\w-]+(?:\.[\w-]+)+)(?::\d+)?(/[^?#]*)?(?:\?(.*))?")
_FIELD = re.compile(r"\{[^{}]*\}|%[-+ #0-9.*]*[a-z]")
_OTHER_HOSTS = (".firebaseapp.com", ".web.app", ".appspot.com", ".firebasestorage.app", ".google.com")
_SPECIAL_KEYS = (".sv", ".value", ".priority")


# --- builders -------------------------------------------------------------------------------------------------------


def check_child(report: Report, receiver: ServiceValue, call: CallSite) -> None:
    """Check the arguments of child()."""
    is_below = _is_below_root(receiver.steps)
    for argument, value in zip(call.args, call.values, strict=True):
        is_empty = isinstance(value, Constant) and str(value.value).strip("/") == ""
        if value == Constant(None):
            report("invalid-key", argument, "child(None) raises UsageError.", "pass a key, or test for None first")
        elif is_empty and receiver.kind == "database":
            if is_below or (value == Constant("") and receiver.library != "pyrebase"):
                message = f"child({ast.unparse(argument)}) raises UsageError: it refers to the reference itself."
                report("invalid-key", argument, message, "remove the empty key; for the root write child('/')")
        elif isinstance(value, TextValue) and value.kind == "quoted":
            _report_quoted(report, receiver, argument, value)
        else:
            _check_text(report, receiver, argument, value)
        is_below = is_below or not is_empty


def _is_below_root(steps: Sequence[BuilderStep]) -> bool:
    literals = [literal for step in steps for literal in step.literals or (None,)]
    return any(literal is None or str(literal.value).strip("/") != "" for literal in literals)


def _report_quoted(report: Report, receiver: ServiceValue, argument: ast.expr, value: TextValue) -> None:
    where = f"the quote() in line {value.line}" if isinstance(argument, ast.Name) and value.line else "quote()"
    can_fix = isinstance(argument, ast.Call) and receiver.kind == "database"
    fix = partial(fixes.unquote, call=argument, inner=value.inner) if can_fix and value.inner is not None else None
    message = "This text is encoded twice: child() encodes it as well."
    report("url-text", argument, message, f"pass the text as it is, without {where}", fix)


def _check_text(report: Report, receiver: ServiceValue, argument: ast.expr, value: Value | None) -> None:
    text = "".join(_literal_text(argument, value))
    forbidden = _FORBIDDEN.search(text) if receiver.kind == "database" else None
    raw = _URL_TEXT[receiver.kind].search(text)
    if forbidden:
        message = f"child() rejects {forbidden.group()!r}: keys cannot contain . $ # [ ] or control characters."
        report("invalid-key", argument, message, "replace the character, for example by '_' or ','")
    elif raw:
        message = f"{raw.group()!r} in child() is part of the key. pyrebase sent it as part of the URL."
        suggestion = "pass the decoded key; write queries with order_by_child(), shallow() and the other builders"
        report("url-text", argument, message, suggestion)


def _literal_text(node: ast.expr, value: Value | None) -> Iterator[str]:
    """Yield the literal parts of a text: of constants, f-strings, sums and formats."""
    match node:
        case _ if isinstance(value, Constant):
            yield str(value.value) if isinstance(value.value, (str, float)) else ""
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr():
            yield from (str(piece.value) for piece in node.values if isinstance(piece, ast.Constant))
        case ast.BinOp(op=ast.Add()):
            yield from (*_literal_text(node.left, None), *_literal_text(node.right, None))
        case ast.BinOp(op=ast.Mod(), left=ast.Constant(value=str(text))):
            yield _FIELD.sub("", text)
        case ast.Call(func=ast.Attribute(value=ast.Constant(value=str(text)), attr="format" | "join")):
            yield _FIELD.sub("", text)
        case _:
            pass


def check_query_builder(report: Report, receiver: ServiceValue, name: str, call: CallSite) -> None:
    """Check the argument of order_by_child(), a bound or a limit."""
    for value in [*call.values, *call.keyword_values.values()][:1]:
        if not isinstance(value, Constant):
            return
        literal, call_text = value.value, f"{name}({value.value!r})"
        is_key = isinstance(literal, str) and literal.strip("/") and not _FORBIDDEN.search(literal)
        if name in names.LIMITS and (type(literal) is not int or literal < 1):
            report("invalid-query", call.node, f"{call_text} raises UsageError.", "pass a positive int")
        elif name == "order_by_child" and not is_key and literal not in names.ORDER_KEYWORDS:
            message = f"{call_text} raises UsageError: this cannot be the key of a child."
            report("invalid-query", call.node, message, "pass the key of a child, or its path with slashes")
        elif name in names.BOUNDS and literal is None and receiver.library != "native":
            message = f"{call_text} sends JSON null. pyrebase sent the text None, which the server rejected."
            report("null-bound", call.node, message, "keep it if null is meant, else test for None first")


# --- calls ----------------------------------------------------------------------------------------------------------


def check_call(report: Report, receiver: ServiceValue, name: str, call: CallSite) -> None:
    """Check a read or write."""
    if name in names.READS:
        _check_query(report, receiver, call)
    if name == "stream" and receiver.library != "native":
        _check_handler(report, call.value(0, "stream_handler"))
    if name in names.WRITES:
        value, syntax = call.value(0, "data"), call.syntax(0, "data")
        node = value.node if isinstance(value, domain.Collection) else syntax
        if node is not None:
            _check_data(report, node, has_paths=name == "update")
    is_root = any(Constant("") in step.literals for step in receiver.steps) and not _is_below_root(receiver.steps)
    if name in ("set", "remove") and receiver.library == "pyrebase" and is_root:
        message = f"{name}() after child('') raises UsageError: it would replace the whole database."
        report("invalid-key", call.node, message, "pass a non-empty key; for the root write child('/')")


def report_moved(
    report: Report, value: ServiceValue, moved: Sequence[BuilderStep], node: ast.expr, name: str, *, is_dropped: bool
) -> None:
    """Report a reference whose path was not the one of pyrebase's shared object.

    `moved` lists the builder calls made on that object. `is_dropped`: the statement only moves the reference, and
    firebase_rest ignores that.
    """
    is_call = name in names.CALLS[value.kind]
    reason = f"because of line {moved[-1].node.lineno}" if moved else "because it had been used before"
    message = f"This reference is /{path_of(value.steps)}. In pyrebase it was /{path_of(moved)} here, {reason}."
    code, suggestion = "shared-reference", "keep it if that is meant, with a comment # firebase-rest: ignore; "
    if is_dropped:
        code = "root-operation" if is_call and not value.steps else code
        root, default = ("db", "get") if value.kind == "database" else ("storage", "put")
        suggestion = f"write the complete path in one chain: {root}.child(...).{name if is_call else default}(...)"
    else:
        suggestion += "where the root was meant, write the chain from the root"
    report(code, node, message, suggestion)


def check_query_method(report: Report, receiver: ServiceValue, name: str, call: CallSite) -> bool:
    """Report a method that queries do not have. Returns whether it is one."""
    if not receiver.is_query or name not in names.ON_REFERENCES_ONLY:
        return False
    message = f"A query has no {name}(). pyrebase ignored the query and used the reference."
    suggestion = f"call {name}() on the reference: db.child(...).{name}(...)"
    if name in ("remove", "conditional_remove"):
        suggestion = "remove each child: for item in query.get(): reference.child(item.key()).remove()"
    report("query-write", call.node, message, suggestion)
    return True


def _check_query(report: Report, receiver: ServiceValue, call: CallSite) -> None:
    if not receiver.is_complete and not any(step.method == "child" for step in receiver.steps):
        return  # unknown code may have called order_by_child()
    used = {step.method: step for step in receiver.steps if step.method in names.QUERY_BUILDERS}
    orders = [step.method for step in receiver.steps if step.method in names.ORDERS]
    problem = _query_problem(used, orders[-1] if orders else None)
    if problem:
        report("invalid-query", call.node, f"{problem[0]}: UsageError is raised.", problem[1])


def _query_problem(used: Mapping[str, BuilderStep], order: str | None) -> tuple[str, str] | None:
    """Return the problem and the suggestion."""
    bounds = [name for name in used if name in names.BOUNDS]
    limits = [name for name in used if name in names.LIMITS]
    others = [name for name in bounds if name != "equal_to"]
    if "shallow" in used and (bounds or limits or order):
        return "shallow() cannot be combined with an order, bounds or limits", "remove one of them"
    if (bounds or limits) and not order:
        return f"{[*bounds, *limits][0]}() needs an order", "add order_by_key() or order_by_child(...) to the chain"
    if len(limits) == 2:
        return "limit_to_first() and limit_to_last() cannot be combined", "remove one of them"
    if others and len(others) < len(bounds):
        return f"equal_to() cannot be combined with {others[0]}()", "remove one of them"
    for name in bounds if order == "order_by_key" else ():
        literal = next(iter(used[name].literals), None)
        if literal is not None and not isinstance(literal.value, (str, type(None))):
            return f"{name}({literal.value!r}) with order_by_key(): keys are strings", f"write {str(literal.value)!r}"
    return None


def _check_handler(report: Report, handler: Value | None) -> None:
    """Report a stream handler that raises."""
    if not isinstance(handler, domain.ProgramFunction) or isinstance(handler.node, ast.Lambda):
        return
    for raised in [*_raises(handler.node.body)][:1]:
        message = "Exceptions raised by a stream handler are logged and do not end the stream. pyrebase's stream ended."
        report("handler-raise", raised, message, "raise firebase_rest.StopStream to end the stream, or pass on_error=")


def _raises(body: Sequence[ast.stmt]) -> Iterator[ast.Raise]:
    """Yield the `raise` statements outside of `try` and of inner functions."""
    for node in body:
        if isinstance(node, ast.Raise) and "StopStream" not in ast.unparse(node):
            yield node
        elif isinstance(node, (ast.If, ast.For, ast.While, ast.With)):
            yield from _raises([*node.body, *getattr(node, "orelse", [])])


def check_stream_close(report: Report, receiver: ServiceValue, call: CallSite) -> None:
    """Report a stream that is closed directly after stream(). The drop-in waits for the first event, as in pyrebase."""
    is_blocking = any(keyword.arg == "is_async" for keyword in getattr(receiver.origin, "keywords", ()))
    if receiver.library not in ("native", "pyrebase") and not is_blocking:
        message = "close() directly after stream() ends the stream before its first event."
        suggestion = "read the value once with get(), or wait for the first event before close()"
        report("stream-close", call.node, message, suggestion)


# --- data and configuration -----------------------------------------------------------------------------------------


def _check_data(report: Report, node: ast.expr, *, has_paths: bool) -> None:
    """Check the keys of literal data. The keys of update() may be paths."""
    if isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant):
                _check_data_key(report, key, has_paths=has_paths)
            _check_data(report, value, has_paths=False)
    elif isinstance(node, ast.List):
        for item in node.elts:
            _check_data(report, item, has_paths=False)


def _check_data_key(report: Report, key: ast.Constant, *, has_paths: bool) -> None:
    name = key.value
    if name is None or isinstance(name, (bool, float, bytes)):
        report("invalid-key", key, f"Keys must be strings, not {name!r}.", f"write {str(name)!r}")
    if not isinstance(name, str) or name.rpartition("/" if has_paths else "\0")[2] in _SPECIAL_KEYS:
        return
    forbidden = _FORBIDDEN.search(name) or (None if has_paths else re.search("/", name))
    if forbidden or name == "":
        call_text = f"{forbidden.group()!r} in the key {name!r}" if forbidden else "the empty key"
        suggestion = "replace it, for example by '_'; for a deeper path, nest another dict"
        report("invalid-key", key, f"The data contain {call_text}, which the database does not allow.", suggestion)


def check_database_url(report: Report, url: object, node: ast.expr) -> None:
    """Report a databaseURL that is not the https URL of a database."""
    match = _URL.fullmatch(url.strip()) if isinstance(url, str) else None
    if match is None:
        return
    scheme, host, path, query = match.groups(default="")
    is_local = host in ("localhost", "127.0.0.1", "[::1]") or "ns=" in query
    if host.endswith(_OTHER_HOSTS):
        message = f"databaseURL must be the URL of a database, which {host} is not."
        report("database-url", node, message, "copy the URL that the Firebase console shows above your data")
    elif scheme and path.strip("/"):
        message = f"databaseURL must be the root of a database, without the path {path!r}."
        suggestion = f"remove the path, and write db = firebase.database().child({path.strip('/')!r})"
        report("database-url", node, message, suggestion)
    elif (scheme == "http" and not is_local) or not scheme:
        report("database-url", node, "databaseURL must begin with https://.", "write https://")
