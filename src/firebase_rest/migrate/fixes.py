"""Fixes: edits of the lines of a finding, which leave the rest of the file unchanged.

Invariant: a fixed program behaves as it did with pyrebase. If this is uncertain, the functions yield no edit.
"""

from __future__ import annotations

import ast
import os
import re
import stat
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from firebase_rest.migrate.findings import Edit
from firebase_rest.migrate.sources import AnyImport, SourceFile


def apply(text: str, groups: Iterable[tuple[Edit, ...]]) -> tuple[str, list[int]]:
    """Apply the groups of edits that do not overlap earlier ones. Returns the new text and the indices applied."""
    accepted: list[Edit] = []
    applied: list[int] = []
    for index, group in enumerate(groups):
        if group and not any(new.start < old.end and old.start < new.end for new in group for old in accepted):
            accepted += group
            applied.append(index)
    for edit in sorted(set(accepted), reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text, applied


def write(path: Path, data: bytes) -> None:
    """Replace a file's content atomically and keep its permissions. Raises OSError."""
    target = path.resolve()  # the file behind a symbolic link, not the link
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(stat.S_IMODE(target.stat().st_mode))
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def rename(source: SourceFile, *, node: ast.expr, name: str) -> Iterator[Edit]:
    """x.old -> x.name."""
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
        end = source.span(node)[1]
        yield Edit(end - len(node.attr), end, name)


def unquote(source: SourceFile, *, call: ast.expr, inner: ast.expr) -> Iterator[Edit]:
    """quote(x) -> x."""
    start, end = source.span(inner)
    yield Edit(*source.span(call), source.text[start:end])


def remove(source: SourceFile, *, statement: ast.stmt, is_alone: bool) -> Iterator[Edit]:
    """Remove an assignment of an empty value. `is_alone`: its block has no other statement."""
    if not isinstance(statement, ast.Assign) or len(statement.targets) > 1:
        return
    if ast.unparse(statement.value) not in ("''", "None", "{}"):
        return
    start, end = source.span(statement)
    first = source.offset(statement.lineno, 0)
    last_line = statement.end_lineno or statement.lineno
    line_end = source.offset(last_line, 0) + len(source.lines[last_line - 1])
    if is_alone or source.text[first:start].strip() or source.text[end:line_end].strip():
        yield Edit(start, end, "pass")
    else:
        yield Edit(first, line_end, "")


def merge(source: SourceFile, *, unused: ast.Expr, following: ast.stmt | None) -> Iterator[Edit]:
    """Join consecutive statements: db.child("x") and db.set(1) -> db.child("x").set(1)."""
    if not isinstance(following, (ast.Expr, ast.Assign, ast.Return)) or following.value is None:
        return
    root, following_root = _root_of(unused.value), _root_of(following.value)
    if root is None or following_root is None or ast.dump(root) != ast.dump(following_root):
        return
    start, end = source.span(unused)
    line_start, next_start = source.offset(unused.lineno, 0), source.offset(following.lineno, 0)
    code, between = source.text[start:end], source.text[end:next_start]
    shares_lines = source.text[line_start:start].strip() or between.strip() or not between  # for example a comment
    in_brackets = source.text[source.span(following.value)[0]] == "("
    if not shares_lines and not in_brackets and not re.search(r"[\r\n#]", code):
        yield Edit(line_start, next_start, "")
        yield Edit(*source.span(following_root), code)


def _root_of(node: ast.expr) -> ast.expr | None:
    """Return the first expression of a chain of calls: `db` in db.child("x").get().val()."""
    if not isinstance(node, ast.Call):
        return None
    while isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        node = node.func.value
        while isinstance(node, ast.Attribute) and not isinstance(node.value, ast.Name):
            node = node.value
    return node if isinstance(node, (ast.Name, ast.Attribute)) else None


def replace_import(source: SourceFile, *, statement: AnyImport, alias: ast.alias, module: str) -> Iterator[Edit]:
    """import firebase -> import firebase_rest as firebase."""
    start, end = source.span(statement)
    code = source.text[start:end]
    if isinstance(statement, ast.ImportFrom) or alias.asname:
        code = re.sub(r"^(import|from)\s+[\w.]+", rf"\1 {module}", code)
    else:
        code = f"import {module} as {alias.name}"
    yield Edit(start, end, re.sub(r"\bpyrebase as pyrebase$", "pyrebase", code))
