"""Fixes: edits of a file's text that keep everything else as it is.

The law of this file: a fix is only made where the program means the same afterwards as it did with pyrebase; a file is
replaced in one step or not at all.
"""

from __future__ import annotations

import ast
import os
import re
import stat
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast

from firebase_rest.migrate.findings import Edit
from firebase_rest.migrate.read import Source


def edits(source: Source, node: ast.AST, fix: Mapping[str, object]) -> tuple[Edit, ...]:
    """The edits for a finding; `fix` names one way of `_WAYS` and what it needs, None for no fix."""
    for way, what in fix.items():
        if what is not None:
            return tuple(_WAYS[way](source, node, what))
    return ()


def apply(text: str, wanted: Iterable[tuple[Edit, ...]]) -> tuple[str, list[int]]:
    """The text after all edits that do not overlap earlier ones, and which of `wanted` were made."""
    taken: list[Edit] = []
    made: list[int] = []
    for index, group in enumerate(wanted):
        if group and not any(new.start < old.end and old.start < new.end for new in group for old in taken):
            taken += group
            made.append(index)
    for edit in sorted(set(taken), reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text, made


def write(path: Path, data: bytes) -> None:
    """Replace a file's content in one step; its permissions stay. Raises OSError."""
    target = path.resolve()  # the file behind a symbolic link, not the link
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(stat.S_IMODE(target.stat().st_mode))
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


# --- the ways -------------------------------------------------------------------------------------------------------


def _replace(source: Source, node: ast.AST, what: object) -> Iterable[Edit]:  # noqa: ARG001 - one shape for all ways
    """quote(x) -> x."""
    outer, inner = cast("tuple[ast.expr, ast.expr | None]", what)
    if inner is not None and not isinstance(outer, ast.Name):
        yield Edit(*source.span(outer), source.code_of(inner))


def _method(source: Source, node: ast.AST, what: object) -> Iterable[Edit]:
    """x.old(...) -> x.new(...)."""
    function = cast("ast.Call", node).func
    if isinstance(function, ast.Attribute):
        end = source.span(function)[1]
        yield Edit(end - len(function.attr), end, str(what))


def _attribute(source: Source, node: ast.AST, what: object) -> Iterable[Edit]:
    """x.old -> x.new."""
    attribute = cast("ast.Attribute", node)
    if isinstance(attribute.ctx, ast.Load):
        end = source.span(attribute)[1]
        yield Edit(end - len(attribute.attr), end, str(what))


def _remove(source: Source, node: ast.AST, what: object) -> Iterable[Edit]:  # noqa: ARG001 - as _replace
    """A statement on lines of its own goes; where something must stay, `pass` does."""
    statement = cast("ast.stmt", what)
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return
    start, end = source.span(statement)
    first, last = source.offset(statement.lineno, 0), source.offset(statement.end_lineno or statement.lineno, 0)
    line_end = last + len(source.lines[(statement.end_lineno or statement.lineno) - 1])
    before, after = source.text[first:start], source.text[end:line_end]
    if before.strip() or after.strip().startswith(";") or _is_alone(source.tree, statement):
        yield Edit(start, end, "pass")
    elif after.strip():  # a comment
        yield Edit(start, end + len(after) - len(after.lstrip(" \t")), "")
    else:
        yield Edit(first, line_end, "")


def _is_alone(tree: ast.AST, statement: ast.stmt) -> bool:
    """Whether a block consists of this statement."""
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and len(cast("list[ast.stmt]", block)) == 1 and block[0] is statement:
                return not isinstance(node, ast.Module)
    return False


def _merge(source: Source, node: ast.AST, what: object) -> Iterable[Edit]:  # noqa: ARG001 - as _replace
    """db.child("x") and db.set(1), in consecutive statements -> db.child("x").set(1)."""
    moved, following = cast("tuple[ast.Expr, ast.stmt | None]", what)
    start, end = source.span(moved)
    if not isinstance(following, (ast.Expr, ast.Assign, ast.Return)) or following.value is None:
        return
    root, used = _root_of(moved.value), _root_of(following.value)
    if root is None or used is None or root is used or ast.dump(root) != ast.dump(used):
        return
    next_start = source.offset(following.lineno, 0)
    first = source.offset(moved.lineno, 0)
    between = source.text[end:next_start]
    if source.text[first:start].strip() or between.strip() or not between:
        return  # something else on its lines, a comment for example
    code = source.text[start:end]
    in_brackets = source.code_of(following.value).startswith("(")
    if "\n" in code or "\r" in code or "#" in code or in_brackets:
        return
    yield Edit(first, next_start, "")
    yield Edit(*source.span(used), code)


def _root_of(node: ast.expr) -> ast.expr | None:
    """What the outermost chain of calls begins with: `db` in db.child("x").get().val()."""
    if not isinstance(node, ast.Call):
        return None
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
        while isinstance(node, ast.Attribute) and not isinstance(node.value, ast.Name):
            node = node.value
    return node if isinstance(node, (ast.Name, ast.Attribute)) else None


def _fork(source: Source, node: ast.AST, what: object) -> Iterable[Edit]:  # noqa: ARG001 - as _replace
    """import firebase -> import firebase_rest as firebase."""
    statement, alias = cast("tuple[ast.Import | ast.ImportFrom, ast.alias]", what)
    start, end = source.span(statement)
    code = source.text[start:end]
    if isinstance(statement, ast.ImportFrom):
        code = re.sub(r"^from\s+[\w.]+", "from firebase_rest", code)
    elif alias.asname:
        code = re.sub(r"^import\s+[\w.]+", "import firebase_rest", code)
    else:
        code = f"import firebase_rest as {alias.name}"
    yield Edit(start, end, code)


_WAYS = {
    "replace": _replace,
    "method": _method,
    "attribute": _attribute,
    "remove": _remove,
    "merge": _merge,
    "fork": _fork,
}
